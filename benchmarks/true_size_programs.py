r"""What each program takes on a preset, in a process of its own.

Walks the way of a user: looks at the preset, trains a few steps, stops a run
with SIGTERM and goes on with it (the two must be equal), scores the model,
exports it in several precisions, checks the exports, asks every signature in a
fresh process, tags or classifies a file, and makes and trains on a bundle. Of
every process: seconds, seconds of a processor, largest resident memory; of
what it wrote: bytes. `true_size --write` makes a preset of mBERT's shape.

Example:
    python -m benchmarks.true_size --write=mbert_random --vocabulary=vocab.txt
    python -m benchmarks.true_size_programs --preset=mbert_random \
        --data_dir=DIR --task=pos --fusion_layer=10 --work_dir=WORK
"""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from benchmarks import timing
from dlfa_tf.runs import environment
from dlfa_tf.serving.contract import SIGNATURES

FLAGS = flags.FLAGS
_ANSWERS = 3
_POLL_SECONDS = 0.2
# Of EX_TEMPFAIL, which says that a run can go on.
_STOPPED = 75
_TEXT = "Der Zug nach Wien ist weg ."


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string("preset", None, "Preset, as of trainers.train.")
    flags.DEFINE_string("data_dir", None, "Folder of the task's files.")
    flags.DEFINE_string("work_dir", None, "Folder for all that is written.")
    flags.DEFINE_enum("task", "pos", ["pos", "ner", "xnli", "pawsx"], "Task.")
    flags.DEFINE_integer("fusion_layer", None, "Block; none: the baseline.")
    flags.DEFINE_string("precision", "float32", "Of training.")
    flags.DEFINE_integer("train_limit", 48, "Examples to train on.")
    flags.DEFINE_integer("eval_limit", 16, "Examples to score on.")
    flags.DEFINE_integer("batch_size", 8, "Rows per step.")
    flags.DEFINE_list("languages", ["en", "de"], "Languages to score on.")
    flags.DEFINE_list("parts", list(PARTS), "What to do, in this order.")
    flags.DEFINE_list(
        "exports",
        ["float32", "bfloat16", "int8"],
        "Precisions of exports; int8 is --quantize=int8.",
    )
    flags.DEFINE_string(
        "machine", "", "What else the machine did, for the output."
    )
    timing.define_output_flag()
    flags.mark_flags_as_required(["preset", "data_dir", "work_dir"])


