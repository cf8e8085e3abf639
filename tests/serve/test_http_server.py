"""The HTTP server: same numbers as the library, and it refuses rather than falls over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import pathkg
from pathkg.errors import InputError
from pathkg.rewards import CompositeReward, Reference, build_reference
from pathkg.rewards.redteam import gold_cases

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from starlette.testclient import TestClient

from pathkg.serve.app import create_app
from pathkg.serve.settings import Settings

CASE = gold_cases()[0]
TEXT = CASE.gold.render()
REFERENCE = build_reference(CASE.gold).to_json()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(max_body=200_000, max_text=100_000, max_batch=20))) as running:
        yield running


def test_reward_is_the_librarys(client: TestClient) -> None:
    served = client.post("/v1/reward", json={"text": TEXT, "reference": REFERENCE}).json()
    assert served == json.loads(json.dumps(CompositeReward().score(TEXT, REFERENCE).to_dict()))
    weighted = client.post("/v1/reward", json={"text": TEXT, "reference": json.loads(REFERENCE), "weights": {"entity": 2}})
    assert weighted.json()["total"] == 2.0


def test_batch_keeps_the_order(client: TestClient) -> None:
    texts = [TEXT, "junk", TEXT.replace("present", "absent")]
    body = {"items": [{"text": t, "reference": REFERENCE} for t in texts]}
    totals = [r["total"] for r in client.post("/v1/reward/batch", json=body).json()["results"]]
    assert totals == [CompositeReward()(t, REFERENCE) for t in texts]


def test_look_ups(client: TestClient) -> None:
    link = client.post("/v1/link", json={"text": "No necrosis."}).json()
    assert link["mentions"][0]["assertion"] == "absent"
    paths = client.post("/v1/paths", json={"a": "keratin pearl", "b": "squamous cell carcinoma", "k": 1}).json()
    assert paths["paths"][0]["edges"][0]["relation"] == "supports"
    certificate = client.post("/v1/verify", json={"trajectory": TEXT, "report": CASE.report}).json()
    assert certificate["verdict"] == "supported"
    made = client.post("/v1/reference", json={"gold": TEXT, "report": CASE.report}).json()
    assert Reference.from_json(made["ground_truth"]).entities == build_reference(CASE.gold).entities
    node = client.get("/v1/node/keratin pearl").json()
    assert node["id"] == "PATHKG:keratin-pearl"
    assert client.get("/v1/info").json()["graph_hash"] == pathkg.load().hash


def test_openrlhf_endpoint(client: TestClient) -> None:
    prompt = "Describe: "
    reply = client.post("/get_reward", json={"query": [prompt + TEXT, prompt + "junk"], "prompts": [prompt] * 2,
                                             "labels": [REFERENCE] * 2}).json()
    assert reply["rewards"] == [2.5, 0.0]
    assert reply["scores"] == [1.0, 0.0]


def test_health_metrics_and_pages(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "graph_hash": pathkg.load().hash}
    text = client.get("/metrics").text
    assert 'pathkg_requests_total{route="/healthz",status="200"}' in text
    assert "pathkg_request_seconds_count" in text
    page = client.get("/docs").text
    assert "http" not in page.replace("https://", "http").split("<script>")[1].split("</script>")[0]
    assert set(client.get("/openapi.json").json()["paths"]) >= {"/v1/reward", "/v1/link", "/v1/paths", "/v1/verify"}


@pytest.mark.parametrize(("method", "path", "body", "status", "says"), [
    ("post", "/v1/link", {}, 422, "text"),
    ("post", "/v1/link", {"text": 5}, 422, "text"),
    ("post", "/v1/link", {"text": "a", "extra": 1}, 422, "extra"),
    ("post", "/v1/link", {"text": "a" * 150_000}, 422, "limit"),
    ("post", "/v1/link", {"text": "a" * 250_000}, 413, "larger"),
    ("post", "/v1/verify", {"trajectory": "no tags"}, 422, "dialect"),
    ("post", "/v1/paths", {"a": "keratin pearl", "b": "squamous cell carcinoma", "max_hops": 99}, 422, "max_hops"),
    ("post", "/v1/reward", {"text": "a", "reference": "{}", "weights": {"entiti": 1}}, 422, "entiti"),
    ("post", "/v1/reward/batch", {"items": [{"text": "a", "reference": "{}"}] * 21}, 422, "21 items"),
    ("get", "/v1/node/no such thing", None, 404, "no such thing"),
    ("get", "/v2", None, 404, ""),
    ("get", "/v1/link", None, 405, ""),
])
def test_bad_requests(client: TestClient, method: str, path: str, body: Any, status: int, says: str) -> None:
    reply = client.request(method.upper(), path, json=body)
    assert reply.status_code == status
    assert says in reply.text


def test_bodies_that_are_no_json(client: TestClient) -> None:
    for data in (b"", b"{", b"\xff\xfe", b"[" * 10_000):
        assert client.post("/v1/link", content=data, headers={"content-type": "application/json"}).status_code in (400, 422)


def test_a_broken_reference_is_an_answer_not_a_failure(client: TestClient) -> None:
    reply = client.post("/v1/reward", json={"text": TEXT, "reference": "not json"})
    assert reply.status_code == 200
    assert reply.json()["total"] is None


def test_a_chunked_body_is_counted(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    assert client.post("/v1/link", content=chunks()).status_code == 413


def test_the_token() -> None:
    with TestClient(create_app(Settings(token="s3cret"))) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/info").status_code == 401
        assert client.get("/v1/info", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/v1/info", headers={"authorization": "Bearer s3cret"}).status_code == 200
        assert client.get("/metrics").status_code == 401


def test_a_full_queue_answers_503_at_once_and_recovers() -> None:
    app = create_app(Settings(running=1, waiting=2))
    release = threading.Event()
    app.state.service.link = lambda text: release.wait(5) and {"mentions": []}
    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(client.post, "/v1/link", json={"text": "a"}) for _ in range(8)]
        deadline = time.monotonic() + 5
        while sum(f.done() for f in sent) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = [f.result() for f in sent if f.done()]
        release.set()
        statuses = sorted(f.result().status_code for f in sent)
        assert statuses == [200] * 3 + [503] * 5
        assert all(r.headers["retry-after"] == "1" for r in refused)
        assert client.post("/v1/link", json={"text": "a"}).status_code == 200


def test_a_slow_request_gets_504_and_keeps_its_place_until_it_ends() -> None:
    app = create_app(Settings(running=1, waiting=0, time_limit_s=0.1))
    release = threading.Event()
    app.state.service.link = lambda text: release.wait(5)
    with TestClient(app) as client:
        assert client.post("/v1/link", json={"text": "a"}).status_code == 504
        assert client.post("/v1/link", json={"text": "a"}).status_code == 503
        release.set()
        time.sleep(0.1)
        assert app.state.gate.taken == 0


@pytest.mark.parametrize("bad", [{"max_body": 0}, {"running": 0}, {"waiting": -1}, {"time_limit_s": 0}])
def test_settings_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="what to do"):
        Settings(**bad)


def test_other_machines_need_a_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pathkg.cli import main

    monkeypatch.delenv("PATHKG_SERVE_TOKEN", raising=False)
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "PATHKG_SERVE_TOKEN" in capsys.readouterr().err
