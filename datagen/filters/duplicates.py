"""Near-duplicates by MinHash (Broder 1997), with the signatures in flat NumPy arrays.

A signature is 64 minima of 32-bit hashes over the word 5-grams of a text; the share of equal positions estimates the
Jaccard similarity of two texts. Candidates are samples that agree in one of 16 bands of 4 minima: pairs at 0.85
meet with a probability above 0.9999. Memory is 256 bytes a sample plus one sort per band.
"""

from __future__ import annotations

import base64
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from datagen.filters.contamination import words

PERMUTATIONS = 64
BANDS = 16
SHINGLE = 5
_PRIME = np.uint64((1 << 61) - 1)
_LOW32 = np.uint64(0xFFFFFFFF)

Signature = npt.NDArray[np.uint32]


def _coefficients() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    random = np.random.default_rng(20_240)  # fixed: signatures of two runs must be comparable
    a = random.integers(1, 1 << 29, PERMUTATIONS, dtype=np.uint64)
    b = random.integers(0, 1 << 29, PERMUTATIONS, dtype=np.uint64)
    return a[:, None], b[:, None]


_A, _B = _coefficients()


def signature(text: str) -> Signature:
    """The MinHash signature of ``text``, ``(64,)`` of uint32.

    Example:
        >>> a = signature("the tumour shows keratin pearls and bridges in all sections seen")
        >>> b = signature("The tumour shows keratin pearls and bridges in all sections seen!")
        >>> bool((a == b).all())
        True
    """
    found = words(text)
    shingles = {" ".join(found[i:i + SHINGLE]) for i in range(max(1, len(found) - SHINGLE + 1))}
    hashes = np.fromiter((int.from_bytes(blake2b(s.encode(), digest_size=4).digest(), "little") for s in shingles),
                         dtype=np.uint64, count=len(shingles))
    # 29 bits times 32 bits stays below 2**61, so the products do not overflow
    permuted = (_A * hashes[None, :] + _B) % _PRIME & _LOW32
    minima: Signature = permuted.min(axis=1).astype(np.uint32)
    return minima


def pack(minima: Signature) -> str:
    """A signature as text."""
    return base64.b85encode(minima.tobytes()).decode()


def unpack(text: str) -> Signature:
    """The inverse of :func:`pack`."""
    return np.frombuffer(base64.b85decode(text), dtype=np.uint32)


class NearDuplicates:
    """Finds, over a whole run, the samples that nearly repeat an earlier one of another case.

    Example:
        >>> near = NearDuplicates()
        >>> text = "sheets of large cells with prominent nucleoli and brisk mitoses fill the node entirely"
        >>> for case, words_ in (("a", text), ("b", text + " today"), ("c", "benign colonic mucosa without dysplasia or tumor")):
        ...     near.add(case, signature(words_))
        >>> near.find(0.7)
        {1: 0}
    """

    def __init__(self) -> None:
        self._blocks: list[Signature] = []
        self._cases: list[int] = []
        self._known: dict[str, int] = {}
        self._buffer: list[Signature] = []

    def add(self, group: str, minima: Signature) -> None:
        """Add the next sample; samples of one ``group`` (a case) are never duplicates of each other."""
        self._cases.append(self._known.setdefault(group, len(self._known)))
        self._buffer.append(minima)
        if len(self._buffer) == 4096:
            self._blocks.append(np.stack(self._buffer))
            self._buffer.clear()

    def find(self, threshold: float) -> dict[int, int]:
        """Number of a sample -> number of the earlier sample it repeats."""
        if not self._cases:
            return {}
        parts = [*self._blocks, np.stack(self._buffer)] if self._buffer else self._blocks
        signatures = np.concatenate(parts)
        cases = np.asarray(self._cases)
        repeats: dict[int, int] = {}
        # the same text first: crowded bands compare with their earliest members only
        whole = np.ascontiguousarray(signatures).view(f"V{4 * PERMUTATIONS}").ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
        for member in np.flatnonzero(first[inverse] != np.arange(len(cases))).tolist():
            if cases[first[inverse[member]]] != cases[member]:
                repeats[member] = int(first[inverse[member]])
        rows = PERMUTATIONS // BANDS
        for band in range(BANDS):
            keys = np.ascontiguousarray(signatures[:, band * rows:(band + 1) * rows]).view(f"V{4 * rows}").ravel()
            _collect(keys, signatures, cases, threshold, repeats)
        return repeats


def _collect(keys: npt.NDArray[Any], signatures: npt.NDArray[np.uint32], cases: npt.NDArray[np.int64],
             threshold: float, repeats: dict[int, int]) -> None:
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)])
    for group in np.flatnonzero(counts > 1):
        members = order[starts[group]:starts[group + 1]]
        # each later member is compared with the earliest ones: enough to find what repeats, and linear in practice
        heads: list[int] = []
        for member in members.tolist():
            if repeats.get(member) is not None:
                continue
            for head in heads:
                same = float((signatures[head] == signatures[member]).mean())
                if same >= threshold and cases[head] != cases[member]:
                    repeats[member] = min(repeats.get(member, head), head)
                    break
            else:
                if len(heads) < 32:
                    heads.append(member)