class Walk:
    """The programs one after the other; figures of each go to a report.

    A program that fails stops the walk with ChildProcessError, which says
    what the program said.
    """

    def __init__(self, report: timing.Report) -> None:
        self.report = report
        self.work = pathlib.Path(FLAGS.work_dir).absolute()
        self.work.mkdir(parents=True, exist_ok=True)
        system = FLAGS.fusion_layer
        system = "baseline" if system is None else f"D_{system}"
        self.case = f"{FLAGS.task}/{system}/{FLAGS.precision}"
        self.data = [f"--task={FLAGS.task}", f"--data_dir={FLAGS.data_dir}"]
        self.run_dir = self.work / "run"

    def take(
        self,
        name: str,
        module: str,
        *arguments: str,
        wrote: pathlib.Path | None = None,
        code: int = 0,
        watch: Callable[[subprocess.Popen], None] | None = None,
    ) -> str:
        """Runs a program; returns what it printed."""
        out = self.work / "out.txt"
        started = time.monotonic()
        with out.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            if watch is not None:
                watch(process)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said = out.read_text()
        if process.returncode != code:
            raise ChildProcessError(
                f"{name}: {module} {' '.join(arguments)} ended with "
                f"{process.returncode}: {said[-3000:]}"
            )
        self.report.add(
            f"{self.case}/{name}",
            seconds=round(time.monotonic() - started, 1),
            processor_seconds=round(used.ru_utime + used.ru_stime, 1),
            child_peak_memory_bytes=child_peak(used.ru_maxrss),
            **({"wrote_bytes": size(wrote)} if wrote is not None else {}),
            beside=FLAGS.machine,
        )
        return said

    def train(self, name: str, folder: pathlib.Path, **more: Any) -> None:
        """A run of the settings that the flags say."""
        self.take(
            name,
            "trainers.train",
            *self.data,
            f"--preset={FLAGS.preset}",
            *self.settings(),
            f"--output_dir={folder}",
            "--resume",
            **more,
        )

    def evaluate(
        self, name: str, run_dir: pathlib.Path, folder: pathlib.Path
    ) -> None:
        """Scores a run anew, on the last of the languages."""
        self.take(
            name,
            "trainers.evaluate",
            f"--model={run_dir}",
            *self.data,
            f"--languages={FLAGS.languages[-1]}",
            f"--eval_limit={FLAGS.eval_limit}",
            f"--output_dir={folder}",
        )

    def settings(self) -> list[str]:
        """Flags that a run on data and one on a bundle share."""
        fused = FLAGS.fusion_layer
        return [
            *([] if fused is None else [f"--fusion_layer={fused}"]),
            f"--precision={FLAGS.precision}",
            f"--batch_size={FLAGS.batch_size}",
            "--epochs=1",
            *self.limits(),
        ]

    def limits(self) -> list[str]:
        """Flags of how much data."""
        return [
            f"--train_limit={FLAGS.train_limit}",
            f"--eval_limit={FLAGS.eval_limit}",
            f"--languages={','.join(FLAGS.languages)}",
        ]


def child_peak(kilobytes: int) -> int | None:
    """Most memory of a program that ended, in bytes; None when not known.

    Linux counts what this process had held when it started the program, too:
    what is not above it says nothing.
    """
    peak = kilobytes * 1024
    return peak if peak > environment.peak_memory_bytes() else None


