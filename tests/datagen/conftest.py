"""A small finished dataset, made once for all tests of the room from the package's own example cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import pathkg
from datagen.api import Generator, run
from datagen.cases import read_cases
from datagen.records import Case

EXAMPLES = Path(pathkg.__file__).parent / "data" / "examples" / "cases.jsonl"


@pytest.fixture(scope="session")
def examples() -> list[Case]:
    return [c for c in read_cases(EXAMPLES) if isinstance(c, Case)]


@pytest.fixture(scope="session")
def generator() -> Generator:
    return Generator(pathkg.load())


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset") / "out"
    run(cases=EXAMPLES, out=out)
    return out
