r"""Says what data of a task are there and makes them ready for training.

Reads every file of the task (a malformed one is named), counts examples, words
and labels by split and language, and says what is missing. With --preset
everything is tokenised into the cache, so that training starts at once. With
--data_source=tfds and --manual_dir the sets of TensorFlow Datasets are prepared
first, from archives in that folder; nothing is ever downloaded. With
--originals_dir labelled files are first written to --data_dir, from what the
makers of XNLI, PAWS-X, PAN-X and UD ship, packed or not. With --bundle all that
runs of the task need is written into one file instead, for machines without the
data, the preset and TensorFlow. With --check it changes nothing and says what
is wrong with the data of --task (duplicates, training items in test files,
labels, broken tags, scripts; with --preset also what its tokenizer makes of
each language; with --languages in those only), or without --task what --preset
is.

Example:
    python -m trainers.prepare --task=pos --data_dir=DIR --preset=e5_small_multi
    python -m trainers.prepare --task=ner --data_source=tfds \
        --data_dir=TFDS_DIR --manual_dir=ARCHIVES
    python -m trainers.prepare --task=xnli --data_dir=DIR --originals_dir=RAW
    python -m trainers.prepare --task=pos --data_dir=DIR \
        --preset=e5_small_multi --languages=available \
        --eval_split=test_or_dev --bundle=pos.bundle
    python -m trainers.prepare --preset=multi_cased_L-12_H-768_A-12.zip --check
    python -m trainers.prepare --task=ner --data_dir=DIR --check \
        --preset=e5_small_multi --report_dir=data_report
"""

import time
from collections.abc import Sequence
from typing import Any

from absl import flags
from rich.console import Console
from rich.table import Table

from trainers import bundle_flags
from trainers import common_flags
from trainers import preset_check
from trainers import setting_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "task",
    "data_source",
    "data_dir",
    "preset",
    "originals_dir",
)
# Flags that say nothing without another one.
_ONLY_WITH = {
    "bundle": (
        "bundle_weights", "eval_limit", "eval_split",
        "source_languages", "target_examples", "train_limit",
    ),
    "preset": ("label_piece", "sequence_length"),
}  # fmt: skip


def define_flags() -> None:
    """Defines the flags of this program."""
    setting_flags.define("task")
    flags.DEFINE_string(
        "new_task",
        None,
        "Folder of data of your own, to look at and to write a first task file "
        "into, task.toml, with comments; without --task.",
    )
    setting_flags.define("data_source", "data_dir", "languages", "eval_split")
    setting_flags.define("eval_limit", unset="all")
    setting_flags.define("sequence_length", unset="the task's")
    setting_flags.define("label_piece")
    setting_flags.define(
        "preset",
        help="Preset whose tokenizer fills the cache",
        unset="none, count only",
    )
    flags.DEFINE_string(
        "manual_dir",
        None,
        "Folder of archives, fetched by hand, from which the sets of "
        "TensorFlow Datasets are prepared (for --data_source=tfds).",
    )
    flags.DEFINE_string(
        "originals_dir",
        None,
        "Folder of archives as their makers ship them, fetched by hand, or of "
        "what is in them, from which the files of the task are written to "
        "--data_dir (docs/data.md has the layout).",
    )
    flags.DEFINE_bool(
        "check",
        False,
        "Look at the data of --task and exit with 1 if scores on them would be "
        "wrong; without --task, load --preset and say what it is.",
    )
    flags.DEFINE_string(
        "report_dir",
        None,
        "Folder for data_report.html, its table and pictures; new or empty "
        "(for --check with --task).",
    )
    bundle_flags.define_make_flags()
    flags.register_multi_flags_validator(
        [
            "task",
            "check",
            "preset",
            "report_dir",
            "new_task",
            "bundle",
            "languages",
        ],
        _has_something_to_do,
    )
    flags.register_multi_flags_validator(
        ["bundle", "preset"],
        lambda values: not values["bundle"] or bool(values["preset"]),
        message="--bundle needs --preset.",
    )
    for needed, names in _ONLY_WITH.items():
        common_flags.refuse_without(needed, *names)
    _register_for_source("manual_dir", "tfds")
    _register_for_source("originals_dir", "files")
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(setting_flags)
    flags.adopt_module_key_flags(bundle_flags)


