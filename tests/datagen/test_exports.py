"""Every export loads where it is meant to load, and none leaves the house with an unknown licence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from datagen.output.card import croissant
from datagen.output.exports import FORMATS, export
from datagen.output.licences import Link, chain, conditions, require_known
from datagen.pipeline import InputOptions
from datagen.pipeline import run as run_pipeline
from pathkg.errors import InputError, PathkgError
from pathkg.rewards import CompositeReward
from pathkg.trajectory import parse
from tests.datagen.conftest import EXAMPLES


@pytest.fixture(scope="module")
def with_slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose cases have a slide, a region and a feature bag."""
    place = tmp_path_factory.mktemp("slides")
    images = place / "images.csv"
    rows = ["case_id,slide,features,roi,magnification"]
    for line in EXAMPLES.read_text("utf-8").splitlines():
        case_id = json.loads(line)["case_id"]
        rows += [f"{case_id},/data/slides/{case_id}.svs,/data/bags/{case_id}.h5,,40", f"{case_id},{case_id}.svs,,0 0 512 512,20"]
    images.write_text("\n".join(rows) + "\n", "utf-8")
    run_pipeline(cases=EXAMPLES, out=place / "out", reading=InputOptions(images=str(images)))
    return place / "out"


def rows_of(folder: Path, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob(f"*.{kind}")):
        if path.name == "croissant.json":
            continue
        if kind == "parquet":
            rows += pq.read_table(path).to_pylist()
        elif kind == "json":
            rows += json.loads(path.read_text("utf-8"))
        else:
            rows += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return rows


def trajectory_in(row: dict[str, Any]) -> str:
    if "completion" in row:
        return str(row["completion"] if isinstance(row["completion"], str) else row["completion"][0]["content"])
    if "conversations" in row:
        return str(row["conversations"][1]["value"])
    if "messages" in row:
        return str(row["messages"][2]["content"])
    return str(row["extra_info"]["trajectory"])


@pytest.mark.parametrize("dialect", ["observe", "info"])
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_in_both_dialects(with_slides: Path, tmp_path: Path, format_: str, dialect: str) -> None:
    summary = export(with_slides, tmp_path, format=format_, dialect=dialect)
    rows = rows_of(tmp_path, FORMATS[format_][1])
    assert sum(summary.rows.values()) == len(rows) > 0
    for row in rows:
        assert parse(trajectory_in(row), dialect).steps
    assert {p.name for p in tmp_path.iterdir()} == set(summary.files)


def test_the_reference_in_exports_scores_the_gold_fully(with_slides: Path, tmp_path: Path) -> None:
    reward = CompositeReward()
    full = sum(reward.weights.values())
    for format_, column in (("trl", "reference"), ("ms-swift", "solution")):
        export(with_slides, tmp_path / format_, format=format_)
        for row in rows_of(tmp_path / format_, "jsonl"):
            assert reward.score(trajectory_in(row), row[column]).total == full
    export(with_slides, tmp_path / "verl", format="verl", dialect="observe")
    for row in rows_of(tmp_path / "verl", "parquet"):
        assert reward.score(trajectory_in(row), row["reward_model"]["ground_truth"]).total == full


def test_images_are_where_each_framework_looks(with_slides: Path, tmp_path: Path) -> None:
    for format_ in ("trl", "llava", "verl", "ms-swift"):
        export(with_slides, tmp_path / format_, format=format_)
    trl, swift = rows_of(tmp_path / "trl", "jsonl")[0], rows_of(tmp_path / "ms-swift", "jsonl")[0]
    llava, verl = rows_of(tmp_path / "llava", "json")[0], rows_of(tmp_path / "verl", "parquet")[0]
    assert trl["images"][0].endswith(".h5")
    assert "<image>" not in trl["prompt"][1]["content"]
    assert swift["messages"][1]["content"].count("<image>") == len(swift["images"]) == 2
    assert llava["conversations"][0]["value"].startswith("<image>\n")
    assert llava["image"] == trl["images"][0]
    assert verl["prompt"][1]["content"].startswith("<image>")
    assert verl["images"][0]["image"] == trl["images"][0]


def test_several_scales_are_kept(with_slides: Path) -> None:
    row = json.loads((with_slides / "samples.jsonl").read_text("utf-8").splitlines()[0])
    assert row["scale"] == "region+slide"
    assert [i["magnification"] for i in row["images"]] == [40.0, 20.0]


@pytest.mark.parametrize("format_", FORMATS)
def test_exports_load_in_datasets(with_slides: Path, tmp_path: Path, format_: str) -> None:
    datasets = pytest.importorskip("datasets", reason="needs pathkg[train]")
    kind = FORMATS[format_][1]
    summary = export(with_slides, tmp_path / "x", format=format_)
    files = {s: str(tmp_path / "x" / f"{s}.{kind}") for s in summary.rows}
    loaded = datasets.load_dataset("parquet" if kind == "parquet" else "json", data_files=files, cache_dir=str(tmp_path / "c"))
    assert {s: loaded[s].num_rows for s in summary.rows} == summary.rows


