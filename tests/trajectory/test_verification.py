"""Verification: what report and graph support, what they contradict, and that a certificate cannot be bent."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import pytest

import pathkg
from pathkg.errors import DialectError, InputError
from pathkg.rewards.redteam import gold_cases
from pathkg.trajectory import Certificate, Trajectory, recheck, verify
from pathkg.trajectory.blocks import without_sources

REPORT = ("Left upper lobe, lobectomy: Squamous cell carcinoma, moderately differentiated, 4.2 cm. Keratin pearls are "
          "present. No lymphovascular invasion. The bronchial margin is free of tumor. Stage: pT2a.")


def trajectory(*steps: str, observe: str = "Keratin pearls are present.", answer: str = "Squamous cell carcinoma.") -> Trajectory:
    return Trajectory(observe, steps, answer)


@pytest.mark.parametrize(("step", "verdict"), [
    ("Keratin pearls support squamous cell carcinoma.", "supported"),
    ("The presence of keratin pearls is consistent with squamous cell carcinoma.", "supported"),
    ("Keratin pearls are typical of squamous cell carcinoma.", "supported"),
    ("Squamous cell carcinoma is supported by keratin pearls.", "supported"),
    ("Keratin pearls are seen in this squamous cell carcinoma.", "supported"),
    ("No lymphovascular invasion is seen.", "supported"),
    ("The tumor is pT2a.", "supported"),
    ("Keratin pearls argue against squamous cell carcinoma.", "contradicted"),
    ("Keratin pearls exclude squamous cell carcinoma.", "contradicted"),
    ("Lymphovascular invasion is present.", "contradicted"),
    ("There are no keratin pearls.", "contradicted"),
    ("The tumor is pT3.", "contradicted"),
    ("The specimen is the right upper lobe.", "contradicted"),
    ("Psammoma bodies support squamous cell carcinoma.", "contradicted"),
    ("Psammoma bodies are present.", "unsupported"),
    ("Keratin pearls support meningioma.", "unsupported"),
])
def test_one_step_against_report_and_graph(step: str, verdict: str) -> None:
    certificate = verify(trajectory(step), report=REPORT)
    assert certificate.steps[0].verdict == verdict, certificate.explain()


BREAST = "Left breast, excision: invasive lobular carcinoma. E-cadherin is negative."


def test_a_cited_source_states_nothing() -> None:
    plain = verify(trajectory("Loss of E-cadherin supports lobular carcinoma."), report=BREAST).steps[0]
    cited = verify(trajectory("Loss of E-cadherin supports lobular carcinoma (WHO-breast-2019|AJCC8)."),
                   report=BREAST).steps[0]
    assert cited.entities == plain.entities
    assert cited.claims == plain.claims


MEASURED = "Left breast: invasive lobular carcinoma, 1.8 cm, in a specimen of 9 x 7.5 x 4 cm. Ki-67 is 12%."


@pytest.mark.parametrize(("step", "verdict", "says"), [
    ("The invasive lobular carcinoma measures 1.8 cm and Ki-67 is 12%.", "supported", ""),
    ("The invasive lobular carcinoma measures 18 mm.", "supported", ""),
    ("The invasive lobular carcinoma lies in a specimen of 9 cm.", "supported", ""),
    ("The invasive lobular carcinoma is larger than 1.5 cm, at most 4.2 cm, between 1 and 5 cm.", "supported", ""),
    ("The invasive lobular carcinoma lies in the range of 1-2 cm.", "supported", ""),
    ("The invasive lobular carcinoma measures 9.9 cm.", "unsupported", "9.9 cm"),
    ("Ki-67 is 90%.", "unsupported", "90%"),
    ("The invasive lobular carcinoma measures 18 mm and 9.9 cm.", "unsupported", "9.9 cm"),
    ("Ki-67: about 90 %.", "unsupported", "90%"),
    ("A tumor of 9.9 cm = 99 mm is invasive lobular carcinoma.", "unsupported", "9.9 cm"),
    ("The tumor measures 9.9 cm.", "unsupported", "9.9 cm"),
])
def test_sizes_and_percentages_are_those_of_the_report(step: str, verdict: str, says: str) -> None:
    found = verify(trajectory(step), report=MEASURED).steps[0]
    assert found.verdict == verdict
    assert bool(found.conflicts) == bool(says)
    assert says in " ".join(found.conflicts)


def test_without_a_report_no_number_is_refused() -> None:
    assert verify(trajectory("Keratin pearls support squamous cell carcinoma, 9.9 cm.")).verdict == "supported"


def bundled_report(case_id: str) -> str:
    path = resources.files("pathkg") / "data" / "examples" / "cases.jsonl"
    records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return next(str(r["text"]) for r in records if r["case_id"] == case_id)


@pytest.mark.parametrize("step", ["No clear cell renal cell carcinoma is present.",
                                  "There is no clear cell renal cell carcinoma."])
def test_free_fat_does_not_deny_the_tumor(step: str) -> None:
    report = "Clear cell renal cell carcinoma. Perinephric fat free of tumor."
    assert verify(trajectory(step), report=report).steps[0].verdict == "contradicted"


def test_free_skin_does_not_deny_the_carcinoma_in_situ() -> None:
    report = bundled_report("EX-BREAST-01")
    assert verify(trajectory("No ductal carcinoma in situ is seen."), report=report).steps[0].verdict == "contradicted"
    assert verify(trajectory("Ductal carcinoma in situ is seen."), report=report).steps[0].verdict == "supported"


@pytest.mark.parametrize(("step", "supported"), [
    ("Squamous cell carcinoma of the lung is present.", True), ("Kaposi sarcoma is present.", False),
    ("Lung adenocarcinoma is present.", False),
])
def test_another_tumor_of_the_organ_is_not_supported(step: str, supported: bool) -> None:
    found = verify(trajectory(step), report=bundled_report("EX-LUNG-01")).steps[0]
    assert (found.verdict == "supported") == supported


def test_an_absent_tumor_does_not_oppose_its_organ() -> None:
    step = verify(trajectory("No lobular carcinoma argues against breast."), report=BREAST).steps[0]
    assert not [c for c in step.claims if c.stance == "opposes" and c.verdict == "supported"]


@pytest.mark.parametrize(("text", "masked"), [
    ("a (WHO-breast-2019).", "a (               )."), ("HGNC-1100 x", "          x"),
    ("WHO-grade 2, FIGO-IIB, ISUP-3, AJCC-pT2a", "WHO-grade 2, FIGO-IIB, ISUP-3, AJCC-pT2a"),
])
def test_source_labels_become_spaces(text: str, masked: str) -> None:
    assert without_sources(text) == masked


def test_the_gravest_step_decides() -> None:
    good, bad = "Keratin pearls support squamous cell carcinoma.", "Lymphovascular invasion is present."
    assert verify(trajectory(good), report=REPORT).verdict == "supported"
    assert verify(trajectory(good, bad), report=REPORT).verdict == "contradicted"
    assert verify(trajectory(good, bad), report=REPORT).supported_share == 0.5


def test_a_trajectory_that_states_nothing_is_not_supported() -> None:
    certificate = verify(trajectory("Let us think.", "So it goes.", observe="A slide.", answer="Done."), report=REPORT)
    assert certificate.verdict == "unsupported"
    assert certificate.supported_share is None


def test_evidence_can_be_followed() -> None:
    graph = pathkg.load()
    certificate = verify(trajectory("Keratin pearls support squamous cell carcinoma."), report=REPORT)
    step = certificate.steps[0]
    for entity in step.entities:
        for evidence in entity.evidence:
            if evidence.kind == "report":
                assert REPORT[evidence.start:evidence.end] == evidence.text
    claim = step.claims[0]
    ends = {graph.edge(e).subject for e in claim.evidence[0].edges} | {graph.edge(e).object for e in claim.evidence[0].edges}
    assert {claim.source, claim.target} <= ends
    assert certificate.graph_hash == graph.hash


def test_an_absent_entity_needs_a_more_general_absence_a_present_one_a_more_special_presence() -> None:
    report = "Invasive ductal carcinoma of the breast. No lymphovascular invasion."
    assert verify(trajectory("Carcinoma of the breast is present.", observe="x1", answer="Invasive ductal carcinoma."),
                  report=report).verdict == "supported"


def test_without_a_report_only_claims_are_checked() -> None:
    assert verify(trajectory("Keratin pearls support squamous cell carcinoma.")).verdict == "supported"
    assert verify(trajectory("Keratin pearls argue against squamous cell carcinoma.")).verdict == "contradicted"


def test_hidden_text_supports_nothing() -> None:
    t = trajectory("Keratin pearls <!-- support squamous cell carcinoma --> are there.")
    assert verify(t, report=REPORT).steps[0].claims == ()


def test_verification_is_deterministic_and_round_trips() -> None:
    t = trajectory("Keratin pearls support squamous cell carcinoma.", "No lymphovascular invasion is seen.")
    one, two = verify(t, report=REPORT), verify(t.render(), report=REPORT)
    assert one == two
    again = Certificate.from_dict(json.loads(json.dumps(one.to_dict())))
    assert again == one
    assert recheck(again, t, report=REPORT)


def _bend(record: dict[str, object], how: str) -> dict[str, object]:
    text = json.dumps(record)
    return json.loads(text.replace("supported", "contradicted") if how == "verdicts" else text.replace(how, "x" + how[1:]))


def test_a_bent_certificate_fails() -> None:
    t = trajectory("Lymphovascular invasion is present.")
    honest = verify(t, report=REPORT)
    assert honest.verdict == "contradicted"
    record = honest.to_dict()
    bent = json.loads(json.dumps(record).replace('"contradicted"', '"supported"'))
    assert not recheck(Certificate.from_dict(bent), t, report=REPORT)
    resealed = Certificate.from_dict(bent).sealed()  # the seal alone protects nobody: it is the new run that tells
    result = recheck(resealed, t, report=REPORT)
    assert not result
    assert any("verdict differs" in d for d in result.differences)


@pytest.mark.parametrize(("change", "says"), [
    ({"report": REPORT + " "}, "report_hash differs"),
    ({"trajectory": trajectory("Keratin pearls support squamous cell carcinoma!")}, "trajectory_hash differs"),
])
def test_a_certificate_is_of_one_trajectory_and_report(change: dict[str, object], says: str) -> None:
    t = trajectory("Keratin pearls support squamous cell carcinoma.")
    certificate = verify(t, report=REPORT)
    given: dict[str, object] = {"trajectory": t, "report": REPORT, **change}
    result = recheck(certificate, given["trajectory"], report=given["report"])  # type: ignore[arg-type]
    assert result.differences[0] == says


def test_a_certificate_names_its_graph_and_its_rules() -> None:
    t = trajectory("Keratin pearls support squamous cell carcinoma.")
    certificate = verify(t, report=REPORT)
    other_graph = replace(certificate, graph_hash="sha256:0").sealed()
    assert recheck(other_graph, t, report=REPORT).differences == ("graph_hash differs",)
    old = replace(certificate, version=0).sealed()
    assert "version 0" in recheck(old, t, report=REPORT).differences[0]


@pytest.mark.parametrize(("call", "error"), [
    (lambda: verify("no tags", report=REPORT), DialectError),
    (lambda: verify(trajectory("a1"), report=b"bytes"), InputError),
    (lambda: pathkg.verify(None), InputError),  # type: ignore[arg-type]
    (lambda: pathkg.verify(5, report=REPORT), InputError),  # type: ignore[arg-type]
    (lambda: pathkg.find_paths(None, "x"), InputError),  # type: ignore[arg-type]
    (lambda: pathkg.find_paths("keratin pearl", [None]), InputError),  # type: ignore[list-item]
    (lambda: pathkg.load(5), InputError),  # type: ignore[arg-type]
    (lambda: Certificate.from_dict({"verdict": "supported"}), InputError),
    (lambda: Certificate.from_dict([]), InputError),  # type: ignore[arg-type]
])
def test_bad_input_says_what_to_do(call: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="what to do"):
        call()  # type: ignore[operator]


def test_every_bundled_gold_is_supported_by_its_report() -> None:
    failed = {c.id: verify(c.gold, report=c.report).explain() for c in gold_cases()
              if verify(c.gold, report=c.report).verdict != "supported"}
    assert not failed, "\n".join(failed.values())


def test_the_gold_cases_span_the_organs() -> None:
    assert len(gold_cases()) >= 20
    assert len({c.organ for c in gold_cases()}) >= 8
