r"""Evaluates a trained model on any languages, without training.

Example:
    python -m trainers.evaluate --model=runs/pos-D_9 --task=pos \
        --data_dir=DIR --languages=de,zh --output_dir=runs/pos-D_9-dev \
        --eval_split=dev
"""

import pathlib

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    common_flags.define_task_flags()
    common_flags.define_evaluation_flags()
    flags.DEFINE_string(
        "model", None, "Run folder or saved task preset.", required=True
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for results.json and predictions/; new or empty.",
        required=True,
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Loads the model and scores it language by language."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.data.sources import Source
    from dlfa_tf.data.tasks import get_task
    from dlfa_tf.evaluation.run_folder import check_output_dir
    from dlfa_tf.evaluation.zero_shot import choose_files
    from dlfa_tf.training.loop import evaluate_model
    from dlfa_tf.training.loop import load_model
    from trainers.result_table import print_results

    check_output_dir(FLAGS.output_dir)
    source = Source(
        task=get_task(FLAGS.task),
        name=FLAGS.data_source,
        data_dir=FLAGS.data_dir,
    )
    files = choose_files(source, tuple(FLAGS.languages), FLAGS.eval_split)
    model = load_model(FLAGS.model)
    results = evaluate_model(
        model,
        source,
        files,
        model_folder=FLAGS.model,
        limit=FLAGS.eval_limit,
        run_dir=pathlib.Path(FLAGS.output_dir),
        say=common_flags.say,
    )
    print_results([results])
    common_flags.say(f"Results: {FLAGS.output_dir}/results.json")


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
