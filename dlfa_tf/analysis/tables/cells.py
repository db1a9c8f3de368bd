"""How a mean, a gain and an interval are written into the cells of tables."""

import pandas as pd


def mean_cell(mean: float, spread: float, seeds: int, form: str) -> str:
    """A mean over seeds: `62.75 ± 0.49 (2)`, `62.75 (1)` for one seed.

    The spread is the standard deviation over seeds; `form` is a format such as
    `.2f`.
    """
    if pd.isna(spread):
        return f"{mean:{form}} ({seeds})"
    return f"{mean:{form}} ± {spread:{form}} ({seeds})"


def gain_cell(
    gain: float, low: float, high: float, interval: str, form: str
) -> str:
    """A gain and its interval: `-0.48 [-1.75, +0.66]`; empty without a gain.

    NaN is no gain, or no interval. An `interval` (what was drawn anew, see
    `gain_interval`) that is not `items and seeds` carries a dagger. `form` is
    a format such as `.2f`.
    """
    if pd.isna(gain):
        return ""
    text = f"{gain:+{form}}"
    if pd.notna(low):
        mark = "" if interval == "items and seeds" else "†"
        text += f" [{low:+{form}}, {high:+{form}}]{mark}"
    return text
