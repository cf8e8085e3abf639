"""Answer one question about one bag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.bags import SlideBag
from model.data.prompts import SYSTEM_PROMPT, prompt_text
from model.data.samples import TrainingSample
from pathkg.errors import PathkgError


@dataclass(frozen=True, slots=True)
class Answer:
    """A generated answer.

    Attributes:
        text: as the model wrote it.
        trajectory: the parsed blocks, or ``None`` with ``fault`` saying why it could not be parsed.
        certificate: the verification, or ``None``.
        attention: one number per patch of ``bag`` (its order), how much the answer drew from it; ``None`` when not
            asked for.
        bag: the bag as the model saw it.
    """

    text: str
    trajectory: Any
    certificate: Any
    attention: Any
    bag: SlideBag | None
    fault: str = ""

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "text": self.text, "fault": self.fault,
            "trajectory": None if self.trajectory is None else self.trajectory.to_dict(),
            "certificate": None if self.certificate is None else self.certificate.to_dict()}
        if self.attention is not None and self.bag is not None:
            record["attention"] = [{"x": float(x), "y": float(y), "weight": round(float(w), 6)}
                                   for (x, y), w in zip(self.bag.coords, self.attention, strict=True)]
        return record


def answer_question(vlm: Any, processor: Any, sample: TrainingSample, *, report: str | None = None, store: str = "",
                    system_prompt: str = SYSTEM_PROMPT, max_new_tokens: int = 512, temperature: float = 0.0,
                    stream: Callable[[str], None] | None = None, attention: bool = True,
                    verify: bool = True) -> Answer:
    """Generate, parse, verify, and say which patches the answer drew on.

    Args:
        vlm: the model.
        processor: its processor.
        sample: the question and its bag.
        report: report text that the certificate may cite; the graph alone when ``None``.
        store: graph store; the bundled core graph when empty.
        system_prompt: as in training.
        max_new_tokens: length limit.
        temperature: 0 for greedy.
        stream: called with each new piece of text.
        attention: compute the weights per patch (one more forward pass).
        verify: make the certificate.
    """
    import torch

    bag = processor.bag(sample.image) if sample.image else None
    prompt = prompt_text(processor, sample, system_prompt=system_prompt)
    inputs = processor(images=[[bag]] if bag is not None else None, text=[prompt], return_tensors="pt",
                       add_special_tokens=False).to(vlm.device)
    options: dict[str, Any] = {"do_sample": temperature > 0, "max_new_tokens": max_new_tokens}
    if temperature > 0:
        options["temperature"] = temperature
    if stream is not None:
        options["streamer"] = _streamer(processor, stream)
    with torch.no_grad():
        written = vlm.generate(**inputs, **options)
    tokens = written[0, inputs["input_ids"].shape[1]:]
    text = processor.decode(tokens, skip_special_tokens=True).strip()
    weights = patch_attention(vlm, processor, inputs, written) if attention and bag is not None else None
    trajectory, certificate, fault = _verified(text, report, store) if verify else (None, None, "")
    return Answer(text, trajectory, certificate, weights, bag, fault)


def _verified(text: str, report: str | None, store: str) -> tuple[Any, Any, str]:
    from pathkg import load
    from pathkg.trajectory import parse, verify

    try:
        trajectory = parse(text, "auto", lenient=True)
    except PathkgError as error:
        return None, None, error.message
    return trajectory, verify(trajectory, report=report, graph=load(store or None)), ""


def _streamer(processor: Any, stream: Callable[[str], None]) -> Any:
    from transformers import TextStreamer

    class Pieces(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            stream(text + ("\n" if stream_end else ""))

    return Pieces(processor.tokenizer, skip_prompt=True, skip_special_tokens=True)


def patch_attention(vlm: Any, processor: Any, inputs: Any, written: Any) -> Any:
    """How much the written tokens drew from each patch.

    The language model's attention from every written token to the slide tokens, averaged over heads, layers and
    written tokens; where the encoder pools the bag into fewer tokens, multiplied with the encoder's own attention
    over the patches. Attention says where the model looked, not why it answered so.

    Returns:
        float64, shape (N,), sums to 1.
    """
    import numpy as np
    import torch

    mask = inputs["pixel_attention_mask"]
    lm = vlm.model.language_model
    kept = lm.config._attn_implementation
    lm.set_attn_implementation("eager")  # the fused kernels do not give their weights away
    try:
        with torch.no_grad():
            out = vlm.model(input_ids=written, attention_mask=torch.ones_like(written), use_cache=False,
                            pixel_values=inputs["pixel_values"], pixel_attention_mask=mask, output_attentions=True)
            pooled = vlm.model.encode_slides(inputs["pixel_values"], mask).attention
    finally:
        lm.set_attn_implementation(kept)
    places = (written[0] == processor.image_token_id).nonzero().squeeze(-1)
    start = inputs["input_ids"].shape[1]
    tokens = torch.stack([layer[0, :, start:, places].double().mean(dim=(0, 1)) for layer in out.attentions]).mean(0)
    weights = tokens if pooled is None else tokens @ pooled[0].double()
    weights = weights[:int(mask[0].sum())]
    values = weights.cpu().numpy()
    return np.asarray(values / max(values.sum(), 1e-12))
