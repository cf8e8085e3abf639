"""The trajectory: findings, numbered reasoning steps, conclusion; written to and read from tagged text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathkg.errors import DialectError, InputError
from pathkg.trajectory.blocks import TAG, find_blocks, is_blank
from pathkg.trajectory.dialects import get_dialect

_STEP_LINE = re.compile(r"^ ?(?:[Ss]tep )?(\d{1,3})[.):] +", re.MULTILINE)
_STEP_INLINE = re.compile(r"(?:\A|(?<=[.;:!?] ))(\d{1,3})[.)] +(?=\S)")
_INDENT = "   "


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One reasoning trajectory.

    Args:
        observe: the findings, free text.
        steps: the reasoning steps, without their numbers.
        answer: the conclusion.
        dialect: the tags it is written with (``"observe"`` or ``"info"``).
        preamble: text of the reasoning block before its first numbered step.

    Raises:
        InputError: a part is empty, or holds one of the tags.
        DialectError: there is no such dialect.

    Example:
        >>> t = Trajectory("Keratin pearls.", ("Keratin pearls support squamous cell carcinoma.",),
        ...                "Squamous cell carcinoma.")
        >>> print(t.render())
        <observe>
        Keratin pearls.
        </observe>
        <BLANKLINE>
        <think>
        1. Keratin pearls support squamous cell carcinoma.
        </think>
        <BLANKLINE>
        <answer>
        Squamous cell carcinoma.
        </answer>
        >>> parse(t.render()) == t
        True
    """

    observe: str
    steps: tuple[str, ...]
    answer: str
    dialect: str = "observe"
    preamble: str = ""

    def __post_init__(self) -> None:
        name = get_dialect(self.dialect, f"<{self.dialect}>").name
        if isinstance(self.steps, str):
            raise InputError("steps is one string", hint="pass a sequence of strings, one per step")
        set_field = object.__setattr__
        set_field(self, "dialect", name)
        set_field(self, "observe", _tidy("observe", self.observe))
        set_field(self, "answer", _tidy("answer", self.answer))
        set_field(self, "steps", tuple(_tidy(f"step {i}", s) for i, s in enumerate(self.steps, 1)))
        set_field(self, "preamble", _tidy("preamble", self.preamble) if self.preamble.strip() else "")
        if not self.steps:
            raise InputError("a trajectory without steps", hint="give at least one reasoning step")

    @property
    def think(self) -> str:
        """The reasoning block as it is rendered: the preamble, then the numbered steps."""
        lines = [self.preamble] if self.preamble else []
        lines += [f"{i}. {step}".replace("\n", "\n" + _INDENT) for i, step in enumerate(self.steps, 1)]
        return "\n".join(lines)

    def render(self) -> str:
        """The tagged text. ``parse(t.render(), t.dialect) == t``."""
        blocks = (self.observe, self.think, self.answer)
        tags = get_dialect(self.dialect).tags
        return "\n\n".join(f"<{tag}>\n{text}\n</{tag}>" for tag, text in zip(tags, blocks, strict=True))

    def replace(self, **changes: Any) -> Trajectory:
        """A copy with some fields changed."""
        fields: dict[str, Any] = {"observe": self.observe, "steps": self.steps, "answer": self.answer,
                                  "dialect": self.dialect, "preamble": self.preamble}
        return Trajectory(**{**fields, **changes})

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {"observe": self.observe, "steps": list(self.steps), "answer": self.answer,
                                  "dialect": self.dialect}
        if self.preamble:
            record["preamble"] = self.preamble
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Trajectory:
        """Rebuild from :meth:`to_dict`.

        Raises:
            InputError: a field is missing or of the wrong kind.
        """
        try:
            observe, steps, answer = record["observe"], record["steps"], record["answer"]
        except KeyError as error:
            raise InputError(f"a trajectory record without {error.args[0]!r}",
                             hint="it needs observe, steps and answer") from None
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            raise InputError("the steps of a trajectory record are not a list",
                             hint="pass a list of strings, one per step")
        return cls(observe, tuple(steps), answer, record.get("dialect", "observe"), record.get("preamble", ""))

    def __repr__(self) -> str:
        return f"<Trajectory {self.dialect}, {len(self.steps)} steps, answer {self.answer[:60]!r}>"


