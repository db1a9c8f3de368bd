"""Which rows every step sees, by language, seed and number of the step."""

from collections.abc import Iterator

import numpy as np


def language_shares(counts: np.ndarray, exponent: float) -> np.ndarray:
    """How often each language is drawn: its number of rows to a power.

    Args:
        counts: int `(languages,)`, rows of each.
        exponent: float, 1 for the languages as they are, 0 for all alike; the
            inverse of a temperature.

    Returns:
        float64 `(languages,)` with sum 1.

    Reference:
        - Devlin, multilingual.md of google-research/bert: 0.7.
        - Conneau et al. 2020, XLM-R, section 3.1: 0.3.
    """
    weights = np.where(counts > 0, counts.astype(float), 0.0)
    weights[counts > 0] **= exponent
    return weights / weights.sum()


def draw_rows(
    languages: np.ndarray, total: int, exponent: float, seed: int
) -> np.ndarray:
    """Plans all rows of a run.

    The rows of a language come in a random order, and in another one when all
    have been seen.

    Args:
        languages: int `(rows,)`, language of every row.
        total: int, rows to draw.
        exponent: float; see `language_shares`.
        seed: int.

    Returns:
        int64 `(total,)`, indices of rows.
    """
    counts = np.bincount(languages)
    random = np.random.default_rng([seed, 0])
    shares = language_shares(counts, exponent)
    drawn = random.choice(len(counts), size=total, p=shares)
    rows = np.empty(total, np.int64)
    for language in np.unique(drawn):
        places = np.flatnonzero(drawn == language)
        own = np.flatnonzero(languages == language)
        order = _passes(own, len(places), [seed, 1, int(language)])
        rows[places] = order
    return rows


def _passes(rows: np.ndarray, total: int, seed: list[int]) -> np.ndarray:
    """Whole passes over rows, each in an order of its own, cut to a total."""

    def orders() -> Iterator[np.ndarray]:
        for number in range(-(-total // len(rows))):
            yield np.random.default_rng([*seed, number]).permutation(rows)

    return np.concatenate([*orders()])[:total]
