"""Differential support, its picture and page, gold paths and the two commands."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path as FilePath
from typing import Any
from xml.etree import ElementTree

import pytest

import pathkg
from pathkg.cli import main
from pathkg.errors import InputError
from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.paths import explain_case
from pathkg.paths.gold import fit_weights, gold_overlap, read_gold
from pathkg.paths.page import case_html
from pathkg.paths.picture import case_svg
from pathkg.paths.support import default_rules
from pathkg.paths.words import case_table
from pathkg.records import Assertion, Mention

NODES = {"M:pearl": ("keratin pearl", "morphology"), "M:kera": ("keratinization", "morphology"),
         "M:mucin": ("mucin", "morphology"), "R:ttf+": ("TTF-1 positive", "marker_result"),
         "R:ttf-": ("TTF-1 negative", "marker_result"), "K:ttf": ("TTF-1", "marker"),
         "D:scc": ("squamous cell carcinoma", "disease"), "D:adeno": ("adenocarcinoma", "disease"),
         "D:kscc": ("keratinizing squamous cell carcinoma", "disease"), "D:ca": ("carcinoma", "disease"),
         "D:other": ("other <disease> & more", "disease")}
EDGES = [("M:pearl", "supports", "D:scc"), ("M:pearl", "opposes", "D:adeno"), ("M:mucin", "supports", "D:adeno"),
         ("M:mucin", "opposes", "D:scc"), ("M:pearl", "is_a", "M:kera"), ("D:scc", "is_a", "D:ca"), ("D:adeno", "is_a", "D:ca"),
         ("D:kscc", "is_a", "D:scc"), ("R:ttf+", "result_of", "K:ttf"), ("R:ttf-", "result_of", "K:ttf"),
         ("D:adeno", "stains_positive_for", "K:ttf"), ("D:scc", "stains_negative_for", "K:ttf"),
         ("D:other", "has_morphology", "M:kera"), ("D:other", "has_morphology", "M:mucin")]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    tables = make_tables(nodes=[{"id": i, "name": n, "type": t} for i, (n, t) in NODES.items()],
                         edges=[{"subject": s, "relation": r, "object": o, "source": "WHO"} for s, r, o in EDGES])
    return KnowledgeGraph.open(write_store(tmp_path_factory.mktemp("support") / "store", tables))


def weight(graph: KnowledgeGraph, finding: Any, disease: str) -> float:
    case = explain_case(graph, [finding], [disease])
    return sum(e.weight for e in (*case[0].support, *case[0].against))


@pytest.mark.parametrize(("finding", "disease", "sign"), [
    ("keratin pearl", "D:scc", 1), ("keratin pearl", "D:adeno", -1), ("-keratin pearl", "D:scc", -1),
    ("no keratin pearl", "D:adeno", 1), (("keratin pearl", "absent"), "D:scc", -1), (("M:pearl", "+"), "D:scc", 1),
    ("keratin pearl", "D:kscc", 1), ("keratin pearl", "D:ca", 1), ("keratin pearl", "D:other", 1), ("mucin", "D:ca", 1),
    ("TTF-1 positive", "D:adeno", 1), ("TTF-1 positive", "D:scc", -1), ("TTF-1 negative", "D:scc", 1),
    ("TTF-1 negative", "D:adeno", -1), ("not TTF-1 positive", "D:scc", 1), ("not TTF-1 positive", "D:adeno", -1),
    ("TTF-1", "D:adeno", 1), ("keratinization", "D:scc", 1),
])
def test_what_speaks_for_and_against(graph: KnowledgeGraph, finding: Any, disease: str, sign: int) -> None:
    assert math.copysign(1, weight(graph, finding, disease)) == sign
    assert weight(graph, finding, disease) != 0


@pytest.mark.parametrize(("finding", "disease"), [
    ("no keratin pearl", "D:other"),  # keratinization may still be there
    ("no keratin pearl", "D:ca"),  # another carcinoma may do without
    ("TTF-1 negative", "D:other"),
])
def test_what_says_nothing(graph: KnowledgeGraph, finding: str, disease: str) -> None:
    assert weight(graph, finding, disease) == 0


@pytest.mark.parametrize(("stronger", "weaker"), [
    (("keratin pearl", "D:scc"), ("keratin pearl", "D:kscc")), (("keratin pearl", "D:scc"), ("keratinization", "D:scc")),
    (("TTF-1 negative", "D:scc"), ("no mucin", "D:scc")),
])
def test_nearer_evidence_weighs_more(graph: KnowledgeGraph, stronger: Any, weaker: Any) -> None:
    assert weight(graph, *stronger) > weight(graph, *weaker) > 0


def test_scores_add_up_and_paths_lead_from_finding_to_candidate(graph: KnowledgeGraph) -> None:
    case = explain_case(graph, ["keratin pearl", "-mucin", "TTF-1 negative"])
    assert case[0].node.id == "D:scc"
    assert case.rank("D:scc") == 1
    for candidate in case:
        evidence = (*candidate.support, *candidate.against)
        assert candidate.score == pytest.approx(sum(e.weight for e in evidence) + candidate.standing)
        assert len(evidence) + len(candidate.unexplained) == 3
        for e in evidence:
            assert (e.path.nodes[0], e.path.nodes[-1]) == (e.finding, candidate.node)
            for edge, u, v in zip(e.path.edges, e.path.nodes, e.path.nodes[1:], strict=False):
                record = graph.edge(edge.id)
                ends = (u.id, v.id) if edge.direction == "forward" else (v.id, u.id)
                assert (record.subject, record.object) == ends
    assert [c.score for c in case] == sorted((c.score for c in case), reverse=True)


def test_an_edge_held_back_is_not_used(graph: KnowledgeGraph) -> None:
    edge = explain_case(graph, ["keratin pearl"], ["D:scc"])[0].support[0].path.edges[0].id
    held = explain_case(graph, ["keratin pearl"], ["D:scc"], avoid_edges=[edge])
    assert all(edge != e.id for c in held for x in (*c.support, *c.against) for e in x.path.edges)


def test_mentions_and_unknown_names(graph: KnowledgeGraph) -> None:
    def mention(id_: str, assertion: str) -> Mention:
        return Mention(0, 1, "x", id_, "x", "morphology", Assertion(assertion), 1.0, "")
    case = explain_case(graph, [mention("M:pearl", "present"), mention("M:mucin", "absent"), mention("M:kera", "historical"),
                                "keratin perl"], ["D:scc", "nothing"])
    assert [(n.id, p) for n, p in case.findings] == [("M:pearl", "+"), ("M:mucin", "-")]
    assert len(case.unknown) == 2
    assert "did you mean" in case.unknown[0]


def test_a_finding_given_both_ways_is_told(graph: KnowledgeGraph) -> None:
    case = explain_case(graph, ["keratin pearl", "no keratin pearl"])
    assert [(n.id, p) for n, p in case.findings] == [("M:pearl", "+")]
    assert "as present and as absent" in case.unknown[0]
    assert "left out: nobody" not in case_table(case)


def test_unknown_candidates_are_told_when_none_is_left(graph: KnowledgeGraph) -> None:
    case = explain_case(graph, ["keratin pearl"], ["carcinom"])
    assert not case.candidates
    assert "did you mean 'carcinoma'" in case_table(case)


@pytest.mark.parametrize("edge", [-1, 10**6])
def test_an_edge_to_avoid_must_exist(graph: KnowledgeGraph, edge: int) -> None:
    with pytest.raises(InputError, match="avoid_edges"):
        explain_case(graph, ["keratin pearl"], avoid_edges=[edge])


def test_a_finding_of_few_says_more_than_one_of_many(graph: KnowledgeGraph) -> None:
    assert weight(graph, "keratin pearl", "D:scc") > weight(graph, "mucin", "D:adeno") > 0


@pytest.mark.parametrize("findings", [[], [""], ["no "], ["nonsense"], [("keratin pearl", "historical")]])
def test_a_case_without_findings_is_an_error(graph: KnowledgeGraph, findings: Any) -> None:
    with pytest.raises(InputError):
        explain_case(graph, findings)


def test_given_candidates_are_all_ranked(graph: KnowledgeGraph) -> None:
    case = explain_case(graph, ["TTF-1 positive"], ["D:other", "D:scc", "D:adeno"], top=1)
    assert [c.node.id for c in case] == ["D:adeno", "D:other", "D:scc"]
    assert case[1].unexplained
    assert not case[1].support


def test_the_rules_are_weaker_the_farther_they_reach() -> None:
    rules = default_rules()
    for name in ("broader_finding", "narrower_finding", "inherited_from_parent", "known_of_subtype", "known_of_sibling",
                 "known_of_differential", "passed_down", "absent_kind", "seen", "seen_marker"):
        assert 0 < rules[name] < 1
    assert rules["known_of_sibling"] < rules["known_of_subtype"]


@pytest.mark.parametrize(("findings", "expected", "beaten"), [
    (["keratin pearl", "intercellular bridge", "p40 positive", "-TTF-1 positive"], "squamous cell carcinoma",
     "lung adenocarcinoma"),
    (["TTF-1 positive", "napsin A positive", "lepidic pattern", "no keratin pearl"], "lung adenocarcinoma",
     "squamous cell carcinoma"),
    (["clear cytoplasm", "carbonic anhydrase IX positive", "delicate vascular network", "not CK7 positive"],
     "clear cell renal cell carcinoma", "papillary renal cell carcinoma"),
])
def test_textbook_cases_on_the_core(findings: list[str], expected: str, beaten: str) -> None:
    graph = pathkg.load()
    known = [f for f in findings if _known(graph, f)]
    assert len(known) >= 3, known
    case = explain_case(graph, known, [beaten, expected])
    assert case[0].node.id == graph.resolve(expected)
    assert case[0].score > case[1].score + 0.2


def _known(graph: KnowledgeGraph, finding: str) -> bool:
    try:
        graph.resolve(finding.removeprefix("-").removeprefix("no ").removeprefix("not "))
    except pathkg.errors.UnknownEntityError:
        return False
    return True


def test_the_picture_is_xml_and_draws_all_evidence(graph: KnowledgeGraph) -> None:
    case = explain_case(graph, ["keratin pearl", "-mucin", "keratinization"])
    svg = ElementTree.fromstring(case_svg(case))
    space = "{http://www.w3.org/2000/svg}"
    ribbons = [p for p in svg.iter(f"{space}path") if p.get("data-f")]
    assert len(ribbons) == sum(len(c.support) + len(c.against) for c in case)
    words = " ".join("".join(t.itertext()) for t in svg.iter(f"{space}text"))
    assert "no mucin" in words
    assert "other <disease> & more" in words
    assert case_svg(case) == case_svg(case)


def test_the_page_is_self_contained_and_escapes(graph: KnowledgeGraph) -> None:
    page = case_html(explain_case(graph, ["keratinization", "mucin", "<script>alert(1)</script>"]))
    assert "<script>alert" not in page
    assert "other &lt;disease&gt; &amp; more" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_the_table_names_findings_candidates_and_sources(graph: KnowledgeGraph) -> None:
    table = case_table(explain_case(graph, ["keratin pearl", "-mucin"]), width=90)
    assert "keratin pearl, no mucin" in table
    assert "keratin pearl supports squamous cell carcinoma [WHO]" in table
    assert "no candidate" in case_table(explain_case(graph, ["-keratin pearl"], []))


def write(path: FilePath, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


GOLD = ("id\tnodes\trelations\n1\tkeratin pearl|squamous cell carcinoma|carcinoma\tsupports|is_a\n"
        "2\tmucin|nobody\t\n3\tmucin\t\n4\tmucin|adenocarcinoma\tsupports|is_a\n5\tmucin|adenocarcinoma|carcinoma\t\n")


def test_gold_paths(graph: KnowledgeGraph, tmp_path: FilePath) -> None:
    gold, skipped = read_gold(graph, write(tmp_path / "gold.tsv", GOLD))
    assert [g.name for g in gold] == ["1", "5"]
    assert [s.split(":")[0] for s in skipped] == ["line 3", "line 4", "line 5"]
    overlap = gold_overlap(graph, gold)
    assert overlap["questions"] == 2
    assert overlap["hit_k"] == 1.0
    assert overlap["node_recall"] == 1.0
    weights, report = fit_weights(graph, gold, max_hops=4)
    assert report["likelihood_after"] >= report["likelihood_before"]
    assert min(weights.length, weights.hub, weights.relation, weights.type, weights.source) >= 0


@pytest.mark.parametrize("text", ["", "a\tb\n1\t2\n"])
def test_gold_files_without_paths(graph: KnowledgeGraph, tmp_path: FilePath, text: str) -> None:
    with pytest.raises(InputError):
        read_gold(graph, write(tmp_path / "gold.tsv", text))


def run(*arguments: str) -> int:
    return main(list(arguments))


def test_paths_command(graph: KnowledgeGraph, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(graph.path)]
    assert run("paths", "keratin pearl", "carcinoma", "--words", "--parts", *store) == 0
    assert "keratin pearl supports squamous cell carcinoma [WHO]; squamous cell carcinoma is a kind of" in capsys.readouterr().out
    assert run("paths", "keratin pearl", "carcinoma", "--relation", "opposes", "--json", *store) == 1
    assert json.loads(capsys.readouterr().out)["reason"] == "filtered"
    assert run("paths", "keratin pearl", "carcinoma", "--relation", "oppose", *store) == 2
    assert "did you mean 'opposes'" in capsys.readouterr().err
    assert run("paths", "keratin pearl", *store) == 2


def test_paths_command_over_a_file_with_bad_lines(graph: KnowledgeGraph, tmp_path: FilePath,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    pairs = write(tmp_path / "pairs.tsv", "# pairs\nkeratin pearl\tcarcinoma\nno tab here\nmucin\tnobody\n\nmucin\tcarcinoma\n")
    assert run("paths", "--pairs", pairs, "--store", str(graph.path), "-k", "1") == 1
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [(r["line"], bool(r["paths"])) for r in rows] == [(2, True), (4, False), (6, True)]
    assert "line 3" in captured.err
    assert "line 4" in captured.err
    assert "2 of 5 lines" in captured.err


def test_fit_command(graph: KnowledgeGraph, tmp_path: FilePath, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "weights.json"
    assert run("paths", "--fit-gold", write(tmp_path / "gold.tsv", GOLD), "--out", str(out), "--store", str(graph.path)) == 0
    assert json.loads(capsys.readouterr().out)["lines_skipped"] == 3
    assert run("paths", "keratin pearl", "carcinoma", "--weights", str(out), "--store", str(graph.path)) == 0


def test_explain_command(graph: KnowledgeGraph, tmp_path: FilePath, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(graph.path)]
    svg, page = tmp_path / "case.svg", tmp_path / "case.html"
    assert run("explain", "--findings", "keratin pearl", "no mucin", "--svg", str(svg), "--html", str(page), *store) == 0
    assert "squamous cell carcinoma" in capsys.readouterr().out
    assert svg.read_text("utf-8").startswith("<svg")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    findings = write(tmp_path / "findings.txt", "keratin pearl  # seen\n\nno mucin\n")
    assert run("explain", "--findings-file", findings, "--candidates", "D:scc", "D:adeno", "--json", *store) == 0
    record = json.loads(capsys.readouterr().out)
    assert [c["node"]["id"] for c in record["candidates"]] == ["D:scc", "D:adeno"]
    assert run("explain", *store) == 2
    assert run("explain", "--findings", "nonsense", *store) == 2
    assert run("explain", "--findings", "keratin pearl", "--svg", str(tmp_path / "no" / "dir.svg"), *store) == 2


def test_what_is_printed_of_a_candidate_adds_up_to_its_score() -> None:
    graph = pathkg.load()
    case = explain_case(graph, ["clear cytoplasm", "CD10 positive", "keratin pearl"],
                        ["clear cell renal cell carcinoma", "chromophobe renal cell carcinoma"])
    for candidate in case:
        first, *lines = candidate.explain().split("\n")
        weights = [float(re.search(r"[+-]\d+\.\d\d", line)[0]) for line in lines if not line.startswith("  silent")]
        assert sum(weights) == pytest.approx(float(first.rsplit(None, 1)[1]), abs=0.005 * (len(weights) + 1))
