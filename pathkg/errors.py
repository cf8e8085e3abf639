"""The one error vocabulary of the package.

Every error that bad input can cause is a :class:`PathkgError`. Its message says what was given, what is
allowed and what to do next. Command-line programs print the message and leave with exit code 2.
"""

from __future__ import annotations

from collections.abc import Iterable


class PathkgError(Exception):
    """Base of all errors a caller can act on.

    Args:
        message: what was given and why it cannot be used.
        hint: what to do next; shown on a line of its own.

    Example:
        >>> print(PathkgError("no column 'text' in cases.csv", hint="name it with --text-column"))
        no column 'text' in cases.csv
          what to do: name it with --text-column
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  what to do: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only arguments do not survive the default exception pickling
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(cls: type[PathkgError], message: str, hint: str) -> PathkgError:
    error = cls.__new__(cls)
    PathkgError.__init__(error, message, hint=hint)
    return error


class InputError(PathkgError):
    """A file, record or argument that cannot be read as what it should be."""


class StoreError(PathkgError):
    """A graph store that is missing, broken, or from another format version."""


class UnknownEntityError(PathkgError):
    """A CURIE or name that the graph does not hold."""


class DialectError(PathkgError):
    """A trajectory dialect that does not exist, or a text that does not follow its dialect."""


class DownloadError(PathkgError):
    """A download that failed, was cut short, or does not match its checksum."""


class EndpointError(PathkgError):
    """A model endpoint that is unreachable, refuses, or answers with something unusable."""


class MissingExtraError(PathkgError, ImportError):
    """A feature whose optional dependencies are not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str) -> MissingExtraError:
        """The error for a missing optional ``package`` that comes with ``pathkg[extra]``."""
        return cls(f"this needs the package {package!r}, which is not installed",
                   hint=f"pip install 'pathkg[{extra}]'")


def did_you_mean(given: str, known: Iterable[str], *, limit: int = 3) -> str:
    """A "did you mean …" clause for a mistyped name, or an empty string.

    Example:
        >>> did_you_mean("soft_dise", ["soft_dice", "recall"])
        "did you mean 'soft_dice'?"
        >>> did_you_mean("zzz", ["soft_dice", "recall"])
        ''
    """
    import difflib

    near = difflib.get_close_matches(given, list(known), n=limit, cutoff=0.6)
    return f"did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
