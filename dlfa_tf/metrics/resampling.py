"""Scores of many runs on test items and seeds drawn anew."""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

# Weights held at once, numbers of 8 bytes.
_BLOCK = 4_000_000


def counts_score(counts: np.ndarray) -> np.ndarray:
    """Score in percent of summed counts.

    Args:
        counts: `(..., 3)`: right, gold and predicted; see `item_counts`.

    Returns:
        float64 `(...)`: 2 right / (gold + predicted), 0 where that is 0 / 0.
    """
    total = counts[..., 1] + counts[..., 2]
    return 200.0 * counts[..., 0] / np.maximum(total, 1)


def resample_scores(
    counts: np.ndarray,
    num_samples: int,
    random: np.random.Generator,
    score: Callable[[np.ndarray], np.ndarray] = counts_score,
) -> np.ndarray:
    """Scores of several runs on test items drawn with replacement.

    All runs see the same draws, so that differences of columns are paired.

    Args:
        counts: int `(runs, items, 3)`; see `item_counts`; or `(runs, items,
            classes, 3)` where the score is one of counts by class.
        num_samples: int, number of draws.
        random: NumPy generator.
        score: function from summed counts to scores, for counts by class.

    Returns:
        float64 `(num_samples, runs)` in percent.

    Raises:
        ValueError: when there are no items.
    """
    runs, items, *rest = counts.shape
    if not items:
        raise ValueError("`counts` has no items. Accepted: one or more.")
    if len(rest) > 1:
        return _resample_classes(counts, num_samples, random, score)
    totals = np.stack([counts[..., 0], counts[..., 1] + counts[..., 2]])
    # (items, 2 * runs): one matrix product gives all sums of a draw.
    totals = totals.reshape(2 * runs, items).T.astype(np.float64)
    result = np.empty((num_samples, runs))
    for drawn, weights in _draws(num_samples, items, random):
        sums = weights @ totals
        right, total = sums[:, :runs], sums[:, runs:]
        result[drawn] = 200.0 * right / np.maximum(total, 1)
    return result


def _draws(
    num_samples: int, items: int, random: np.random.Generator
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields which draws, and their `_weights`: as many as are held at once."""
    block = max(1, _BLOCK // items)
    for start in range(0, num_samples, block):
        size = min(block, num_samples - start)
        yield slice(start, start + size), _weights(size, items, random)


def _weights(size: int, items: int, random: np.random.Generator) -> np.ndarray:
    """How often every item is drawn, float64 `(size, items)`."""
    drawn = random.integers(items, size=(size, items))
    drawn += items * np.arange(size)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=size * items)
    return weights.reshape(size, items).astype(np.float64)


def _resample_classes(
    counts: np.ndarray,
    num_samples: int,
    random: np.random.Generator,
    score: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    runs, items, classes, _ = counts.shape
    result = np.empty((num_samples, runs))
    for drawn, weights in _draws(num_samples, items, random):
        for run in range(runs):
            totals = counts[run].reshape(items, -1).astype(np.float64)
            sums = (weights @ totals).reshape(-1, classes, 3)
            result[drawn, run] = score(sums)
    return result


def resample_languages(
    counts: Sequence[np.ndarray],
    item_sets: Sequence[Hashable],
    num_samples: int,
    random: np.random.Generator,
    score: Callable[[np.ndarray], np.ndarray] = counts_score,
) -> np.ndarray:
    """Scores of several runs in several languages on test items drawn anew.

    Translations are drawn together. A text that is hard in one language is
    hard in the others, so drawing each language on its own would average out
    noise that their mean does have.

    Args:
        counts: int `(runs, items, 3)` for every language, or by class; see
            `resample_scores`.
        item_sets: for every language, a name of its texts. Languages of equal
            names hold translations: item i of each is the same text.
        num_samples: int, number of draws.
        random: NumPy generator.
        score: function from summed counts to scores, for counts by class.

    Returns:
        float64 `(num_samples, runs, languages)` in percent.

    Raises:
        ValueError: when a language has no items, or translations differ in
            number.
    """
    result = np.empty((num_samples, len(counts[0]), len(counts)))
    for name in dict.fromkeys(item_sets):
        at = [i for i, other in enumerate(item_sets) if other == name]
        sizes = [counts[i].shape[1] for i in at]
        if len(set(sizes)) > 1:
            raise ValueError(
                "Translations must be equally many in all languages. Received: "
                f"{sizes} items."
            )
        drawn = resample_scores(
            np.concatenate([counts[i] for i in at]), num_samples, random, score
        )
        drawn = drawn.reshape(num_samples, len(at), -1)
        result[:, :, at] = drawn.swapaxes(1, 2)
    return result


def draw_seeds(draws: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draws runs (seeds) with replacement, anew for every draw of items.

    Drawing n values with replacement gives their mean a variance that is too
    small by (n - 1) / n: by half for two seeds. The way from the mean of all
    seeds to that of the drawn ones is therefore stretched by sqrt(n / (n-1)).

    Args:
        draws: float `(num_samples, seeds)`, scores on items drawn anew; see
            `resample_scores`.
        random: NumPy generator.

    Returns:
        float64 `(num_samples,)`, means over the drawn seeds; with one seed
        that seed's draws.
    """
    seeds = draws.shape[1]
    mean = draws.mean(axis=1)
    if seeds == 1:
        return mean
    chosen = random.integers(seeds, size=draws.shape)
    drawn = np.take_along_axis(draws, chosen, axis=1).mean(axis=1)
    return mean + np.sqrt(seeds / (seeds - 1)) * (drawn - mean)


def gain_draws(
    baseline: np.ndarray, system: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Draws of the gain of a system, over test items and seeds.

    Items are paired: both systems see the same ones. Seeds are not: the same
    number does not make two systems alike, and drawing the seeds of each on
    its own holds the truth more often when there are only two or three.

    Args:
        baseline: float `(num_samples, seeds)`, scores of its runs on items
            drawn anew; see `resample_scores`.
        system: float `(num_samples, other seeds)`, on the same draws.
        random: NumPy generator.

    Returns:
        float64 `(num_samples,)` in percentage points.
    """
    return draw_seeds(system, random) - draw_seeds(baseline, random)


def gain_interval(
    baseline: np.ndarray,
    system: np.ndarray,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """The middle of the draws of a gain.

    Args:
        baseline: float `(num_samples, seeds)`, see `gain_draws`.
        system: float `(num_samples, other seeds)`, on the same draws.
        confidence: float, share of the draws inside. Defaults to `0.95`.
        seed: int, seed of the draws of seeds.

    Returns:
        dict of `low`, `high` and `interval`, what was drawn anew: `items and
        seeds`, or `items` with one seed on either side. The seeds of the other
        side are not drawn then: half of the noise of seeds is no bound.
    """
    if min(baseline.shape[1], system.shape[1]) > 1:
        interval = "items and seeds"
        draws = gain_draws(baseline, system, np.random.default_rng(seed))
    else:
        interval = "items"
        draws = system.mean(axis=1) - baseline.mean(axis=1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"low": low, "high": high, "interval": interval}
