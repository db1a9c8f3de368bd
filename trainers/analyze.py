r"""Turns finished runs into the paper's tables, pictures and a report.

Example:
    python -m trainers.analyze --runs_dir=runs --output_dir=tables \
        --data_dir=DIR
"""

import dataclasses
import pathlib
import shlex
from typing import Any

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "runs_dir",
    "output_dir",
    "data_dir",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string(
        "runs_dir",
        None,
        "Folder with finished runs at any depth.",
        required=True,
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for tables, pictures and report.html; new or empty.",
        required=True,
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of the benchmark files that the runs were scored on, for "
        "intervals and the analysis of errors (runs on the shipped sample "
        "need none).",
    )
    flags.DEFINE_list(
        "tasks",
        None,
        "Tasks to show, names or files; default all that have runs.",
    )
    flags.DEFINE_list(
        "systems",
        None,
        "Systems to show besides the baseline, such as D_6,D_11; default all.",
    )
    flags.DEFINE_integer(
        "num_samples",
        1000,
        "Draws of test items and seeds behind an interval.",
        lower_bound=100,
    )
    flags.DEFINE_bool(
        "errors",
        True,
        "Analyse errors too, where gold labels are at hand (see --data_dir).",
    )
    flags.DEFINE_integer(
        "model_items",
        0,
        "Examples per language to put through every model, for Table 3, gates "
        "and sentence vectors; kept in the run folders. Default 0: no model "
        "is loaded.",
        lower_bound=0,
    )
    flags.DEFINE_bool(
        "compare_published",
        False,
        "Print own means and spreads beside the paper's figures, cell by "
        "cell, and put them into the report too.",
    )
    flags.DEFINE_bool(
        "check_data",
        False,
        "Look at the data too, as trainers.prepare --check does.",
    )
    common_flags.define_import_flag()
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Reads the runs and writes what they say."""
    # Not at the top: a wrong flag should not wait for pandas.
    from dlfa_tf.analysis import analysis
    from dlfa_tf.analysis import run_index
    from dlfa_tf.analysis.report import data_report
    from dlfa_tf.analysis.report import error_report
    from dlfa_tf.analysis.report import model_report
    from dlfa_tf.analysis.report import runs_report
    from dlfa_tf.data import doctor
    from dlfa_tf.data import tasks
    from dlfa_tf.runs import run_folder
    from trainers import result_table

    run_folder.check_output_dir(FLAGS.output_dir)
    common_flags.import_modules()
    output = pathlib.Path(FLAGS.output_dir)
    wanted = FLAGS.tasks and [
        tasks.find_task(x).name if tasks.is_task_file(x) else x
        for x in FLAGS.tasks
    ]
    index = run_index.load_runs(FLAGS.runs_dir).select(wanted, FLAGS.systems)
    common_flags.say(f"{len(index.runs)} finished runs")
    found = analysis.analyze(
        index, FLAGS.data_dir, num_samples=FLAGS.num_samples
    )
    result_table.print_paper_table(found.tables[0])
    if FLAGS.compare_published:
        found = _with_comparison(found)
        result_table.print_paper_table(found.tables[-1])
    for note in found.notes:
        common_flags.say(note)
    extra = []
    for task, source in found.sources.items():
        if not FLAGS.errors or source is None or task in found.no_items:
            continue
        common_flags.say(f"analysing the errors of {task}")
        extra.append(
            error_report.error_section(found.scores[task], source, output)
        )
    for task, source in found.sources.items():
        if FLAGS.check_data and source is not None:
            common_flags.say(f"looking at the data of {task}")
            checkup = doctor.check_data(source)
            extra.append(data_report.data_section(checkup, output))
    if FLAGS.model_items:
        common_flags.say("reading models, or what earlier calls kept of them")
        extra.append(
            model_report.model_section(found, output, FLAGS.model_items)
        )
    report = runs_report.write_report(
        found, output, extra=extra, command=_command()
    )
    common_flags.say(f"Written: {report}, {output}/tables/, {output}/figures/")


def _with_comparison(found: Any) -> Any:
    from dlfa_tf.analysis.tables import published_comparison

    table = published_comparison.published_comparison(
        found.summary, found.index.runs
    )
    return dataclasses.replace(found, tables=(*found.tables, table))


def _command() -> str:
    given = [FLAGS[x].serialize() for x in sorted(FLAGS) if FLAGS[x].present]
    return shlex.join(["python", "-m", "trainers.analyze", *given])


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
