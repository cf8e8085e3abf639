"""Grounding a span with its text: short forms, halves of coordinated phrases, and names the text uses elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pathkg.linking.abbreviations import Definition, definitions
from pathkg.linking.grounding import Candidate, Grounder
from pathkg.linking.tokens import form_key

_SHORT = re.compile(r"(?=[^a-z]*[A-Z])[A-Za-z0-9][A-Za-z0-9\-/]{1,7}")
_MOSTLY_CAPITALS = 0.6
_MOST_EXTRA_WORDS = 3
_JOINT = re.compile(r"\s*(?:,\s*(?:and|or)\s+|,\s*|\s+and/or\s+|\s+and\s+|\s+or\s+|(?<=\w)/(?=\w)|\s+/\s+)\s*")
_CERTAIN = ("exact", "usual wording", "rewritten", "words reordered")

_INDUCED_HOW = "usual wording; the text is about the harm of drugs"
_CAUSE = re.compile(r"\b[\w-]+[- ]induced\s+", re.I)
_HARM = re.compile(r"\b[\w-]+-induced\b|\binduced by\b|adverse\s+(?:drug\s+)?(?:effects?|events?|reactions?)|side[- ]effects?|\b\w*toxicity\b|\btoxic\b|drug[- ](?:related|associated)"
                   r"|\boverdos|\bl(?:evo)?-?dopa\b|\bmg/kg\b|\bdose-related\b|(?:treated with|taking|dose of)\s"
                   r"|(?:after|during|following|receiving|associated with|due to|caused by)\s+(?:\S+\s+){0,4}?(?:therapy|treatment|administration|use|infusion)", re.I)


def _induced_names() -> dict[str, tuple[str, re.Pattern[str] | None]]:
    """Names of diseases that drugs induce, which "drug-induced" before the name does not give, and what speaks of another cause."""
    found = {}
    for line in Path(__file__).with_name("induced.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        said, listed, other = line.split("	")
        found[form_key(said)] = (form_key(listed), re.compile(other, re.I) if other else None)
    return found


INDUCED = _induced_names()

Mentions = Callable[[str], Iterable[tuple[int, "str | None", int, int]]]


@dataclass(frozen=True, slots=True)
class _Text:
    """What is known about one text."""

    text: str
    long_forms: dict[str, Definition]
    named: frozenset[int]
    initials: dict[str, tuple[int, str]]
    harm: bool


class ContextGrounder:
    """Grounds spans of a text. Keeps what it learned about the last text."""

    def __init__(self, grounder: Grounder, mentions: Mentions) -> None:
        self.grounder = grounder
        self.mentions = mentions
        self._last: _Text | None = None

    def candidates(self, text: str, start: int, end: int, *, limit: int = 5) -> tuple[Candidate, ...]:
        """Nodes that ``text[start:end]`` may mean, best first."""
        known = self._last
        if known is None or known.text is not text:
            known = self._last = self._read(text)
        span = text[start:end]
        found = self._candidates(known, span)
        return (self._induced(known, span, found) or found)[:limit]

    def _read(self, text: str) -> _Text:
        named: set[int] = set()
        initials: dict[str, tuple[int, str]] = {}
        for node, _, start, end in self.mentions(text):
            if _is_short_form(text[start:end]):
                continue
            named.add(node)
            words = re.findall(r"[A-Za-z]+", text[start:end])
            if len(words) > 1:
                initials.setdefault("".join(sorted(w[0].lower() for w in words)), (node, text[start:end]))
        return _Text(text, {short: d for d in definitions(text) for short in (d.short, _closed(d.short))}, frozenset(named), initials, bool(_HARM.search(text)))

    def _induced(self, known: _Text, span: str, found: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """In a text about the harm that drugs do, the drug-induced form of a disease, where there is one of its own."""
        definition = known.long_forms.get(span)
        said = form_key(_CAUSE.sub("", definition.long if definition else span))
        if not known.harm and not _CAUSE.search(definition.long if definition else span):
            return ()
        bases = [said, *(c.form for c in found[:1])]
        for base in bases:
            listed = INDUCED.get(base)
            if listed is not None:
                if listed[1] and listed[1].search(known.text):
                    return ()
                owners = self.grounder.owners(listed[0], 0.9, _INDUCED_HOW)
                if owners:
                    return tuple(owners)
        for base in bases:
            owners = self.grounder.owners(f"drug induced {base}", 0.9, _INDUCED_HOW)
            if owners:
                return tuple(owners)
        return ()

    def _candidates(self, known: _Text, span: str) -> tuple[Candidate, ...]:
        singular = span.removesuffix("s") if span[:-1].isupper() else span
        definition = known.long_forms.get(span) or known.long_forms.get(singular) or known.long_forms.get(_closed(singular))
        if definition is not None:
            return _said(self._of_definition(known, definition), f"{span} is short for {definition.long!r}")
        if _is_short_form(singular):
            return self._undefined(known, singular)
        expanded = re.sub(r"[A-Za-z0-9][\w-]*", lambda m: known.long_forms[m[0]].long if m[0] in known.long_forms else m[0], span)
        if expanded != span:
            found = self.grounder.candidates(expanded)
            if found and (_is_certain(found) or not _is_certain(self.grounder.candidates(span))):
                return _said(found, f"its short form stands for {expanded!r}")
        found = self.grounder.candidates(span)
        if not _is_certain(found):
            halves = self._halves(span)
            if halves:
                return halves
        return _named_first(found, known.named)

    def _of_definition(self, known: _Text, definition: Definition) -> tuple[Candidate, ...]:
        """Of the long form; where no node has it, of the long form with a few words before it."""
        found = self.grounder.candidates(definition.long)
        if _is_certain(found):
            return _named_first(found, known.named)
        before = known.text[max(0, definition.start - 80):definition.start].split()
        for extra in range(1, min(_MOST_EXTRA_WORDS, len(before)) + 1):
            wider = self.grounder.candidates(" ".join([*before[-extra:], definition.long]))
            if wider and wider[0].how == "exact":
                return wider
        return found

    def _undefined(self, known: _Text, short: str) -> tuple[Candidate, ...]:
        """A short form that the text does not define: an owner named in full, else a name with these initials."""
        found = self.grounder.candidates(short)
        if any(c.node in known.named for c in found):
            return _named_first(found, known.named)
        spelled = known.initials.get("".join(sorted(c.lower() for c in short if c.isalpha())))
        if spelled is not None and short.isalpha():
            node, name = spelled
            return (Candidate(node, 0.8, name, f"initials of {name!r} in the text"), *found)
        return found

    def _halves(self, span: str) -> tuple[Candidate, ...]:
        """The concepts of "breast and ovarian cancer": each part with the words that it shares with the other."""
        parts = [p for p in _JOINT.split(span) if p]
        if not 2 <= len(parts) <= 4:
            return ()
        last, first = parts[-1].split(), parts[0].split()
        found: list[Candidate] = []
        for i, part in enumerate(parts):
            readings = []
            if i < len(parts) - 1:
                readings += [f"{part} {' '.join(last[at:])}" for at in range(1, len(last))]
            if i:
                readings += [f"{' '.join(first[:at])} {part}" for at in range(len(first) - 1, 0, -1)]
            tried = [self.grounder.candidates(reading) for reading in readings]
            alone = self.grounder.candidates(part)
            best = next((c for c in tried if _is_certain(c)), ())
            if not best or (alone and alone[0].how == "exact" and best[0].how != "exact"):
                best = alone if alone and alone[0].how == "exact" else best or next(filter(None, [*tried, alone]), ())
            found += best[:1]
        return _said(tuple(found), "named together")


def _closed(short: str) -> str:
    """``short`` without hyphens: "AO2" is also written "AO-2"."""
    return short.replace("-", "")


def _is_short_form(span: str) -> bool:
    return bool(_SHORT.fullmatch(span)) and sum(c.isupper() or c.isdigit() for c in span) >= _MOSTLY_CAPITALS * len(span)


def _is_certain(found: Sequence[Candidate]) -> bool:
    return bool(found) and found[0].how.startswith(_CERTAIN)


def _named_first(found: tuple[Candidate, ...], named: frozenset[int]) -> tuple[Candidate, ...]:
    """Among equal candidates, those that the text names elsewhere."""
    if len(found) < 2 or not found[0].how.startswith("exact"):
        return found
    return tuple(sorted(found, key=lambda c: (not (c.node in named and c.how.startswith("exact")))))


def _said(found: tuple[Candidate, ...], why: str) -> tuple[Candidate, ...]:
    return tuple(replace(c, how=f"{c.how}; {why}") for c in found)
