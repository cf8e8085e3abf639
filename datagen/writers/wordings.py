"""Wordings: functions from a random generator to the words of one sentence."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from datagen.evidence import Link
from datagen.findings import Finding
from datagen.writers import phrases as say
from datagen.writers.outline import Wording


def fixed(text: str) -> Wording:
    return lambda rng: text


def one_of(templates: Sequence[str], **words: str) -> Wording:
    return lambda rng: rng.choice(templates).format(**words)


def findings_wording(templates: Sequence[str], forms: Sequence[tuple[str, str, bool]]) -> Wording:
    present, absent = [f[0] for f in forms], [f[1] for f in forms]
    plural = len(forms) > 1 or forms[0][2]

    def wording(rng: random.Random) -> str:
        template = rng.choice(templates)
        negated = templates is say.ABSENT or templates is say.ANSWER_ABSENT
        if negated and any(p != a for p, a in zip(present, absent, strict=True)):
            template = rng.choice([t for t in templates if t.startswith(("No {F}", "There"))])
        items = say.listed(absent, "or") if negated else say.listed(present)
        return template.format(F=items, F_and=say.listed(absent), are="are" if plural else "is",
                               is_or="are" if forms[-1][2] else "is", are_first="are" if forms[0][2] else "is")

    return wording


def in_groups(findings: Sequence[Finding], rng: random.Random) -> list[list[Finding]]:
    """Findings in groups of one to four, as sentences hold them."""
    groups: list[list[Finding]] = []
    rest = list(findings)
    while rest:
        size = min(len(rest), rng.choice((1, 2, 2, 3, 3, 4)))
        groups.append(rest[:size])
        rest = rest[size:]
    return groups


_DIMENSION = re.compile(r"\d+(?:[.,]\d+)?")


def extent(text: str) -> str:
    """A size as one writes it (``4.5 x 3 cm``); empty when a dimension is 0, which is a misread one.

    Example:
        >>> extent("4.5X 3.0 x2 cm"), extent("1 X 0 x1.5cm")
        ('4.5 x 3.0 x 2 cm', '')
    """
    dimensions = _DIMENSION.findall(text)
    if not all(float(d.replace(",", ".")) for d in dimensions):
        return ""
    return f"{' x '.join(dimensions)} {text.strip()[-2:]}"


def relation_words(link: Link, rng: random.Random) -> str:
    return rng.choice(say.RELATION_WORDS.get(link.relation, (link.relation.replace("_", " "),)))


def _source(link: Link) -> str:
    return link.main_edge.source.split("|")[0]


def note_of(link: Link, rng: random.Random) -> str:
    """Where the graph says so, in words: the relation, the classes it goes through, the source."""
    note = rng.choice(say.NOTES).format(rel=relation_words(link, rng), source=_source(link))
    near, far = link.main_nodes
    if near.id != link.finding.id and near.type != "marker":
        note = f"{rng.choice(say.VIA_FINDING).format(via=near.name)}, {note}"
    if far.id != link.target_id and link.relation != "is_a":
        note = f"{note}, {rng.choice(say.VIA_TARGET).format(via=far.name)}"
    return note


def against_note_of(link: Link, rng: random.Random) -> str:
    """The note of a step against a rival: it names no further entity, which would read as a claim about the case."""
    source = _source(link)
    if link.relation in ("stains_positive_for", "stains_negative_for"):
        return rng.choice((f"its usual immunoprofile, {source}", f"immunoprofile; {source}", f"by its known immunoprofile, {source}"))
    if link.finding.polarity == "-":
        words = rng.choice(say.RELATION_WORDS.get(link.relation, (link.relation.replace("_", " "),)))
        return rng.choice((f"{words}, {source}", f"{source}: {words}", f"graph: {words}, {source}"))
    return rng.choice((f"{relation_words(link, rng)}, {source}", f"graph: {relation_words(link, rng)}; {source}",
                       f"{source}: {relation_words(link, rng)}", f"by {source}, {relation_words(link, rng)}"))
