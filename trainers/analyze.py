r"""Puts finished runs beside each other: a table and a picture.

Example:
    python -m trainers.analyze --runs=runs/pos-baseline,runs/pos-D_9 \
        --output_dir=runs/pos-tables --data_dir=DIR
"""

import pathlib
from typing import Any

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_list(
        "runs",
        None,
        "Run folders that hold results.json, separated by commas.",
        required=True,
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for table.md and scores.png; new or empty.",
        required=True,
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of the data that the runs were evaluated on; when given, every "
        "run is compared with the first by a paired bootstrap over test items.",
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Reads the results and writes the table and the picture."""
    # Not at the top: a wrong flag should not wait for Keras.
    from dlfa_tf.evaluation.figures import bars_by_language
    from dlfa_tf.evaluation.run_folder import check_output_dir
    from dlfa_tf.evaluation.run_folder import read_results
    from dlfa_tf.evaluation.run_folder import write_text
    from dlfa_tf.evaluation.tables import markdown_table
    from dlfa_tf.evaluation.tables import score_table
    from trainers.result_table import print_results

    check_output_dir(FLAGS.output_dir)
    runs = [read_results(folder) for folder in FLAGS.runs]
    output = pathlib.Path(FLAGS.output_dir)
    print_results(runs)
    write_text(output / "table.md", markdown_table(score_table(runs)))
    bars_by_language(runs, output / "scores.png")
    if FLAGS.data_dir is not None:
        _compare(runs[0]["config"])
    common_flags.say(f"Written: {output}/table.md, {output}/scores.png")


def _compare(config: dict[str, Any]) -> None:
    """Prints the interval of every run's difference from the first."""
    from dlfa_tf.data.sources import Source
    from dlfa_tf.data.tasks import get_task
    from dlfa_tf.evaluation.compare import compare_runs

    source = Source(
        task=get_task(config["task"]), name="files", data_dir=FLAGS.data_dir
    )
    first, *others = FLAGS.runs
    for other in others:
        result = compare_runs(first, other, source)
        common_flags.say(
            f"{other} minus {first}, mean over languages without en: "
            f"{result['difference']:+.2f}, 95 % of draws of test items in "
            f"[{result['low']:+.2f}, {result['high']:+.2f}]; the spread over "
            "seeds is not in it."
        )


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
