"""What systems get wrong: confusions, types, lengths, fixed and broken."""

import dataclasses

import numpy as np
import pandas as pd

from dlfa_tf.analysis import changes
from dlfa_tf.analysis import label_counts
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.data import readers
from dlfa_tf.data.label_ids import LabelIds
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task
from dlfa_tf.metrics import chunk_counts
from dlfa_tf.metrics import resampling
from dlfa_tf.scoring import score_counts

# Upper limits of the classes of length: words of a sentence, characters of
# other texts (not every language puts spaces between words).
_LENGTHS = {
    "tagging": (5, 10, 20, 40),
    "single": (25, 50, 100, 200),
    "pair": (50, 100, 200, 300),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Errors:
    """Errors of all systems of a task; counts are sums over seeds.

    Attributes:
        task: str, name of the task.
        confusion: `label` (the system), `language`, `gold`, `predicted`,
            `count` (words, texts or pairs); rows with a count of 0 are left
            out.
        by_type: `label`, `language`, `type` (tag of POS, type of entity,
            class of texts), the counts `right`, `gold` and `found`, and
            `precision`, `recall`, `f1` in percent. Tagging: of chunks.
        by_length: `label`, `language`, `length` (a class of lengths),
            `items`, and `score` in percent.
        changes: `label`, `language`, `fixed`, `broken`, `units`: words,
            texts or pairs that every seed of the baseline has wrong and every
            seed of the system right, the other way round, and all.
    """

    task: str
    confusion: pd.DataFrame
    by_type: pd.DataFrame
    by_length: pd.DataFrame
    changes: pd.DataFrame


def find_errors(scores: TaskScores, source: Source) -> Errors:
    """Counts the errors of every system in every language; needs no draws.

    FileNotFoundError when predictions or gold labels are missing, ValueError
    when they do not fit each other.
    """
    task = source.task
    names = ("confusion", "by_type", "by_length", "changes")
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    for language in scores.languages:
        gold = label_counts.read_gold(
            source, *changes.where_scored(scores, language)
        )
        classes, length_names = _length_classes(source, scores, language, gold)
        predicted = [
            label_counts.read_predictions(run, language) for run in scores.runs
        ]
        right = np.stack([p.ids == gold.ids for p in predicted])
        for label in dict.fromkeys(scores.labels):
            rows = scores.rows_of(label)
            chosen = [predicted[i] for i in rows]
            matrix = _confusion(task, gold, chosen)
            found = {
                "confusion": _confusion_frame(task, matrix),
                "by_type": _by_type(task, gold, chosen, matrix),
                "by_length": _by_length(
                    task, gold, chosen, classes, length_names
                ),
                "changes": changes.count_changes(scores, right, rows),
            }
            for name, frame in found.items():
                frame.insert(0, "language", language)
                frame.insert(0, "label", label)
                frames[name].append(frame)
    joined = {k: pd.concat(v, ignore_index=True) for k, v in frames.items()}
    return Errors(task=task.name, **joined)


def _confusion(
    task: Task, gold: LabelIds, predicted: list[LabelIds]
) -> np.ndarray:
    """int64 `(labels, labels)`, [gold, predicted]."""
    size = len(task.labels)
    counts = sum(
        np.bincount(
            gold.ids.astype(np.int64) * size + found.ids, minlength=size**2
        )
        for found in predicted
    )
    return np.asarray(counts).reshape(size, size)


def _confusion_frame(task: Task, matrix: np.ndarray) -> pd.DataFrame:
    first, second = np.nonzero(matrix)
    labels = np.array(task.labels)
    return pd.DataFrame(
        {
            "gold": labels[first],
            "predicted": labels[second],
            "count": matrix[first, second],
        }
    )


def _by_type(
    task: Task,
    gold: LabelIds,
    predicted: list[LabelIds],
    matrix: np.ndarray,
) -> pd.DataFrame:
    if not task.is_tagging:
        names: tuple[str, ...] = task.labels
        counts = np.stack(
            [matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)], 1
        )
    else:
        rule = score_counts.rule_of(task)
        names = rule.type_names
        counts = np.sum(
            [
                chunk_counts.count_by_type(
                    rule, gold.ids, found.ids, gold.splits
                )
                for found in predicted
            ],
            axis=0,
        )
    right, expected, found = counts.T
    frame = pd.DataFrame(
        {
            "type": names,
            "right": right,
            "gold": expected,
            "found": found,
            "precision": 100.0 * right / np.maximum(found, 1),
            "recall": 100.0 * right / np.maximum(expected, 1),
            "f1": resampling.counts_score(counts),
        }
    )
    # The outside of entities is a type without chunks.
    return frame[(frame["gold"] > 0) | (frame["found"] > 0)]


def _length_classes(
    source: Source, scores: TaskScores, language: str, gold: LabelIds
) -> tuple[np.ndarray, list[str]]:
    """Class of length of every item, and the names of the classes."""
    task = source.task
    if task.is_tagging:
        lengths = np.diff(gold.splits)
    else:
        found = source.load(*changes.where_scored(scores, language))
        lengths = np.array(
            [sum(len(text) for text in readers.texts_of(x)) for x in found]
        )
    limits = _LENGTHS[task.kind]
    names = [f"up to {limits[0]}"]
    names += [
        f"{a + 1} to {b}" for a, b in zip(limits[:-1], limits[1:], strict=True)
    ]
    names.append(f"over {limits[-1]}")
    # A length equal to a limit belongs below it.
    classes = np.searchsorted(limits, lengths, side="left")
    unit = "words" if task.is_tagging else "characters"
    return classes, [f"{name} {unit}" for name in names]


def _by_length(
    task: Task,
    gold: LabelIds,
    predicted: list[LabelIds],
    classes: np.ndarray,
    names: list[str],
) -> pd.DataFrame:
    counts = np.sum(
        [score_counts.item_counts(task, gold, p) for p in predicted], axis=0
    )
    flat = counts.reshape(len(counts), -1)
    sums = np.stack(
        [
            np.bincount(classes, weights=column, minlength=len(names))
            for column in flat.T
        ],
        axis=1,
    ).reshape(len(names), *counts.shape[1:])
    frame = pd.DataFrame(
        {
            "length": names,
            "items": np.bincount(classes, minlength=len(names)),
            "score": score_counts.score_of_counts(task)(sums),
        }
    )
    return frame[frame["items"] > 0]
