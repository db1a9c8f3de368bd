r"""Fine-tunes many systems: tasks times systems times gates times seeds.

Every run is a process of its own (trainers.train) with its own folder
<output_dir>/<task>/<system>/seed-N. Start the same command again to go on:
finished runs are skipped, runs that were begun are resumed. All flags of
trainers.train but --task, --fusion_layer, --fusion, --gate and --seed are
passed on.

Example:
    python -m trainers.sweep --tasks=pos --systems=baseline,D_1..D_11 \
        --seeds=1,2,3 --data_dir=DIR --output_dir=runs/sweep
"""

import itertools
import pathlib
import sys
from typing import TYPE_CHECKING

from absl import flags

from trainers import bundle_flags
from trainers import common_flags
from trainers import setting_flags
from trainers import train

if TYPE_CHECKING:
    from dlfa_tf.runs.settings import TrainConfig
    from dlfa_tf.sweeps.cells import Cell
    from dlfa_tf.sweeps.state import CellStatus

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "tasks",
    "data_dir",
    "systems",
    "seeds",
    "output_dir",
)

# Settings that a sweep sets for every run.
_SET_FOR_RUNS = ("task", "fusion_layer", "fusion", "gate", "seed")
# Last lines of failed runs that the final message has.
_MOST_SAID = 3
# Flags that runs must not get.
_OWN = (
    "tasks", "systems", "gates", "seeds", "output_dir", "shard_index",
    "num_shards", "max_parallel", "flagfile", "undefok", "help", "helpfull",
    "helpshort", "helpxml",
)  # fmt: skip


def define_flags() -> None:
    """Defines the flags of this program."""
    train.define_run_flags(without=_SET_FOR_RUNS)
    FLAGS["output_dir"].help = "Folder of the sweep, new or gone on with."
    flags.DEFINE_list(
        "tasks",
        None,
        "Tasks, separated by commas: names and files, as for --task of "
        "trainers.train; default the bundle's.",
    )
    flags.DEFINE_list(
        "systems",
        None,
        "Systems, separated by commas: baseline, D_x, ranges (D_1..D_11), "
        "mean_x, scalar_mix, MODULE:CLASS_x for a layer of your own (see "
        "--fusion of trainers.train).",
        required=True,
    )
    flags.DEFINE_list(
        "gates",
        ["feature"],
        "Gates of the fused systems: feature, attention or both.",
    )
    flags.DEFINE_list("seeds", ["1"], "Seeds: 1,2,3 or 1..3.")
    flags.DEFINE_integer(
        "shard_index", 0, "Which part of the runs to carry out.", lower_bound=0
    )
    flags.DEFINE_integer(
        "num_shards", 1, "Parts that the runs are divided into.", lower_bound=1
    )
    flags.DEFINE_integer(
        "max_parallel",
        1,
        "Runs at a time; the cores are divided among them.",
        lower_bound=1,
    )
    flags.register_multi_flags_validator(
        ["tasks", "bundle"],
        lambda values: bool(values["tasks"] or values["bundle"]),
        message="--tasks is needed, or --bundle.",
    )
    # --help shows the flags of the main module and those it adopts.
    for module in (train, setting_flags, bundle_flags, common_flags):
        flags.adopt_module_key_flags(module)


def main() -> None:
    """Plans the runs, carries them out and says how each ended."""
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.runs import own_fusion
    from dlfa_tf.runs import run_folder
    from dlfa_tf.sweeps import block_numbers
    from dlfa_tf.sweeps import preset_check
    from dlfa_tf.sweeps import state
    from dlfa_tf.sweeps import sweep
    from dlfa_tf.sweeps.sweep import Sweep
    from trainers.sweep_view import SweepView

    run_folder.check_parent_dir(FLAGS.output_dir, "output_dir")
    cells = _cells()
    block_numbers.check_block_numbers(cells)
    _check_data(cells)
    if FLAGS.bundle is None:
        preset_check.check_presets(cells)
    own_fusion.check_in_a_process([cell.config.fusion for cell in cells])
    statuses = [state.find_status(cell) for cell in cells]
    with SweepView(
        statuses, FLAGS.max_parallel, _summary_file(), sys.stdout.isatty()
    ) as view:
        work = Sweep(
            statuses,
            _command,
            max_parallel=FLAGS.max_parallel,
            environment=sweep.thread_limits(FLAGS.max_parallel),
            on_change=view.changed,
            on_poll=view.refresh,
        )
        work.run()
    common_flags.say(f"Summary: {_summary_file()}")
    if work.stopped_by is not None:
        raise KeyboardInterrupt
    _refuse_failures(statuses)


