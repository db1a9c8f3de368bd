"""Two runs on the same test items: how sure is the difference."""

import os
import pathlib
from typing import Any

from dlfa_tf.data.readers import find_file
from dlfa_tf.data.readers import read_label_file
from dlfa_tf.data.sources import Source
from dlfa_tf.evaluation.run_folder import read_results
from dlfa_tf.evaluation.tables import score_table
from dlfa_tf.metrics.bootstrap import paired_bootstrap


def compare_runs(
    first: str | os.PathLike,
    second: str | os.PathLike,
    source: Source,
    *,
    without: tuple[str, ...] = ("en",),
    num_samples: int = 1000,
) -> dict[str, float]:
    """Interval of the difference of two runs from their prediction files.

    Args:
        first: run folder with `results.json` and `predictions/`.
        second: another one, on the same files.
        source: `Source` with the gold labels.
        without: languages to leave out. Defaults to English, which both
            systems were trained on.
        num_samples: int, number of draws.

    Returns:
        What `paired_bootstrap` returns, for the second run minus the first,
        in the task's headline score. Only test items are drawn anew: the
        interval does not hold the spread over seeds.

    Raises:
        FileNotFoundError: when results, predictions or labels are missing.
        ValueError: when the runs are not comparable, or no language is left.
    """
    results = [read_results(folder) for folder in (first, second)]
    score_table(results)  # refuses runs that differ in more than the system
    files = {
        language: entry["split"]
        for language, entry in results[0]["languages"].items()
        if language not in without
    }
    if not files:
        raise ValueError(
            f"No language is left to compare. Received: {sorted(without)} to "
            f"leave out of {sorted(results[0]['languages'])}."
        )
    task = source.task
    limit = results[0]["config"].get("eval_limit")

    def labels(folder: pathlib.Path) -> dict[str, Any]:
        return {
            language: read_label_file(
                find_file(folder, split, language), task.labels, task.kind
            )
            for language, split in files.items()
        }

    gold = {
        language: found[:limit]
        for language, found in labels(source.folder).items()
    }
    return paired_bootstrap(
        gold,
        labels(pathlib.Path(first) / "predictions"),
        labels(pathlib.Path(second) / "predictions"),
        task.score,
        num_samples=num_samples,
    )