def _has_something_to_do(values: dict[str, Any]) -> bool:
    if values["check"] and not (values["preset"] or values["task"]):
        raise flags.ValidationError("--check needs --task or --preset.")
    if FLAGS["languages"].present and not (
        values["bundle"] or (values["check"] and values["task"])
    ):
        raise flags.ValidationError(
            "Received: --languages without --bundle or --check. Accepted: with "
            "--bundle, or with --check and --task."
        )
    if values["report_dir"] and not (values["check"] and values["task"]):
        raise flags.ValidationError("--report_dir is for --check with --task.")
    if values["new_task"] and (values["task"] or values["check"]):
        raise flags.ValidationError(
            "--new_task writes a task file and does nothing else. Accepted: "
            "without --task and --check."
        )
    alone = values["check"] or values["new_task"]
    if not alone and values["task"] is None:
        raise flags.ValidationError(
            "Flag --task must have a value other than None."
        )
    return True


def _register_for_source(name: str, source: str) -> None:
    """Refuses a flag with another source of data, or without a folder."""

    def check(values: dict[str, str | None]) -> bool:
        if values[name] is not None and (
            values["data_source"] != source or values["data_dir"] is None
        ):
            raise flags.ValidationError(
                f"--{name} is for --data_source={source} with --data_dir. "
                f"Received: --data_source={values['data_source']}, "
                f"--data_dir={values['data_dir']}."
            )
        return True

    flags.register_multi_flags_validator(
        [name, "data_source", "data_dir"], check
    )


def main() -> None:
    """Prepares sets, then counts and fills the cache, or makes a bundle."""
    if FLAGS.new_task is not None:
        _write_task()
        return
    if FLAGS.check:
        if FLAGS.task is None:
            preset_check.check_preset(FLAGS.preset)
        else:
            _check_data()
        return
    if FLAGS.manual_dir is not None:
        _prepare_sets()
    if FLAGS.originals_dir is not None:
        _convert_originals()
    if FLAGS.bundle is not None:
        bundle_flags.make_from_flags()
        return
    prepare_source()


def _check_data() -> None:
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.data import task_labels
    from dlfa_tf.data import tasks
    from dlfa_tf.data.sources import Source
    from dlfa_tf.runs import run_folder
    from trainers import data_check

    if FLAGS.report_dir is not None:
        run_folder.check_output_dir(FLAGS.report_dir)
    task = task_labels.with_labels(tasks.find_task(FLAGS.task), FLAGS.data_dir)
    data_check.check_data(
        Source(task=task, name=FLAGS.data_source, data_dir=FLAGS.data_dir),
        # `all` and `available` are what is there.
        None
        if FLAGS.languages in (["all"], ["available"])
        else FLAGS.languages,
        FLAGS.preset,
        FLAGS.sequence_length or task.sequence_length,
        FLAGS.report_dir,
    )


def _write_task() -> None:
    # Not at the top: a wrong flag should not wait for it.
    from dlfa_tf.data import new_task

    path = new_task.write_new_task(FLAGS.new_task)
    common_flags.say(f"Written: {path}")
    common_flags.say("A first guess: read it through. Then")
    common_flags.say(f"    python -m trainers.prepare --task={path}")


def _prepare_sets() -> None:
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.data import tasks
    from dlfa_tf.data import tfds_archives

    task = tasks.get_task(FLAGS.task)
    tfds_archives.prepare_tfds(
        task,
        task.languages,
        FLAGS.data_dir,
        FLAGS.manual_dir,
        say=common_flags.say,
    )


def _convert_originals() -> None:
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.data import originals
    from dlfa_tf.data import tasks

    originals.convert_originals(
        tasks.get_task(FLAGS.task),
        FLAGS.originals_dir,
        FLAGS.data_dir,
        say=common_flags.say,
    )


