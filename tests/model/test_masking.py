"""Trajectory masking and pseudo-bags, as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.masking import MASK, Span, mask_entities, prefix_variants, split_at
from model.data.pseudobags import (
    cluster_patches,
    draw_cluster,
    drop_probabilities,
    eligible_clusters,
)
from pathkg.trajectory import Trajectory, parse

WORDS = st.text(alphabet="abc éß.,", min_size=1, max_size=20).filter(lambda t: any(c.isalpha() for c in t))
TRAJECTORIES = st.builds(lambda o, s, a, d: Trajectory(o, tuple(s), a, d), WORDS,
                         st.lists(WORDS, min_size=1, max_size=6), WORDS, st.sampled_from(["observe", "info"]))


@given(TRAJECTORIES)
def test_a_trajectory_of_l_steps_makes_l_variants_that_join_to_the_whole(trajectory):
    variants = prefix_variants(trajectory)
    assert [v.first_step for v in variants] == list(range(1, len(trajectory.steps) + 1))
    for variant in variants:
        assert variant.given + variant.target == trajectory.render()
    assert variants[0].given == ""


@given(TRAJECTORIES)
def test_given_holds_exactly_the_first_steps_and_target_the_rest(trajectory):
    for variant in prefix_variants(trajectory)[1:]:
        closed = variant.given + f"</think>\n\n<answer>\n{trajectory.answer}\n</answer>"
        shown = parse(closed, trajectory.dialect)
        assert shown.steps == trajectory.steps[:variant.first_step - 1]
        assert shown.observe == trajectory.observe
        assert variant.target.startswith(f"{variant.first_step}. ")
        assert variant.target.endswith(f"{trajectory.answer}\n</answer>")


@st.composite
def masked_cases(draw):
    trajectory = draw(TRAJECTORIES)
    spans = []
    for step in trajectory.steps:
        pairs = draw(st.lists(st.tuples(st.integers(0, len(step)), st.integers(0, len(step))), max_size=3))
        spans.append([Span(min(a, b), max(a, b)) for a, b in pairs])
    return trajectory, spans, draw(st.floats(0, 1)), draw(st.integers(0, 2 ** 16))


@given(masked_cases())
def test_masking_touches_given_steps_only_and_in_the_asked_share(case):
    trajectory, spans, share, seed = case
    plain = prefix_variants(trajectory)
    masked = prefix_variants(trajectory, entities=spans, mask_share=share, rng=np.random.default_rng(seed))
    again = prefix_variants(trajectory, entities=spans, mask_share=share, rng=np.random.default_rng(seed))
    assert masked == again
    for before, after in zip(plain, masked, strict=True):
        assert after.target == before.target
        assert len(after.masked_steps) == int(share * (after.first_step - 1) + 0.5)
        assert all(1 <= m < after.first_step for m in after.masked_steps)
        expected = [mask_entities(s, spans[i]) if i + 1 in after.masked_steps else s
                    for i, s in enumerate(trajectory.steps)]
        assert after.given == split_at(trajectory, after.first_step, expected)[0]


@given(WORDS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=4))
def test_masked_text_keeps_every_character_outside_the_spans(step, pairs):
    spans = [Span(min(a, b, len(step)), min(max(a, b), len(step))) for a, b in pairs]
    covered = {i for s in spans for i in range(s.start, s.end)}
    kept = "".join(c for i, c in enumerate(step) if i not in covered)
    assert mask_entities(step, spans).replace(MASK, "") == kept


def test_relation_words_stay():
    step = "Keratin pearl supports squamous cell carcinoma."
    assert mask_entities(step, [Span(0, 13), Span(23, 46)]) == "[MASK] supports [MASK]."


@pytest.mark.parametrize("options", [{"mask_share": 1.5}, {"mask_share": 0.5},
                                     {"entities": [[]], "mask_share": 0.0}])
def test_impossible_masking_is_refused(options):
    with pytest.raises(ValueError, match=r"mask_share|spans"):
        prefix_variants(Trajectory("a", ("b", "c"), "d"), **options)


# --- pseudo-bags ----------------------------------------------------------------------------------------------

DELTAS = st.lists(st.floats(-50, 50), min_size=1, max_size=8)


@given(DELTAS, st.floats(0, 1), st.floats(0.05, 20), st.data())
def test_probabilities_follow_the_formula(delta, mu, tau, data):
    eligible = sorted(data.draw(st.sets(st.integers(0, len(delta) - 1), min_size=1)))
    p = drop_probabilities(delta, eligible, mu=mu, tau=tau)
    assert p.sum() == pytest.approx(1.0)
    assert all(p[c] == 0 for c in range(len(delta)) if c not in eligible)
    top = max(delta[c] for c in eligible)
    weights = {c: np.exp((delta[c] - top) / tau) for c in eligible}
    for c in eligible:
        assert p[c] == pytest.approx(mu * weights[c] / sum(weights.values()) + (1 - mu) / len(eligible))
        assert p[c] >= (1 - mu) / len(eligible) - 1e-12


@given(DELTAS)
def test_a_larger_drop_is_never_less_likely(delta):
    p = drop_probabilities(delta, range(len(delta)))
    order = np.argsort(delta)
    assert (np.diff(p[order]) >= -1e-12).all()


@pytest.mark.parametrize(("delta", "eligible", "options"), [
    ([1.0], [], {}), ([np.nan, 1.0], [0], {}), ([1.0], [0], {"mu": 1.1}), ([1.0], [0], {"tau": 0.0})])
def test_impossible_probabilities_are_refused(delta, eligible, options):
    with pytest.raises(ValueError, match=r"eligible|finite|tau"):
        drop_probabilities(delta, eligible, **options)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200), st.floats(0, 0.5))
def test_eligible_clusters_are_large_enough_and_leave_something(labels, epsilon):
    labels = np.array(labels)
    least = max(1, int(epsilon * len(labels)))
    expected = [c for c in np.unique(labels) if least <= (labels == c).sum() < len(labels)]
    assert eligible_clusters(labels, epsilon=epsilon).tolist() == expected


def test_draws_follow_the_probabilities_and_the_seed():
    p = drop_probabilities([0.0, 3.0, 0.0], [0, 1])
    draws = [draw_cluster(p, np.random.default_rng(i)) for i in range(400)]
    assert draws == [draw_cluster(p, np.random.default_rng(i)) for i in range(400)]
    assert set(draws) == {0, 1}
    assert np.mean(np.array(draws) == 1) == pytest.approx(p[1], abs=0.06)


def test_clusters_find_the_prototypes_and_do_not_depend_on_the_row_order():
    pytest.importorskip("sklearn", reason="k-means is scikit-learn's")
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 20)
    features = (np.eye(3)[truth] * 10 + rng.normal(scale=0.1, size=(60, 3))).astype(np.float32)
    assert cluster_patches(features, 3).tolist() == truth.tolist()
    order = rng.permutation(60)
    shuffled = cluster_patches(features[order], 3)
    assert len({(a, b) for a, b in zip(shuffled, truth[order], strict=True)}) == 3
    assert cluster_patches(features[:2], 8).max() < 2
    assert cluster_patches(np.ones((5, 2), np.float32), 4).tolist() == [0] * 5
