"""The optional packages of this room, imported where they are first used."""

from __future__ import annotations

import importlib
from typing import Any

from pathkg.errors import MissingExtraError


def require(package: str, extra: str = "train") -> Any:
    """The module ``package``, or an error that names the extra it comes with.

    Example:
        >>> require("json").loads("[1]")
        [1]
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        top = package.split(".")[0]
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] != top:
            raise  # the package is there and one of its own needs is not: say that, not "not installed"
        raise MissingExtraError.for_extra(top, extra) from error
