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
6. A category named without its organ is the one of the organ that the report stages; what defines it, what another one would
   need, and which sizes make it, is looked up in the graph (:mod:`pathkg.trajectory.categories`). What a text says of places
   ("the omentum is free of tumor") states or denies their involvement (:mod:`pathkg.trajectory.involvement`).
7. The gravest verdict wins, in a step and overall. Parts that state nothing count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError
from pathkg.trajectory.certificate import CERTIFICATE_VERSION, Certificate, canonical, digest, worst
from pathkg.trajectory.checking import check_trajectory, read_report
from pathkg.trajectory.model import Trajectory, parse
from pathkg.trajectory.stated import SupportsLinking

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

NO_REPORT = "none"


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
    stated = None if report is None else read_report(report, graph, linker)
    parts = check_trajectory(trajectory, stated, graph, linker)
    verdict = worst([p.verdict for p in parts if p.checked])
    if not any(p.checked and p.is_reasoning for p in parts):
        verdict = worst([verdict, "unsupported"])
    return Certificate(verdict, parts, graph.hash, digest(canonical(trajectory.to_dict())),
                       NO_REPORT if report is None else digest(report)).sealed()


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
