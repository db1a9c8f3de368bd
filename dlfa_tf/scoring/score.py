"""Predictions of one language -> scores."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from dlfa_tf import metrics
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.task import Task

_OF_TEXTS: dict[str, Callable[..., dict[str, float]]] = {
    "macro_f1": metrics.macro_f1,
    "matthews": metrics.matthews,
}
# Scores that are the accuracy itself.
_ACCURACIES = ("accuracy", "token_accuracy")
_OF_ENTITIES = ("ner_f1", "chunk_f1")
NO_ENTITIES = (
    "the gold labels hold no entity, so F1 is 0 whatever is predicted; the "
    "usual cause is a test file without labels"
)
ONLY_X = (
    "the gold tags are all X, which XTREME's preprocessing writes for a test "
    "file without labels: the score means nothing"
)


def gold_labels(task: Task, examples: Examples) -> list[Any]:
    """Labels of examples: one name, or one list of names, per example."""
    return [
        list(x.tags) if isinstance(x, TaggedSentence) else x.label
        for x in examples
    ]


def score_labels(
    task: Task, gold: Sequence[Any], predicted: Sequence[Any]
) -> dict[str, Any]:
    """Scores predicted labels with the task's headline score and accuracy.

    Labels are names: one (texts, pairs) or one list (tagging) per example. In
    percent: `score` (the headline), `accuracy` and, for F1 of chunks,
    `precision` and `recall`; `examples` is a count; `note` is there where the
    score says nothing of the system. ValueError when the numbers of labels
    differ.
    """
    headline: float | None = None
    more: dict[str, Any] = {}
    if task.score in _OF_TEXTS:
        headline = _OF_TEXTS[task.score](gold, predicted)[task.score]
    elif task.score not in _ACCURACIES:
        values = _chunk_f1(task, gold, predicted)
        headline = values["f1"]
        more = {name: values[name] for name in ("precision", "recall")}
        if task.score in _OF_ENTITIES and not _has_entities(gold):
            more["note"] = NO_ENTITIES
        if task.score == "pos_f1" and _is_stand_in(gold):
            more["note"] = ONLY_X
    accuracy = metrics.accuracy(gold, predicted)
    return {
        "score": accuracy["accuracy"] if headline is None else headline,
        **accuracy,
        **more,
        "examples": len(gold),
    }


def _chunk_f1(
    task: Task, gold: Sequence[Any], predicted: Sequence[Any]
) -> dict[str, float]:
    if task.score == "chunk_f1":
        return metrics.entity_f1(gold, predicted, str(task.scheme))
    chunk_f1 = metrics.ner_f1 if task.score == "ner_f1" else metrics.pos_f1
    return chunk_f1(gold, predicted)


def _is_stand_in(gold: Sequence[Any]) -> bool:
    """Whether the tags of several sentences are all X."""
    return len(gold) > 1 and {tag for tags in gold for tag in tags} == {"X"}


def _has_entities(gold: Sequence[Any]) -> bool:
    """Whether any tag is another than O; True where there is no example."""
    return not gold or any(tag != "O" for tags in gold for tag in tags)


def score(
    task: Task, examples: Examples, predicted: Sequence[Any]
) -> dict[str, Any]:
    """Scores predictions for examples; see `score_labels`."""
    return score_labels(task, gold_labels(task, examples), predicted)
