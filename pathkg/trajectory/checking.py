"""Checking the parts of a trajectory: entities, claims, values and what a text says in numbers, each by its rule.

The rules are those of :mod:`pathkg.trajectory.verify`, which puts the certificate around the checked parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pathkg.records import Assertion, LinkResult, Mention, Polarity
from pathkg.trajectory.blocks import visible, without_sources
from pathkg.trajectory.categories import implied_by, own_kinds
from pathkg.trajectory.certificate import CheckedClaim, CheckedEntity, CheckedStep, Evidence, Verdict, worst
from pathkg.trajectory.claim_checks import ClaimChecker
from pathkg.trajectory.claims import GENERIC_WORDS, Claim, find_claims
from pathkg.trajectory.evidence import ReportEvidence, lookup_for
from pathkg.trajectory.involvement import with_involvements
from pathkg.trajectory.marker_signs import with_signs
from pathkg.trajectory.model import Trajectory
from pathkg.trajectory.size_rules import Span, obeys, read_span
from pathkg.trajectory.stated import StatedEvidence, SupportsLinking
from pathkg.trajectory.statements import claimed_bounds, claimed_counts, claimed_greatest, margin_status
from pathkg.trajectory.values import conflicts, measures, value_set

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

CONCLUSIONS = frozenset({"disease", "stage", "grade", "biological_process", "pathway"})
"""Types that may be concluded: supported as the target of a supported claim, without standing in the report."""

GROUNDED = frozenset({"disease", "stage", "grade", "morphology", "marker_result", "effect/phenotype"})
"""Types whose mention states something about the case. Others (anatomy, markers, genes, procedures) are vocabulary:
they are listed when the report states them and never make a step unsupported."""

MEASURED = frozenset({"stage", "grade"})
"""Types whose node depends on the organ (pT2 of which tumour?); the value itself is what the report states."""

NODE_METASTASIS = "PATHKG:lymph-node-metastasis"

_SENTENCE = re.compile(r".+?(?:[.;](?=\s|$)|\n|$)", re.DOTALL)
_DEFINES = re.compile(r"\bdefin(?:es?|ing)\b", re.IGNORECASE)
_CONTENT = re.compile(r"\b(?!(?:this|that|these|which|it|the|a|an|of|in|and|so|here|thus|hence|tumou?rs?|lesion|finding|findings|extent|category|both|all|together"
                      r"|they|what|as|such|with|case|patient|is|seen|present)\b)[a-z][a-z-]{2,}", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left"}


def read_report(report: str, graph: KnowledgeGraph, linker: SupportsLinking, linked: LinkResult | None = None) -> ReportEvidence:
    """A report as the checks see it.

    Args:
        report: its text.
        graph: the graph.
        linker: the linker of that graph.
        linked: the linked report, results resolved, where it is known already.
    """
    mentions = linker.link(report).with_results() if linked is None else linked
    return ReportEvidence(report, with_involvements(report, mentions, linker, lookup_for(graph).involvements))


def check_trajectory(trajectory: Trajectory, stated: StatedEvidence | None, graph: KnowledgeGraph,
                     linker: SupportsLinking) -> tuple[CheckedStep, ...]:
    """The checked parts of a trajectory, without the certificate around them."""
    return _Verifier(stated, graph, linker).run(trajectory)


class _Verifier:
    """One run: holds the linked report and the look-ups while the parts are checked."""

    def __init__(self, stated: StatedEvidence | None, graph: KnowledgeGraph, linker: SupportsLinking) -> None:
        self.linker = linker
        self.lookup = lookup_for(graph)
        self.report = stated
        self.claims = ClaimChecker(stated, self.lookup)
        self.concluded: dict[str, CheckedClaim] = {}

    def run(self, t: Trajectory) -> tuple[CheckedStep, ...]:
        parts = [self._part("observe", t.observe)]
        if t.preamble:
            parts.append(self._part("preamble", t.preamble))
        parts += [self._part(f"step {i}", step) for i, step in enumerate(t.steps, 1)]
        parts.append(self._part("answer", t.answer))
        return tuple(parts)

    def _part(self, name: str, text: str) -> CheckedStep:
        shown = without_sources(visible(text)[0])
        mentions = with_involvements(shown, self.linker.link(shown).with_results(), self.linker, self.lookup.involvements)
        mentions = with_signs(shown, mentions, self.lookup)
        claims = [] if name == "observe" else find_claims(shown, mentions)
        if any(c.affirmed and c.target.polarity == "-" for c in claims):
            affirmed = {c.target.start for c in claims if c.affirmed and c.stance == "supports"}
            mentions = [replace(m, assertion=Assertion.PRESENT) if m.start in affirmed and m.type in CONCLUSIONS else m for m in mentions]
        measured, unknown = self._measured(shown)
        checked = [self.claims.check(claim, measured=measured and not unknown) for claim in claims]
        checked_claims = [c for c in checked if c is not None]
        supported = [c for c in checked_claims if c.verdict == "supported"]
        for claim in supported:
            if claim.stance != "opposes":
                self.concluded.setdefault(claim.target, claim)
        opposed = {c.target.start: c for c in claims if c.stance == "opposes"}
        entities = [e for e in (self._entity(m, supported, opposed.get(m.start)) for m in mentions) if e is not None]
        agrees, misfits = self._size_rules(shown, mentions)
        clashes = (*self._clashes(shown), *self._sides(shown, mentions), *misfits)
        verdicts: list[Verdict] = [c.verdict for c in checked_claims if c.stance != "mentions"]
        verdicts += [e.verdict for e in entities]
        if clashes:
            verdicts.append("contradicted")
        if agrees:
            verdicts.append("supported")
        elif self.report is not None and name != "observe" and not measured:
            unknown = (*unknown, *_undefined(shown, mentions))
        if measured or unknown:
            verdicts.append("unsupported" if unknown else "supported")
        return CheckedStep(name, text, worst(verdicts), bool(verdicts), tuple(entities), tuple(checked_claims),
                           (*clashes, *unknown))

    def _clashes(self, text: str) -> tuple[str, ...]:
        if self.report is None:
            return ()
        found = [f"states {a}, the report says {b}" for a, b in conflicts(value_set(text), self.report.values)]
        said, known = ({v.value for v in values if v.kind == "side"} for values in (value_set(text), self.report.values))
        if known and not said <= known and "both" not in {*said, *known}:
            found.append(f"states the {min(said - known)} side, the report only the {min(known)}")
        counts = self.report.counts
        if counts:
            for positive, examined in claimed_counts(text):
                others = sorted(p for p, e in counts if e == examined and p is not None)
                if others and positive not in others:
                    found.append(f"states {positive}/{examined} nodes, the report says {others[0]}/{examined}")
        margins = margin_status(text) if self.report.margins else frozenset()
        if len(margins) == len(self.report.margins) == 1 and margins != self.report.margins:
            found.append(f"states {min(margins)} margins, the report says {min(self.report.margins)}")
        bounds = claimed_bounds(text)
        if bounds and self.report.tumor_sizes:
            sizes = self.report.tumor_sizes
            found += [f"states a size of {words}, the report says {max(sizes):g} mm" for low, high, words in bounds
                      if not any(low < size <= high for size in sizes)]
        return tuple(dict.fromkeys(found))

    def _sides(self, text: str, mentions: Sequence[Mention]) -> list[str]:
        """Diagnoses that the step puts on a side on which the report has only other ones."""
        if self.report is None:
            return []
        found = []
        for match in _SENTENCE.finditer(text):
            said = [v for v in value_set(match[0]) if v.kind == "side" and v.about]
            for m in mentions if said else ():
                if match.start() <= m.start < match.end() and m.type == "disease" and m.polarity == "+" and m.text.lower() not in GENERIC_WORDS:
                    known = self.report.sides_with(self.lookup.below(m.id))
                    found += [f"states {m.name} of the {v.value} {v.about}, the report has it on the other side" for v in said
                              if v.value != "both" and {k.value for k in known if k.about == v.about} == {_OTHER[v.value]}]
        return found

    def _size_rules(self, text: str, mentions: Sequence[Mention]) -> tuple[bool, list[str]]:
        """Whether a sentence gives a T category the size that defines it, and the categories it gives another one."""
        if self.report is None:
            return False, []
        agrees, found = False, []
        for match in _SENTENCE.finditer(text):
            stages = [m for m in mentions if m.type == "stage" and match.start() <= m.start < match.end()]
            said = read_span(match[0]) if len({m.id for m in stages}) == 1 else None
            fits = None if said is None else obeys(said, own_kinds(stages[0].id, self.report, self.lookup), self.lookup.graph)
            agrees = agrees or bool(fits)
            if fits is False:
                found.append(f"states a size that does not define {stages[0].name}: {match[0].strip()}")
        return agrees, found

    def _measured(self, text: str) -> tuple[bool, tuple[str, ...]]:
        """Whether a part gives sizes, percentages or node counts, and those that the report gives nowhere.

        Which thing they measure is not compared, but a smaller side is not the greatest.
        """
        if self.report is None:
            return False, ()
        stated: dict[str, bool] = {}
        if self.report.measures is not None:
            stated.update((words, value in self.report.measures) for value, words in measures(text, asserted=True))
            stated.update((words, False) for value, words in claimed_greatest(text) if value in self.report.lesser)
        if self.report.counts is not None:
            stated.update((f"{a}/{b} nodes", (a, b) in self.report.counts) for a, b in claimed_counts(text))
        return bool(stated), tuple(f"states {words}, which the report does not give" for words, known in stated.items() if not known)

    def _entity(self, mention: Mention, supported: list[CheckedClaim], against: Claim | None) -> CheckedEntity | None:
        opposed = against is not None
        if against is not None and against.compares and (self.report is None or not self.report.spans(self.lookup.below(mention.id), "+", limit=1)):
            return None  # what another diagnosis is preferred to is not said to be absent
        polarity: Polarity | None = "-" if opposed else mention.polarity
        if polarity is None or mention.text.lower() in GENERIC_WORDS:
            return None
        matters = mention.type in GROUNDED
        made = (mention.id, mention.name, mention.type, polarity, mention.start, mention.end)
        if self.report is not None:
            narrower, wider = self.lookup.below(mention.id), self.lookup.above(mention.id)
            if polarity == "-":  # a wider negation ("margins free of tumor") denies nothing the report states elsewhere
                wider = tuple(w for w in wider if w == mention.id or not self.report.spans(
                    self.lookup.below(w), "+", limit=1))
            spans = self.report.spans(narrower if polarity == "+" else wider, polarity)
            if spans:
                return CheckedEntity(*made, "supported", "the report states it", spans)
            if mention.type in MEASURED:
                stated = tuple(e for e in map(self.report.value, sorted(value_set(mention.text))) if e)
                if stated:
                    return CheckedEntity(*made, "supported", "the report states this value", stated)
            other_words = self._other_words(mention, polarity)
            if other_words:
                return CheckedEntity(*made, "supported", *other_words)
            if mention.type == "disease" and polarity == "+":
                composed = self._composed(mention.id)
                if composed:
                    return CheckedEntity(*made, "supported", "the report states its kind and its organ", composed)
            if mention.id == NODE_METASTASIS and self.report.counts is not None:
                agrees, categories = self._node_categories(polarity)
                if categories:
                    return CheckedEntity(*made, "supported" if agrees else "contradicted",
                                         f"the report's N category states {'it' if agrees else 'the opposite'}", categories)
            if matters and (against is None or against.compares):
                opposite = self._against(mention.id, polarity)
                if opposite:
                    says = "absent" if polarity == "+" else "present"
                    return CheckedEntity(*made, "contradicted", f"the report states it as {says}", opposite)
                opposites = self.lookup.opposite_results(mention.id) if polarity == "+" else ()
                reversed_ = self.report.spans([n for o in opposites for n in self.lookup.below(o) if n not in narrower], "+")
                if reversed_:
                    return CheckedEntity(*made, "contradicted", "the report states the opposite result", reversed_)
        claim = next((c for c in supported if mention.id in (c.source, c.target)), None)
        if claim is None and mention.type in CONCLUSIONS:
            claim = self.concluded.get(mention.id)
        if claim is not None and (mention.type in CONCLUSIONS or self.report is None):
            return CheckedEntity(*made, "supported", f"follows from {claim.source} {claim.stance} {claim.target}",
                                 claim.evidence)
        if not matters or self.report is None:
            return None
        return CheckedEntity(*made, "unsupported", "the report does not state it")

    def _other_words(self, mention: Mention, polarity: Polarity) -> tuple[str, tuple[Evidence, ...]] | None:
        """A finding that the report states in other words: without "tumor" ("necrosis"), or by a category that cannot be without it."""
        assert self.report is not None
        if mention.type != "morphology":
            return None
        length = read_span(mention.name) if polarity == "+" else None
        if length is not None and not length.depth and any(Span(size, size).within(length) for size in self.report.tumor_sizes):
            return "the report gives such a size", self.report.spans((), "+")
        own = self.lookup.words(mention.id) - GENERIC_WORDS
        if own != self.lookup.words(mention.id):
            for wider in self.lookup.above(mention.id)[1:]:
                spans = self.report.spans((wider,), polarity) if self.lookup.words(wider) == own else ()
                if spans:
                    return "the report states it", spans
        if polarity == "+":
            implying = {c: i for n in self.lookup.below(mention.id) for i, c in enumerate(sorted(implied_by(self.lookup.graph, n)))}
            spans = self.report.spans(self.report.stated_among(implying), "+") if implying else ()
            if spans:
                return "the report's category is defined by it", spans
        return None

    def _node_categories(self, polarity: Polarity) -> tuple[bool, tuple[Evidence, ...]]:
        """The N categories of the report, where they agree, and whether lymph nodes with metastases of this polarity fit
        them: pN0 has none, pN1 to pN3 have some."""
        assert self.report is not None
        categories = [v for v in sorted(self.report.values) if v.kind == "pN" and v.value[:1].isdigit()]
        if len({v.value[0] != "0" for v in categories}) != 1:
            return False, ()
        return (categories[0].value[0] != "0") == (polarity == "+"), tuple(e for e in map(self.report.value, categories) if e)

    def _against(self, node: str, polarity: Polarity) -> tuple[Evidence, ...]:
        """Spans of the report that say the opposite.

        That a more general entity is absent contradicts only where the report has nothing of its kind: margins
        are "free of carcinoma" in every report of a carcinoma.
        """
        assert self.report is not None
        if polarity == "-":
            return self.report.spans(self.lookup.below(node), "+")
        for wider in self.lookup.above(node):
            if not self.report.spans(self.lookup.below(wider), "+", limit=1):
                spans = self.report.spans((wider,), "-")
                if spans:
                    return spans
        return ()

    def _composed(self, node: str) -> tuple[Evidence, ...]:
        """A diagnosis the report gives in two pieces: its kind ("adenocarcinoma") and the organ it arises in.

        The kind must be stated itself, and the diagnosis may say no more than kind and organ together: a sarcoma of
        the skin is not yet a Kaposi sarcoma.
        """
        assert self.report is not None
        sites = self.lookup.sites(node)
        organ = self.report.named(sites) if sites else None
        if organ is None:
            return ()
        words = self.lookup.words(node)
        for wider in self.lookup.above(node)[1:]:
            spans = self.report.spans((wider,), "+", limit=1)
            if spans and words <= self.lookup.words(wider) | self.lookup.anatomy_words:
                return (*spans, organ)
        return ()


def _undefined(text: str, mentions: Sequence[Mention]) -> list[str]:
    """Stage categories that a text says something defines which nobody knows: "organ confinement defines pT3b"."""
    found = []
    for match in _SENTENCE.finditer(text):
        cue = _DEFINES.search(match[0])
        if cue is not None:
            at = match.start() + cue.start()
            target = next((m for m in mentions if m.type == "stage" and at < m.start < match.end()), None)
            known = any(match.start() <= m.start < at and m.text.lower() not in GENERIC_WORDS for m in mentions)
            if target is not None and not known and _CONTENT.search(match[0], 0, cue.start()):
                found.append(f"says that {match[0][:cue.start()].strip()!r} defines {target.name}, which is not known")
    return found
