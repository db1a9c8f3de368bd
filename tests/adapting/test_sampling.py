"""Tests of dlfa_tf.adapting.sampling."""

import numpy as np
import pytest

from dlfa_tf.adapting import sampling


@pytest.mark.parametrize(
    "exponent, shares",
    [(1.0, [0.1, 0.0, 0.9]), (0.0, [0.5, 0.0, 0.5]), (0.5, [0.25, 0.0, 0.75])],
)
def test_shares_are_powers_of_the_counts(exponent, shares):
    found = sampling.language_shares(np.array([10, 0, 90]), exponent)
    np.testing.assert_allclose(found, shares)


def test_rows_of_a_language_come_once_before_any_comes_twice():
    languages = np.array([0] * 3 + [1] * 50)
    rows = sampling.draw_rows(languages, 400, 0.5, seed=4)
    assert len(rows) == 400
    for language in (0, 1):
        own = np.flatnonzero(languages == language)
        drawn = rows[languages[rows] == language]
        whole = len(drawn) // len(own) * len(own)
        for i in range(0, whole, len(own)):
            assert sorted(drawn[i : i + len(own)]) == sorted(own)
    share = (languages[rows] == 0).mean()
    assert share == pytest.approx(np.sqrt(3) / (np.sqrt(3) + np.sqrt(50)), 0.3)


def test_seed_decides():
    languages = np.array([0, 1] * 20)
    first, again, other = (
        sampling.draw_rows(languages, 100, 1.0, seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
