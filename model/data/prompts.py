"""How a sample is put to the model: the same words in SFT, GRPO, generation and evaluation."""

from __future__ import annotations

from typing import Any

from model.data.samples import TrainingSample

SYSTEM_PROMPT = ("You are a pathologist. Describe the findings in <observe>, reason in numbered steps in <think>, "
                 "conclude in <answer>.")

CAPTION_QUESTION = "Describe the image."


def messages(sample: TrainingSample, *, system_prompt: str = SYSTEM_PROMPT, question: str | None = None,
             with_image: bool = False) -> list[dict[str, Any]]:
    """The conversation up to the model's turn.

    Args:
        sample: what is asked.
        system_prompt: no system turn when empty.
        question: other words than the sample's own.
        with_image: write the image part (where TRL does not do it), if the sample has a bag.

    Example:
        >>> messages(TrainingSample("1", "a.h5", "Which organ?"), system_prompt="")
        [{'role': 'user', 'content': 'Which organ?'}]
    """
    words = question if question is not None else sample.ask()
    content: Any = words
    if with_image:
        image = [{"type": "image"}] if sample.image else []
        content = [*image, {"type": "text", "text": words}]
    turns: list[dict[str, Any]] = [{"role": "system", "content": system_prompt}] if system_prompt else []
    return [*turns, {"role": "user", "content": content}]


def prompt_text(processor: Any, sample: TrainingSample, *, system_prompt: str = SYSTEM_PROMPT,
                question: str | None = None, given: str = "") -> str:
    """The prompt as one string, ``<image>`` in its place, followed by what is already ``given`` of the answer."""
    turns = messages(sample, system_prompt=system_prompt, question=question, with_image=True)
    return str(processor.apply_chat_template(turns, add_generation_prompt=True)) + given


def completion_text(processor: Any, target: str) -> str:
    """What the model is to write, with the token that ends its turn."""
    return target + str(processor.tokenizer.eos_token)