def _cells() -> "list[Cell]":
    from dlfa_tf.sweeps import cells

    tasks, sha256 = FLAGS.tasks, None
    if FLAGS.bundle is not None:
        from dlfa_tf.training import bundle_file

        sha256, meta = bundle_file.read_bundle_meta(FLAGS.bundle)
        tasks = tasks or [meta["settings"]["task"]]
    planned = cells.plan_cells(
        train.config_from_flags,
        output_dir=FLAGS.output_dir,
        bundle_sha256=sha256,
        tasks=tasks,
        systems=cells.parse_systems(FLAGS.systems),
        gates=FLAGS.gates,
        seeds=cells.parse_seeds(FLAGS.seeds),
    )
    return cells.shard_cells(planned, FLAGS.shard_index, FLAGS.num_shards)


def _check_data(cells: "list[Cell]") -> None:
    """Refuses data that every run would stumble over."""
    if FLAGS.bundle is not None:
        from dlfa_tf.training import bundle_file
        from dlfa_tf.training import bundle_settings

        _, meta, _ = bundle_file.read_bundle_file(FLAGS.bundle)
        for cell in cells:
            bundle_settings.check_settings(cell.config, meta)
        return
    from dlfa_tf.data.sources import Source

    for name, config in {x.config.task: x.config for x in cells}.items():
        source = Source(
            task=config.task_definition,
            name=config.data_source,
            data_dir=config.data_dir,
        )
        for split, language in itertools.product(
            ("train", "dev"), config.source_languages
        ):
            if language not in source.available(split):
                raise FileNotFoundError(
                    f"Task {name!r} has no {split} data of {language!r} in "
                    f"{str(source.folder)!r}. Accepted: a `data_dir` that "
                    f"holds them; see trainers.prepare."
                )


def _command(cell: "Cell") -> list[str]:
    """Command line of a run."""
    values = {
        name: getattr(cell.config, name)
        for name in (*_SET_FOR_RUNS, "output_dir")
    }
    values["task"] = _task_flag(cell.config)
    given = [f"--{k}={v}" for k, v in values.items() if v is not None]
    command = [sys.executable, "-m", "trainers.train", "--resume"]
    return command + given + _passed_on()


def _task_flag(config: "TrainConfig") -> str | None:
    """Value of --task for a run: a name, a file, or None for the bundle's."""
    if config.definition is None:
        return config.task
    from dlfa_tf.data import tasks

    files = [x for x in FLAGS.tasks or () if tasks.is_task_file(x)]
    return {tasks.find_task(x).name: x for x in files}.get(config.task)


def _passed_on() -> list[str]:
    """The flags that the user gave and that are for the runs."""
    return [
        FLAGS[name].serialize()
        for name in sorted(FLAGS)
        if FLAGS[name].present and name not in _OWN
    ]


def _summary_file() -> pathlib.Path:
    part = f"-{FLAGS.shard_index}-of-{FLAGS.num_shards}"
    name = f"sweep{part if FLAGS.num_shards > 1 else ''}.json"
    return pathlib.Path(FLAGS.output_dir) / name


def _refuse_failures(statuses: "list[CellStatus]") -> None:
    failed = [s for s in statuses if s.state == "failed"]
    if failed:
        lines = [f"{s.cell.name} ({s.reason})" for s in failed]
        # Runs often fail alike: each message once, the first few of them.
        said = dict.fromkeys(s.log_tail[-1] for s in failed if s.log_tail)
        raise ChildProcessError(
            f"{len(failed)} of {len(statuses)} runs failed: "
            f"{', '.join(lines)}. "
            + "".join(f"They said: {x!r}. " for x in list(said)[:_MOST_SAID])
            + "The last lines of each are in the summary, "
            f"the rest in {failed[0].cell.log_file} and its like. The same "
            "command tries them again."
        )


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
