r"""Scores a trained model, or prediction files, on any languages.

With --model the files of the task are read and labelled. With
--predictions_dir and --labels_dir, folders in XTREME's form are scored without
a model: xnli/, pawsx/, panx/, udpos/ with {split}-{lang}.tsv, one label per
line; --languages chooses among them. With --task=FILE.toml those of a task of
your own are: files {split}-{lang}.tsv of predictions, and as gold labels such
files or the task's data.

Example:
    python -m trainers.evaluate --model=runs/pos-D_9 --task=pos \
        --data_dir=DIR --languages=de,zh --output_dir=runs/pos-D_9-dev \
        --eval_split=dev
    python -m trainers.evaluate --predictions_dir=MINE --labels_dir=GOLD
    python -m trainers.evaluate --predictions_dir=runs/intents/predictions \
        --labels_dir=DATA --task=intents.toml
"""

import dataclasses
import pathlib
from typing import TYPE_CHECKING
from typing import Any

from absl import flags

from trainers import common_flags
from trainers import setting_flags

if TYPE_CHECKING:
    from dlfa_tf.data.task import Task
    from dlfa_tf.runs.settings import TrainConfig

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "model",
    "task",
    "data_dir",
    "languages",
    "output_dir",
)
# Flags that say nothing of files that are scored as they are.
_ONLY_WITH_MODEL = ("data_source", "data_dir", "eval_limit")


def define_flags() -> None:
    """Defines the flags of this program."""
    setting_flags.define(
        "task", "data_source", "data_dir", "languages", "eval_split"
    )
    setting_flags.define("eval_limit", unset="all")
    flags.DEFINE_string(
        "model",
        None,
        "Run folder, or saved task preset (needs --task; that of a run is "
        "known).",
    )
    common_flags.define_import_flag()
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for results.json and predictions/; new or empty (needed with "
        "--model).",
    )
    flags.DEFINE_string(
        "predictions_dir",
        None,
        "Folder of prediction files in XTREME's form, to be scored without a "
        "model (needs --labels_dir).",
    )
    flags.DEFINE_string(
        "labels_dir",
        None,
        "Folder of the gold labels: label files, or data files with the label "
        "in the last column.",
    )
    flags.register_multi_flags_validator(
        ["model", "task", "output_dir", "predictions_dir", "labels_dir"],
        _check_combination,
    )
    common_flags.refuse_without("model", *_ONLY_WITH_MODEL)
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(setting_flags)


def _check_combination(values: dict[str, str | None]) -> bool:
    with_model = ("model", "output_dir")
    with_files = ("predictions_dir", "labels_dir")
    given = {name for name, value in values.items() if value is not None}
    if given - {"task"} not in (set(with_model), set(with_files)):
        raise flags.ValidationError(
            f"Received: {sorted(given) or 'none of them'}. Accepted: both of "
            f"{', '.join(with_model)}, and task; or both of "
            f"{', '.join(with_files)}, and task for one of your own."
        )
    return True


def main() -> None:
    """Scores a model, or files."""
    if FLAGS.model is None:
        _score_files()
    else:
        _score_model()


def _score_files() -> None:
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.data import tasks
    from dlfa_tf.scoring import prediction_files
    from trainers import result_table

    if FLAGS.eval_split == "test_or_dev":
        raise ValueError(
            "`eval_split` must be `test` or `dev` with --predictions_dir. "
            "Received: 'test_or_dev'."
        )
    languages = tuple(FLAGS.languages)
    scores = prediction_files.score_folders(
        FLAGS.predictions_dir,
        FLAGS.labels_dir,
        FLAGS.eval_split,
        # Without the flag, and for `available`, those that have a file.
        None
        if languages == ("available",) or not FLAGS["languages"].present
        else languages,
        None if FLAGS.task is None else tasks.find_task(FLAGS.task),
    )
    for task, results in scores.items():
        result_table.print_task_scores(task, results)


def _score_model() -> None:
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.data.sources import Source
    from dlfa_tf.runs import load
    from dlfa_tf.runs import run_folder
    from dlfa_tf.scoring import zero_shot
    from dlfa_tf.training import evaluating
    from trainers import result_table

    run_folder.check_output_dir(FLAGS.output_dir)
    common_flags.import_modules()
    trained = _config_of_run()
    source = Source(
        task=_task(trained),
        name=FLAGS.data_source,
        data_dir=FLAGS.data_dir,
    )
    files = zero_shot.choose_files(
        source, tuple(FLAGS.languages), FLAGS.eval_split
    )
    zero_shot.check_files(source, files)
    model = load.load_model(FLAGS.model)
    results = evaluating.evaluate_model(
        model,
        source,
        files,
        model_folder=FLAGS.model,
        # 0 is all, as for trainers.train.
        limit=FLAGS.eval_limit or None,
        run_dir=pathlib.Path(FLAGS.output_dir),
        trained_on=_trained_on(trained),
        say=common_flags.say,
    )
    result_table.print_results([results], FLAGS.languages)
    common_flags.say(f"Results: {FLAGS.output_dir}/results.json")


def _task(trained: "TrainConfig | None") -> "Task":
    """The task that is named, or that of the run."""
    from dlfa_tf.data import task_labels
    from dlfa_tf.data import tasks
    from dlfa_tf.runs import settings

    if FLAGS.task is None:
        return settings.read_config(FLAGS.model).task_definition
    task = tasks.find_task(FLAGS.task)
    if trained is not None and not task.labels and task.name == trained.task:
        # Those of the data that it was trained on, which need not be here.
        labels = trained.task_definition.labels
        task = dataclasses.replace(task, labels=labels)
    return task_labels.with_labels(task, FLAGS.data_dir)


def _trained_on(trained: "TrainConfig | None") -> dict[str, Any]:
    """What tables have to know of the training of a model."""
    names = ("source_languages", "target_examples")
    settings = trained.to_json() if trained is not None else {}
    return {name: settings[name] for name in names if settings.get(name)}


def _config_of_run() -> "TrainConfig | None":
    """Settings of the run; None for a preset, which does not say them."""
    from dlfa_tf.runs import settings

    try:
        return settings.read_config(FLAGS.model)
    except (FileNotFoundError, ValueError):
        return None


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
