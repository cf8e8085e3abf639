"""What a text says of its markers, in one representation for every way to write it.

"ER: negative", "negative for ER", "ER-", "loss of ER" and "ER negative" are all the marker ER, absent, with the
result ``negative``. The graph's evidence hangs on result nodes ("ER negative"); :meth:`LinkResult.with_results
<pathkg.records.LinkResult.with_results>` and :meth:`Linker.entities <pathkg.linking.Linker.entities>` give those.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pathkg.linking.cues import AFFIRMED, AFTER, NEGATED, POSSIBLE, UNSPECIFIED

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.sentences import Found, Sentence, Status

_VALUES = {"positive": "positive", "negative": "negative", "retained": "positive", "lost": "negative", "loss": "negative",
           "expressed": "positive"}
_REACH = 90
# words between a marker and its result
_GLUE = (r"(?:[\s:=(\[\"'*]|[-–](?=\s)|\.(?=\s+[a-z])|\b(?:is|are|was|were|be|by|on|of|in|the|and|immuno\w*|stain\w*|ihc|status|results?|expression|proteins?|receptors?|tumou?r|"
         r"cells?|neoplastic|lesional|malignant|shows?|demonstrat\w*|reveals?|exhibits?|display\w*|nuclear|nuclei|cytoplasmic|membranous|block(?:[\s-]type)?|weak\w*|focal\w*|patchy|moderate\w*|variabl[ey]|scattered|"
         r"antibod(?:y|ies)|markers?|interpretation|clone|assay|fish|cish|gene|studies|study|also|both|all|strong\w*|diffuse\w*|uniform\w*|completely|entirely|"
         r"interpreted|as|has|have|1d5|pgr|neu|herceptest|percentage|percent|intensity)\b){0,14}?")
_NEG = (r"(?:negative|neg\b|non-?\s?reactive|non-?\s?immunoreactive|absent|lost\b|loss\b|not\s+(?:expressed|amplified|detected|identified|over-?expressed|present|reactive|seen|demonstrated)"
        r"|no\s+(?:expression|staining|immunoreactivity|reactivity|amplification|over-?expression|nuclear|immunostaining)|un-?amplified|non-?\s?amplified|0\s?%|<\s?1\s?%|less\s+than\s+1\s?%"
        r"|\(\s?[-–−]\s?\)|[-–−](?=\s*(?:$|[\n,;.()])))")
_POS = (r"(?:positiv(?:e|ity)|pos\b|\(\s?\+{1,3}\s?\)|\+{1,3}(?![\w+])|immuno-?reactive|reactive|expressed|over-?\s?expressed|amplified|detected|retained|intact|preserved"
        r"|(?<![\d.])[1-3]\s?\+|(?<![\d.<])(?:100|[1-9]\d?)\s?(?:-\s?\d{1,3}\s?)?%)")
_EQUIVOCAL = r"(?:equivocal|indeterminate|borderline)"
_UNKNOWN = (r"(?:pending|not\s+(?:performed|done|available|interpretable|assess\w+|tested|evaluable|contributory|applicable|reported)|non-?\s?contributory|to\s+follow|"
            r"uninterpretable|unknown|cannot\s+be|ordered)")
_VALUE = re.compile(rf"{_GLUE}(?:(?P<negative>{_NEG})|(?P<equivocal>{_EQUIVOCAL})|(?P<unknown>{_UNKNOWN})|(?P<positive>{_POS}))"
                    r"(?!\s*-?\s*(?:for|to|controls?|margins?|lymph|nodes?)\b)", re.I)
_PATTERN_WORDS = (r"diffuse|strong|weak|focal|patchy|moderate|scattered|variable|nuclear|cytoplasmic|membranous|membrane|perinuclear|paranuclear|dot-?\s?like|box-?\s?like|"
                  r"sustentacular|full[\s\-]thickness|block(?:[\s\-]type)?")
"""How cells stain: said without "positive", it means that they do ("STAT6 nuclear", "CD99: membranous")."""
_STRENGTH = re.compile(rf"[\s:=(,\-]*(?:is|are|shows?|with)?\s*(?:{_PATTERN_WORDS})(?:ly)?\b(?:\s*(?:,|and|to|/)?\s*(?:{_PATTERN_WORDS}|staining|expression|pattern|immunoreactivity|reactivity)\b)*"
                       r"\s*(?:$|[.,;)\n])", re.I)
_SCORE = re.compile(r"[^;.]{0,40}?(?<![\d.])(?P<s>[0-3])\s?(?:\+(?!\d)|/\s?3\b|(?=\s*(?:$|[.,;)(])))", re.I)
_NOT_AMPLIFIED = re.compile(r"^[^.;]{0,30}\b(?:2\s?\+|equivocal)[^;:]{0,30}\bF?C?ISH\b[\s:,(\-]*(?:is\s+|was\s+)?(?:not\s+amplified|non-?\s?amplified|un-?amplified|negative|no\s+amplification)", re.I)
_SIGN = re.compile(r"(?P<negative>[-–−](?=\s*(?:$|[,;:.()/]|and\b|or\b|[A-Z]))|\(\s?[-–−]\s?\))|(?P<positive>\+{1,3}|\(\s?\+{1,3}\s?\))")
_LEADS_POSITIVE = frozenset({"positive for", "immunoreactive for", "reactive for", "positivity for", "expression of", "express", "expresses", "expressing",
                             "reactivity for", "immunoreactivity for", "immunopositive for", "positive staining for", "stain positively for", "co express",
                             "no loss of", "without loss of", "retained expression of", "retains"})
_LIST_WORDS = frozenset({",", "and", "&", "or", "as", "well", "/"})
_HEADS = {"positive": "positive", "negative": "negative", "immunoreactive": "positive", "reactive": "positive", "nonreactive": "negative"}
"""What stands before a colon and gives the result of the markers behind it."""
_LEADING = frozenset({"loss", "lack", "absent", "absence", "no", "lost", "retained", "intact", "expression", "immunoreactive", "diffuse", "strong", "focal"})
_PROLIFERATION = re.compile(r"ki-?67|mib-?1|phh3|mitos|index|pcna", re.I)


class MarkerResults:
    """The result nodes of a graph's markers, and how a sentence gives results."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.nodes: dict[tuple[int, str], int] = {}
        self.of: dict[int, tuple[int, str]] = {}
        arrays, types = graph.arrays, graph.node_types
        names: list[str] = graph.nodes_table()["name"].to_pylist()
        kinds = arrays.node_type.tolist()
        wanted = {k for k, t in enumerate(types) if t in ("marker", "gene/protein")}
        self.markers = frozenset(i for i, code in enumerate(kinds) if code in wanted)
        self._any = self.markers
        """Markers and results: without one there is nothing to read."""
        self._her2 = frozenset(i for i in self.markers if names[i].upper().startswith(("HER2", "ERBB2")))
        self._proliferation = frozenset(i for i in self.markers if _PROLIFERATION.search(names[i]))
        if "result_of" not in graph.relations or "marker_result" not in types:
            return
        edges = np.flatnonzero(arrays.edge_relation == graph.relations.index("result_of")).tolist()
        pairs = [(int(arrays.edge_subject[e]), int(arrays.edge_object[e])) for e in edges]
        forms = _forms(graph, {marker for _, marker in pairs})
        result_type = types.index("marker_result")
        for result, marker in sorted(pairs):
            base, _, word = names[result].rpartition(" ")
            value = _VALUES.get(word)
            if word == "amplified":
                value = "negative" if base.endswith(" not") else "positive"
                base = base.removesuffix(" not")
            # the plain result, not "diffuse CK7 positive": its name is a name of the marker and the value
            if value and kinds[result] == result_type and base.lower() in forms[marker]:
                self.of[result] = (marker, value)
                if (marker, value) not in self.nodes or word == value:
                    self.nodes[(marker, value)] = result
        self._any = self.markers.union(self.of)

    def read(self, sentence: Sentence, found: list[Found], status: list[Status]) -> list[str]:
        """The result of each mention (``positive``, ``negative`` or empty).

        Result nodes in ``found`` become their marker, and ``status`` follows the results; both are changed in place.
        """
        n = len(found)
        if self._any.isdisjoint([f[3] for f in found]):
            return [""] * n
        own, led, plain = [""] * n, [""] * n, [False] * n
        signed: set[int] = set()
        for k, f in enumerate(found):
            of = self.of.get(f[3])
            if of is not None:
                found[k] = (*f[:3], of[0], f[4] or "with its result")
                own[k], plain[k] = of[1], True
            elif f[3] in self.markers:
                own[k] = self._behind(sentence, found, k)
                if own[k] and _SIGN.match(sentence.text, sentence.offsets[2 * f[1] - 1]):
                    signed.add(k)
                cue = status[k][1]
                if cue is not None and cue.side == AFTER and status[k][0] in (AFFIRMED, NEGATED):
                    if cue.category == NEGATED:
                        led[k] = "negative"
                    elif cue.phrase in _LEADS_POSITIVE:
                        led[k] = "positive"
        _headed(sentence.words, found, own, led, self.markers)
        self._spread(sentence.words, found, own, led, plain, status)
        results = [""] * n
        for k, f in enumerate(found):
            if f[3] in self.markers:
                results[k] = self._decide(status, k, own[k] or led[k], own[k], plain[k], f, sentence.words, signed=k in signed)
        return results

    def _behind(self, sentence: Sentence, found: Sequence[Found], k: int) -> str:
        """The value that follows a marker: "ER: positive (90%)", "CK7-", "MLH1 shows intact nuclear expression"."""
        f = found[k]
        text, offsets = sentence.text, sentence.offsets
        at = offsets[2 * f[1] - 1]
        limit = min(len(text), at + _REACH)
        if k + 1 < len(found):
            limit = min(limit, max(at, offsets[2 * found[k + 1][0]])) if found[k + 1][3] in self.markers or found[k + 1][3] in self.of else limit
        stop = bisect_left(sentence.stops, f[1])
        if stop < len(sentence.stops):
            limit = min(limit, offsets[2 * sentence.stops[stop]])
        sign = _SIGN.match(text, at, min(len(text), limit + 1))
        if sign:
            return str(sign.lastgroup)
        rest = text[at:limit]
        if f[3] in self._her2:
            graded = _SCORE.match(rest)
            if _NOT_AMPLIFIED.search(text[at:at + _REACH]):
                return "negative"  # an equivocal stain is settled by the test for the gene
            if graded and not re.search(r"(?:negative|positive|amplified|equivocal)", rest[:graded.end()], re.I):
                return ("negative", "negative", "equivocal", "positive")[int(graded["s"])]
        if f[3] in self._proliferation:
            value = _VALUE.match(rest)
            return "unknown" if value and value.lastgroup == "unknown" else ""
        value = _VALUE.match(rest)
        if value:
            return str(value.lastgroup)
        return "positive" if _STRENGTH.match(rest) else ""

    def _spread(self, words: Sequence[str], found: Sequence[Found], own: list[str], led: list[str], plain: list[bool],
                status: Sequence[Status]) -> None:
        """Results of lists: the last member's value holds for those before it, a leading one for those behind."""

        def listed(left: int, right: int) -> bool:
            gap = words[found[left][1]:found[right][0]]
            return len(gap) <= 3 and all(word in _LIST_WORDS for word in gap) and found[right][3] in self.markers and (
                found[left][3] in self.markers)

        leads = [_leads(words, f, own[k], plain[k]) for k, f in enumerate(found)]
        for k in range(len(found) - 2, -1, -1):
            if not own[k] and not led[k] and own[k + 1] and not leads[k + 1] and listed(k, k + 1):
                own[k] = own[k + 1]
        for k in range(1, len(found)):
            if not own[k] and listed(k - 1, k):
                if leads[k - 1]:
                    category, cue = status[k - 1]  # "lack expression of TTF-1 and napsin"
                    turned = plain[k - 1] and own[k - 1] == "positive" and category == NEGATED and cue is not None and cue.side == AFTER
                    own[k], leads[k] = "negative" if turned else own[k - 1], True
                elif not led[k] and led[k - 1]:
                    led[k] = led[k - 1]

    def _decide(self, status: list[Status], k: int, value: str, own: str, plain: bool, found: Found, words: Sequence[str], *,
                signed: bool) -> str:
        """Bring the status in line with the value; the result that is reported."""
        category, cue = status[k]
        if value in ("equivocal", "unknown"):
            if category in (AFFIRMED, NEGATED):
                status[k] = (POSSIBLE if value == "equivocal" else UNSPECIFIED, None)
            return ""
        if category == POSSIBLE and signed and value in ("positive", "negative"):
            category = AFFIRMED  # "consistent with a lung primary (TTF-1+)": the doubt is of the primary
            status[k] = (AFFIRMED, None)
        if category not in (AFFIRMED, NEGATED):
            return ""
        if value == "negative":
            if category == NEGATED and own and cue is not None and cue.side == AFTER and plain and "for" not in cue.phrase and (
                    words[found[0] - 1] in cue.phrase.split(" ")):
                status[k] = (AFFIRMED, None)  # "no CK7-negative cells"
                return ""
            if category != NEGATED:
                status[k] = (NEGATED, None if own else cue)
            return "negative"
        if value == "positive":
            if category == NEGATED and own and cue is not None and cue.side == AFTER and found[0] > 0 and cue.phrase.split(" ")[-1] == words[found[0] - 1] and (
                    cue.phrase != "negative for"):
                return "negative"  # "no ER positive cells"
            if category == NEGATED and own:
                status[k] = (AFFIRMED, None)
            return "positive"
        return "negative" if category == NEGATED else ""


def _headed(words: Sequence[str], found: Sequence[Found], own: Sequence[str], led: list[str], markers: frozenset[int]) -> None:
    """Results that head a list: "Positive: CK7, GATA3. Negative: CK20"."""
    for k, f in enumerate(found):
        first = f[0]
        if f[3] in markers and not own[k] and not led[k] and first > 1 and words[first - 1] == ":":
            led[k] = _HEADS.get(words[first - 2], "") or (_HEADS.get(words[first - 3], "") if first > 2 and words[first - 2] == "for" else "")


def _leads(words: Sequence[str], found: Found, value: str, plain: bool) -> bool:
    """Whether a result node was written with its value first: "positive CK7, CK20 and p63"."""
    return plain and found[1] - found[0] > 1 and (words[found[0]] == value or words[found[0]] in _LEADING)


def _forms(graph: KnowledgeGraph, markers: set[int]) -> dict[int, set[str]]:
    table = graph.synonyms_table()
    forms: dict[int, set[str]] = {marker: {graph.name(marker).lower(), graph.curie(marker).partition(":")[2].lower()} for marker in markers}
    for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True):
        if node in forms:
            forms[node].add(form.lower())
    return forms
