"""Whether two figures put systems into the same order."""

import pandas as pd

# With fewer it says nothing.
_FEWEST_SYSTEMS = 4


def rank_correlation(first: pd.Series, second: pd.Series) -> float:
    """Spearman's rank correlation; equal values share a rank.

    Args:
        first: float `(systems,)`.
        second: float `(systems,)`, with the same index.

    Returns:
        float from -1 to 1; NaN with fewer than four systems, and where all
        values of one side are equal.
    """
    if len(first) < _FEWEST_SYSTEMS:
        return float("nan")
    return float(first.rank().corr(second.rank()))
