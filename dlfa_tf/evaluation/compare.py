"""Systems against their baseline: means, spreads, gains and how sure they are.

The noise of a gain has two sources: other test items would give other scores,
and so would other seeds. Both are drawn anew together.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlfa_tf.data.label_ids import LabelIds
from dlfa_tf.data.label_ids import label_ids
from dlfa_tf.data.label_ids import read_label_ids
from dlfa_tf.data.readers import find_file
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import Task
from dlfa_tf.data.tasks import get_task
from dlfa_tf.evaluation.comparable import check_comparable
from dlfa_tf.evaluation.run_folder import RESULTS
from dlfa_tf.evaluation.runs import Run
from dlfa_tf.evaluation.runs import labels_of_runs
from dlfa_tf.evaluation.score import gold_labels
from dlfa_tf.metrics.aggregate import average_groups
from dlfa_tf.metrics.chunk_counts import count_chunks
from dlfa_tf.metrics.chunk_f1 import ner_rule
from dlfa_tf.metrics.chunk_f1 import pos_rule
from dlfa_tf.metrics.resampling import counts_score
from dlfa_tf.metrics.resampling import gain_draws
from dlfa_tf.metrics.resampling import resample_scores

# Scores are percent; predictions and results come from the same numbers.
_SAME_SCORE = 1e-6
BASELINE = "baseline"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskScores:
    """Scores of comparable runs of one task.

    Attributes:
        task: str, name of the task.
        runs: runs, one per row of `scores`.
        labels: name of the system of every run.
        languages: languages that every run was scored on.
        scores: float64 `(runs, languages)` in percent.
        draws: float64 `(samples, runs, languages)`, scores on test items
            drawn anew, or None without gold labels.
    """

    task: str
    runs: tuple[Run, ...]
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    scores: np.ndarray
    draws: np.ndarray | None = None

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Languages that some run lacks, with the folders of those runs."""
        found = {x for run in self.runs for x in run.results["languages"]}
        return {
            language: [
                str(run.folder)
                for run in self.runs
                if language not in run.results["languages"]
            ]
            for language in sorted(found - set(self.languages))
        }

    def rows_of(self, label: str) -> list[int]:
        """Rows of the runs of a system, in the order of their seeds."""
        return [i for i, name in enumerate(self.labels) if name == label]


def collect_scores(
    runs: Sequence[Run],
    source: Source | None = None,
    *,
    num_samples: int = 1000,
    seed: int = 0,
) -> TaskScores:
    """Puts runs of one task beside each other.

    Args:
        runs: runs of one task.
        source: `Source` with the gold labels of the task, for draws of test
            items; None for none.
        num_samples: int, number of draws. Defaults to `1000`.
        seed: int, seed of the draws.

    Returns:
        `TaskScores`.

    Raises:
        ValueError: when the runs are not comparable, share no language, or
            when predictions and gold labels do not give the score of
            `results.json`.
        FileNotFoundError: when predictions or gold labels are missing.
    """
    if not runs:
        raise ValueError("`runs` is empty. Accepted: one or more runs.")
    check_comparable(
        [run.results for run in runs], [str(run.folder) for run in runs]
    )
    languages = sorted(
        set.intersection(*(set(run.results["languages"]) for run in runs))
    )
    if not languages:
        raise ValueError(
            f"The runs of task {runs[0].task!r} share no language. Received: "
            f"{[sorted(run.results['languages']) for run in runs]}."
        )
    scores = np.array(
        [
            [run.results["languages"][x]["score"] for x in languages]
            for run in runs
        ]
    )
    draws = None
    if source is not None:
        random = np.random.default_rng(seed)
        draws = np.stack(
            [
                resample_scores(
                    counts_of_runs(runs, source, x), num_samples, random
                )
                for x in languages
            ],
            axis=-1,
        )
    return TaskScores(
        task=runs[0].task,
        runs=tuple(runs),
        labels=tuple(labels_of_runs(runs)),
        languages=tuple(languages),
        scores=scores,
        draws=draws,
    )


def read_gold(
    source: Source, split: str, language: str, limit: int | None
) -> LabelIds:
    """Gold labels of one file as ids."""
    labels = source.task.labels
    if source.name == "files":
        path = find_file(source.folder, split, language)
        return read_label_ids(path, labels, source.task.kind).head(limit)
    examples = source.load(split, language, limit)
    return label_ids(gold_labels(source.task, examples), labels)


