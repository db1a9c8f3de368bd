"""Systems against their baseline: means, spreads, gains and how sure they are.

The noise of a gain has two sources: other test items would give other scores,
and so would other seeds. Both are drawn anew together.
"""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlfa_tf.analysis import comparable
from dlfa_tf.analysis import label_counts
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.run_index import Run
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task
from dlfa_tf.metrics import aggregate
from dlfa_tf.metrics import resampling
from dlfa_tf.runs import names
from dlfa_tf.scoring import score_counts

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
    def definition(self) -> Task:
        """The task itself."""
        return self.runs[0].definition

    @property
    def source_languages(self) -> tuple[str, ...]:
        """Languages that the runs were trained on."""
        return self.runs[0].source_languages

    @property
    def targets(self) -> tuple[str, ...]:
        """The other languages."""
        return tuple(
            x for x in self.languages if x not in self.source_languages
        )

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
    labels: Sequence[str] | None = None,
    num_samples: int = 1000,
    seed: int = 0,
) -> TaskScores:
    """Puts runs of one task beside each other.

    Args:
        runs: runs of one task.
        source: `Source` with the gold labels of the task, for draws of test
            items; None for none.
        labels: name of the system of every run. Defaults to `None`: what
            `labels_of_runs` says of these runs alone.
        num_samples: int, number of draws. Defaults to `1000`.
        seed: int, seed of the draws.

    Returns:
        `TaskScores`.

    Raises:
        ValueError: when the runs are not comparable, share no language, or
            when predictions and gold labels do not give the score of
            `results.json`.
        FileNotFoundError: when predictions or gold labels are missing.

    Example:
        import pathlib

        from dlfa_tf import analysis
        from dlfa_tf.analysis.run_index import Run

        results = {
            "system": "baseline",
            "score": "pos_f1",
            "gate": None,
            "config": {"task": "pos", "seed": 1, "fusion_layer": None},
            "languages": {"de": {"split": "test", "score": 80.0}},
        }
        run = Run(folder=pathlib.Path("runs/baseline"), results=results)
        analysis.collect_scores([run]).scores  # (1, 1): runs, languages
    """
    if not runs:
        raise ValueError("`runs` is empty. Accepted: one or more runs.")
    comparable.check_comparable(
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
        counts = [
            label_counts.counts_of_runs(runs, source, x) for x in languages
        ]
        draws = resampling.resample_languages(
            counts,
            _item_sets(runs[0], source, languages, counts),
            num_samples,
            np.random.default_rng(seed),
            score_counts.score_of_counts(source.task),
        )
    return TaskScores(
        task=runs[0].task,
        runs=tuple(runs),
        labels=tuple(
            run_index.labels_of_runs(runs) if labels is None else labels
        ),
        languages=tuple(languages),
        scores=scores,
        draws=draws,
    )


def _item_sets(
    run: Run,
    source: Source,
    languages: Sequence[str],
    counts: Sequence[np.ndarray],
) -> Sequence[Any]:
    """Names the texts of every language; equal ones for translations.

    Dev and test hold other texts, and rows of files of another length do not
    say which of them are translations.
    """
    if not source.task.parallel:
        return languages
    return [
        (run.results["languages"][language]["split"], found.shape[1])
        for language, found in zip(languages, counts, strict=True)
    ]


def summarize(
    scores: TaskScores,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Means over seeds and gains over the baseline, of languages and averages.

    Args:
        scores: `TaskScores`.
        groups: from the name of a part to the languages it averages.
            Defaults to `None`: every language, and `average_groups`.
        confidence: float, share of the draws inside an interval.
        seed: int, seed of the draws of seeds.

    Returns:
        DataFrame, a row per system and part; `part` is a key of `groups`.
        Columns `task`, `label`, `system`, `gate`, `layer`,
        `part`, `sources` (languages trained on), `few_shot` (labelled
        examples of others that were, too), `seeds` (number of runs), in
        percent `mean` and `spread`
        (standard deviation over seeds, NaN for one), in percentage points
        `gain`, `low` and `high` (NaN without a baseline or without draws),
        and `interval`, what was drawn anew: `items and seeds`, `items` (one
        seed somewhere) or an empty text.

    Example:
        import pathlib

        from dlfa_tf import analysis
        from dlfa_tf.analysis.run_index import Run

        results = {
            "system": "baseline",
            "score": "pos_f1",
            "gate": None,
            "config": {"task": "pos", "seed": 1, "fusion_layer": None},
            "languages": {"de": {"split": "test", "score": 80.0}},
        }
        run = Run(folder=pathlib.Path("runs/baseline"), results=results)
        analysis.summarize(analysis.collect_scores([run]))  # a row per part
    """
    if groups is None:
        groups = {
            **{x: [x] for x in scores.languages},
            **aggregate.average_groups(
                scores.languages, scores.source_languages
            ),
        }
    columns = {
        name: [scores.languages.index(x) for x in group]
        for name, group in groups.items()
    }
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
                    "sources": names.in_words(run.source_languages),
                    "few_shot": names.in_words(
                        run.results["config"].get("target_examples") or ()
                    ),
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
    return gain | resampling.gain_interval(
        theirs, mine, confidence=confidence, seed=seed
    )
