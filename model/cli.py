"""The program ``pathkg-train``: one small table, one module per command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pathkg.cli import CommandTable, dispatch

COMMANDS: CommandTable = {
    "demo": ("model.commands.demo", "the whole way on generated data: model, SFT, GRPO, evaluation with controls"),
    "demo-data": ("model.commands.demo_data", "write a generated world: bags, trajectories, three splits"),
    "prepare-lm": ("model.commands.prepare_lm", "a trainable language model from a GGUF file, or a tiny one"),
    "init": ("model.commands.init", "build a slide VLM around a language model"),
    "pretrain": ("model.commands.pretrain", "continued pre-training on image-caption pairs"),
    "sft": ("model.commands.sft", "supervised fine-tuning on trajectories, masked trajectories and pseudo-bags"),
    "grpo": ("model.commands.grpo", "GRPO with format, semantic, entity and path rewards"),
    "generate": ("model.commands.generate", "answer a question about a bag, with certificate and heat map"),
    "evaluate": ("model.commands.evaluate", "score a model or a file of predictions; JSON and HTML report"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``pathkg-train`` program."""
    return dispatch("pathkg-train", "Train and evaluate a slide vision-language model (research use, not for "
                                    "diagnosis).", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
