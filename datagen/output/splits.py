"""Patient-level splits: all samples of a patient are in one split, today and after the dataset has grown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pathkg.errors import InputError

DEFAULT: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


def parse_fractions(text: str) -> dict[str, float]:
    """Read ``train=0.8,validation=0.1,test=0.1``.

    Raises:
        InputError: another form, a negative fraction, or a sum that is not 1.

    Example:
        >>> parse_fractions("train=0.9,test=0.1")
        {'train': 0.9, 'test': 0.1}
    """
    try:
        fractions = {name.strip(): float(value) for name, value in (part.split("=") for part in text.split(","))}
    except ValueError as error:
        raise InputError(f"cannot read the split {text!r}", hint="write train=0.8,validation=0.1,test=0.1") from error
    if any(f < 0 for f in fractions.values()) or abs(sum(fractions.values()) - 1) > 1e-6:
        raise InputError(f"the fractions of the split {text!r} do not add up to 1",
                         hint="write train=0.8,validation=0.1,test=0.1")
    return fractions


def split_of(patient_id: str, fractions: Mapping[str, float] = DEFAULT, *, seed: int = 0) -> str:
    """The split of a patient, from a hash of the id: it depends on no other patient.

    Example:
        >>> split_of("TCGA-85-A512") == split_of("TCGA-85-A512")
        True
        >>> {split_of(f"P{i}", {"a": 1.0}) for i in range(9)}
        {'a'}
    """
    hashed = hashlib.sha256(f"{seed}\x00{patient_id}".encode()).digest()
    point = int.from_bytes(hashed[:8], "big") / 2**64
    reached = 0.0
    name = ""
    for name, fraction in fractions.items():  # noqa: B007  the last name takes what rounding leaves
        reached += fraction
        if point < reached:
            break
    return name
