"""From a text to its sentences with the forms, cues and stops in each: what a piece of text says by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pathkg.linking.abbreviations import definitions
from pathkg.linking.assertion import UNFINISHED
from pathkg.linking.automaton import BARE_STAGE, COLON, CUE, FORM, RARE, RUN, STOP, Row, TokenTable
from pathkg.linking.choice import AMBIGUOUS, NOT_A_MATCH, Chooser
from pathkg.linking.sections import HISTORY_ENDS, history_ranges
from pathkg.linking.sentences import MOST_JOINED, Found, Sentence, SentenceMemo, ends
from pathkg.linking.templates import LONGEST_TITLE, TITLES, trace_of
from pathkg.linking.tokens import cut_stages, has_strict_stops, nodal_categories, split_piece

if TYPE_CHECKING:
    from pathkg.linking.lexicon import Lexicon

_JOIN_LENGTH = 6
_MOST_JOINS = 200_000
_MOST_GAP = 3
_BEHIND_NODES = frozenset({"mx", "pmx", "m", "pm", "stage", "ajcc", "uicc", "and", "with", "at", "grade", "pathologic", "pathological", "clinical", "tnm", "overall", "prognostic",
                            "anatomic"})
"""Words that may stand behind the letters "NO" where they are N0; before any other word they deny ("pT1. NO NODES SUBMITTED")."""


class SentenceReader:
    """Reads sentences, each once: those read lately are remembered by their exact words.

    Args:
        lexicon: of the forms that are looked for.
        chooser: decides what a form means where no context is needed.
        fuzzy: repair misread and misspelt words.
        nested: also report forms inside longer ones. A text is then read as one piece.
    """

    def __init__(self, lexicon: Lexicon, chooser: Chooser, *, fuzzy: bool, nested: bool) -> None:
        self.table = TokenTable(lexicon, chooser.root, fuzzy=fuzzy)
        self.memos = (SentenceMemo(), SentenceMemo())
        self._chooser = chooser
        self._nested = nested
        self._joins: dict[tuple[str, str], str] = {}

    def sentences(self, text: str) -> list[tuple[int, Sentence]]:
        """``text`` cut into what can be read on its own, with the offset of each piece. Blanks between pieces belong to none."""
        strict = has_strict_stops(text)
        if self._nested:
            return [(0, self.learn(text, strict=strict))]
        placed: list[tuple[int, Sentence]] = []
        memo = self.memos[strict]
        start = joined = 0
        for end in ends(text, strict=strict):
            base, piece = _without_lead(start, text[start:end])
            sentence = memo.get(piece)
            if sentence is None:
                sentence = self.learn(piece, strict=strict)
                memo.put(sentence)
            if sentence.open and end < len(text):
                joined += 1
                if joined < MOST_JOINED:
                    continue
                # nothing ends here; cutting on would read the same words again and again
                return [*placed, (start, self.learn(text[start:], strict=strict))]
            placed.append((base, sentence))
            start, joined = end, 0
        return placed

    def learn(self, text: str, *, strict: bool) -> Sentence:
        """Read a piece of a text: everything about it that does not depend on its surroundings."""
        tokens, offsets = split_piece(text, strict=strict)
        rows = list(map(self.table.__getitem__, tokens))
        words, _, flags = zip(*rows, strict=True) if rows else ((), (), ())
        if rows and max(flags) >= RARE:
            tokens, offsets, rows = self._mend(tokens, offsets, rows, [i for i, flag in enumerate(flags) if flag >= RARE])
            words, _, flags = zip(*rows, strict=True)
        if "Pn" in text:
            tokens, rows = self._nodal(tokens, rows, words)
            words, _, flags = zip(*rows, strict=True) if rows else ((), (), ())
        cue_starts: list[int] = []
        stops: list[int] = []
        colons: list[int] = []
        headed = False
        for i, flag in enumerate(flags):
            if flag & CUE:
                cue_starts.append(i)
            elif flag & STOP:
                if i and words[i] == "\n" and words[i - 1] == ":":
                    continue  # the value of a field stands on the next line
                if i == 0 or words[i - 1] not in UNFINISHED or (i > 1 and words[i - 1] == "no" and words[i - 2] in ("?", ":")):
                    stops.append(i)
                    headed = headed or (i > 0 and words[i - 1] in HISTORY_ENDS)
            elif flag & COLON:
                colons.append(i)
                headed = headed or (i > 0 and words[i - 1] in HISTORY_ENDS)
        found, ambiguous, goes_on = self._forms(rows, words)
        if self._nested:
            found = self._inner(rows, words, found)
        amended = self._node_category(tokens, words, found) if "NO" in tokens else None
        known = (text, tuple(tokens), tuple(offsets), words, tuple(stops), tuple(colons), tuple(cue_starts),
                 goes_on or not words or not stops or stops[-1] != len(words) - 1, ambiguous,
                 headed and bool(history_ranges(words, colons, stops)), tuple(definitions(text)) if "(" in text else ())
        ask = self._chooser.open_questions
        trace = trace_of(words, colons) if colons or (words and words[0] in TITLES and len(words) <= LONGEST_TITLE) else ()
        return Sentence(*known, tuple(found), *ask(flags, found),
                        None if amended is None else Sentence(*known, tuple(amended), *ask(flags, amended), trace=trace), trace=trace)

    def _forms(self, rows: Sequence[Row], words: Sequence[str]) -> tuple[list[Found], bool, bool]:
        """The longest forms, which do not overlap; whether some need the text to be decided; and whether one may go on behind
        the end."""
        found: list[Found] = []
        busy = 0
        ambiguous = goes_on = False
        settle = self._chooser.settle
        n = len(words)
        for i, (_, state, flags) in enumerate(rows):
            if state is None or not flags & FORM:
                continue
            best = NOT_A_MATCH
            key_id = state.key_id
            end = j = i + 1
            if key_id >= 0:
                best = settle(state) if state.node is None else state.node
            while j < n:
                step = state[words[j]]
                if step is None:
                    # an article inside a phrase, or a full stop where no sentence can end
                    word = words[j]
                    if j + 1 < n and (word == "the" or (word == "." and words[j - 1] in UNFINISHED)):
                        step = state[words[j + 1]]
                        if step is None:
                            break
                        j += 1
                    else:
                        break
                state = step
                j += 1
                if state.key_id >= 0:
                    decided = settle(state) if state.node is None else state.node
                    if decided != NOT_A_MATCH and not (j < n and words[j - 1] in _FIGURES and _is_measured(words, j, n)):
                        best, key_id, end = decided, state.key_id, j
            else:
                goes_on = True
            if best == NOT_A_MATCH or end <= busy:
                continue
            if i < busy:  # overlaps the one before: the longer stays
                before = found[-1]
                # "mucinous adenocarcinoma of the colon" is mucinous first: "of" only says where
                if words[before[1]] == "of" or end - i - words[i:end].count(",") <= before[1] - before[0]:
                    continue
                found.pop()
            if best == AMBIGUOUS or flags & BARE_STAGE:
                ambiguous = True
            found.append((i, end, key_id, best, ""))
            busy = end
        return found, ambiguous, goes_on

    def _nodal(self, tokens: Sequence[str], rows: Sequence[Row], words: Sequence[str]) -> tuple[list[str], list[Row]]:
        """"Pn0" that means nodes, as the category pN0."""
        tokens, rows = list(tokens), list(rows)
        for i in nodal_categories(tokens, words):
            tokens[i] = f"pN{tokens[i][2:]}"
            rows[i] = self.table[tokens[i]]
        return tokens, rows

    def _mend(self, tokens: list[str], offsets: list[int], rows: list[Row], rare: list[int]
              ) -> tuple[list[str], list[int], list[Row]]:
        """Put words together that a scanner tore apart ("adeno carcinoma", "carci- noma") and cut runs of stages.

        Args:
            tokens, offsets, rows: of the text.
            rare: indices of the tokens that are unknown or runs.
        """
        changes: list[tuple[int, int, list[str]]] = []
        n = len(rows)
        for i in rare:
            if rows[i][2] & RUN:
                changes.append((i, i + 1, list(cut_stages(tokens[i]))))
                continue
            for at in (i, i - 1):
                if (0 <= at < n - 1 and (not changes or changes[-1][1] <= at)
                        and offsets[2 * at + 2] - offsets[2 * at + 1] <= _MOST_GAP and self._join(tokens[at], tokens[at + 1])):
                    changes.append((at, at + 2, []))
                    break
        if not changes:
            return tokens, offsets, rows
        tokens, offsets, rows = list(tokens), list(offsets), list(rows)
        for first, last, parts in reversed(changes):
            if parts:
                at = offsets[2 * first]
                inner = []
                for part in parts:
                    inner += [at, at + len(part)]
                    at += len(part)
                rows[first:last] = [self.table[part] for part in parts]
                tokens[first:last] = parts
                offsets[2 * first:2 * last] = inner
            else:
                rows[first:last] = [self.table[self._join(tokens[first], tokens[first + 1])]]
                tokens[first:last] = [tokens[first] + tokens[first + 1]]
                del offsets[2 * first + 1:2 * first + 3]
        return tokens, offsets, rows

    def _join(self, left: str, right: str) -> str:
        """The word of the lexicon that two neighbours make together, or an empty string."""
        known = self._joins.get((left, right))
        if known is None:
            known = ""
            if left.isalpha() and right.isalpha() and len(left) + len(right) >= _JOIN_LENGTH:
                word = (left + right).lower()
                # both parts being words of their own is no sign of a torn word
                if self.table.speller.knows(word) and not (left[-1].islower() and right[0].isupper()):
                    known = word
            if len(self._joins) > _MOST_JOINS:
                self._joins.clear()
            self._joins[(left, right)] = known
        return known

    def _node_category(self, tokens: Sequence[str], words: Sequence[str], found: list[Found]) -> list[Found] | None:
        """``found`` with the letters "NO" between two categories as N0 ("pT3a NO Mx"), which scanners make of it; ``None``
        where there are none."""
        state = self.table.root["pn0"]
        if state is None:
            return None
        node = state.node if state.node is not None else self._chooser.settle(state)
        if node < 0 and node != AMBIGUOUS:
            return None
        added = [(k, k + 1, state.key_id, node, "") for k, token in enumerate(tokens)
                 if token == "NO" and k and "pt" in (words[k - 1][:2], words[max(0, k - 2)][:2])
                 and (k + 1 == len(words) or not words[k + 1].isalpha() or words[k + 1] in _BEHIND_NODES)
                 and not any(f[1] > k >= f[0] for f in found)]
        return sorted([*found, *added]) if added else None

    def _inner(self, rows: Sequence[Row], words: Sequence[str], found: list[Found]) -> list[Found]:
        """``found`` and every shorter form inside."""
        every = list(found)
        for first, last, _, _, _ in found:
            for i in range(first, last):
                state = rows[i][1]
                j = i + 1
                while state is not None:
                    if state.key_id >= 0 and (i, j) != (first, last):
                        node = self._chooser.settle(state) if state.node is None else state.node
                        if node >= 0:
                            every.append((i, j, state.key_id, node, ""))
                    if j >= last:
                        break
                    state = state[words[j]]
                    j += 1
        return sorted(every)


_FIGURES = frozenset(map(str, range(10)))
_UNITS = frozenset({"mm2", "hpf", "mm", "cm", "figure", "mitosis"})
_FIELDS = frozenset({"hpf", "high", "mm2", "mm", "sq", "square", "field", "10", "50", "20", "40", "2"})


def _is_measured(words: Sequence[str], at: int, n: int) -> bool:
    """Whether the figure before ``at`` is a count with a unit and no score: "mitoses 3/mm2", "3 per 10 HPF", "3/10 high power
    fields", "3-4 per 2 mm2"."""
    if at + 2 < n and words[at].isdigit() and words[at + 1] == "per":
        at += 1
    word = words[at]
    if word in _UNITS:
        return True
    if word == "per":
        return at + 1 < n and (words[at + 1] in _FIELDS or words[at + 1].isdigit())
    return word in ("10", "50", "20", "40", "2") and at + 1 < n and words[at + 1] in _FIELDS


def _without_lead(start: int, piece: str) -> tuple[int, str]:
    """A piece without the blanks before its first word, so that a sentence is the same behind another one and alone."""
    if piece[:1] == " ":
        bare = piece.lstrip(" ")
        if bare[:1].isalnum():
            return start + len(piece) - len(bare), bare
    return start, piece
