"""Verification: every step of a trajectory against the report and the graph.

Rules, in the order they are applied (``docs/verification.md`` explains them with examples):

1. Every part (``observe``, each step, ``answer``) is linked; historical and unspecified mentions state nothing, nor
   do the labels of cited sources ("WHO-breast-2019").
2. An entity is *supported* by a span of the report that states the same node, or a more special one (for an absent
   entity: a more general one), with the same polarity; it is *contradicted* when the report only says the opposite, or of a
   marker only the opposite result.
3. A claim ("A supports B") is *supported* by a graph path of that sign, or by a sentence of the report that states
   both; it is *contradicted* when the graph only knows the opposite sign.
4. A diagnosis the report does not name is supported where the report gives it in two pieces (a more general
   diagnosis, and the organ it arises in), or as the target of a supported claim. A finding is not.
5. A stage, grade or side that differs from the report's contradicts, and so does another count of positive nodes of as many
   examined, or margins called free where the report only calls them involved (and the other way round). A size, percentage
   or node count that the report gives nowhere is unsupported, and a size called the greatest that is only a smaller side;
   bounds and ranges ("more than 2 cm") are rules, not measurements.
6. The gravest verdict wins, in a step and overall. Parts that state nothing count for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pathkg.errors import InputError
from pathkg.records import LinkResult, Mention, Polarity
from pathkg.trajectory.blocks import visible, without_sources
from pathkg.trajectory.certificate import (
    CERTIFICATE_VERSION,
    Certificate,
    CheckedClaim,
    CheckedEntity,
    CheckedStep,
    Evidence,
    Verdict,
    canonical,
    digest,
    worst,
)
from pathkg.trajectory.claims import Claim, find_claims
from pathkg.trajectory.evidence import LOCATION, ReportEvidence, lookup_for
from pathkg.trajectory.model import Trajectory, parse
from pathkg.trajectory.statements import Count, claimed_counts, claimed_greatest, margin_status
from pathkg.trajectory.values import Value, conflicts, measures, value_set

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

CONCLUSIONS = frozenset({"disease", "stage", "grade", "biological_process", "pathway"})
"""Types that may be concluded: supported as the target of a supported claim, without standing in the report."""

GROUNDED = frozenset({"disease", "stage", "grade", "morphology", "marker_result", "effect/phenotype"})
"""Types whose mention states something about the case. Others (anatomy, markers, genes, procedures) are vocabulary:
they are listed when the report states them and never make a step unsupported."""

MEASURED = frozenset({"stage", "grade"})
"""Types whose node depends on the organ (pT2 of which tumour?); the value itself is what the report states."""

GENERIC_WORDS = frozenset({"tumor", "tumors", "tumour", "tumours", "neoplasm", "neoplasms", "lesion", "lesions", "mass"})
"""Mentions that refer to whatever the case is about. They state nothing of their own."""

NODE_METASTASIS = "PATHKG:lymph-node-metastasis"

NO_REPORT = "none"


class StatedEvidence(Protocol):
    """What stands for the report: a linked report, or a reward's reference."""

    @property
    def values(self) -> frozenset[Value]: ...
    @property
    def measures(self) -> frozenset[Value] | None:
        """Every size and percentage stated; ``None`` where not all are known."""
    @property
    def counts(self) -> frozenset[Count] | None:
        """Every count of lymph nodes stated; ``None`` where not all are known."""
    @property
    def margins(self) -> frozenset[str]:
        """``free``, ``involved``, both or neither."""
    @property
    def lesser(self) -> frozenset[Value]:
        """Sizes stated only as the smaller side of something."""
    def spans(self, nodes: Iterable[str], polarity: Polarity, *, limit: int = 3) -> tuple[Evidence, ...]: ...
    def together(self, first: Iterable[str], second: Iterable[str]) -> Evidence | None: ...
    def stated_among(self, nodes: Mapping[str, int]) -> tuple[str, ...]: ...
    def named(self, nodes: Collection[str]) -> Evidence | None: ...
    def value(self, value: Value) -> Evidence | None: ...


class SupportsLinking(Protocol):
    """What verification needs of a linker."""

    def link(self, text: str) -> LinkResult: ...


