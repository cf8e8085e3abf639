"""Which option did an answer choose?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.data.samples import LETTERS
from pathkg.trajectory.blocks import find_blocks
from pathkg.trajectory.dialects import get_dialect

_LETTER = re.compile(r"^\W*(?:(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)\s*(?:is|:)?\s*)?\(?([A-Z])\)?(?:[.):,]|\s*$)",
                     re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+|[<>≤≥+%]")


def answer_part(text: str) -> str:
    """The inner text of the answer block, or the whole text where there is none.

    Example:
        >>> answer_part("<observe>a</observe><think>b</think><answer> c </answer>"), answer_part("c")
        ('c', 'c')
    """
    blocks = find_blocks(text, get_dialect("auto", text))
    return blocks.answer.strip() or text.strip()


def plain(text: str) -> str:
    """Words (and the signs that change a value) in lower case with single spaces: what is compared.

    Example:
        >>> plain(" Squamous-cell  Carcinoma. ")
        'squamous cell carcinoma'
    """
    return " ".join(_WORDS.findall(text.lower()))


def chosen_option(text: str, options: Sequence[str]) -> int | None:
    """The index of the option that an answer chooses; ``None`` when it chooses none or several.

    Tried in order: the answer is the text of an option; it starts with a letter (``B``, ``(b)``, ``Answer: B.``);
    exactly one option's text stands in it (an option inside a longer one does not count beside it).

    Example:
        >>> [chosen_option(t, ["lung", "skin", "skin graft"]) for t in ("B", "B. skin", "The skin graft.", "lung, skin")]
        [1, 1, 2, None]
    """
    answer = answer_part(text)
    words = plain(answer)
    texts = [plain(option) for option in options]
    exact = [i for i, option in enumerate(texts) if option == words]
    if len(exact) == 1:
        return exact[0]
    letter = _LETTER.match(answer)
    if letter is not None:
        index = LETTERS.index(letter.group(1).upper())
        # "A. lung" agrees with itself; "A carcinoma" is an article, not a choice
        rest = plain(answer[letter.end(1):])
        if index < len(options) and (not rest or texts[index].startswith(rest) or rest.startswith(texts[index])):
            return index
    padded = f" {words} "
    inside = [i for i, option in enumerate(texts) if option and f" {option} " in padded]
    kept = [i for i in inside if not any(j != i and f" {texts[i]} " in f" {texts[j]} " for j in inside)]
    return kept[0] if len(kept) == 1 else None
