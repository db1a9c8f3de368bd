r"""What a training step costs, with each switch on and off.

Switches: batches of rows of similar length against batches in random order,
mixed_bfloat16 against float32, the compact vocabulary against the full one.
Every pair of cases trains in two processes that take turns, so that each has
its own memory and both see the same disturbance. The first case of a pair is
what `trainers.train` does by default.

Example:
    python -m benchmarks.training_step --data_dir=DIR --tasks=pos,xnli
"""

import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app
from absl import flags

from benchmarks import task_data
from benchmarks import timing

FLAGS = flags.FLAGS

_DEFAULT = {"bucketing": True, "precision": "float32", "compact": True}
_SWITCHES: dict[str, dict[str, Any]] = {
    "without_bucketing": {"bucketing": False},
    "mixed_bfloat16": {"precision": "mixed_bfloat16"},
    "full_vocabulary": {"compact": False},
}


def define_flags() -> None:
    """Defines the flags of this program."""
    task_data.define_flags()
    timing.define_repeats_flag()
    timing.define_output_flag()
    flags.DEFINE_list("tasks", ["pos", "xnli"], "Tasks, separated by commas.")
    flags.DEFINE_list("switches", list(_SWITCHES), "Switches to measure.")
    flags.DEFINE_integer("steps", 4, "Steps of one timed call.", lower_bound=1)
    flags.DEFINE_integer("batch_size", 32, "Rows per step.", lower_bound=1)
    flags.DEFINE_integer("fusion_layer", 9, "Block fused with the last one.")
    flags.DEFINE_integer(
        "train_limit", 2000, "Training examples to draw batches from."
    )
    flags.DEFINE_string(
        "worker", None, "Internal: the case, as JSON, of a process that trains."
    )


def make_call(case: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Builds the model of a case; returns a function that takes some steps.

    Args:
        case: `task`, `bucketing`, `precision`, `compact`.

    Returns:
        Function without arguments that returns real `tokens` and `positions`
        of the steps it took. Calls go through the same batches.
    """
    from dlfa_tf.data import pipelines
    from dlfa_tf.runs import settings
    from dlfa_tf.training import engine
    from dlfa_tf.training import inputs
    from dlfa_tf.training import preparing

    source = task_data.source(case["task"])
    config = settings.default_config(
        case["task"],
        output_dir="unused",
        data_source=source.name,
        data_dir=source.data_dir,
        preset=FLAGS.preset,
        fusion_layer=FLAGS.fusion_layer,
        precision=case["precision"],
        compact_vocabulary=case["compact"],
        train_limit=FLAGS.train_limit,
        eval_limit=8,
        languages=("en",),
        eval_split="test_or_dev",
    )
    model, prepared = inputs.build_for_training(
        config, preparing.read_data(config), None
    )
    step = engine.make_step(config, model, 10**6, None)
    lengths = prepared.train.row_lengths
    if case["bucketing"]:
        plan = pipelines.epoch_batches(lengths, FLAGS.batch_size, 1, 0)
    else:
        order = np.random.default_rng(1).permutation(len(lengths))
        plan = np.array_split(order, max(1, len(order) // FLAGS.batch_size))
    batches = [
        pipelines.pad_batch(
            prepared.train, rows, prepared.pad_id, prepared.use_segment_ids
        )
        for rows in plan[: FLAGS.steps]
    ]

    def call() -> dict[str, int]:
        for features, labels in batches:
            values = step(features, labels, False)
        values.on_host()
        masks = [features["padding_mask"] for features, _ in batches]
        return {
            "tokens": int(sum(mask.sum() for mask in masks)),
            "positions": int(sum(mask.size for mask in masks)),
        }

    return call


def work() -> None:
    """Takes steps whenever a line comes in; what a worker process does."""
    from dlfa_tf.runs import environment

    call = make_call(json.loads(FLAGS.worker))
    for _ in sys.stdin:
        answer = {
            **call(),
            "peak_memory_bytes": environment.peak_memory_bytes(),
        }
        print(json.dumps(answer), flush=True)


@contextlib.contextmanager
def worker(case: dict[str, Any]) -> Iterator[Callable[[], dict[str, int]]]:
    """A process that trains one case; yields a function that asks for steps."""
    names = ("data_dir", "preset", "steps", "batch_size", "fusion_layer",
             "train_limit")  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.training_step"]
    command += [
        f"--{name}={FLAGS[name].value}"
        for name in names
        if FLAGS[name].value is not None
    ]
    command.append(f"--worker={json.dumps(case)}")
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise ValueError("The process has no pipes.")

    def ask() -> dict[str, int]:
        stdin.write("go\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise ChildProcessError(
                f"The process of case {case} ended with exit code "
                f"{process.wait()}; to see why: {' '.join(command)}"
            )
        return json.loads(line)

    try:
        yield ask
    finally:
        stdin.close()
        process.wait()
        stdout.close()


def measure(task: str, switch: str) -> dict[str, Any]:
    """Measures the default and one switch in turn; returns figures by case."""
    cases = {
        "default": {"task": task, **_DEFAULT},
        switch: {"task": task, **_DEFAULT, **_SWITCHES[switch]},
    }
    answers: dict[str, dict[str, int]] = {}
    with contextlib.ExitStack() as stack:
        asks = {n: stack.enter_context(worker(c)) for n, c in cases.items()}

        def keep(name: str) -> None:
            answers[name] = asks[name]()

        seconds = timing.time_interleaved(
            {name: functools.partial(keep, name) for name in asks},
            repeats=FLAGS.repeats,
        )
    figures: dict[str, Any] = {}
    for name, answer in answers.items():
        per_step = [s / FLAGS.steps for s in seconds[name]]
        rates = [answer["tokens"] / s for s in seconds[name]]
        figures[name] = {
            "step_seconds": timing.spread(per_step),
            "tokens_per_second": timing.spread(rates),
            "padding_percent": round(
                100 * (1 - answer["tokens"] / answer["positions"]), 1
            ),
            "worker_peak_memory_bytes": answer["peak_memory_bytes"],
        }
        # Tokens, not steps: without bucketing a step holds others.
        rates_default = [
            answers["default"]["tokens"] / s for s in seconds["default"]
        ]
        figures[name]["speed_ratio"] = timing.ratios(rates, rates_default)
    return figures


def main(_: Sequence[str] = ()) -> None:
    """Measures all pairs, or serves as a worker of one."""
    if FLAGS.worker is not None:
        work()
        return
    for switch in FLAGS.switches:
        if switch not in _SWITCHES:
            raise app.UsageError(
                f"Received: --switches={switch!r}. Accepted: "
                f"{', '.join(_SWITCHES)}."
            )
    report = timing.Report("training_step", FLAGS.output_file)
    for task in FLAGS.tasks:
        for switch in FLAGS.switches:
            for name, figures in measure(task, switch).items():
                report.add(
                    f"{task}/{switch}/{name}",
                    **figures,
                    preset=FLAGS.preset,
                    batch_size=FLAGS.batch_size,
                    fusion_layer=FLAGS.fusion_layer,
                    data="sample" if FLAGS.data_dir is None else "files",
                )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
