"""Reading what a reasoning step claims: which entity speaks for or against which.

A claim is a pair of entities with a stance. Steps of the template writer say it outright ("keratin pearls support
squamous cell carcinoma"); free prose says it in many ways, so relation cues are looked for between mentions, and a
step without any cue falls back to co-mention of a finding and a diagnosis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pathkg.records import Mention

Stance = Literal["supports", "opposes", "mentions"]
"""``mentions`` is the fall-back: both are named in one step, and nothing is said of how they relate."""

DIAGNOSES = frozenset({"disease", "stage", "grade"})
"""Node types that a step concludes to."""

EVIDENCE = frozenset({"morphology", "marker_result", "marker", "effect/phenotype", "gene/protein", "cell"})
"""Node types that a step reasons from."""

GENERIC_WORDS = frozenset({"tumor", "tumors", "tumour", "tumours", "neoplasm", "neoplasms", "lesion", "lesions", "mass"})
"""Mentions that refer to whatever the case is about. They state nothing of their own, and speak for no stage."""

_SUPPORTS = (
    r"supports?|supporting|supported by|favou?rs?|favou?ring|points? (?:to|towards?)|pointing to(?:wards?)?|indicates?|"
    r"indicating|indicative of|suggests?|suggesting|suggestive of|consistent with|compatible with|in keeping with|"
    r"(?:is|are) (?:highly |very )?(?:typical|characteristic|diagnostic) (?:of|for)|characteri[sz]es?|defines?|defining|"
    r"(?:is|are) (?:a |the )?(?:\w+ )?(?:features?|hallmarks?|signs?|findings?|patterns?|precursors?|precursor lesions?) of|confirms?|confirming|"
    r"establish(?:es)?|(?:is|are) seen in|(?:is|are) found in|fits?|fitting|corresponds? to|corresponding to|"
    r"qualif(?:y|ies) (?:as|for)|amounts? to|implies|implying|arises? (?:in|from)|leads? to|leading to|means?|"
    r"(?:is|are) (?:classified|staged|graded|diagnosed) as|speaks? for|in favou?r of|argues? for|associated with|"
    r"(?:is|are) expected in|(?:is|are) explained by|→|->|=>")
_OPPOSES = (
    r"argues? (?:strongly )?against|arguing against|speaks? against|speaking against|evidence against|excludes?|"
    r"excluding|rules? out|ruling out|opposes?|opposing|contradicts?|(?:is|are) inconsistent with|"
    r"(?:is|are) not (?:consistent|compatible|in keeping) with|(?:is|are) (?:incompatible|at odds) with|"
    r"(?:is|are) atypical (?:of|for)|(?:is|are) unusual (?:in|for)|(?:is|are) not (?:typical|characteristic) (?:of|for)|"
    r"makes? (?=.{0,80}? (?:unlikely|less likely|improbable))|does not (?:support|favou?r|suggest|fit)|"
    r"do not (?:support|favou?r|suggest|fit)|disfavou?rs?|(?:is|are) not (?:expected|seen|found) in|"
    r"distinguish(?:es)? (?:it |this )?from|separates? (?:it |this )?from|rather than|instead of|(?<=and )against|(?<=but )against|"
    r"(?<=and )not|over(?= (?!\d))")
_CUE = re.compile(rf"(?<![A-Za-z])(?:(?P<against>{_OPPOSES})|(?P<for>{_SUPPORTS}))(?![A-Za-z])", re.IGNORECASE)
_PASSIVE = re.compile(r"(?:supported|explained) by", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.;!?](?=\s|$)|\n")
_ELLIPSIS = re.compile(r"\W*(?:(?:and|or|but|thus|thereby|also|so|hence)\W+)*")
"""Between a target and the next cue: the speaker is still the same ("A supports B and excludes C")."""
_COMPARING = frozenset({"rather than", "instead of", "over", "not"})
"""Cues that need another one before them: "A favors B over C", "A supports B and not C"."""
_ON_THE_WAY = re.compile(r"\s*,?\s*(?:and\s+)?(?:into|to|through|onto|as far as)\s+(?:the\s+|adjacent\s+|surrounding\s+)*")
_DENIAL = re.compile(r"\b(?:no|not|without|neither|nor|never|absence of|lack(?:s|ing)? of|absent)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """``source`` speaks for or against ``target`` (both are mentions of one step). ``affirmed``: no denial stands between the
    cue and the target, so that one before the cue ("absent p63 supports carcinoma") does not reach it."""

    source: Mention
    target: Mention
    stance: Stance
    cue: str
    affirmed: bool = False

    @property
    def compares(self) -> bool:
        """Whether the target is only what something else is preferred to ("A favors B over C")."""
        return self.cue in _COMPARING


def find_claims(text: str, mentions: Sequence[Mention]) -> list[Claim]:
    """The claims of one step.

    Args:
        text: the step.
        mentions: its mentions, in order, with offsets into ``text``.
    """
    claims: list[Claim] = []
    cued: set[int] = set()
    for start, end in _sentences(text):
        inside = [m for m in mentions if start <= m.start < end]
        cues = list(_CUE.finditer(text, start, end))
        for number, cue in enumerate(cues):
            name = cue.group().lower()
            if any(m.start <= cue.start() < m.end for m in inside) or (name in ("over", "not") and not number):
                continue
            left_edge = cues[number - 1].end() if number else start
            right_edge = cues[number + 1].start() if number + 1 < len(cues) else end
            left = [m for m in inside if left_edge <= m.start < cue.start()]
            right = [m for m in inside if cue.end() <= m.start < right_edge]
            if number and (not left or name in _COMPARING or _ELLIPSIS.fullmatch(text, left[-1].end, cue.start())):
                # "A supports B and excludes C": A speaks in both
                left = [m for m in inside if m.start < cues[0].start()] or left
            if name in _COMPARING and not any(m.type in DIAGNOSES for m in right):
                continue
            if _PASSIVE.fullmatch(cue.group()):
                left, right = right, left
            stance: Stance = "opposes" if cue.group("against") else "supports"
            for source in _speakers(left, text):
                for target in _targets(right):
                    if source.id != target.id and not (target.type == "stage" and source.text.lower() in GENERIC_WORDS):
                        affirmed = target.start >= cue.end() and not _DENIAL.search(text, cue.end(), target.start)
                        claims.append(Claim(source, target, stance, name, affirmed))
                        cued.update((source.start, target.start))
    if not claims:
        claims = _co_mentions(mentions)
    return _distinct(claims)


def _sentences(text: str) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        bounds.append((start, match.end()))
        start = match.end()
    if start < len(text):
        bounds.append((start, len(text)))
    return bounds


def _speakers(mentions: list[Mention], text: str) -> list[Mention]:
    findings = [m for m in mentions if m.type in EVIDENCE]
    # "through the muscularis propria into the fat": what is reached speaks, not what lies on the way
    findings = [m for i, m in enumerate(findings) if i + 1 == len(findings) or m.end > findings[i + 1].start
                or not _ON_THE_WAY.fullmatch(text, m.end, findings[i + 1].start)]
    return findings or [m for m in mentions if m.type in DIAGNOSES] or mentions


def _targets(mentions: list[Mention]) -> list[Mention]:
    conclusions = [m for m in mentions if m.type in DIAGNOSES]
    return conclusions or mentions[:1]


def _co_mentions(mentions: Sequence[Mention]) -> list[Claim]:
    findings = [m for m in mentions if m.type in EVIDENCE]
    diagnoses = [m for m in mentions if m.type == "disease"]
    return [Claim(f, d, "mentions", "") for f in findings for d in diagnoses if f.id != d.id]


def _distinct(claims: list[Claim]) -> list[Claim]:
    seen: dict[tuple[str, str, str], Claim] = {}
    for claim in claims:
        seen.setdefault((claim.source.id, claim.target.id, claim.stance), claim)
    return list(seen.values())
