"""Everything that finished runs say without a model: scores to tables."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf import files
from dlfa_tf.analysis import compare
from dlfa_tf.analysis import label_counts
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.run_index import Run
from dlfa_tf.analysis.run_index import RunIndex
from dlfa_tf.analysis.tables import paper_tables
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data import families
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Analysis:
    """Scores of runs, put together.

    Attributes:
        index: the runs.
        sources: from task to the `Source` of its data, or None where it is
            not known.
        no_items: from task to what is missing to set predictions against gold
            labels; tasks in it have no intervals and no analysis of errors.
        scores: from task to `TaskScores`.
        summary: means and gains of all tasks; see `summarize`.
        tables: the paper's tables, and one by script and family per task.
        notes: what a reader has to know: what is missing, left out, uneven.
    """

    index: RunIndex
    sources: Mapping[str, Source | None]
    no_items: Mapping[str, str]
    scores: Mapping[str, TaskScores]
    summary: pd.DataFrame
    tables: tuple[PaperTable, ...]
    notes: tuple[str, ...]


def analyze(
    index: RunIndex,
    data_dir: str | None = None,
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
) -> Analysis:
    """Compares the systems of every task.

    Args:
        index: what `load_runs` returned.
        data_dir: folder of the benchmark files that the runs were scored on,
            for intervals; the shipped sample is found without. Defaults to
            `None`: no intervals for runs on files.
        num_samples: int, number of draws. Defaults to `1000`.
        confidence: float, share of the draws inside an interval. Defaults to
            `0.95`.

    Returns:
        `Analysis`.

    Raises:
        ValueError: when runs of one task are not comparable, or when the
            data are not those that they were scored on.
        FileNotFoundError: when labels or predictions are missing.

    Example:
        from dlfa_tf.analysis import analyze, load_runs

        # analysis = analyze(load_runs("runs"), "data")
        # analysis.summary.query("part == 'all'")[["label", "mean", "gain"]]
    """
    # Also where no run was scored on files and none is read.
    if data_dir is not None and not (
        files.user_path(data_dir, "data_dir").is_dir()
    ):
        raise FileNotFoundError(
            f"`data_dir` is no folder. Received: {data_dir!r}. Accepted: the "
            "folder of the files that the runs were scored on."
        )
    sources = {
        task: _source(index.of_task(task), data_dir) for task in index.tasks
    }
    no_items = {
        task: missing
        for task, source in sources.items()
        if (missing := _missing(index.of_task(task), source))
    }
    # Of all tasks at once: a row of a table has one gate in all of them.
    names = run_index.labels_of_runs(index.runs)
    labels = dict(zip((run.cell for run in index.runs), names, strict=True))
    scores = {
        task: compare.collect_scores(
            index.of_task(task),
            None if task in no_items else source,
            labels=[labels[run.cell] for run in index.of_task(task)],
            num_samples=num_samples,
        )
        for task, source in sources.items()
    }
    summary = pd.concat(
        [compare.summarize(s, confidence=confidence) for s in scores.values()],
        ignore_index=True,
    )
    tables = [paper_tables.table_1(summary), paper_tables.table_2(summary)]
    for found in scores.values():
        tables.append(paper_tables.table_4(summary, found.definition))
        if groups := families.kin_groups(
            found.languages, found.source_languages
        ):
            by_group = compare.summarize(found, groups, confidence=confidence)
            tables.append(paper_tables.group_table(by_group, found.definition))
    return Analysis(
        index=index,
        sources=sources,
        no_items=no_items,
        scores=scores,
        summary=summary,
        tables=tuple(table for table in tables if table is not None),
        notes=tuple(_notes(index, no_items, scores)),
    )


def _source(runs: Sequence[Run], data_dir: str | None) -> Source | None:
    """Where the data of a task's runs are, as far as is known."""
    name = runs[0].results["config"]["data_source"]
    task = runs[0].definition
    if name == "sample":
        return Source(task=task, name=name)
    if data_dir is None:
        return None
    return Source(task=task, name=name, data_dir=data_dir)


