"""The viewer's page without a browser: reading, refusing, packing; the explorer's answers, alone and in a FastAPI app."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

import pathkg
from pathkg.cli import main
from pathkg.errors import InputError
from pathkg.view import read_view_cases, render_page, write_page
from pathkg.view.explore import Explorer
from pathkg.view.page import fill

GRAPH = pathkg.load()
REPORT = "Squamous cell carcinoma with keratin pearls. No glandular differentiation."
GOOD = ("<observe>Keratin pearls are present.</observe><think>1. Keratin pearls support squamous cell carcinoma.</think>"
        "<answer>Squamous cell carcinoma.</answer>")
BAD = GOOD.replace("present.", "present. Glandular differentiation is present.")


def unpacked(page: str, name: str) -> Any:
    match = re.search(rf'id="{name}">([^<]*)</script>', page)
    assert match
    return json.loads(gzip.decompress(base64.b64decode(match[1])))


def sample(text: str, name: str = "s1", **more: Any) -> dict[str, Any]:
    certificate = pathkg.verify(text, report=REPORT)
    return {"sample_id": name, "report": REPORT, "answer": "Squamous cell carcinoma.", "diagnosis": "squamous cell carcinoma",
            "findings": [m.to_dict() for m in pathkg.link(REPORT)], "certificate_json": json.dumps(certificate.to_dict()), **more}


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "verdict", "reason"), [
    (GOOD, "supported", "supported: the graph connects them"),
    (BAD, "contradicted", "contradicted: the report states it as absent")])
def test_a_bare_trajectory_is_verified(tmp_path: Path, text: str, verdict: str, reason: str) -> None:
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    case, = read_view_cases(tmp_path / "t.txt", graph=GRAPH, report=REPORT)
    assert case.verdict == verdict
    assert reason in case.reasons


def test_a_folder_gives_samples_and_rejections(tmp_path: Path) -> None:
    write_lines(tmp_path / "samples.jsonl", [sample(GOOD), sample(BAD, "s2", diagnosis_id="MONDO:0005097")])
    write_lines(tmp_path / "rejected.jsonl", [{"case_id": "c9", "stage": "plan", "reason": "no_diagnosis", "detail": "why"}])
    cases = list(read_view_cases(tmp_path, graph=GRAPH))
    assert [(c.id, c.verdict) for c in cases] == [("s1", "supported"), ("s2", "contradicted"), ("c9", "rejected")]
    assert cases[1].organ == "lung" or "lung" in cases[1].organ or cases[1].organ == "not stated"
    assert cases[2].reasons == ("plan: no diagnosis",)


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.jsonl", "{broken", "is not JSON"), ("x.jsonl", "[1]\n", "not a JSON object"),
    ("x.jsonl", "{}\n", "is not a sample"), ("x.jsonl", '{"answer": "a", "case_id": "c", "certificate_json": "{}x"}\n', "is not a sample"),
    ("x.jsonl", "", "holds no case"), ("x.json", "nope", "is not JSON")])
def test_bad_input_is_named_with_its_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        write_page(tmp_path / name, tmp_path / "o.html", graph=GRAPH)
    assert not (tmp_path / "o.html").exists()


def test_missing_sources(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError):
            write_page(source, tmp_path / "o.html", graph=GRAPH)


def test_paths_keep_their_edges_when_the_store_is_the_same(tmp_path: Path) -> None:
    write_page(write_lines(tmp_path / "s.jsonl", [sample(GOOD)]), tmp_path / "o.html", graph=GRAPH)
    block = unpacked((tmp_path / "o.html").read_text(encoding="utf-8"), "block-0")
    words, hops, walk = block["paths"][0]
    assert hops[0][0].startswith("PATHKG:") or hops[0][2].startswith("PATHKG:")
    assert words.startswith(block["nodes"][walk[0]][0])
    assert words.endswith(block["nodes"][walk[-1]][0])
    assert len(walk) == len(hops) + 1


def test_paths_of_another_store_are_drawn_from_their_words(tmp_path: Path) -> None:
    row = sample(GOOD)
    certificate = json.loads(row["certificate_json"])
    certificate["graph_hash"] = "sha256:other"
    certificate["parts"][1]["claims"][0]["evidence"] = [
        {"kind": "graph", "edges": [1, 2], "text": "a thing —NOT is_a→ b [x] ←supports— c"}]
    row["certificate_json"] = json.dumps(certificate)
    write_page(write_lines(tmp_path / "s.jsonl", [row]), tmp_path / "o.html", graph=GRAPH)
    block = unpacked((tmp_path / "o.html").read_text(encoding="utf-8"), "block-0")
    path = next(p for p in block["paths"] if p[0].startswith("a thing"))
    assert path[1] == [["a thing", "is_a", "b", "", True], ["c", "supports", "b", "", False]]
    assert path[2] == ["a thing", "b", "c"]


def test_same_cases_same_bytes_and_many_blocks(tmp_path: Path) -> None:
    rows = [sample(GOOD, f"s{i}") for i in range(3)] * 40
    cases = list(read_view_cases(write_lines(tmp_path / "s.jsonl", rows), graph=GRAPH))
    page = render_page(cases, graph=GRAPH, title="t")
    assert page == render_page(cases, graph=GRAPH, title="t")
    assert [len(unpacked(page, f"block-{i}")["cases"]) for i in range(3)] == [40, 40, 40]
    assert len(unpacked(page, "head")["index"]) == 120
    assert unpacked(page, "block-0")["reports"] == [REPORT], "equal reports are kept once"


def test_the_page_asks_for_nothing_and_carries_the_licence(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(GOOD, encoding="utf-8")
    write_page(tmp_path / "t.txt", tmp_path / "o.html", graph=GRAPH, report=REPORT, title="<b>&amp;")
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "The Cytoscape Consortium" in page
    assert "Permission is hereby granted" in page
    assert "<title>&lt;b&gt;&amp;amp;" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page.split("<script>")[0])


def test_values_are_not_searched_for_places_again() -> None:
    assert fill("{{A_B}} {{C}}", {"A_B": "{{C}}", "C": "x"}) == "{{C}} x"


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(GOOD, encoding="utf-8")
    Path("r.txt").write_text(REPORT, encoding="utf-8")
    assert main(["view", "t.txt", "--report", "r.txt"]) == 0
    assert "t.html: 1 case," in capsys.readouterr().out
    assert main(["view", "absent"]) == 2
    assert main(["explore", "no such node at all"]) == 2
    assert "what to do" in capsys.readouterr().err


EXPLORER = Explorer(GRAPH)


@pytest.mark.parametrize(("text", "first"), [
    ("keratin pearl", "PATHKG:keratin-pearl"), ("KERATIN  PEARL", "PATHKG:keratin-pearl"), ("MONDO:0005005", "MONDO:0005005"),
    ("ccRCC", "MONDO:0005005"), ("clear cell renal cell car", "MONDO:0005005")])
def test_search_puts_the_meant_node_first(text: str, first: str) -> None:
    assert EXPLORER.search(text)[0]["id"] == first


def test_search_of_nothing_and_of_something_absent() -> None:
    assert EXPLORER.search("  ") == []
    assert EXPLORER.search("zzzz no such thing") == []


def test_neighbours_come_in_pages_without_gap_or_repeat() -> None:
    whole = EXPLORER.neighbours("MONDO:0005005", limit=10_000)
    pages = [EXPLORER.neighbours("MONDO:0005005", offset=o) for o in range(0, whole["total"], 24)]
    assert [e["id"] for p in pages for e in p["edges"]] == [e["id"] for e in whole["edges"]]
    assert whole["total"] == GRAPH.degree("MONDO:0005005") == len(whole["edges"])


def test_neighbours_are_filtered() -> None:
    found = EXPLORER.neighbours("MONDO:0005005", relation="stains_positive_for", type="marker")
    assert found["edges"]
    assert {n["type"] for n in found["nodes"] if n["id"] != "MONDO:0005005"} == {"marker"}


@pytest.mark.parametrize(("path", "query", "status"), [
    ("/explore", {}, 200), ("/explore/search", {"q": "keratin"}, 200), ("/explore/node", {"id": "keratin pearl"}, 200),
    ("/explore/node", {"id": "keratin purl"}, 404), ("/explore/neighbours", {"id": "X:1"}, 404),
    ("/explore/neighbours", {"id": "MONDO:0005005", "relation": "likes"}, 400),
    ("/explore/neighbours", {"id": "MONDO:0005005", "offset": "-1"}, 400),
    ("/explore/paths", {"a": "keratin pearl", "b": "lung squamous cell carcinoma"}, 200), ("/explore/other", {}, 404)])
def test_answers_alone_and_inside_an_app_are_the_same(path: str, query: dict[str, str], status: int) -> None:
    answer = EXPLORER.answer(path, query)
    assert answer.status == status
    if status != 200:
        assert json.loads(answer.body)["error"]
    if path == "/explore/other":
        return
    fastapi = pytest.importorskip("fastapi")
    testclient = pytest.importorskip("fastapi.testclient")
    from pathkg.view.explore import add_routes

    app = fastapi.FastAPI()
    add_routes(app, GRAPH)
    served = testclient.TestClient(app).get(path, params=query)
    assert (served.status_code, served.content) == (status, answer.body)