def _tidy(what: str, text: str) -> str:
    if not isinstance(text, str):
        raise InputError(f"{what} is {type(text).__name__}, not text", hint="pass a string")
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    tag = TAG.search(text)
    if tag is not None:
        raise InputError(f"{what} holds the tag {tag.group(0)}", hint="take the tags out of the text first")
    if is_blank(text):
        raise InputError(f"{what} is empty", hint="every part of a trajectory has to say something")
    return text


def split_steps(think: str) -> tuple[str, tuple[str, ...]]:
    """Split a reasoning block into its preamble and its steps.

    A step begins at a line that carries the next number (``1.``, ``2)``, ``Step 3:``); other numbered lines stay
    inside their step. Where no line carries ``1.``, numbers behind a sentence end are tried, then every line is
    a step.

    Example:
        >>> split_steps("Reasoning:\\n1. a\\n2. b\\n   1. c")
        ('Reasoning:', ('a', 'b\\n1. c'))
        >>> split_steps("1. a. 2. b.")
        ('', ('a.', 'b.'))
        >>> split_steps("first\\n\\nsecond")
        ('', ('first', 'second'))
    """
    starts = _numbered(_STEP_LINE, think)
    if len(starts) < 2:
        inline = _numbered(_STEP_INLINE, think)
        starts = inline if len(inline) > len(starts) else starts
    if not starts:
        return "", tuple(line.strip() for line in think.splitlines() if not is_blank(line))
    ends = [start for start, _ in starts[1:]] + [len(think)]
    steps = tuple(_unindent(think[body:end]) for (_, body), end in zip(starts, ends, strict=True))
    return think[:starts[0][0]].strip(), tuple(s for s in steps if not is_blank(s))


def _numbered(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    starts: list[tuple[int, int]] = []
    for match in pattern.finditer(text):
        if int(match.group(1)) == len(starts) + 1:
            starts.append((match.start(), match.end()))
    return starts


def _unindent(step: str) -> str:
    return "\n".join(line.removeprefix(_INDENT).rstrip() for line in step.strip().splitlines()).strip()


def parse(text: str, dialect: str = "observe", lenient: bool = False) -> Trajectory:
    """Read a trajectory from tagged text.

    Args:
        text: the tagged text.
        dialect: ``"observe"``, ``"info"``, or ``"auto"`` (whichever first tag comes first).
        lenient: find the three blocks anywhere; text around them is dropped.

    Raises:
        DialectError: the text does not follow the dialect, or there is no such dialect.
        InputError: ``text`` is not a string.

    Example:
        >>> parse("so: <info>a</info> <think>1. b</think> <answer>c</answer>", "auto", lenient=True).steps
        ('b',)
    """
    if not isinstance(text, str):
        raise InputError(f"the trajectory is {type(text).__name__}, not text", hint="pass a string")
    kind = get_dialect(dialect, text)
    blocks = find_blocks(text, kind)
    if not (blocks.strict if not lenient else all(not is_blank(t) for t in blocks.texts)):
        other = get_dialect("auto", text)
        hint = f"read it with dialect {other.name!r}" if other is not kind and find_blocks(text, other).strict \
            else "write exactly " + " ".join(f"<{t}>…</{t}>" for t in kind.tags)
        raise DialectError(f"the text does not follow the dialect {kind.name!r}: {blocks.fault}", hint=hint)
    preamble, steps = split_steps(blocks.think.strip("\n"))
    if not steps:
        preamble, steps = "", (blocks.think,)
    return Trajectory(blocks.observe, steps, blocks.answer, kind.name, preamble)
