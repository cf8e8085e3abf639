"""Records: polarity, explanations, errors that pickle."""

from __future__ import annotations

import pickle

import pytest

from pathkg.errors import InputError, MissingExtraError, PathkgError
from pathkg.records import Assertion, Mention, Path, PathEdge, PathNode, PathResult, polarity_of


@pytest.mark.parametrize(("assertion", "polarity"), [
    ("present", "+"), ("possible", "+"), ("absent", "-"), ("historical", None), ("unspecified", None),
    ("other", None)])
def test_polarity(assertion: str, polarity: str | None) -> None:
    assert polarity_of(assertion) == polarity


def test_polarity_of_an_unknown_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="maybe"):
        polarity_of("maybe")


def test_a_path_explains_direction_negation_and_source() -> None:
    path = Path(
        nodes=(PathNode("P:1", "keratin pearl", "morphology"), PathNode("M:1", "squamous cell carcinoma", "disease"),
               PathNode("P:2", "gland", "morphology")),
        edges=(PathEdge(0, "supports", "WHO", "forward"), PathEdge(1, "has_morphology", "WHO", "forward", True)))
    assert path.length == 2
    assert path.explain() == ("keratin pearl —supports→ squamous cell carcinoma [WHO] "
                              "—NOT has_morphology→ gland [WHO]")
    assert path.to_dict()["edges"][0] == {"id": 0, "relation": "supports", "source": "WHO", "direction": "forward"}


def test_an_empty_result_says_why() -> None:
    assert "no_path_within_max_hops" in repr(PathResult(paths=(), reason="no_path_within_max_hops"))


def test_mention_json_has_the_documented_keys() -> None:
    mention = Mention(0, 8, "necrosis", "PATHKG:n", "necrosis", "morphology", Assertion.ABSENT, 1.0, "exact")
    assert list(mention.to_dict()) == ["start", "end", "text", "id", "name", "type", "assertion", "score", "why"]
    assert mention.polarity == "-"


@pytest.mark.parametrize("error", [PathkgError("a", hint="b"), InputError("c"),
                                   MissingExtraError.for_extra("torch", "train")])
def test_errors_survive_pickling(error: PathkgError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.hint) == (type(error), error.message, error.hint)
