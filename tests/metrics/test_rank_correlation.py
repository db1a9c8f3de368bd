"""Spearman's rank correlation."""

import numpy as np
import pandas as pd
import pytest

from dlfa_tf.metrics.rank_correlation import rank_correlation


def test_order_alone_counts():
    x = pd.Series([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1.0)
    assert rank_correlation(x, -np.exp(x)) == pytest.approx(-1.0)
    # Ranks 1, 2, 4, 3: 1 - 6 * 2 / (4 * 15).
    assert rank_correlation(x, pd.Series([5, 6, 9, 8])) == pytest.approx(0.8)


def test_equal_values_share_a_rank():
    x = pd.Series([1.0, 2.0, 3.0, 4.0])
    # Ranks 1, 2, 3.5, 3.5: covariance 4.5 / 3, variances 5 / 3 and 4.5 / 3.
    expected = 4.5 / np.sqrt(5 * 4.5)
    found = rank_correlation(x, pd.Series([1, 2, 5, 5]))
    assert found == pytest.approx(expected)


def test_three_systems_say_nothing():
    assert np.isnan(rank_correlation(*[pd.Series([1.0, 2.0, 3.0])] * 2))
