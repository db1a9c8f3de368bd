"""Counts of every test item from which the score of any set of them follows."""

from collections.abc import Callable

import numpy as np

from dlfa_tf.data.label_ids import LabelIds
from dlfa_tf.data.task import Task
from dlfa_tf.metrics import chunk_counts
from dlfa_tf.metrics import chunk_f1
from dlfa_tf.metrics import class_scores
from dlfa_tf.metrics import resampling
from dlfa_tf.metrics import tag_schemes
from dlfa_tf.metrics.chunk_counts import ChunkRule

# Scores that no sum over all classes gives.
_BY_CLASS = {
    "macro_f1": class_scores.macro_f1_of_counts,
    "matthews": class_scores.matthews_of_counts,
}


def item_counts(task: Task, gold: LabelIds, predicted: LabelIds) -> np.ndarray:
    """Right, gold and predicted counts of every item.

    int64 `(items, 3)`, or `(items, classes, 3)` where the score of the task is
    one of classes; see `score_of_counts`.
    """
    if task.is_tagging:
        return chunk_counts.count_chunks(
            rule_of(task), gold.ids, predicted.ids, gold.splits
        )
    if task.score in _BY_CLASS:
        return class_scores.class_counts(
            gold.ids, predicted.ids, len(task.labels)
        )
    right = (gold.ids == predicted.ids).astype(np.int64)
    return np.stack([right, np.ones_like(right), np.ones_like(right)], 1)


def score_of_counts(task: Task) -> Callable[[np.ndarray], np.ndarray]:
    """Function from sums of `item_counts` to the headline score in percent."""
    return _BY_CLASS.get(task.score, resampling.counts_score)


def rule_of(task: Task) -> ChunkRule:
    """Where chunks of a tagging task begin and end, on its label ids."""
    if task.score == "chunk_f1":
        return tag_schemes.scheme_rule(task.labels, str(task.scheme))
    rules = {
        "ner_f1": chunk_f1.ner_rule,
        "pos_f1": chunk_f1.pos_rule,
        "token_accuracy": tag_schemes.accuracy_rule,
    }
    return rules[task.score](task.labels)
