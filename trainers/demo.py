r"""Shows everything in a few minutes: from raw text to a served model.

Fine-tunes the baseline and a fused system (D_9, unless --fusion_layer says
otherwise) on the English sample that ships with the package, evaluates them on
languages they never saw labels for, draws a picture, exports the latter and
asks the export in a fresh process that knows nothing but TensorFlow. Finished
parts are kept: a second call goes on from them.

Example:
    python -m trainers.demo --task=pos
"""

import os
import pathlib
import subprocess
import sys
import time
from typing import Any

from absl import flags

from trainers import common_flags
from trainers import phases
from trainers import setting_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "task",
    "fusion_layer",
    "epochs",
    "output_dir",
)

# Chosen by score on the English dev part of the sample, within five minutes.
_RECIPES = {
    "pos": {"epochs": 4, "learning_rate": 3e-4},
    "ner": {"epochs": 10, "learning_rate": 3e-4},
    "pawsx": {"epochs": 8, "learning_rate": 1e-4},
    "xnli": {"epochs": 8, "learning_rate": 1e-4},
}
_ASK = "saved_models/ask.py"
# As the Makefile calls it; elsewhere the environment is in use.
_PYTHON = ".venv/bin/python" if ".venv" in sys.executable else "python"
_COMPARISON = "comparing their scores"
_SAVED_MODEL = "exporting the second as a SavedModel"
_QUESTION = "asking the export"
# Shares of the time of the first demo of POS, as measured on two cores.
_SHARES = {
    "fine-tuning the baseline, and scoring it in nine languages": 0.35,
    "the same with a lower block fused": 0.38,
    _COMPARISON: 0.02,
    _SAVED_MODEL: 0.2,
    _QUESTION: 0.05,
}
_TEXTS = {
    "tagging": (
        "Der Fluss stieg am Montag in Köln um zwei Meter .",
        "La médica llegó tarde a Madrid .",
        "Анна работает в Google .",
    ),
    "pair": (
        "Der Zug fährt um acht Uhr ab.",
        "Der Zug fährt am Morgen oder am Abend um acht ab.",
        "El museo cierra los lunes.",
        "El museo abre todos los días.",
    ),
}


def define_flags() -> None:
    """Defines the flags of this program."""
    setting_flags.define(
        "task",
        help="Task to show",
        default="pos",
        choices=tuple(_RECIPES),
        check=None,
    )
    setting_flags.define("preset", help="Encoder preset")
    setting_flags.define(
        "fusion_layer",
        help="Block that the second system fuses with the last one",
        default=9,
        unset="",
    )
    setting_flags.define("epochs", help="Passes over the sample", unset="")
    flags.DEFINE_string(
        "output_dir", None, "Folder of the runs; default runs/demo/TASK."
    )
    flags.DEFINE_string(
        "saved_models_dir", "saved_models", "Folder of the exported models."
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(setting_flags)


def main() -> None:
    """Shows all parts; after Ctrl-C, says how to go on."""
    try:
        _show()
    except KeyboardInterrupt:
        common_flags.say(
            "\nWhat is finished is kept: the same command goes on from there."
        )
        raise


def _show() -> None:
    """Runs the parts in order and says what each is doing."""
    started = time.monotonic()
    # TensorFlow's own pool for large buffers gives nothing back: what one part
    # needed would be kept through all later ones. Read when it is imported.
    # Not in every program: a run took 0.4 GiB less and trained 7 to 8 % longer
    # (docs/training.md).
    os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
    output = pathlib.Path(FLAGS.output_dir or f"runs/demo/{FLAGS.task}")
    _check_folders(output)
    common_flags.say(
        f"Demo of task {FLAGS.task}: a small sample, never a benchmark."
    )
    parts = phases.Phases(_SHARES, common_flags.say)
    runs = []
    for name, layer in zip(_SHARES, (None, FLAGS.fusion_layer), strict=False):
        with parts.phase(name):
            runs.append(_finished_or_run(output, layer))
    with parts.phase(_COMPARISON):
        from dlfa_tf.analysis.figures import drawing
        from trainers import result_table

        result_table.print_results(runs)
        picture = drawing.bars_by_language(runs, output / "scores.png")
    run_dir = output / runs[-1]["system"]
    with parts.phase(_SAVED_MODEL):
        folder = _export(run_dir)
    with parts.phase(_QUESTION):
        _ask(folder)
    base = output / runs[0]["system"]
    common_flags.say(
        f"\nResults and predictions: {output}/*/\nPicture: {picture}\n"
        f"SavedModel: {folder}\n"
        f"Done in {time.monotonic() - started:.0f} s. To go on:\n"
        f"  {_PYTHON} -m trainers.show --model={run_dir} --compare={base}\n"
        f"  {_PYTHON} -m trainers.analyze --runs_dir={output} "
        f"--output_dir={output}/tables\n"
        f"  {_PYTHON} -m trainers.train --help"
    )


def _check_folders(output: pathlib.Path) -> None:
    """Refuses folders that could not be made, before any part runs."""
    # Not at the top: a wrong flag should not wait for it.
    from dlfa_tf.runs import run_folder

    run_folder.check_parent_dir(str(output), "output_dir")
    run_folder.check_parent_dir(FLAGS.saved_models_dir, "saved_models_dir")


def _finished_or_run(output: pathlib.Path, layer: int | None) -> dict[str, Any]:
    """Results of one system: of an earlier demo, resumed, or of a new run."""
    from dlfa_tf.runs import memory
    from dlfa_tf.runs import names
    from dlfa_tf.runs import settings
    from dlfa_tf.training import run

    recipe: dict[str, Any] = dict(_RECIPES[FLAGS.task])
    if FLAGS.epochs is not None:
        recipe["epochs"] = FLAGS.epochs
    config = settings.default_config(
        FLAGS.task,
        output_dir=str(output / names.system_name(layer)),
        data_source="sample",
        preset=FLAGS.preset,
        fusion_layer=layer,
        **recipe,
    )
    verbose = 1 if sys.stdout.isatty() else 2
    results = run.run(
        config, say=common_flags.say, verbose=verbose, resume=True
    )
    # The run's model, or it stands beside the next one: Keras' models are freed
    # by this alone.
    memory.give_back()
    return results


def _export(run_dir: pathlib.Path) -> pathlib.Path:
    """Exports a run, or finds the export that an earlier demo made."""
    from dlfa_tf.runs import load
    from dlfa_tf.serving.export import export_module

    mark = run_dir / "exported_to.txt"
    if mark.is_file():
        folder = pathlib.Path(mark.read_text(encoding="utf-8").strip())
        if folder.is_dir():
            return folder
    common_flags.say(f"Exporting {run_dir.name} as a SavedModel")
    base = pathlib.Path(FLAGS.saved_models_dir) / f"demo_{FLAGS.task}"
    folder = export_module.export_saved_model(
        load.load_model(str(run_dir)), base
    )
    mark.write_text(f"{folder}\n", encoding="utf-8")
    return folder


def _ask(folder: pathlib.Path) -> None:
    """Asks the export in a process without this project and without Keras."""
    from dlfa_tf.data import tasks

    texts = _TEXTS[tasks.get_task(FLAGS.task).kind]
    script = pathlib.Path(__file__).parent.parent / _ASK
    common_flags.say(
        f"Asking the export in a fresh process ({_ASK} imports only "
        "tensorflow and tensorflow_text):"
    )
    command = [sys.executable, str(script), str(folder), *texts]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(f"The export did not answer: {done.stderr[-2000:]}")
    common_flags.say(done.stdout.rstrip())


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
