"""Scores of labels by class: macro F1 and Matthews' correlation."""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence

import numpy as np

from dlfa_tf.metrics import given_labels
from dlfa_tf.metrics import resampling


def macro_f1(gold: Sequence, predicted: Sequence) -> dict[str, float]:
    """Unweighted mean of the F1 of every class.

    Classes are those among gold or predicted labels, as scikit-learn has it.

    Args:
        gold: list of labels.
        predicted: the same, equally long.

    Returns:
        dict with `macro_f1` in percent; 0 where there is nothing to count.

    Raises:
        ValueError: when the lengths differ.

    Example:
        dlfa_tf.metrics.macro_f1(["a", "a", "b"], ["a", "b", "b"])
    """
    return {"macro_f1": _score(gold, predicted, macro_f1_of_counts)}


def matthews(gold: Sequence, predicted: Sequence) -> dict[str, float]:
    """Matthews' correlation coefficient, for any number of classes.

    Args:
        gold: list of labels.
        predicted: the same, equally long.

    Returns:
        dict with `matthews` in percent, from -100 to 100; 0 where all gold or
        all predicted labels are alike.

    Raises:
        ValueError: when the lengths differ.

    Example:
        dlfa_tf.metrics.matthews(["a", "b"], ["a", "b"])["matthews"]  # 100.0

    Reference:
        - Gorodkin 2004, Comparing two K-category assignments by a K-category
          correlation coefficient.
    """
    return {"matthews": _score(gold, predicted, matthews_of_counts)}


def macro_f1_of_counts(counts: np.ndarray) -> np.ndarray:
    """Macro F1 in percent, float64 `(...)`, of counts `(..., classes, 3)`.

    The counts are right, gold and predicted ones; see `class_counts`.
    """
    there = counts[..., 1] + counts[..., 2] > 0
    by_class = resampling.counts_score(counts)
    return by_class.sum(-1) / np.maximum(there.sum(-1), 1)


def matthews_of_counts(counts: np.ndarray) -> np.ndarray:
    """The same for Matthews' correlation."""
    counts = counts.astype(np.float64)
    right = counts[..., 0].sum(-1)
    gold, found = counts[..., 1], counts[..., 2]
    size = gold.sum(-1)
    above = right * size - (gold * found).sum(-1)
    below = (size**2 - (found**2).sum(-1)) * (size**2 - (gold**2).sum(-1))
    return np.where(
        below > 0, 100.0 * above / np.sqrt(np.maximum(below, 1e-9)), 0.0
    )


def class_counts(
    gold: np.ndarray, predicted: np.ndarray, num_classes: int
) -> np.ndarray:
    """Right, gold and predicted counts of every item by class.

    Args:
        gold: int `(items,)`, ids of the labels.
        predicted: int `(items,)`, the same.
        num_classes: int.

    Returns:
        int64 `(items, num_classes, 3)`.
    """
    names = np.arange(num_classes)
    is_gold = gold[:, None] == names
    is_found = predicted[:, None] == names
    return np.stack([is_gold & is_found, is_gold, is_found], -1).astype(
        np.int64
    )


def _score(
    gold: Sequence[Hashable],
    predicted: Sequence[Hashable],
    score: Callable[[np.ndarray], np.ndarray],
) -> float:
    gold = given_labels.labels("gold", gold)
    predicted = given_labels.labels("predicted", predicted)
    given_labels.check_comparable(gold, predicted)
    given_labels.check_equally_long(gold, predicted)
    ids: dict[Hashable, int] = {}
    both = [
        np.array([ids.setdefault(x, len(ids)) for x in side], np.int64)
        for side in (gold, predicted)
    ]
    # Of the whole at once: counts of every item take classes times as much.
    counts = np.stack(
        [
            np.bincount(x, minlength=len(ids))
            for x in (both[0][both[0] == both[1]], *both)
        ],
        -1,
    )
    return float(score(counts))
