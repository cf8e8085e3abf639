"""A tiny world and a tiny model, made once for all tests of the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TINY_ENCODER = {"feature_dim": 32, "hidden_size": 32, "num_heads": 4, "num_layers": 1, "num_tokens": None,
                "segment_lengths": [64], "dilation_rates": [1]}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> dict[str, Any]:
    """Folders and files: ``lm`` (a language model), ``vlm`` (a built model), ``train``, ``validation``, ``test``."""
    torch = pytest.importorskip("torch", reason="the trainer needs torch")
    for package in ("transformers", "trl", "h5py"):
        pytest.importorskip(package, reason=f"the trainer needs {package}")
    torch.set_num_threads(1)
    from model.data.samples import read_samples
    from model.demo.world import WorldSettings, write_world
    from model.language_models import tiny_lm
    from model.training.parts import save_model
    from model.vlm import build_vlm

    root: Path = tmp_path_factory.mktemp("tiny")
    files = write_world(root / "data", train=12, validation=4, test=6, settings=WorldSettings(diagnoses=3))
    samples = read_samples(files["train"])
    lm, tokenizer = tiny_lm([s.text + s.ask() for s in samples], vocab_size=400, hidden_size=32, num_layers=1)
    lm.save_pretrained(root / "lm")
    tokenizer.save_pretrained(root / "lm")
    save_model(*build_vlm(root / "lm", encoder=TINY_ENCODER), root / "vlm")
    return {"root": root, "lm": str(root / "lm"), "vlm": str(root / "vlm"),
            **{k: str(v) for k, v in files.items()}}


@pytest.fixture
def sft_run(tiny, tmp_path):
    """A function that makes a checked SFT run of a few steps."""
    from model.training.config import parse_run

    def make(**changes: Any) -> Any:
        trainer = {"per_device_train_batch_size": 4, "max_steps": 4, "learning_rate": 1e-3, "save_strategy": "steps",
                   "save_steps": 2, **changes.pop("trainer", {})}
        raw = {"output": str(tmp_path / changes.pop("name", "run")), "log_to": "none",
               "model": {"path": tiny["vlm"]}, "data": {"train": tiny["train"], "validation": tiny["validation"]},
               "augment": {"mix": {"masked": 0, "full": 1, "pseudo": 0}}, "trainer": trainer, **changes}
        return parse_run(raw, "sft")

    return make


def weights(folder: str | Path) -> dict[str, Any]:
    """The tensors of a saved model."""
    from safetensors.torch import load_file

    return load_file(Path(folder) / "model.safetensors")
