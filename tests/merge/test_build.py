"""From files to a store: same bytes, no half store, no quarrel between builds, one command for everything."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pathkg.cli import main
from pathkg.errors import InputError, StoreError
from pathkg.graph import KnowledgeGraph
from pathkg.merge import build
from tests.shared_data import shared

HEADER = "relation,display_relation,x_id,x_type,x_name,x_source,y_id,y_type,y_name,y_source"


def primekg(folder: Path, n: int = 50) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kg.csv"
    rows = [f"disease_protein,associated with,{i},gene/protein,G{i},NCBI,{i % 7 + 1},disease,D{i % 7},MONDO"
            for i in range(1, n)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def digest(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()}


def run(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    csv = primekg(tmp_path)
    stores = []
    for name in ("a", "b"):
        build(tmp_path / name / "store", primekg=[csv], core=False, lexicon=False)
        stores.append(digest(tmp_path / name / "store"))
    assert stores[0] == stores[1]
    assert {"manifest.json", "merge_report.json", "mappings.sssom.tsv", "nodes.parquet"} <= set(stores[0])


def test_the_hash_is_that_of_the_content(tmp_path):
    csv = primekg(tmp_path)
    first = build(tmp_path / "a", primekg=[csv], core=False, lexicon=False).graph_hash
    csv.write_text(csv.read_text().replace("G1,", "G1x,"))
    assert build(tmp_path / "b", primekg=[csv], core=False, lexicon=False).graph_hash != first


def test_a_build_replaces_an_older_store_and_nothing_else(tmp_path):
    csv = primekg(tmp_path)
    build(tmp_path / "s", primekg=[csv], core=False, lexicon=False)
    primekg(tmp_path, 20)
    assert build(tmp_path / "s", primekg=[csv], core=False, lexicon=False).report["result"]["edges"] == 19
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(StoreError, match="not a graph store"):
        build(tmp_path / "mine", primekg=[csv], core=False, lexicon=False)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_failed_build_leaves_the_old_store_and_no_rubbish(tmp_path, monkeypatch):
    csv = primekg(tmp_path)
    build(tmp_path / "s", primekg=[csv], core=False, lexicon=False)
    before = digest(tmp_path / "s")
    from pathkg.graph import store as module

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write_index", full)
    with pytest.raises(StoreError, match="No space left"):
        build(tmp_path / "s", primekg=[csv], core=False, lexicon=False)
    assert digest(tmp_path / "s") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kg.csv", "s"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_a_real_full_disk(tmp_path):
    """A file size limit makes the operating system itself refuse the write."""
    csv = primekg(tmp_path, 40_000)
    code = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
            "from pathkg.cli import main;"
            f"sys.exit(main(['build','--primekg',{str(csv)!r},'--no-core','--no-lexicon','--out',{str(tmp_path / 's')!r}]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          cwd=Path(__file__).parents[2])
    assert done.returncode == 2, done.stderr
    assert "cannot write the store" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kg.csv"]


def test_a_killed_build_leaves_no_store(tmp_path):
    csv = primekg(tmp_path, 60_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "pathkg.cli", "build", "--primekg", str(csv), "--no-core", "--no-lexicon", "--out",
         str(tmp_path / "s")], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and not list(tmp_path.glob(".s.*.part")) and time.monotonic() < deadline:
        time.sleep(0.005)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    if (tmp_path / "s").exists():  # it was faster than the signal: then the store is whole
        assert KnowledgeGraph.open(tmp_path / "s").n_edges == 59_999
    # the next build works, and clears away what the killed one left
    assert build(tmp_path / "s", primekg=[csv], core=False, lexicon=False).report["result"]["edges"] == 59_999
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kg.csv", "s"]


def test_two_builds_to_one_place_leave_one_whole_store(tmp_path):
    small, large = primekg(tmp_path / "a", 30), primekg(tmp_path / "b", 3000)
    errors = []

    def go(csv):
        try:
            for _ in range(3):
                build(tmp_path / "s", primekg=[csv], core=False, lexicon=False)
        except Exception as error:  # noqa: BLE001 - the test reports whatever it is
            errors.append(error)

    threads = [threading.Thread(target=go, args=(c,)) for c in (small, large)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    graph = KnowledgeGraph.open(tmp_path / "s")
    assert graph.n_edges in (29, 2999)
    assert graph.edges_table().num_rows == graph.n_edges == len(graph.arrays.edge_subject)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "s"]


def test_the_report_names_every_source_and_problem(tmp_path):
    csv = primekg(tmp_path)
    csv.write_text(csv.read_text() + "broken,row\n")
    code, out, err = run("build", "--primekg", str(csv), "--no-core", "--no-lexicon", "--out", str(tmp_path / "s"))
    assert code == 0
    assert "dropped: 1 x row with another number of fields" in out
    assert f"kg.csv:{51}" in out
    assert "reading PrimeKG kg.csv" in err
    code, out, _ = run("build", "--primekg", str(csv), "--no-core", "--no-lexicon", "--out", str(tmp_path / "s"),
                       "--json", "--quiet")
    report = json.loads(out)
    assert report["sources"][0]["read"]["dropped"] == {"row with another number of fields than the header": 1}
    stored = json.loads((tmp_path / "s" / "merge_report.json").read_text())
    assert stored["result"] == report["result"]
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert manifest["source_records"][0]["files"][0]["sha256"]


@pytest.mark.parametrize("arguments", [
    ("--primekg", "nowhere.csv"), (), ("--ontology", "no*.obo"), ("--primekg", __file__), ("--pathograph", "nowhere")])
def test_bad_arguments_end_with_a_hint_and_code_2(tmp_path, arguments):
    code, _, err = run("build", *arguments, "--no-core", "--no-lexicon", "--out", str(tmp_path / "s"))
    assert code == 2
    assert "pathkg: " in err
    assert not (tmp_path / "s").exists()


def test_nothing_to_build_from(tmp_path):
    with pytest.raises(InputError, match="nothing to build from"):
        build(tmp_path / "s", core=False)


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """All real small sources in one command: PrimeKG rows, PathoGraph, the core, ontologies."""
    store = tmp_path_factory.mktemp("merged") / "store"
    arguments = ["build", "--out", str(store), "--quiet", "--json", "--no-lexicon",
                 "--primekg", str(shared("kg/primekg/arnold117/test_edges.csv")),
                 str(shared("kg/primekg/arnold117/mappings_nodes.csv")),
                 str(shared("kg/primekg/PrimeKG-Plus/20260529-literature_edges_novel.csv")),
                 "--pathograph", str(shared("kg/pathograph")),
                 "--ontology", str(shared("ontologies/mondo.json.gz")), str(shared("ontologies/hgnc_entries.tsv.gz")),
                 str(shared("ontologies/oncotree_2025_10_03.json")),
                 str(shared("ontologies/mappings/mondo_exactmatch_ncit.sssom.tsv.gz")),
                 str(shared("ontologies/mappings/mondo_hasdbxref_oncotree.sssom.tsv.gz"))]
    code, out, err = run(*arguments)
    assert code == 0, err
    return KnowledgeGraph.open(store), json.loads(out)


def test_real_merge_joins_pathograph_and_oncotree_to_mondo(merged):
    graph, _ = merged
    assert graph.resolve("NCIT:C4033") == graph.resolve("ONCOTREE:CCRCC") == "MONDO:0005005"
    assert graph.resolve("HGNC:ERBB2") == graph.resolve("HGNC:3430") == "NCBIGene:2064"
    sources = set(graph.node("MONDO:0005005").sources)
    assert {"core", "MONDO", "OncoTree", "PathoGraph"} <= sources


def test_real_merge_resolves_group_members(merged):
    graph, _ = merged
    member = graph.resolve("MONDO:0010079")
    groups = [other for _, other, way in graph.neighbors(member, "member_of_group") if way == "forward"]
    assert "MONDO_grouped:10079_16781_16207" in groups


def test_a_group_answers_for_members_without_a_node(tmp_path):
    result = build(tmp_path / "s", primekg=[shared("kg/primekg/arnold117/mappings_nodes.csv")], core=False, lexicon=False)
    graph = KnowledgeGraph.open(result.path)
    group = "MONDO_grouped:10001_19287_23046_23048"
    assert [graph.resolve(f"MONDO:00{n}") for n in (10001, 19287, 23046, 23048)] == [group] * 4
    assert graph.resolve("ectodermal dysplasia syndrome") == group


def test_real_merge_reports_every_source(merged):
    graph, report = merged
    assert [s["name"] for s in report["sources"]][:2] == ["core", "MONDO"]
    assert report["result"]["nodes"] == graph.n_nodes
    for source in report["sources"]:
        edges = source["edges"]
        assert edges["edges read"] == edges["edges kept"] + sum(
            v for k, v in edges.items() if k not in ("edges read", "edges kept"))
    rows = (graph.path / "mappings.sssom.tsv").read_text().splitlines()
    assert len(rows) == report["result"]["mappings"] + 1
    assert rows[0].split("\t")[:4] == ["subject_id", "subject_label", "predicate_id", "object_id"]


def test_real_merge_never_mixes_types_or_two_ids_of_one_vocabulary(merged):
    graph, _ = merged
    table = graph.xrefs_table()
    merged_ids = {}
    for node, xref, predicate in zip(*(table[c].to_pylist() for c in ("node", "xref", "predicate")), strict=True):
        if predicate == "skos:exactMatch" and xref.startswith("MONDO:"):
            merged_ids.setdefault(node, []).append(xref)
    # only an id that MONDO itself has retired may be absorbed by another MONDO id
    assert all(not graph.curie(n).startswith("MONDO:") for n in merged_ids)


OBO = "format-version: 1.2\n\n[Term]\nid: MONDO:0000001\nname: disease\n"


def test_a_folder_of_ontologies_is_searched_and_what_is_none_is_named(tmp_path):
    folder = tmp_path / "ontologies"
    (folder / "more").mkdir(parents=True)
    (folder / "a.obo").write_text(OBO)
    (folder / "more" / "b.obo").write_text(OBO.replace("0000001", "0000002").replace("disease", "tumor"))
    (folder / "LICENSE").write_text("terms of use\n")
    (folder / "empty.obo").write_text("")
    (folder / "download.json").write_text('{"source": "mondo"}')  # what `pathkg download` writes beside the files
    (folder / "c.obo.part").write_text(OBO.replace("0000001", "0000003"))
    (folder / "settings.json").write_text('{"colour": "blue"}')
    (folder / "terms.json").write_text('[{"id": "MONDO:0000004", "name": "cyst"}]')
    code, out, err = run("build", "--ontology", str(folder), "--no-core", "--no-lexicon", "--out", str(tmp_path / "s"))
    assert code == 0, err
    assert "MONDO:0000001" in KnowledgeGraph.open(tmp_path / "s")
    assert "MONDO:0000002" in KnowledgeGraph.open(tmp_path / "s")
    assert "MONDO:0000004" in KnowledgeGraph.open(tmp_path / "s")
    assert "MONDO:0000003" not in KnowledgeGraph.open(tmp_path / "s")
    assert "left out: LICENSE, c.obo.part, empty.obo, settings.json" in out
    assert "download.json" not in out
    with pytest.raises(InputError, match="no OBO graph"):  # a file that is named is never passed over
        build(tmp_path / "t", ontologies=[folder / "settings.json"], core=False)
    (tmp_path / "no ontology").mkdir()
    (tmp_path / "no ontology" / "LICENSE").write_text("terms of use\n")
    with pytest.raises(InputError, match="holds no ontology"):
        build(tmp_path / "t", ontologies=[tmp_path / "no ontology"])


@pytest.mark.parametrize("wrong", ["primekg", "pathograph", "ontologies", "optimuskg", "tsv"])
def test_a_missing_source_is_told_before_anything_is_read(tmp_path, wrong):
    good = tmp_path / "a.obo"
    good.write_text(OBO)
    steps: list[str] = []
    sources = {"ontologies": [good]}
    sources[wrong] = [*sources.get(wrong, []), tmp_path / "nowhere.csv"]
    with pytest.raises(InputError, match="nowhere"):
        build(tmp_path / "s", core=False, progress=lambda what, step, steps_: steps.append(what), **sources)
    assert steps == []
    assert not (tmp_path / "s").exists()


def test_each_step_is_told_and_the_last_one_is_the_last(tmp_path):
    told: list[tuple[str, int, int]] = []
    build(tmp_path / "s", primekg=[primekg(tmp_path)], core=False,
          progress=lambda what, step, steps: told.append((what, step, steps)))
    assert [what for what, _, _ in told] == ["reading PrimeKG kg.csv", "merging", "writing the store",
                                             "compiling the linking index"]
    assert [step for _, step, _ in told] == [1, 2, 3, 4]
    assert {steps for _, _, steps in told} == {4}


def test_a_primekg_folder_without_its_tables_names_what_is_there(tmp_path):
    (tmp_path / "PrimeKG").mkdir()
    (tmp_path / "PrimeKG" / "extra_edges.csv").write_text(HEADER + "\n")
    with pytest.raises(InputError) as caught:
        build(tmp_path / "s", primekg=[tmp_path / "PrimeKG"])
    assert "extra_edges.csv" in str(caught.value.hint)
