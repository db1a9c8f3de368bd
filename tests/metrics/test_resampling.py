"""Test items and seeds drawn anew."""

import numpy as np
import pytest

from dlfa_tf.metrics.resampling import counts_score
from dlfa_tf.metrics.resampling import draw_seeds
from dlfa_tf.metrics.resampling import gain_draws
from dlfa_tf.metrics.resampling import gain_interval
from dlfa_tf.metrics.resampling import resample_languages
from dlfa_tf.metrics.resampling import resample_scores


def counts_of(right):
    right = np.asarray(right)
    return np.stack([right, np.ones_like(right), np.ones_like(right)], -1)


def test_score_of_counts():
    assert counts_score(np.array([[3, 4, 8], [0, 0, 0]])).tolist() == [50, 0]


def test_draws_have_the_mean_and_spread_of_a_proportion():
    n = 400
    counts = counts_of([[1, 0] * (n // 2)])
    draws = resample_scores(counts, 4000, np.random.default_rng(0))[:, 0]
    assert draws.mean() == pytest.approx(50, abs=0.2)
    assert draws.std() == pytest.approx(100 * np.sqrt(0.25 / n), rel=0.05)


def test_runs_see_the_same_items():
    counts = counts_of([[1, 0, 0, 1], [0, 1, 1, 0]])
    draws = resample_scores(counts, 50, np.random.default_rng(0))
    assert np.allclose(draws.sum(axis=1), 100)
    assert draws.std() > 0


def test_draws_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    counts = counts_of([[1, 0, 1, 0, 0], [1, 1, 1, 0, 0]])
    whole = resample_scores(counts, 30, np.random.default_rng(0))
    monkeypatch.setattr("dlfa_tf.metrics.resampling._BLOCK", 20)
    parts = resample_scores(counts, 30, np.random.default_rng(0))
    assert np.array_equal(whole, parts)


def test_no_items_are_refused():
    with pytest.raises(ValueError, match="`counts` has no items"):
        resample_scores(np.zeros((1, 0, 3)), 5, np.random.default_rng(0))


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_few_seeds_do_not_shrink_the_variance(seeds):
    # Every row another experiment: the variance around the row's mean is on
    # average that of a mean of so many seeds.
    random = np.random.default_rng(0)
    values = random.normal(size=(4000, seeds))
    deviation = draw_seeds(values, random) - values.mean(axis=1)
    assert (deviation**2).mean() == pytest.approx(1 / seeds, rel=0.1)
    assert deviation.mean() == pytest.approx(0, abs=0.03)


def test_two_seeds_by_hand():
    draws = np.tile([10.0, 20.0], (100, 1))
    # Seed 0 twice, both, or seed 1 twice, stretched from 15 by sqrt(2).
    found = np.unique(draw_seeds(draws, np.random.default_rng(0)).round(6))
    step = 5 * np.sqrt(2)
    assert found == pytest.approx([15 - step, 15, 15 + step])


def test_one_seed_adds_no_spread():
    draws = np.array([[1.0], [2.0], [3.0]])
    gain = gain_draws(draws, draws + 1, np.random.default_rng(0))
    assert gain.tolist() == [1, 1, 1]


def test_gain_of_seeds_that_differ_is_spread():
    draws = np.tile([10.0, 20.0, 40.0], (2000, 1))
    gain = gain_draws(draws, draws + 1, np.random.default_rng(0))
    assert gain.mean() == pytest.approx(1, abs=1)
    # Two means of three: variance 2 * var / 3.
    assert gain.std() == pytest.approx(
        np.sqrt(2 * np.var([10, 20, 40], ddof=1) / 3), rel=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "coverage"), [(2, 0.87), (3, 0.93), (5, 0.94), (10, 0.95)]
)
def test_coverage_of_intervals(seeds, coverage):
    """How often a 95 % interval holds the truth; docs/analysis.md says so."""
    random = np.random.default_rng(0)
    inside = 0
    experiments, items = 200, 3000
    for _ in range(experiments):
        # True gain 0; a seed moves the chance of a right answer by 3 points.
        chance = np.clip(0.7 + 0.03 * random.normal(size=(2 * seeds, 1)), 0, 1)
        right = random.random((2 * seeds, items)) < chance
        draws = resample_scores(counts_of(right.astype(int)), 200, random)
        gain = gain_draws(draws[:, :seeds], draws[:, seeds:], random)
        low, high = np.quantile(gain, [0.025, 0.975])
        inside += low <= 0 <= high
    # Two standard errors of a share of 200 experiments.
    assert inside / experiments == pytest.approx(coverage, abs=0.05)


def test_interval_says_what_was_drawn_anew():
    one = np.linspace(0.0, 100.0, 1001)[:, None]
    found = gain_interval(np.zeros((1001, 1)), one, confidence=0.9)
    assert found["interval"] == "items"
    assert [found["low"], found["high"]] == pytest.approx([5.0, 95.0])
    # One seed against two that lie far apart: still the items alone.
    uneven = gain_interval(
        np.tile([-30.0, 30.0], (1001, 1)), one, confidence=0.9
    )
    assert uneven == found
    two = gain_interval(np.zeros((1001, 2)), np.tile([1.0, 3.0], (1001, 1)))
    assert two["interval"] == "items and seeds"
    # The drawn seeds lie 1 around 2, stretched by sqrt(2).
    ends = [2 - np.sqrt(2), 2 + np.sqrt(2)]
    assert [two["low"], two["high"]] == pytest.approx(ends)


def test_translations_are_drawn_together_and_other_texts_are_not():
    right = np.random.default_rng(0).integers(2, size=(2, 400))
    counts = counts_of(right)
    # The same texts with the same answers in two languages.
    both = [counts, counts]
    random = np.random.default_rng(1)
    together = resample_languages(both, ["test", "test"], 300, random)
    assert together.shape == (300, 2, 2)
    np.testing.assert_array_equal(together[:, :, 0], together[:, :, 1])
    random = np.random.default_rng(1)
    np.testing.assert_array_equal(
        together[:, :, 0], resample_scores(counts, 300, random)
    )
    apart = resample_languages(both, ["de", "fr"], 300, random)
    # The mean of two independent languages varies less by sqrt(2).
    spreads = [x.mean(axis=2).std(axis=0) for x in (together, apart)]
    assert spreads[0] / spreads[1] == pytest.approx([np.sqrt(2)] * 2, rel=0.15)
    assert abs(np.corrcoef(apart[:, 0].T)[0, 1]) < 0.2


def test_draws_of_translations_stay_with_their_language_and_run():
    # Run r of language x is right on every item, or on none.
    counts = [
        np.stack([counts_of(np.full((1, 5), value))[0] for value in pair])
        for pair in ((1, 0), (0, 0), (1, 1))
    ]
    drawn = resample_languages(
        counts, ["a", "b", "a"], 3, np.random.default_rng(0)
    )
    assert drawn.tolist() == [[[100.0, 0, 100], [0, 0, 100]]] * 3


def test_translations_in_other_numbers_are_refused():
    counts = [counts_of(np.ones((1, n), dtype=int)) for n in (3, 4)]
    with pytest.raises(ValueError, match=r"equally many.*\[3, 4\] items"):
        resample_languages(counts, [0, 0], 2, np.random.default_rng(0))
