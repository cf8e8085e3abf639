"""What calls cost, and stopping before they cost too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pathkg.errors import InputError, PathkgError, did_you_mean

PER = 1_000_000
"""Prices are per million tokens, as vendors state them."""

BYTES_PER_TOKEN = 2.5
"""Bytes per token for the estimate before a call. English text has about 4; reports full of numbers and
abbreviations about 3. Low on purpose: the estimate reserves money and must not be too small."""

SMALLEST = 1e-12

TOKENS_PER_MESSAGE = 8
"""Room for the role and separator tokens of a chat template."""


class BudgetReached(PathkgError):
    """The next call could overspend the budget. What is done is kept; the run can go on with a larger budget."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one model, in one currency unit per million tokens."""

    input: float
    output: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The price of one call.

        Example:
            >>> Price(1.0, 4.0).of(500_000, 250_000)
            1.5
        """
        return (prompt_tokens * self.input + completion_tokens * self.output) / PER


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Model name -> price. Prices change and differ by contract, so none are built in: give your own."""

    prices: Mapping[str, Price] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> PriceTable:
        """Read a JSON file ``{"model": {"input": 0.1, "output": 0.4}}`` (per million tokens).

        Raises:
            InputError: it is not such a file.
        """
        from datagen.output.atomic import read_json

        return cls.of(read_json(path), where=str(path))

    @classmethod
    def of(cls, table: Any, *, where: str = "the price table") -> PriceTable:
        """Build from plain values; see :meth:`read`."""
        try:
            prices = {str(m): Price(float(p["input"]), float(p["output"])) for m, p in table.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where} is not a price table",
                             hint='write {"model": {"input": 0.1, "output": 0.4}}, per million tokens') from error
        if any(p.input < 0 or p.output < 0 for p in prices.values()):
            raise InputError(f"{where} has a negative price", hint="prices are per million tokens, 0 or more")
        return cls(prices)

    def get(self, model: str) -> Price | None:
        return self.prices.get(model)

    def need(self, model: str) -> Price:
        """The price of ``model``.

        Raises:
            InputError: it has none.
        """
        price = self.get(model)
        if price is None:
            raise InputError(f"there is no price for the model {model!r}",
                             hint=did_you_mean(model, self.prices) or "a budget needs one: give --price IN OUT (per million "
                             "tokens; 0 0 for a local server) or --prices FILE")
        return price


def estimate_tokens(messages: Sequence[Mapping[str, str]], *, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """A cautious estimate of the tokens of a chat.

    Example:
        >>> estimate_tokens([{"role": "user", "content": "x" * 25}])
        18
    """
    return sum(TOKENS_PER_MESSAGE + int(len(m["content"].encode()) / bytes_per_token) for m in messages)


class Budget:
    """Money spent, money promised to calls under way, and the limit.

    Args:
        limit: the most that may be spent in this output folder over all runs, ``None`` for no limit.
        spent: what earlier runs spent.

    Example:
        >>> budget = Budget(1.0)
        >>> ticket = budget.reserve(0.6)
        >>> try:
        ...     budget.reserve(0.6)
        ... except BudgetReached:
        ...     print("stop")
        stop
        >>> budget.settle(ticket, 0.1); budget.spent
        0.1
    """

    def __init__(self, limit: float | None = None, *, spent: float = 0.0) -> None:
        self.limit = limit
        self.spent = spent
        self.reserved = 0.0

    def reserve(self, most: float) -> float:
        """Promise ``most`` to a call; the call must :meth:`settle` it.

        Raises:
            BudgetReached: spent, promised and this call together could exceed the limit.
        """
        if self.limit is not None and self.spent + self.reserved + most > self.limit:
            raise BudgetReached(
                f"the budget of {self.limit:.4f} would not cover the next call "
                f"(spent {self.spent:.4f}, under way {self.reserved:.4f}, next at most {most:.4f})",
                hint="run the same command with a larger --budget: finished work is kept and not paid again")
        self.reserved += most
        return most

    def settle(self, ticket: float, cost: float) -> None:
        """Replace a promise by what the call did cost."""
        self.reserved = max(0.0, self.reserved - ticket)
        if self.reserved < SMALLEST:
            self.reserved = 0.0  # what rounding leaves
        self.spent += cost
