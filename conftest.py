"""Which parts of the suite can run here: modules of extras that are not installed are left out, and said so."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from pathkg.errors import MissingExtraError

OPTIONAL = {"torch": "train", "transformers": "train", "trl": "train", "datasets": "train", "numba": "fast",
            "spacy": "nlp", "openai": "datagen", "openslide": "slides", "h5py": "slides", "fastapi": "serve",
            "sklearn": "train"}


def _missing() -> dict[str, str]:
    return {package: extra for package, extra in OPTIONAL.items() if find_spec(package) is None}


def pytest_configure(config: pytest.Config) -> None:
    # with every extra installed (as in CI) a module that cannot be imported is an error
    if _missing():
        config.option.doctest_ignore_import_errors = True


def pytest_report_header(config: pytest.Config) -> str:
    missing = _missing()
    if not missing:
        return "extras: all installed"
    return "extras not installed, their tests are skipped: " + ", ".join(sorted(set(missing.values())))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    except MissingExtraError as error:
        _skip_or_raise(error, error)
    except doctest.UnexpectedException as error:
        _skip_or_raise(error.exc_info[1], error)


def _skip_or_raise(cause: BaseException, error: Exception) -> None:
    if _missing() and isinstance(cause, MissingExtraError):
        pytest.skip(str(cause).splitlines()[0])
    raise error
