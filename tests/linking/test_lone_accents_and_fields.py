"""Texts with separate accents, results written with signs, and fields whose value stands on the next line or nowhere."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, extract_findings, linker_for


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize("text", [
    "Dr. Lefe\u0300vre: no necrosis.", "a \u0595 b", "\u0301", "carcinoma \u0301 present", "negative \u0301 for carcinoma", "1 \u0301 pT2a",
    "\ud800 keratin pearl", "[\u0301] carcinoma", "necrosis: \u0301"])
def test_accents_of_their_own_are_signs(linker: Linker, text: str) -> None:
    result = linker.link(text)
    assert [m.text for m in result] == [text[m.start:m.end] for m in result]
    linker.entities(text)
    extract_findings(text, linker=linker)


def test_a_separate_accent_denies_nothing_and_asks_nothing(linker: Linker) -> None:
    assert [(m.name, str(m.assertion)) for m in linker.link("Keratin pearl \u0301 present. No \u0301 necrosis.")] == [
        ("keratin pearl", "present"), ("necrosis", "absent")]


@pytest.mark.parametrize(("text", "mentions"), [
    ("ER-/PR-/HER2-", [("estrogen receptor", "absent"), ("progesterone receptor", "absent"), ("HER2", "absent")]),
    ("ER/PR positive", [("hormone receptor", "present")]),
    ("HER2- (by IHC), Ki-67 80%.", [("HER2", "absent"), ("Ki-67", "present")]),
    ("Lymphovascular invasion:\nNot identified", [("lymphovascular invasion", "absent")]),
    ("Lymphovascular invasion:\nPresent", [("lymphovascular invasion", "present")]),
    ("Extranodal extension:", [("extranodal extension", "unspecified")]),
    ("DIAGNOSIS:\nADENOCARCINOMA", [("adenocarcinoma", "present")]),
    ("If carcinoma is clinically suspected, rebiopsy is recommended.", [("carcinoma", "possible")]),
    ("loss of chromosome 1p, monosomy 3, partial loss of chromosome 6p", [("monosomy 3", "present")]),
    ("Loss of MLH1, PMS2 and MSH6 expression.", [("MLH1", "absent"), ("PMS2", "absent"), ("MSH6", "absent")])])
def test_fields_and_signs(linker: Linker, text: str, mentions: list[tuple[str, str]]) -> None:
    assert [(m.name, str(m.assertion)) for m in linker.link(text) if m.type != "procedure"] == mentions


@pytest.mark.parametrize(("text", "results"), [
    ("ER+, PR+, HER2-.", (True, True, False)), ("ER+/PR+/HER2-", (True, True, False)), ("ER+ PR- HER2+", (True, False, True)),
    ("ER-/PR-/HER2-", (False, False, False)), ("ER (+), PR (+), HER2 (-)", (True, True, False)),
    ("ER/PR immunostains are strongly positive. HER2: negative.", (True, True, False))])
def test_each_receptor_has_its_own_sign(linker: Linker, text: str, results: tuple[bool, bool, bool]) -> None:
    found = extract_findings(text, linker=linker).to_dict()
    assert tuple(found[name][0]["value"]["expression"] for name in ("ER", "PR", "HER2")) == results
