"""Exports: one dataset, the formats of the frameworks that train on it."""

from __future__ import annotations

from datagen.output.exports.chat import chat_row, swift_row
from datagen.output.exports.llava import llava_row
from datagen.output.exports.trl import trl_conversational_row, trl_prompt_completion_row
from datagen.output.exports.verl import verl_row
from datagen.output.exports.write import FORMATS, export

__all__ = ["FORMATS", "chat_row", "export", "llava_row", "swift_row", "trl_conversational_row",
           "trl_prompt_completion_row", "verl_row"]
