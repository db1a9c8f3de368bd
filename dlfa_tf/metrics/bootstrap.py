"""How sure a difference of two systems is, given the test items."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlfa_tf import checks
from dlfa_tf.metrics import chunk_f1
from dlfa_tf.metrics import given_labels
from dlfa_tf.metrics import resampling

METRICS = ("accuracy", "ner_f1", "pos_f1")


def item_counts(metric: str, gold: Sequence, predicted: Sequence) -> np.ndarray:
    """Counts per test item from which a score of any subset follows.

    Args:
        metric: str, `accuracy`, `ner_f1` or `pos_f1`.
        gold: labels: a flat list for accuracy, a list per sentence for F1.
        predicted: the same, equally long.

    Returns:
        int64 array `(items, 3)`: right, gold and predicted. The score of a
        set of items is 2 right / (gold + predicted), summed over the set.

    Raises:
        ValueError: for an unknown metric, or when lengths differ.
    """
    if metric == "pos_f1":
        return chunk_f1.pos_counts(gold, predicted)
    if metric == "ner_f1":
        return chunk_f1.ner_counts(gold, predicted)
    checks.check_choice("metric", metric, METRICS)
    gold = given_labels.labels("gold", gold)
    predicted = given_labels.labels("predicted", predicted)
    given_labels.check_comparable(gold, predicted)
    given_labels.check_equally_long(gold, predicted)
    right = [int(a == b) for a, b in zip(gold, predicted, strict=True)]
    return np.stack(
        [right, np.ones(len(right)), np.ones(len(right))], 1
    ).astype(np.int64)


def paired_bootstrap(
    gold: Any,
    first: Any,
    second: Any,
    metric: str,
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    parallel: bool = False,
) -> dict[str, float]:
    """Confidence interval of `second` minus `first` on the same test items.

    Items are drawn with replacement, the same ones for both systems. With
    several languages the difference is that of the unweighted means over
    languages, and items are drawn within each language or, where they are
    translations (`parallel`), the same ones in all of them. The interval says
    how the difference may vary with the choice of test items. It says nothing
    of other seeds: two seeds of one system can differ by more.

    Args:
        gold: labels of one language (see `item_counts`), or a mapping from
            language to them.
        first: predictions of the first system, of the same structure.
        second: predictions of the second system.
        metric: str, `accuracy`, `ner_f1` or `pos_f1`.
        num_samples: int, number of draws. Defaults to `1000`.
        confidence: float, share of draws inside the interval. Defaults to
            `0.95`.
        seed: int.
        parallel: bool, whether item i is the same text in every language, as
            in XNLI and PAWS-X; drawn on their own, such languages give an
            interval that is too narrow. Defaults to `False`.

    Returns:
        dict in percentage points: `difference`, `low`, `high`; and `p_value`,
        the two-sided share of draws on the other side of 0, at least
        1 / num_samples.

    Raises:
        ValueError: when lengths or languages differ, when there is nothing to
            draw from, when translations differ in number, or for values out
            of range.

    Example:
        dlfa_tf.metrics.paired_bootstrap(
            ["0", "1", "1"], ["0", "0", "0"], ["0", "1", "1"], "accuracy")

    Reference:
        - Koehn 2004, Statistical significance tests for machine translation
          evaluation, section 4 (paired bootstrap resampling).
    """
    confidence = checks.check_share("confidence", confidence)
    num_samples = checks.check_count("num_samples", num_samples)
    seed = checks.check_count("seed", seed, 0)
    gold, first, second = (_by_language(x) for x in (gold, first, second))
    if not all(isinstance(x, str) for x in (*gold, *first, *second)):
        raise TypeError(
            "Languages must be strings. Received: "
            f"{list(gold)!r:.80}. Accepted: a mapping from language to labels."
        )
    if not set(gold) == set(first) == set(second):
        raise ValueError(
            "`gold`, `first` and `second` must have the same languages. "
            f"Received: {sorted(gold)}, {sorted(first)}, {sorted(second)}."
        )
    languages = sorted(gold)
    counts = [
        np.stack(
            [
                item_counts(metric, gold[language], predicted[language])
                for predicted in (first, second)
            ]
        )
        for language in languages
    ]
    for language, found in zip(languages, counts, strict=True):
        if not found.shape[1]:
            raise ValueError(f"Language {language!r} has no items.")
    scores = np.stack(
        [resampling.counts_score(x.sum(axis=1)) for x in counts], axis=-1
    )
    drawn = resampling.resample_languages(
        counts,
        [None] * len(languages) if parallel else languages,
        num_samples,
        np.random.default_rng(seed),
    )
    draws = (drawn[:, 1] - drawn[:, 0]).mean(axis=1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    other_side = min((draws <= 0).mean(), (draws >= 0).mean())
    return {
        "difference": float((scores[1] - scores[0]).mean()),
        "low": float(low),
        "high": float(high),
        "p_value": float(np.clip(2 * other_side, 1 / num_samples, 1)),
    }


def _by_language(value: Any) -> Mapping[str, Sequence]:
    return value if isinstance(value, Mapping) else {"": value}
