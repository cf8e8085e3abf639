"""Paths and differential support in words and in columns of text."""

from __future__ import annotations

import shutil

from pathkg.graph.schema import relation_phrase
from pathkg.paths.support import CaseExplanation
from pathkg.records import Path

BAR = 24
_TICKS = " ▏▎▍▌▋▊▉█"


def path_in_words(path: Path) -> str:
    """A path as sentences, each edge said from its subject, with its source.

    Example:
        >>> from pathkg.records import PathEdge, PathNode
        >>> path_in_words(Path((PathNode("A:1", "keratin pearl", "morphology"), PathNode("A:2", "SCC", "disease")),
        ...                    (PathEdge(0, "has_morphology", "WHO", "backward"),)))
        'SCC typically shows keratin pearl [WHO]'
    """
    said = []
    for edge, left, right in zip(path.edges, path.nodes, path.nodes[1:], strict=False):
        subject, obj = (left, right) if edge.direction == "forward" else (right, left)
        negation = "it is not so that " if edge.negated else ""
        said.append(f"{negation}{subject.name} {relation_phrase(edge.relation)} {obj.name} [{edge.source}]")
    return "; ".join(said) or path.nodes[0].name


def absent_words(name: str, type_: str) -> str:
    """An absent finding as one says it.

    Example:
        >>> absent_words("keratin pearl", "morphology"), absent_words("CK7 positive", "marker_result")
        ('no keratin pearl', 'not CK7 positive')
    """
    return f"not {name}" if type_ == "marker_result" else f"no {name}"


def case_table(case: CaseExplanation, *, details: int = 3, width: int | None = None) -> str:
    """The candidates of a case as a table with bars, then the evidence of the best ones.

    Args:
        case: of :func:`~pathkg.paths.support.explain_case`.
        details: how many candidates to give the evidence of.
        width: columns of the terminal; asked for when ``None``.
    """
    if not case.candidates:
        return "\n".join(["no candidate: nothing in the graph joins these findings to a diagnosis",
                          *(f"left out: {message}" for message in case.unknown)])
    width = width or shutil.get_terminal_size((100, 24)).columns
    strongest = max([abs(e.weight) for c in case for e in (*c.support, *c.against)]
                    + [sum(e.weight for e in c.support) for c in case]
                    + [-sum(e.weight for e in c.against) for c in case] + [1e-9])
    name_width = max(12, min(max(len(c.node.name) for c in case), width - 2 * BAR - 16))
    given = ", ".join(absent_words(n.name, n.type) if p == "-" else n.name for n, p in case.findings)
    lines = [f"findings: {given}", "weights are powers of ten: +2 is a hundred times as likely with the diagnosis as by chance", "",
             f"{'':3} {'diagnosis':<{name_width}} {'score':>6}  {'against':>{BAR}}│{'for':<{BAR}}"]
    for place, candidate in enumerate(case, 1):
        plus = sum(e.weight for e in candidate.support)
        minus = -sum(e.weight for e in candidate.against)
        lines.append(f"{place:>2}. {_cut(candidate.node.name, name_width):<{name_width}} {candidate.score:>+6.2f}  "
                     f"{'█' * round(BAR * minus / strongest):>{BAR}}│{_bar(plus / strongest)}".rstrip())
    for place, candidate in enumerate(case[:details], 1):
        lines += ["", f"{place}. {candidate.node.name} ({candidate.node.id})"]
        for evidence in (*candidate.support, *candidate.against):
            finding = evidence.finding
            seen = absent_words(finding.name, finding.type) if evidence.polarity == "-" else finding.name
            lines.append(f"   {evidence.weight:>+6.2f}  {seen}: {path_in_words(evidence.path)}")
        lines.append(f"   {candidate.standing:>+6.2f}  described at length" if candidate.standing > 0 else
                     f"   {candidate.standing:>+6.2f}  described in few words")
        if candidate.unexplained:
            lines.append(f"   silent  {', '.join(n.name for n in candidate.unexplained)}")
    if case.unknown:
        lines += ["", *(f"left out: {message}" for message in case.unknown)]
    return "\n".join(lines)


def _bar(share: float) -> str:
    eighths = round(BAR * 8 * share)
    return "█" * (eighths // 8) + (_TICKS[eighths % 8] if eighths % 8 else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width - 1] + "…"