def _missing(runs: Sequence[Run], source: Source | None) -> str:
    """What predictions cannot be set against gold labels without, if any."""
    needed = [] if source is not None else ["gold labels (`--data_dir`)"]
    lacking = [
        str(run.folder)
        for run in runs
        if not (run.folder / "predictions").is_dir()
    ]
    if lacking:
        needed.append(
            f"predictions/, which {len(lacking)} of {len(runs)} runs lack "
            f"({_first(lacking)})"
        )
    return " and ".join(needed)


def _first(folders: Sequence[str]) -> str:
    return f"{', '.join(folders[:3])}{', ...' if folders[3:] else ''}"


def _notes(
    index: RunIndex,
    no_items: Mapping[str, str],
    scores: Mapping[str, TaskScores],
) -> list[str]:
    notes = [f"Left out: {folder}: {why}." for folder, why in index.left_out]
    for task, found in scores.items():
        notes += [f"{task}: {note}" for note in _task_notes(found)]
        if task not in no_items:
            notes += _constant_notes(found)
        else:
            notes.append(
                f"{task}: no intervals and no analysis of errors, because "
                f"they need {no_items[task]}."
            )
    for key, where in (
        ("git_revision", "at different revisions of the code"),
        ("backend", "on different backends, which draw other dropout and "
                    "initial weights from one seed"),
    ):  # fmt: skip
        counts = Counter(_environment(run.results, key) for run in index.runs)
        if len(counts) > 1:
            notes.append(
                f"The runs were made {where}: "
                + ", ".join(f"{k} ({n} runs)" for k, n in counts.items())
                + "."
            )
    return notes


def _constant_notes(scores: TaskScores) -> list[str]:
    labels = [
        label_counts.only_label(run, scores.languages) for run in scores.runs
    ]
    return [
        f"{scores.task}: {run.folder} says {label!r} of everything, in every "
        "language. It learnt nothing, and counts in all means all the same."
        for run, label in zip(scores.runs, labels, strict=True)
        if label is not None
    ]


def _environment(results: Mapping[str, Any], key: str) -> str:
    # The first characters of a revision are enough.
    return str(results.get("environment", {}).get(key))[:12]


def _task_notes(scores: TaskScores) -> list[str]:
    notes = []
    for language, folders in scores.left_out.items():
        notes.append(
            f"language {language} is left out of everything, because "
            f"{len(folders)} of {len(scores.runs)} runs lack it "
            f"({_first(folders)})."
        )
    languages = scores.definition.languages
    missing = sorted(set(languages) - set(scores.languages))
    if missing:
        notes.append(
            f"averages are over {len(scores.languages)} languages, "
            + (
                "the published ones over"
                if scores.task in TASKS
                else "the task has"
            )
            + f" {len(languages)}; not in ours: {', '.join(missing)}."
        )
    other = {
        language
        for language in scores.languages
        if scores.runs[0].results["languages"][language]["split"] != "test"
    }
    if other:
        notes.append(f"scored on dev, not on test: {', '.join(sorted(other))}.")
    noted = {
        (language, entry["note"])
        for run in scores.runs
        for language, entry in run.results["languages"].items()
        if entry.get("note")
    }
    notes += [f"{language}: {note}." for language, note in sorted(noted)]
    shared = scores.runs[0].shared
    if shared:
        settings = ", ".join(f"{k}={v}" for k, v in shared.items())
        notes.append(
            f"all systems, the baseline too, have {settings}, where their "
            "name does not say otherwise."
        )
    counts = Counter(scores.labels)
    single = [label for label, n in counts.items() if n == 1]
    if single:
        notes.append(
            f"one seed only, so no spread over seeds: {', '.join(single)}."
        )
    if len(set(counts.values())) > 1:
        notes.append(
            "numbers of seeds differ: "
            + ", ".join(f"{label} {n}" for label, n in counts.items())
            + "."
        )
    if BASELINE not in counts:
        notes.append("no baseline among the runs, so there are no gains.")
    return notes
