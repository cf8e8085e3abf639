"""Entry point of the ``pathkg-datagen`` program."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pathkg.cli import CommandTable, dispatch

COMMANDS: CommandTable = {
    "run": ("datagen.commands.run", "make a dataset of verified trajectories from cases"),
    "inspect": ("datagen.commands.inspect", "statistics and figures of a dataset"),
    "audit": ("datagen.commands.audit", "verify every certificate of a dataset again"),
    "export": ("datagen.commands.export", "write a dataset for TRL, LLaVA, verl, ms-swift or plain chat"),
    "plan": ("datagen.commands.plan", "show the plan of a case: conclusion, evidence paths, differentials"),
    "schema": ("datagen.commands.schema", "print the schemas of findings records and samples"),
    "slides": ("datagen.slides.commands", "tissue masks, tiles and feature bags of whole-slide images"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see :func:`pathkg.cli.dispatch` for exit codes."""
    return dispatch("pathkg-datagen", "From reports and slides to a verified dataset (research use, not for diagnosis).",
                    COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
