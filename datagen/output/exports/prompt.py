"""The instruction that every export puts before the question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pathkg.trajectory import get_dialect
from pathkg.trajectory.model import parse

SYSTEM = "You are an expert pathologist. Reason step by step from what the slide shows to a conclusion."


def instruction(row: Mapping[str, Any], dialect: str) -> str:
    """The question with its options and the form of the answer.

    Example:
        >>> print(instruction({"question": "What is it?", "options": []}, "info"))
        What is it?
        <BLANKLINE>
        Answer in three blocks: <info>what is seen</info> <think>numbered steps</think> <answer>the conclusion</answer>
    """
    first, second, third = get_dialect(dialect).tags
    options = "".join(f"\n- {o}" for o in row["options"])
    asked = f"{row['question']}\nOptions:{options}" if options else row["question"]
    return (f"{asked}\n\nAnswer in three blocks: <{first}>what is seen</{first}> <{second}>numbered steps</{second}> "
            f"<{third}>the conclusion</{third}>")


def text_in(row: Mapping[str, Any], dialect: str) -> str:
    """The trajectory of a sample in the tags of ``dialect``."""
    if dialect == row["dialect"]:
        return str(row["text"])
    return parse(row["text"], row["dialect"]).replace(dialect=dialect).render()


def images_of(row: Mapping[str, Any]) -> list[str]:
    """Feature bags where there are any, else slides; one path each, as the case named them."""
    return [i["features"] or i["slide"] for i in row["images"] if i["features"] or i["slide"]]


def report_part(row: Mapping[str, Any], with_report: bool) -> str:
    """The report as context, for models that read text instead of a slide."""
    return f"Report:\n{row['report']}\n\n" if with_report else ""
