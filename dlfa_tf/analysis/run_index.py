"""All runs below a folder: which are finished, what was scored where."""

import dataclasses
import os
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf.data import tasks
from dlfa_tf.data.task import Task
from dlfa_tf.runs import names
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import variants
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.run_folder import RESULTS

_SYSTEM = re.compile(r"D_(\d+)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run: its folder, and the content of its `results.json`.

    `shared` are settings that all runs of the task beside it have, and which
    therefore make no variant of it.
    """

    folder: pathlib.Path
    results: dict[str, Any]
    shared: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.results["config"]["task"]

    @property
    def definition(self) -> Task:
        """The task itself."""
        return tasks.task_of_config(self.results["config"])

    @property
    def source_languages(self) -> tuple[str, ...]:
        """Languages that it was trained on."""
        return names.sources_of(self.results["config"])

    @property
    def system(self) -> str:
        """Name of the system, `baseline` or `D_x`, and what it changes."""
        variant = variants.variant_name(self.results["config"], self.shared)
        return f"{self.results['system']} {variant}".rstrip()

    @property
    def gate(self) -> str | None:
        """Gate of the fusion; None for the baseline."""
        return self.results["gate"]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.results["config"]["seed"]

    @property
    def layer(self) -> int | None:
        """Block x of the paper's D_x; None for other systems."""
        match = _SYSTEM.fullmatch(self.system)
        return int(match[1]) if match else None

    @property
    def cell(self) -> tuple[str, str, str | None, int]:
        """What tells runs apart: task, system, gate, seed."""
        return self.task, self.system, self.gate, self.seed


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunIndex:
    """What a folder of runs holds.

    Runs are finished ones, by task, block, gate and seed, the baseline first;
    `left_out` are folders that are none, with the reason.
    """

    runs: tuple[Run, ...]
    left_out: tuple[tuple[pathlib.Path, str], ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that have runs, in alphabetical order."""
        return tuple(sorted({run.task for run in self.runs}))

    def of_task(self, task: str) -> tuple[Run, ...]:
        """Runs of one task."""
        return tuple(run for run in self.runs if run.task == task)

    def select(
        self,
        tasks: Sequence[str] | None = None,
        systems: Sequence[str] | None = None,
    ) -> "RunIndex":
        """Keeps the runs of some tasks and systems; the baseline always.

        ValueError for a task or a system without a run.
        """
        for name, asked, present in (
            ("tasks", tasks, self.tasks),
            ("systems", systems, sorted({run.system for run in self.runs})),
        ):
            unknown = sorted(set(asked or ()) - set(present))
            if unknown:
                raise ValueError(
                    f"`{name}` without a finished run. Received: {unknown}. "
                    f"Accepted: {list(present)}."
                )
        kept = [
            run
            for run in self.runs
            if (tasks is None or run.task in tasks)
            and (
                systems is None
                or run.system in systems
                or run.system == "baseline"
            )
        ]
        return RunIndex(runs=tuple(kept), left_out=self.left_out)


def load_runs(runs_dir: str | os.PathLike) -> RunIndex:
    """Finds every run folder below a folder and reads its results.

    Folders of unfinished runs, of evaluations of saved models and of results
    that cannot be read are not silently passed over: they are in `left_out`.

    Args:
        runs_dir: folder, searched to any depth but not inside run folders.
            Links are followed; what two paths lead to is read once.

    Returns:
        `RunIndex`.

    Raises:
        FileNotFoundError: when the folder does not exist or holds no finished
            run; names what it holds instead.
        ValueError: when two runs are of the same task, system, gate and seed,
            or when two fusions of the user's have the same name.

    Example:
        import json
        import pathlib

        from dlfa_tf import analysis

        for system, layer, mean in (("baseline", None, 80.0), ("D_9", 9, 81.0)):
            folder = pathlib.Path("runs") / system
            folder.mkdir(parents=True)
            results = {
                "schema": 1,
                "system": system,
                "score": "pos_f1",
                "gate": layer and "feature",
                "config": {"task": "pos", "seed": 1, "fusion_layer": layer},
                "languages": {"de": {"split": "test", "score": mean}},
            }
            (folder / "results.json").write_text(json.dumps(results))
        index = analysis.load_runs("runs")
        [run.system for run in index.runs]  # as trainers.train wrote them
    """
    root = files.user_path(runs_dir, "runs_dir")
    if not root.is_dir():
        raise FileNotFoundError(
            f"`runs_dir` is no folder. Received: {str(root)!r}. Accepted: a "
            "folder with run folders at any depth."
        )
    runs: dict[tuple, Run] = {}
    left_out = []
    for folder in _run_folders(root):
        try:
            run = _read_run(folder)
        except (ValueError, KeyError, TypeError) as error:
            left_out.append((folder, checks.one_line(error)))
            continue
        if run.cell in runs:
            raise ValueError(
                "Two runs are of the same task, system, gate and seed "
                f"{run.cell}. Received: {str(runs[run.cell].folder)!r} and "
                f"{str(folder)!r}. Accepted: one each; move one elsewhere."
            )
        runs[run.cell] = run
    if not runs:
        found = "; ".join(f"{path}: {why}" for path, why in left_out)
        raise FileNotFoundError(
            f"`runs_dir` holds no finished run. Received: {str(root)!r} with "
            f"{found or 'no run folder at all'}. Accepted: folders with "
            f"{RESULTS}, as trainers.train writes them."
        )
    _check_fusions(list(runs.values()))
    ordered = sorted(_with_shared(list(runs.values())), key=_order)
    return RunIndex(runs=tuple(ordered), left_out=tuple(left_out))


def _check_fusions(runs: Sequence[Run]) -> None:
    """Refuses to average over two layers whose classes are called alike."""
    seen: dict[str, Run] = {}
    for run in runs:
        other = seen.setdefault(run.results["system"], run)
        first, second = (
            r.results["config"].get("fusion") for r in (other, run)
        )
        if first != second and any(":" in str(x) for x in (first, second)):
            raise ValueError(
                f"Two runs of {run.results['system']} fuse differently. "
                f"Received: {first} in {str(other.folder)!r} and {second} in "
                f"{str(run.folder)!r}. Accepted: classes with different names, "
                "or one of them under `runs_dir`."
            )


def _with_shared(runs: list[Run]) -> list[Run]:
    configs: dict[str, list] = {}
    for run in runs:
        configs.setdefault(run.task, []).append(run.results["config"])
    shared = {
        task: variants.shared_settings(found) for task, found in configs.items()
    }
    return [dataclasses.replace(run, shared=shared[run.task]) for run in runs]


def _order(run: Run) -> tuple:
    layer = -1 if run.layer is None else run.layer
    return (
        run.task,
        # Systems that are not of the paper come last.
        run.system != "baseline" and layer < 0,
        layer,
        run.system,
        run.gate or "",
        run.seed,
    )


def _run_folders(root: pathlib.Path) -> list[pathlib.Path]:
    found, seen = [], set()
    # Through links too: a folder of links to runs is a folder of runs.
    for path, folders, held in os.walk(root, followlinks=True):
        resolved = os.path.realpath(path)
        if resolved in seen:
            folders.clear()
            continue
        seen.add(resolved)
        if RESULTS in held or CONFIG in held:
            found.append(pathlib.Path(path))
            # What is inside belongs to the run: `model/` has a config.json.
            folders.clear()
        folders.sort()
    return found


def _read_run(folder: pathlib.Path) -> Run:
    if not (folder / RESULTS).is_file():
        raise ValueError(f"unfinished: {CONFIG} without {RESULTS}")
    results = run_folder.read_results(folder)
    needed = {"system", "score", "gate", "config", "languages"}
    missing = sorted(needed - set(results))
    if missing:
        raise ValueError(f"{RESULTS} is of another program: no {missing}")
    if results["config"].get("seed") is None:
        raise ValueError("an evaluation of a saved model, not a training run")
    if not results["languages"]:
        raise ValueError(f"{RESULTS} has no language")
    return Run(folder=folder, results=results)


def labels_of_runs(runs: Sequence[Run]) -> list[str]:
    """Names of systems in tables: with the gate only where gates differ.

    One per run, such as `baseline`, `D_9` or `D_9 (attention)`.
    """
    gates = {run.gate for run in runs if run.gate is not None}
    return [
        run.system
        if len(gates) < 2 or run.gate is None
        else f"{run.system} ({run.gate})"
        for run in runs
    ]


def gate_notes(gates: Iterable[str | None]) -> list[str]:
    """What names of systems leave out where all have one gate: which.

    No sentence where gates differ, because names have them then (see
    `labels_of_runs`), nor where no system has a gate (all None).
    """
    found = {gate for gate in gates if not pd.isna(gate)}
    return [f"Gate of every D_x: {found.pop()}."] if len(found) == 1 else []


def score_frame(index: RunIndex) -> pd.DataFrame:
    """All scores, tidy: a row per run and language.

    Args:
        index: `RunIndex`.

    Returns:
        DataFrame with `task`, `label` (see `labels_of_runs`), `system`,
        `gate`, `layer`, `seed`, `language`, `split`, `score` and `accuracy`
        in percent, `precision` and `recall` (tagging), `examples`, `folder`.

    Example:
        import pathlib

        from dlfa_tf import analysis
        from dlfa_tf.analysis.run_index import Run
        from dlfa_tf.analysis.run_index import RunIndex

        results = {
            "system": "baseline",
            "score": "pos_f1",
            "gate": None,
            "config": {"task": "pos", "seed": 1, "fusion_layer": None},
            "languages": {"de": {"split": "test", "score": 80.0}},
        }
        run = Run(folder=pathlib.Path("runs/baseline"), results=results)
        analysis.score_frame(RunIndex(runs=(run,), left_out=()))  # a row
    """
    rows = []
    for run, label in zip(index.runs, labels_of_runs(index.runs), strict=True):
        for language, entry in sorted(run.results["languages"].items()):
            rows.append(
                {
                    **_columns(run, label),
                    "language": language,
                    "split": entry["split"],
                    **{
                        name: entry.get(name)
                        for name in (
                            "score",
                            "accuracy",
                            "precision",
                            "recall",
                            "examples",
                        )
                    },
                    "folder": str(run.folder),
                }
            )
    return pd.DataFrame(rows).astype({"layer": "Int64"})


def run_frame(index: RunIndex) -> pd.DataFrame:
    """One row per run: dev score, steps, seconds, memory.

    Args:
        index: `RunIndex`.

    Returns:
        DataFrame with `task`, `label`, `system`, `gate`, `layer`, `seed`,
        `dev_score` in percent, `best_step`, `total_steps`, `train_seconds`,
        `peak_memory_gib`, `folder`.

    Example:
        import pathlib

        from dlfa_tf import analysis
        from dlfa_tf.analysis.run_index import Run
        from dlfa_tf.analysis.run_index import RunIndex

        results = {
            "system": "baseline",
            "score": "pos_f1",
            "gate": None,
            "config": {"task": "pos", "seed": 1, "fusion_layer": None},
            "languages": {"de": {"split": "test", "score": 80.0}},
        }
        run = Run(folder=pathlib.Path("runs/baseline"), results=results)
        analysis.run_frame(RunIndex(runs=(run,), left_out=()))  # a row
    """
    rows = []
    for run, label in zip(index.runs, labels_of_runs(index.runs), strict=True):
        results = run.results
        memory = results.get("peak_memory_bytes")
        rows.append(
            {
                **_columns(run, label),
                "dev_score": results.get("dev_score"),
                "best_step": results.get("best_step"),
                "total_steps": results.get("total_steps"),
                "train_seconds": results.get("seconds", {}).get("train"),
                "peak_memory_gib": None if memory is None else memory / 2**30,
                "folder": str(run.folder),
            }
        )
    return pd.DataFrame(rows).astype({"layer": "Int64"})


def _columns(run: Run, label: str) -> dict[str, Any]:
    return {
        "task": run.task,
        "label": label,
        "system": run.system,
        "gate": run.gate,
        "layer": run.layer,
        "seed": run.seed,
    }
