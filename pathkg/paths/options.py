"""The options of a path query, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal

from pathkg.errors import InputError, did_you_mean
from pathkg.paths.constraints import Constraints

Mode = Literal["k_shortest", "shortest", "all_shortest", "all_simple"]
MODES = ("k_shortest", "shortest", "all_shortest", "all_simple")
ENGINES = ("auto", "numpy", "numba")
SELECTIONS = ("best", "diverse")

_CONSTRAINT_NAMES = tuple(f.name for f in fields(Constraints))
_OPTION_NAMES = ("k", "max_hops", "mode", "case", "select", "limit", "max_expansions", "time_limit", "weights")


def read_constraints(given: Mapping[str, Any]) -> Constraints:
    """Constraints from keyword arguments.

    Raises:
        InputError: a name that is no constraint.
    """
    for name in given:
        if name not in _CONSTRAINT_NAMES:
            known = (*_CONSTRAINT_NAMES, *_OPTION_NAMES)
            raise InputError(f"find_paths has no option {name!r}",
                             hint=did_you_mean(name, known) or f"options are: {', '.join(known)}")
    return Constraints(**given)


def check_options(k: int | None, max_hops: int, mode: str, select: str | None, limit: int,
                  max_expansions: int | None,
                  time_limit: float | None) -> None:
    """Refuse what cannot be meant.

    Raises:
        InputError: an unknown mode or selection, or a number that is too small.
    """
    if mode not in MODES:
        raise InputError(f"mode is {mode!r}", hint=did_you_mean(mode, MODES) or f"modes are: {', '.join(MODES)}")
    if select is not None and select not in SELECTIONS:
        raise InputError(f"select is {select!r}", hint="use best or diverse")
    for name, value, least in (("k", k, 1), ("max_hops", max_hops, 0), ("limit", limit, 1),
                               ("max_expansions", max_expansions, 1), ("time_limit", time_limit, 0)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= least
                                  or (name != "time_limit" and not isinstance(value, int))):
            raise InputError(f"{name} is {value!r}", hint=f"give a {'number' if name == 'time_limit' else 'whole number'} of at least {least}")
