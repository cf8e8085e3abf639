"""Build hook: the wheel carries the core's tables compressed; the source tree keeps them plain, to be read in a diff."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CORE = "pathkg/data/core"


class CompressedCore(BuildHookInterface):  # type: ignore[misc,type-arg,unused-ignore]
    """Nine megabytes of an installed core become one and a half."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        for path in sorted((Path(self.root) / CORE).glob("*.tsv")):
            packed = Path(self._folder.name) / f"{path.name}.gz"
            # mtime=0: the same tree gives the same wheel
            packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
            build_data["force_include"][str(packed)] = f"{CORE}/{packed.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