def prepare_source() -> None:
    """Counts what a source holds and, with a preset, tokenises it."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.data import cache
    from dlfa_tf.data import inventory
    from dlfa_tf.data import task_labels
    from dlfa_tf.data import tasks
    from dlfa_tf.data.sources import Source

    task = task_labels.with_labels(tasks.find_task(FLAGS.task), FLAGS.data_dir)
    source = Source(task=task, name=FLAGS.data_source, data_dir=FLAGS.data_dir)
    preprocessor = None if FLAGS.preset is None else _preprocessor(task)
    started = time.monotonic()
    rows = []
    for split, language, examples in inventory.load_all(source):
        counts = inventory.count(split, language, examples, task.labels)
        sizes: tuple[int, ...] = ()
        if preprocessor is not None:
            tokens = cache.cached_tokens(examples, preprocessor)
            sizes = (len(tokens), len(tokens.token_ids))
        rows.append((counts, sizes))
    if not rows and source.name == "files":
        raise FileNotFoundError(inventory.nothing_there(source))
    _print_counts(task.name, rows)
    _print_missing(inventory.missing_languages(source))
    _print_unlabelled(source)
    if preprocessor is not None:
        common_flags.say(
            f"Tokenised for {FLAGS.preset} in "
            f"{time.monotonic() - started:.0f} s, reading included."
        )


def _preprocessor(task: Any) -> Any:
    """The preprocessor that training will use, without its model."""
    from dlfa_tf.models import presets
    from dlfa_tf.preprocessing import PairPreprocessor
    from dlfa_tf.preprocessing import TaggingPreprocessor

    arguments: dict[str, Any] = {
        "labels": task.labels,
        "sequence_length": FLAGS.sequence_length or task.sequence_length,
    }
    tokenizer = presets.load_tokenizer(FLAGS.preset)
    if task.is_tagging:
        return TaggingPreprocessor(
            tokenizer, label_piece=FLAGS.label_piece, **arguments
        )
    return PairPreprocessor(tokenizer, **arguments)


def _print_counts(
    task: str, rows: Sequence[tuple[Any, tuple[int, ...]]]
) -> None:
    """Prints a row per split and language."""
    with_words = any(counts.words is not None for counts, _ in rows)
    columns = ["split", "language", "examples"]
    columns += ["words"] if with_words else []
    columns += ["rows", "pieces"] if any(sizes for _, sizes in rows) else []
    table = Table(title=f"{task}, data source {FLAGS.data_source}")
    for name in columns:
        numbers = name not in ("split", "language")
        table.add_column(name, justify="right" if numbers else "left")
    table.add_column("labels")
    widest = 0
    for counts, sizes in rows:
        cells = [counts.split, counts.language, str(counts.examples)]
        cells += [str(counts.words)] if with_words else []
        cells += map(str, sizes)
        labels = " ".join(f"{k}:{v}" for k, v in counts.labels.items())
        widest = max(widest, len(labels))
        table.add_row(*cells, labels)
    # On one line where there is no terminal, so that it can be searched.
    console = Console()
    width = console.width if console.is_terminal else 80 + widest
    Console(width=max(width, console.width)).print(table)


def _print_missing(missing: dict[str, list[str]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for split in ("train", "dev"):
        if missing[split]:
            languages = ", ".join(missing[split])
            console.print(f"Missing: {split} data of {languages}.")
    if missing["test"]:
        console.print(
            "No test data, dev data instead (--eval_split=test_or_dev): "
            + ", ".join(missing["test"])
        )
    if missing["test and dev"]:
        console.print(
            "Neither test nor dev data: " + ", ".join(missing["test and dev"])
        )


def _print_unlabelled(source: Any) -> None:
    from dlfa_tf.data import readers

    found = source.unlabelled("test")
    if found:
        Console(highlight=False, soft_wrap=True).print(
            f"Test files without labels: {', '.join(found)}. "
            f"trainers.predict reads them; {readers.LABELS_COME_FROM}"
        )


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
