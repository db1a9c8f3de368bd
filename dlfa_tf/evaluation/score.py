"""Predictions of one language -> scores."""

from typing import Any

from dlfa_tf.data.sources import Examples
from dlfa_tf.data.tasks import Task
from dlfa_tf.metrics.accuracy import accuracy
from dlfa_tf.metrics.chunk_f1 import ner_f1
from dlfa_tf.metrics.chunk_f1 import pos_f1


def score(task: Task, examples: Examples, predicted: list[Any]) -> dict:
    """Scores predictions with the task's headline score and accuracy.

    Args:
        task: `Task`.
        examples: the gold examples.
        predicted: label names, one (pairs) or one list (tagging) per example.

    Returns:
        dict in percent with `score` (the headline), `accuracy` and, for
        tagging, `precision` and `recall`; and `examples`, a count.
    """
    if task.kind == "pair":
        gold: list[Any] = [example.label for example in examples]
        values = accuracy(gold, predicted)
        return {
            "score": values["accuracy"],
            **values,
            "examples": len(examples),
        }
    gold = [list(example.tags) for example in examples]
    chunk_f1 = ner_f1 if task.score == "ner_f1" else pos_f1
    values = chunk_f1(gold, predicted)
    return {
        "score": values["f1"],
        **accuracy(gold, predicted),
        "precision": values["precision"],
        "recall": values["recall"],
        "examples": len(examples),
    }