def verify(trajectory: Trajectory | str, *, report: str | None = None, graph: KnowledgeGraph | None = None,
           linker: SupportsLinking | None = None, dialect: str = "auto") -> Certificate:
    """Check every step of a trajectory against a report and the graph.

    Args:
        trajectory: a trajectory, or its tagged text.
        report: the report it is about. Without one, only claims are checked, against the graph.
        graph: the graph to check against; the bundled core when ``None``.
        linker: the linker of that graph; the shared one when ``None``.
        dialect: how to read a text.

    Returns:
        The sealed certificate. The same trajectory, report and store give the same certificate.

    Raises:
        DialectError: the text follows no dialect.
        InputError: the trajectory is neither a trajectory nor text, or the report is not text.

    Example:
        >>> t = Trajectory("Keratin pearls.", ("Keratin pearls support squamous cell carcinoma.",),
        ...                "Squamous cell carcinoma.")
        >>> c = verify(t, report="Squamous cell carcinoma with keratin pearls.")
        >>> c.verdict, c.steps[0].claims[0].evidence[0].kind
        ('supported', 'graph')
        >>> verify(t, report="Squamous cell carcinoma. No keratin pearls are seen.").verdict
        'contradicted'
    """
    if isinstance(trajectory, str):
        trajectory = parse(trajectory, dialect=dialect)
    elif not isinstance(trajectory, Trajectory):
        raise InputError(f"the trajectory is {type(trajectory).__name__}, neither a Trajectory nor text",
                         hint="pass its tagged text, or Trajectory(observe, steps, answer)")
    if report is not None and not isinstance(report, str):
        raise InputError(f"the report is {type(report).__name__}, not text", hint="pass a string, or None")
    if graph is None:
        from pathkg.api import load

        graph = load()
    if linker is None:
        from pathkg.linking import linker_for

        linker = linker_for(graph)
    stated = None if report is None else ReportEvidence(report, linker.link(report).with_results())
    parts = check_trajectory(trajectory, stated, graph, linker)
    verdict = worst([p.verdict for p in parts if p.checked])
    if not any(p.checked and p.is_reasoning for p in parts):
        verdict = worst([verdict, "unsupported"])
    return Certificate(verdict, parts, graph.hash, digest(canonical(trajectory.to_dict())),
                       NO_REPORT if report is None else digest(report)).sealed()


def check_trajectory(trajectory: Trajectory, stated: StatedEvidence | None, graph: KnowledgeGraph,
                     linker: SupportsLinking) -> tuple[CheckedStep, ...]:
    """The checked parts of a trajectory, without the certificate around them."""
    return _Verifier(stated, graph, linker).run(trajectory)


@dataclass(frozen=True, slots=True)
class Recheck:
    """The result of :func:`recheck`: ``ok``, and what differs where it is not."""

    ok: bool
    differences: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def to_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "differences": list(self.differences)}


def recheck(certificate: Certificate, trajectory: Trajectory | str, *, report: str | None = None,
            graph: KnowledgeGraph | None = None, linker: SupportsLinking | None = None,
            dialect: str = "auto") -> Recheck:
    """Run the verification again and compare.

    A certificate passes only if its seal is intact, trajectory, report and graph are those it names, and the new run
    gives the same content in every field.

    Example:
        >>> t = Trajectory("Keratin pearls.", ("Keratin pearls support squamous cell carcinoma.",),
        ...                "Squamous cell carcinoma.")
        >>> c = verify(t, report="Squamous cell carcinoma with keratin pearls.")
        >>> bool(recheck(c, t, report="Squamous cell carcinoma with keratin pearls."))
        True
        >>> recheck(c, t, report="Squamous cell carcinoma.").differences[0]
        'report_hash differs'
    """
    if certificate.version != CERTIFICATE_VERSION:
        return Recheck(False, (f"made by version {certificate.version} of the rules; this is "
                               f"{CERTIFICATE_VERSION}",))
    found: list[str] = []
    if certificate.sealed().seal != certificate.seal:
        found.append("the seal is broken: the certificate was changed after it was made")
    again = verify(trajectory, report=report, graph=graph, linker=linker, dialect=dialect)
    _compare("", certificate.body(), again.body(), found)
    return Recheck(not found, tuple(found))


