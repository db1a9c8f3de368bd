"""Means and gains as text."""

import numpy as np
import pytest

from dlfa_tf.analysis.tables.cells import gain_cell
from dlfa_tf.analysis.tables.cells import mean_cell


def test_means():
    assert mean_cell(62.745, 0.489, 2, ".2f") == "62.74 ± 0.49 (2)"
    assert mean_cell(0.75354, np.nan, 1, ".4f") == "0.7535 (1)"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((-0.48, -1.75, 0.661, "items and seeds"), "-0.48 [-1.75, +0.66]"),
        ((0.3, 0.1, 0.52, "items"), "+0.30 [+0.10, +0.52]†"),
        ((0.3, np.nan, np.nan, ""), "+0.30"),
        ((np.nan, np.nan, np.nan, ""), ""),
    ],
)
def test_gains(values, text):
    assert gain_cell(*values, form=".2f") == text
