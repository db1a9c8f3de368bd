r"""How long trainers.analyze takes for a whole sweep, without models.

Writes invented POS predictions of many systems, seeds and languages into a
temporary folder, then times what the program does with them.

Example:
    python -m benchmarks.analysis_time --sentences=2000
"""

import pathlib
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app
from absl import flags

from benchmarks import timing
from dlfa_tf import files
from dlfa_tf import metrics
from dlfa_tf.analysis import analysis
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.report import error_report
from dlfa_tf.analysis.report import runs_report
from dlfa_tf.data import tasks
from dlfa_tf.data.tasks import Task
from dlfa_tf.metrics import chunk_counts
from dlfa_tf.metrics import resampling
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.scoring import score_counts

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_integer("systems", 12, "Systems, the baseline first.", 2)
    flags.DEFINE_integer("seeds", 3, "Seeds of every system.", 1)
    flags.DEFINE_integer("languages", 33, "Languages of POS.", 2)
    flags.DEFINE_integer(
        "sentences", 2000, "Sentences of a language, 3 to 31 words each.", 1
    )
    timing.define_output_flag()


def write_sweep(
    root: pathlib.Path,
    systems: int,
    seeds: int,
    languages: Sequence[str],
    sentences: int,
) -> None:
    """Writes `data/` and `runs/` of an invented sweep."""
    task = tasks.get_task("pos")
    random = np.random.default_rng(0)
    names = np.array(task.labels)
    gold = {}
    for language in languages:
        splits = np.cumsum([0, *random.integers(3, 32, size=sentences)])
        ids = random.integers(len(names), size=splits[-1])
        gold[language] = ids, splits
        rows = np.char.add("w\t", names[ids])
        files.write_text(
            root / "data" / task.folder / f"test-{language}.tsv",
            _file(rows, splits),
        )
    for i in range(systems):
        for seed in range(1, seeds + 1):
            _write_run(root / "runs", task, i, seed, gold, random)


def _file(rows: np.ndarray, splits: np.ndarray) -> str:
    """Rows with a blank line after every sentence."""
    lines = np.insert(rows.astype(object), splits[1:], "")
    return "\n".join(lines) + "\n"


def _write_run(
    folder: pathlib.Path,
    task: Task,
    layer: int,
    seed: int,
    gold: dict[str, tuple[np.ndarray, np.ndarray]],
    random: np.random.Generator,
) -> None:
    system = f"D_{layer}" if layer else "baseline"
    folder = folder / "pos" / system / f"seed-{seed}"
    rule, names = score_counts.rule_of(task), np.array(task.labels)
    scores: dict[str, dict[str, Any]] = {}
    for language, (ids, splits) in gold.items():
        wrong = random.random(len(ids)) < 0.2
        said = np.where(wrong, random.integers(len(names), size=len(ids)), ids)
        files.write_text(
            folder / "predictions" / f"test-{language}.tsv",
            _file(names[said], splits),
        )
        counts = chunk_counts.count_chunks(rule, ids, said, splits)
        scores[language] = {
            "score": float(resampling.counts_score(counts.sum(axis=0))),
            "split": "test",
            "examples": len(counts),
        }
    files.write_json(
        folder / RESULTS,
        {
            "schema": SCHEMA,
            "system": system,
            "score": task.score,
            "gate": "feature" if layer else None,
            "dev_score": 90.0 + random.normal(),
            "languages": scores,
            "averages": metrics.averages(
                {k: v["score"] for k, v in scores.items()}
            ),
            "config": {
                "task": "pos",
                "data_source": "files",
                "preset": "invented",
                "fusion_layer": layer or None,
                "seed": seed,
            },
        },
    )


def _now() -> np.ndarray:
    """Seconds of the clock and of this process on all cores.

    The latter do not depend on what else the machine does.
    """
    return np.array([time.perf_counter(), time.process_time()])


def main(_: Sequence[str] = ()) -> None:
    """Writes a sweep and times its analysis."""
    report = timing.Report("analysis_time", FLAGS.output_file)
    languages = tasks.get_task("pos").languages[: FLAGS.languages]
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        write_sweep(
            root, FLAGS.systems, FLAGS.seeds, languages, FLAGS.sentences
        )
        started = _now()
        found = analysis.analyze(
            run_index.load_runs(root / "runs"), str(root / "data")
        )
        read = _now()
        runs_report.write_report(found, root / "out")
        written = _now()
        source = found.sources["pos"]
        if source is not None:
            error_report.error_section(
                found.scores["pos"], source, root / "out"
            )
        done = _now()
    size = {
        "systems": FLAGS.systems,
        "seeds": FLAGS.seeds,
        "languages": len(languages),
        "sentences_per_language": FLAGS.sentences,
    }
    for case, before, after in (
        ("scores and intervals", started, read),
        ("tables, pictures, report", read, written),
        ("errors", written, done),
    ):
        seconds, cpu_seconds = (after - before).round(2).tolist()
        report.add(case, seconds=seconds, cpu_seconds=cpu_seconds, **size)
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
