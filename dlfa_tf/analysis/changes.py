"""Words, texts and pairs that a system fixes or breaks against the baseline."""

import functools
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlfa_tf.analysis import label_counts
from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.data import readers
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source


def where_scored(
    scores: TaskScores, language: str
) -> tuple[str, str, int | None]:
    """Split, language and limit that the runs were scored on."""
    results = scores.runs[0].results
    split = results["languages"][language]["split"]
    return split, language, results["config"].get("eval_limit")


def find_changes(
    scores: TaskScores, right: np.ndarray, rows: list[int]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Which words or pairs, bool `(units,)`, a system fixes and breaks.

    Fixed is wrong in every run of the baseline and right in every run of the
    system, broken the other way round. `right` is bool `(runs, units)`, `rows`
    are the runs of the system. None for the baseline itself, or without one.
    """
    base = scores.rows_of(BASELINE)
    if not base or rows == base:
        return None
    before, after = right[base], right[rows]
    fixed = np.logical_not(before.any(axis=0)) & after.all(axis=0)
    broken = before.all(axis=0) & np.logical_not(after.any(axis=0))
    return np.asarray(fixed), np.asarray(broken)


def count_changes(
    scores: TaskScores, right: np.ndarray, rows: list[int]
) -> pd.DataFrame:
    """Numbers of what a system fixes and breaks; no row for the baseline."""
    changed = find_changes(scores, right, rows)
    if changed is None:
        return pd.DataFrame(columns=["fixed", "broken", "units"], dtype=int)
    fixed, broken = changed
    return pd.DataFrame(
        {
            "fixed": [int(fixed.sum())],
            "broken": [int(broken.sum())],
            "units": [right.shape[1]],
        }
    )


def changed_items(
    scores: TaskScores, source: Source, label: str
) -> pd.DataFrame:
    """Every word or pair that a system fixes or breaks, with its text.

    Columns `language`, `item` (of the file, counted from 1), `change` (`fixed`
    or `broken`), `text` (the pair, or the sentence with the word in
    [brackets]), and the labels `gold`, `baseline`, `system` (of the first
    seed). ValueError when there is no baseline, or no such system.
    """
    rows, base = scores.rows_of(label), scores.rows_of(BASELINE)
    if not rows or not base or label == BASELINE:
        raise ValueError(
            f"`label` must be a system beside a baseline. Received: {label!r}. "
            f"Accepted: one of {sorted(set(scores.labels) - {BASELINE})}, with "
            "a baseline among the runs."
        )
    found = []
    labels = source.task.labels
    for language in scores.languages:
        gold = label_counts.read_gold(source, *where_scored(scores, language))
        ids = [
            label_counts.read_predictions(r, language).ids for r in scores.runs
        ]
        right = np.stack([x == gold.ids for x in ids])
        changed = find_changes(scores, right, rows)
        texts = list(_texts(source, scores, language))
        for change, mask in zip(
            ("fixed", "broken"), changed or (), strict=True
        ):
            for unit in np.flatnonzero(mask):
                item = int(np.searchsorted(gold.splits, unit, side="right"))
                found.append(
                    {
                        "language": language,
                        "item": item,
                        "change": change,
                        "text": texts[item - 1](unit - gold.splits[item - 1]),
                        "gold": labels[gold.ids[unit]],
                        "baseline": labels[ids[base[0]][unit]],
                        "system": labels[ids[rows[0]][unit]],
                    }
                )
    columns = ["language", "item", "change", "text", "gold", "baseline",
               "system"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _texts(
    source: Source, scores: TaskScores, language: str
) -> Iterator[Callable[[int], str]]:
    """For every item a function from a word of it to the text to show."""
    for example in source.load(*where_scored(scores, language)):
        if isinstance(example, TaggedSentence):
            yield functools.partial(_bracket, example.words)
        else:
            yield functools.partial(_both, readers.texts_of(example))


def _bracket(words: tuple[str, ...], place: int) -> str:
    before, after = words[:place], words[place + 1 :]
    return " ".join([*before, f"[{words[place]}]", *after])


def _both(texts: tuple[str, ...], _: int) -> str:
    return " / ".join(texts)