def _compare(where: str, old: Any, new: Any, found: list[str]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        # hashes first: they explain everything that follows
        for key in sorted(old.keys() | new.keys(), key=lambda k: (not k.endswith("_hash"), k)):
            _compare(f"{where}.{key}" if where else key, old.get(key), new.get(key), found)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            _compare(f"{where}[{number}]", a, b, found)
    elif old != new:
        found.append(f"{where} differs")


class _Verifier:
    """One run: holds the linked report and the look-ups while the parts are checked."""

    def __init__(self, stated: StatedEvidence | None, graph: KnowledgeGraph, linker: SupportsLinking) -> None:
        self.linker = linker
        self.lookup = lookup_for(graph)
        self.report = stated
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
        mentions = list(self.linker.link(shown).with_results())
        claims = [] if name == "observe" else find_claims(shown, mentions)
        checked_claims = [c for c in (self._claim(claim) for claim in claims) if c is not None]
        supported = [c for c in checked_claims if c.verdict == "supported"]
        for claim in supported:
            if claim.stance != "opposes":
                self.concluded.setdefault(claim.target, claim)
        opposed = {c.target.start for c in claims if c.stance == "opposes"}
        entities = [e for e in (self._entity(m, supported, m.start in opposed) for m in mentions) if e is not None]
        clashes = self._clashes(shown)
        verdicts: list[Verdict] = [c.verdict for c in checked_claims if c.stance != "mentions"]
        verdicts += [e.verdict for e in entities]
        if clashes:
            verdicts.append("contradicted")
        measured, unknown = self._measured(shown)
        if measured or unknown:
            verdicts.append("unsupported" if unknown else "supported")
        return CheckedStep(name, text, worst(verdicts), bool(verdicts), tuple(entities), tuple(checked_claims),
                           (*clashes, *unknown))

    def _clashes(self, text: str) -> tuple[str, ...]:
        if self.report is None:
            return ()
        found = [f"states {a}, the report says {b}" for a, b in conflicts(value_set(text), self.report.values)]
        counts = self.report.counts
        if counts:
            for positive, examined in claimed_counts(text):
                others = sorted(p for p, e in counts if e == examined and p is not None)
                if others and positive not in others:
                    found.append(f"states {positive}/{examined} nodes, the report says {others[0]}/{examined}")
        margins = margin_status(text) if self.report.margins else frozenset()
        if len(margins) == len(self.report.margins) == 1 and margins != self.report.margins:
            found.append(f"states {min(margins)} margins, the report says {min(self.report.margins)}")
        return tuple(dict.fromkeys(found))

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

    def _claim(self, claim: Claim) -> CheckedClaim | None:
        """``None`` for a mere co-mention that nothing connects: it claims too little to be called unsupported."""
        source, target = claim.source, claim.target
        flip = -1 if source.polarity == "-" else 1
        # that a tumor is absent says nothing against the organ it would arise in
        connections = tuple(c for c in self.lookup.connections(source.id, target.id)
                            if not (claim.stance == "opposes" and c.sign * flip < 0 and c.relations & LOCATION))
        wanted = {"supports": 1, "opposes": -1, "mentions": 0}[claim.stance]
        agreeing = [c for c in connections if wanted in (0, c.sign * flip)]
        made = (source.id, target.id, claim.stance, claim.cue)
        if agreeing:
            best = agreeing[0]
            return CheckedClaim(*made, "supported", "the graph connects them",
                                (Evidence("graph", best.words, edges=best.edges),))
        if self.report is not None and wanted >= 0 and source.polarity == "+":
            span = self.report.together(self.lookup.below(source.id), self.lookup.below(target.id))
            if span is not None:
                return CheckedClaim(*made, "supported", "one sentence of the report states both", (span,))
        if self.report is not None and wanted > 0 and source.polarity == "+" and not connections:
            # "the lesion" of a step is the lesion of the cervix that the report describes
            for narrower in self.report.stated_among(self.lookup.below(source.id)):
                known = next((c for c in self.lookup.connections(narrower, target.id) if c.sign > 0), None)
                if known is not None:
                    return CheckedClaim(*made, "supported", "the graph connects what the report states of this kind",
                                        (Evidence("graph", known.words, edges=known.edges),))
        if connections:
            worst_case = connections[0]
            return CheckedClaim(*made, "contradicted", "the graph knows only the opposite",
                                (Evidence("graph", worst_case.words, edges=worst_case.edges),))
        if wanted == 0:
            return None
        return CheckedClaim(*made, "unsupported", "neither graph nor report connects them")

    def _entity(self, mention: Mention, supported: list[CheckedClaim], opposed: bool) -> CheckedEntity | None:
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
            if mention.type == "disease" and polarity == "+":
                composed = self._composed(mention.id)
                if composed:
                    return CheckedEntity(*made, "supported", "the report states its kind and its organ", composed)
            if mention.id == NODE_METASTASIS and self.report.counts is not None:
                agrees, categories = self._node_categories(polarity)
                if categories:
                    return CheckedEntity(*made, "supported" if agrees else "contradicted",
                                         f"the report's N category states {'it' if agrees else 'the opposite'}", categories)
            if matters and not opposed:
                against = self._against(mention.id, polarity)
                if against:
                    says = "absent" if polarity == "+" else "present"
                    return CheckedEntity(*made, "contradicted", f"the report states it as {says}", against)
                reversed_ = self.report.spans(self.lookup.opposite_results(mention.id), "+") if polarity == "+" else ()
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
