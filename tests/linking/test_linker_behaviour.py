"""What the linker finds and says, as a table."""

from __future__ import annotations

import pickle

import pytest

import pathkg
from pathkg.errors import InputError
from pathkg.linking import Linker, linker_for


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "name", "status"), [
    ("Keratin pearls are seen.", "keratin pearl", "present"),
    ("No evidence of lymphovascular invasion.", "lymphovascular invasion", "absent"),
    ("Perineural invasion: Not identified.", "perineural invasion", "absent"),
    ("Lymphovascular invasion: No", "lymphovascular invasion", "absent"),
])
def test_assertion(linker: Linker, text: str, name: str, status: str) -> None:
    found = {m.name: str(m.assertion) for m in linker.link(text)}
    assert found.get(name) == status


def test_empty_text_has_no_mentions(linker: Linker) -> None:
    assert len(linker.link("")) == 0
    assert linker.entities("") == ()


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["list"]])
def test_not_a_string_is_refused(linker: Linker, bad: object) -> None:
    with pytest.raises(InputError, match="must be a str"):
        linker.link(bad)  # type: ignore[arg-type]


def test_a_linker_survives_pickling(linker: Linker) -> None:
    text = "Keratin pearls; no perineural invasion."
    assert pickle.loads(pickle.dumps(linker)).link(text) == linker.link(text)


def test_offsets_cover_the_text_they_name(linker: Linker) -> None:
    text = "Left orchidectomy; seminoma; no angio-invasion; no invasion of tunica. albuginea."
    for mention in linker.link(text):
        assert text[mention.start:mention.end] == mention.text