def read_predictions(run: Run, language: str) -> LabelIds:
    """Predictions of a run for one language as ids."""
    task = get_task(run.task)
    split = run.results["languages"][language]["split"]
    path = find_file(run.folder / "predictions", split, language)
    return read_label_ids(path, task.labels, task.kind)


def counts_of_runs(
    runs: Sequence[Run], source: Source, language: str
) -> np.ndarray:
    """Right, gold and predicted counts of every run on every test item.

    Args:
        runs: comparable runs of the task of `source`.
        source: `Source` with the gold labels.
        language: str.

    Returns:
        int64 `(runs, items, 3)`.

    Raises:
        ValueError: when the gold labels are not those that the runs were
            scored on.
    """
    first = runs[0].results
    split = first["languages"][language]["split"]
    limit = first["config"].get("eval_limit")
    gold = read_gold(source, split, language, limit)
    found = []
    for run in runs:
        counts = _count(source.task, gold, read_predictions(run, language), run)
        score = counts_score(counts.sum(axis=0))
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


def _count(
    task: Task, gold: LabelIds, predicted: LabelIds, run: Run
) -> np.ndarray:
    if not np.array_equal(gold.splits, predicted.splits):
        raise ValueError(
            f"The labels of task {task.name!r} and the predictions in "
            f"{str(run.folder)!r} differ in number. Received: {len(gold)} and "
            f"{len(predicted)} items, {len(gold.ids)} and "
            f"{len(predicted.ids)} labels. Accepted: the data that the run "
            "was scored on."
        )
    if task.kind == "pair":
        right = (gold.ids == predicted.ids).astype(np.int64)
        return np.stack([right, np.ones_like(right), np.ones_like(right)], 1)
    make_rule = ner_rule if task.score == "ner_f1" else pos_rule
    rule = make_rule(task.labels)
    return count_chunks(rule, gold.ids, predicted.ids, gold.splits)


def summarize(
    scores: TaskScores, *, confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Means over seeds and gains over the baseline, of languages and averages.

    Args:
        scores: `TaskScores`.
        confidence: float, share of the draws inside an interval.
        seed: int, seed of the draws of seeds.

    Returns:
        DataFrame, a row per system and part; `part` is a language or one of
        `average_groups`. Columns `task`, `label`, `system`, `gate`, `layer`,
        `part`, `seeds` (number of runs), in percent `mean` and `spread`
        (standard deviation over seeds, NaN for one), in percentage points
        `gain`, `low` and `high` (NaN without a baseline or without draws),
        and `interval`, what was drawn anew: `items and seeds`, `items` (one
        seed somewhere) or an empty text.
    """
    columns = {x: [i] for i, x in enumerate(scores.languages)}
    for name, group in average_groups(scores.languages).items():
        columns[name] = [scores.languages.index(x) for x in group]
    rows = []
    for label in dict.fromkeys(scores.labels):
        chosen = scores.rows_of(label)
        run = scores.runs[chosen[0]]
        for part, at in columns.items():
            if not at:
                continue
            values = scores.scores[np.ix_(chosen, at)].mean(axis=1)
            rows.append(
                {
                    "task": scores.task,
                    "label": label,
                    "system": run.system,
                    "gate": run.gate,
                    "layer": run.layer,
                    "part": part,
                    "seeds": len(chosen),
                    "mean": values.mean(),
                    "spread": values.std(ddof=1) if len(values) > 1 else np.nan,
                    **_gain(scores, chosen, at, confidence, seed),
                }
            )
    return pd.DataFrame(rows).astype({"layer": "Int64"})


def _gain(
    scores: TaskScores,
    chosen: list[int],
    at: list[int],
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    base = scores.rows_of(BASELINE)
    nothing: dict[str, Any] = {
        "gain": np.nan,
        "low": np.nan,
        "high": np.nan,
        "interval": "",
    }
    if not base or chosen == base:
        return nothing
    means = [scores.scores[np.ix_(x, at)].mean() for x in (chosen, base)]
    gain = {**nothing, "gain": means[0] - means[1]}
    if scores.draws is None:
        return gain
    mine, theirs = (
        scores.draws[:, x][:, :, at].mean(-1) for x in (chosen, base)
    )
    # The same seeds are drawn for every part.
    draws = gain_draws(theirs, mine, np.random.default_rng(seed))
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    both = min(len(chosen), len(base)) > 1
    interval = "items and seeds" if both else "items"
    return {**gain, "low": low, "high": high, "interval": interval}
