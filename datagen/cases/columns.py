"""Which column of a table feeds which field of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pathkg.errors import InputError, did_you_mean

DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "case_id": ("case_id", "id", "ref", "report_id", "patient_id"),
    "patient_id": ("patient_id", "patient", "case_id"),
    "text": ("text", "report", "report_text"),
    "diagnosis": ("diagnosis", "histological_type"),
    "slide": ("slide", "slide_path", "image"),
    "features": ("features", "feature_path"),
    "roi": ("roi",),
    "magnification": ("magnification",),
}
"""For every field the column names that are tried, in order, when it is not mapped."""

REQUIRED = ("case_id", "text")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Field of a case -> column name. Fields that are not named fall back to :data:`DEFAULTS`.

    Example:
        >>> ColumnMap.parse(["text=body", "case_id=Nr"]).resolve(["Nr", "body", "slide"])["slide"]
        'slide'
    """

    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, options: Sequence[str]) -> ColumnMap:
        """Read ``FIELD=COLUMN`` options.

        Raises:
            InputError: an option of another form, or an unknown field.
        """
        given: dict[str, str] = {}
        for option in options:
            name, sign, column = option.partition("=")
            if not sign or not column:
                raise InputError(f"cannot read the column option {option!r}",
                                 hint="write --column FIELD=COLUMN, for example --column text=report_body")
            if name not in DEFAULTS:
                raise InputError(f"a case has no field {name!r}",
                                 hint=did_you_mean(name, DEFAULTS) or f"fields are {', '.join(DEFAULTS)}")
            given[name] = column
        return cls(given)

    def resolve(self, columns: Iterable[str], *, where: str = "the table") -> dict[str, str]:
        """The column of each field that can be filled from ``columns``.

        Raises:
            InputError: a mapped column that is not there, or no column for ``case_id`` or ``text``.
        """
        present = list(columns)
        resolved: dict[str, str] = {}
        for name, candidates in DEFAULTS.items():
            if name in self.given:
                if self.given[name] not in present:
                    raise InputError(f"{where} has no column {self.given[name]!r} (mapped to {name})",
                                     hint=did_you_mean(self.given[name], present)
                                     or f"its columns are {', '.join(present)}")
                resolved[name] = self.given[name]
                continue
            found = next((c for c in candidates if c in present), None)
            if found is not None:
                resolved[name] = found
            elif name in REQUIRED:
                raise InputError(f"{where} has no column for {name} (looked for {', '.join(candidates)})",
                                 hint=f"map it with --column {name}=COLUMN; its columns are {', '.join(present)}")
        return resolved
