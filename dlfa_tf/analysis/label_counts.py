"""Labels and predictions of finished runs, and counts of what is right."""

from collections.abc import Sequence

import numpy as np

from dlfa_tf.analysis.run_index import Run
from dlfa_tf.data import label_ids
from dlfa_tf.data import readers
from dlfa_tf.data.label_ids import LabelIds
from dlfa_tf.data.sources import Source
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.scoring import score
from dlfa_tf.scoring import score_counts

# Scores are percent; predictions and results come from the same numbers.
_SAME_SCORE = 1e-6


def read_gold(
    source: Source, split: str, language: str, limit: int | None
) -> LabelIds:
    """Gold labels of one file as ids."""
    labels = source.task.labels
    if source.name == "files" and source.task.has_usual_files:
        path = readers.find_file(source.folder, split, language)
        return label_ids.read_label_ids(path, labels, source.task.kind).head(
            limit
        )
    examples = source.load(split, language, limit)
    return label_ids.label_ids(score.gold_labels(source.task, examples), labels)


def read_predictions(run: Run, language: str) -> LabelIds:
    """Predictions of a run for one language as ids."""
    task = run.definition
    split = run.results["languages"][language]["split"]
    path = readers.find_file(run.folder / "predictions", split, language)
    return label_ids.read_label_ids(path, task.labels, task.kind)


def only_label(run: Run, languages: Sequence[str]) -> str | None:
    """Label that a run gives to everything, as one that learnt nothing does.

    None when there are several in the languages looked at.
    """
    found: set[int] = set()
    for language in languages:
        found.update(np.unique(read_predictions(run, language).ids).tolist())
        if len(found) > 1:
            return None
    return run.definition.labels[found.pop()]


def counts_of_runs(
    runs: Sequence[Run], source: Source, language: str
) -> np.ndarray:
    """Right, gold and predicted counts of every run on every test item.

    int64 `(runs, items, 3)`, or by class; see `item_counts`. ValueError when
    the gold labels are not those that the runs were scored on.
    """
    first = runs[0].results
    split = first["languages"][language]["split"]
    limit = first["config"].get("eval_limit")
    gold = read_gold(source, split, language, limit)
    found = []
    for run in runs:
        predicted = read_predictions(run, language)
        if not np.array_equal(gold.splits, predicted.splits):
            raise ValueError(
                f"The labels in {str(source.folder)!r} and the predictions in "
                f"{str(run.folder)!r} differ in number. Received: {len(gold)} "
                f"and {len(predicted)} items, {len(gold.ids)} and "
                f"{len(predicted.ids)} labels. Accepted: the data that the "
                "run was scored on."
            )
        counts = score_counts.item_counts(source.task, gold, predicted)
        score = float(
            score_counts.score_of_counts(source.task)(counts.sum(axis=0))
        )
        expected = run.results["languages"][language]["score"]
        if abs(score - expected) > _SAME_SCORE:
            raise ValueError(
                f"The labels in {str(source.folder)!r} are not those that "
                f"{str(run.folder)!r} was scored on: language {language!r} "
                f"has a score of {score:.4f} with them. Accepted: the data "
                f"that give {expected:.4f}, as {RESULTS} says."
            )
        found.append(counts)
    return np.stack(found)