def size(path: pathlib.Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(x.stat().st_size for x in path.rglob("*") if x.is_file())


def _check(walk: Walk) -> None:
    walk.take(
        "check", "trainers.prepare", "--check", f"--preset={FLAGS.preset}"
    )


def _train(walk: Walk) -> None:
    walk.train("train", walk.run_dir, wrote=walk.run_dir)


def _resume(walk: Walk) -> None:
    """Stops a run after its first step, goes on, compares with `run`."""
    folder = walk.work / "stopped"

    def stop(process: subprocess.Popen) -> None:
        log = folder / "metrics.jsonl"
        while process.poll() is None and not log.is_file():
            time.sleep(_POLL_SECONDS)
        process.send_signal(signal.SIGTERM)

    walk.train("stopped", folder, wrote=folder, code=_STOPPED, watch=stop)
    walk.train("resumed", folder, wrote=folder)
    for name in ("metrics.jsonl", "results.json"):
        if kept(walk.run_dir / name) != kept(folder / name):
            raise AssertionError(f"{name} of the two runs differ.")
    if weights(walk.run_dir) != weights(folder):
        raise AssertionError("The weights of the two runs differ.")


# What differs between two equal runs.
_OF_A_RUN = (
    "timing", "seconds", "environment", "output_dir", "peak_memory_bytes"
)  # fmt: skip


def kept(path: pathlib.Path) -> list[Any]:
    """Entries of a file of JSON (lines) without what no two runs share."""

    def pruned(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: pruned(v) for k, v in value.items() if k not in _OF_A_RUN
            }
        if isinstance(value, list):
            return [pruned(x) for x in value]
        return value

    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return [pruned(json.loads(line)) for line in text.splitlines()]
    return [pruned(json.loads(text))]


def weights(run_dir: pathlib.Path) -> dict[str, str]:
    """SHA-256 of every weight of a run's saved model, by its place.

    Not the weights themselves, see `child_peak`.
    """
    import h5py

    found: dict[str, str] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            digest = hashlib.sha256(item[()].tobytes())
            found[f"{path.name}/{name}"] = digest.hexdigest()

    for path in sorted((run_dir / "model").glob("*.h5")):
        with h5py.File(path) as file:
            file.visititems(note)
    return found


def _evaluate(walk: Walk) -> None:
    walk.evaluate("evaluate", walk.run_dir, walk.work / "evaluated")


def _export(walk: Walk) -> None:
    for precision in FLAGS.exports:
        flag = (
            "--quantize=int8"
            if precision == "int8"
            else f"--precision={precision}"
        )
        folder = walk.work / "exports" / precision / "1"
        walk.take(
            f"export {precision}",
            "trainers.export",
            f"--model={walk.run_dir}",
            f"--name={precision}",
            f"--saved_models_dir={walk.work / 'exports'}",
            flag,
            wrote=folder,
        )
        walk.take(
            f"check of {precision}", "trainers.export", f"--check={folder}"
        )
        _ask(walk, precision, folder)


def _ask(walk: Walk, precision: str, folder: pathlib.Path) -> None:
    """Asks every signature in a fresh process, as a server's start would."""
    kind = "tagger" if FLAGS.task in ("pos", "ner") else "classifier"
    for name, signature in SIGNATURES[kind].items():
        inputs = {
            key: [_TEXT] if field.rank == 1 else [_TEXT.split()]
            for key, field in signature.inputs.items()
        }
        said = walk.take(
            f"{name} of {precision}",
            "benchmarks.serving_start_ask",
            *(str(folder), name, json.dumps(inputs), str(_ANSWERS)),
        )
        found = json.loads(said.splitlines()[-1])
        walk.report.add(
            f"{walk.case}/{name} of {precision}, inside",
            load_seconds=round(found["load"], 2),
            first_answer_seconds=round(found["first"], 2),
            answer_seconds=round(min(found["then"]), 3),
        )


def _predict(walk: Walk) -> None:
    texts = walk.work / "texts.tsv"
    if FLAGS.task in ("pos", "ner"):
        texts = texts.with_suffix(".txt")
        texts.write_text(f"{_TEXT}\n" * 20)
    else:
        texts.write_text(f"{_TEXT}\t{_TEXT}\n" * 20)
    for model in (walk.run_dir, walk.work / "exports" / FLAGS.exports[0]):
        walk.take(
            f"predict with {model.name}",
            "trainers.predict",
            f"--model={model}",
            f"--input={texts}",
            f"--output={walk.work / f'answers-{model.name}{texts.suffix}'}",
        )


def _bundle(walk: Walk) -> None:
    bundle = walk.work / "task.bundle"
    walk.take(
        "make bundle",
        "trainers.prepare",
        *walk.data,
        f"--preset={FLAGS.preset}",
        *walk.limits(),
        f"--bundle={bundle}",
        wrote=bundle,
    )
    for name, flag in (
        ("compact", "--compact_vocabulary"),
        ("full", "--nocompact_vocabulary"),
    ):
        folder = walk.work / f"bundle-{name}"
        walk.take(
            f"train on bundle, {name} vocabulary",
            "trainers.train",
            f"--bundle={bundle}",
            *walk.settings(),
            flag,
            f"--output_dir={folder}",
            wrote=folder,
        )
    walk.evaluate(
        "evaluate run on bundle",
        walk.work / "bundle-compact",
        walk.work / "evaluated-bundle",
    )


PARTS: dict[str, Callable[[Walk], None]] = {
    "check": _check,
    "train": _train,
    "resume": _resume,
    "evaluate": _evaluate,
    "export": _export,
    "predict": _predict,
    "bundle": _bundle,
}


def main(_: Sequence[str] = ()) -> None:
    """Takes the parts that were asked for."""
    report = timing.Report("true_size_programs", FLAGS.output_file)
    walk = Walk(report)
    for name in FLAGS.parts:
        PARTS[name](walk)
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