def test_the_dataset_itself_loads_in_datasets(with_slides: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs pathkg[train]")
    for kind, name in (("json", "samples.jsonl"), ("parquet", "samples.parquet")):
        loaded = datasets.load_dataset(kind, data_files=str(with_slides / name), cache_dir=str(tmp_path / "c"))["train"]
        assert loaded[0]["certificate_json"].startswith("{")


def test_trl_takes_the_rows(with_slides: Path, tmp_path: Path) -> None:
    """TRL's own functions: the dataset is recognised as conversational and a chat template can be applied."""
    pytest.importorskip("trl", reason="needs pathkg[train]")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast
    from trl.data_utils import apply_chat_template, is_conversational, maybe_apply_chat_template

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, "a")))
    tokenizer.chat_template = ("{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
                               "{% if add_generation_prompt %}<assistant>{% endif %}")
    export(with_slides, tmp_path / "c", format="trl")
    row = rows_of(tmp_path / "c", "jsonl")[0]
    assert is_conversational(row)
    applied = apply_chat_template({"prompt": row["prompt"], "completion": row["completion"]}, tokenizer)
    assert row["completion"][0]["content"] in applied["completion"]
    export(with_slides, tmp_path / "t", format="trl-text")
    plain = rows_of(tmp_path / "t", "jsonl")[0]
    assert not is_conversational(plain)
    assert maybe_apply_chat_template(plain, tokenizer) == plain


def test_the_card_tells_the_truth(with_slides: Path, tmp_path: Path) -> None:
    export(with_slides, tmp_path, format="chat", title="T")
    card = (tmp_path / "README.md").read_text("utf-8")
    manifest = json.loads((with_slides / "manifest.json").read_text())
    for word in (f"| samples | {manifest['counts']['samples']} |", manifest["graph_hash"], "template-1", "**unknown**",
                 "not by a pathologist", "(not run)", "| split train |"):
        assert word in card, word


def test_croissant_names_every_file_with_its_checksum(with_slides: Path, tmp_path: Path) -> None:
    from datagen.output.atomic import checksum

    export(with_slides, tmp_path, format="chat")
    meta = json.loads((tmp_path / "croissant.json").read_text("utf-8"))
    assert meta["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert {d["name"]: f"sha256:{d['sha256']}" for d in meta["distribution"]} == \
        {p.name: checksum(p) for p in tmp_path.glob("*.jsonl")}
    assert [f["name"] for f in meta["recordSet"][0]["field"]] == ["messages"]
    assert croissant({"version": "1"}, [], {}, {}, title="t", licence="", description="")["license"] == "unknown"


@pytest.mark.parametrize(("arguments", "words"), [
    ({}, "cases 'cases.jsonl'"), ({"cases_licence": "none stated"}, "unknown"), ({"cases_licence": "CC0-1.0"}, "licence of its own"),
    ({"format": "parquets"}, "no export format"), ({"dialect": "tags"}, "dialect")])
def test_publication_is_refused_while_something_is_unknown(with_slides: Path, tmp_path: Path, arguments: dict[str, str],
                                                           words: str) -> None:
    with pytest.raises(PathkgError, match=words):
        export(with_slides, tmp_path / "x", publish=True, **{"format": "chat", **arguments})
    assert not (tmp_path / "x").exists()


def test_publication_removes_paths_and_identifiers(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    text = json.loads(EXAMPLES.read_text("utf-8").splitlines()[0])["text"]
    cases.write_text(json.dumps({"case_id": "c", "slide": "/home/somebody/c.svs", "text": f"Seen 03/14/2011 by Dr. Miller. {text}"}))
    run_pipeline(cases=cases, out=tmp_path / "o")
    export(tmp_path / "o", tmp_path / "x", format="ms-swift", publish=True, cases_licence="CC0-1.0", licence="CC-BY-4.0",
           with_report=True)
    written = "".join(p.read_text("utf-8") for p in (tmp_path / "x").iterdir())
    for secret in ("/home/somebody", "03/14/2011", "Miller"):
        assert secret not in written
    assert "c.svs" in written


def test_the_chain_names_models_and_what_follows() -> None:
    manifest = {"input": {"name": "f"}, "writer": "llm", "llm": {"model": "m"},
                "graph": {"sources": [{"name": "DB", "licence": "CC-BY-NC-4.0"}]}}
    links = chain(manifest, cases_licence="MIT")
    assert [(link.role, link.known) for link in links] == [("cases", True), ("graph", True), ("model", False), ("software", True)]
    with pytest.raises(InputError, match="model 'm'"):
        require_known(links)
    assert any("commercial" in c for c in conditions(links))
    assert conditions([Link("cases", "x", "CC0-1.0")]) == []
