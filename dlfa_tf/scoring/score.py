"""Predictions of one language -> scores."""

from collections.abc import Sequence
from typing import Any
from typing import cast

from dlfa_tf import metrics
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.tasks import Task


def gold_labels(task: Task, examples: Examples) -> list[Any]:
    """Labels of examples: one name, or one list of names, per example."""
    if task.kind == "pair":
        return [pair.label for pair in cast(list[PairExample], examples)]
    sentences = cast(list[TaggedSentence], examples)
    return [list(sentence.tags) for sentence in sentences]


def score_labels(
    task: Task, gold: Sequence[Any], predicted: Sequence[Any]
) -> dict[str, Any]:
    """Scores predicted labels with the task's headline score and accuracy.

    Labels are names: one (pairs) or one list (tagging) per example. In
    percent: `score` (the headline), `accuracy` and, for tagging, `precision`
    and `recall`; `examples` is a count. ValueError when the numbers of labels
    differ.
    """
    if task.kind == "pair":
        values = metrics.accuracy(gold, predicted)
        return {"score": values["accuracy"], **values, "examples": len(gold)}
    chunk_f1 = metrics.ner_f1 if task.score == "ner_f1" else metrics.pos_f1
    values = chunk_f1(gold, predicted)
    return {
        "score": values["f1"],
        **metrics.accuracy(gold, predicted),
        "precision": values["precision"],
        "recall": values["recall"],
        "examples": len(gold),
    }


def score(
    task: Task, examples: Examples, predicted: Sequence[Any]
) -> dict[str, Any]:
    """Scores predictions for examples; see `score_labels`."""
    return score_labels(task, gold_labels(task, examples), predicted)
