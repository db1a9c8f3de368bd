r"""Fine-tunes one system on a language and evaluates it on others.

Example:
    python -m trainers.train --task=pos --data_source=sample --epochs=4 \
        --learning_rate=3e-4 --fusion_layer=9 --output_dir=runs/pos-D_9 \
        --resume
"""

import sys
from collections.abc import Collection
from typing import Any

from absl import flags

from dlfa_tf.runs import settings
from dlfa_tf.runs.settings import TrainConfig
from trainers import bundle_flags
from trainers import common_flags
from trainers import setting_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "task",
    "data_dir",
    "recipe",
    "fusion_layer",
    "output_dir",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    define_run_flags()
    flags.DEFINE_bool(
        "resume",
        False,
        "Go on with the run in --output_dir if there is one, of the same "
        "settings; start it otherwise.",
    )
    flags.register_multi_flags_validator(
        ["task", "bundle"],
        lambda values: bool(values["task"] or values["bundle"]),
        message="--task is needed, or --bundle.",
    )
    setting_flags.refuse_gate_of_baseline()
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(setting_flags)
    flags.adopt_module_key_flags(bundle_flags)


def define_run_flags(without: Collection[str] = ()) -> None:
    """Defines the flags of a run, which a sweep of runs has too.

    `without` names settings that have no flag.
    """
    setting_flags.define_all(without)
    flags.mark_flag_as_required("output_dir")
    bundle_flags.define_run_flags()


def config_from_flags(**others: Any) -> TrainConfig:
    """Turns the flags, and settings that have none, into a config."""
    values = setting_flags.values()
    if FLAGS.bundle is not None:
        values.update(bundle_flags.settings_not_given(FLAGS.bundle))
    return settings.default_config(**{**values, **others})


def main() -> None:
    """Turns the flags into a config and runs it."""
    # Not at the top: a wrong flag should not wait for these.
    from dlfa_tf.runs import own_fusion

    config = config_from_flags()
    # Here and not where a model is built: a config that was read from a file
    # must not decide what is imported.
    own_fusion.import_layer(config.fusion)
    # Not at the top: a wrong flag should not wait for Keras,
    # nor should a wrong combination of them.
    from trainers import result_table

    results = _run(config)
    if results:
        result_table.print_results([results])
        common_flags.say(f"Results: {config.output_dir}/results.json")


def _run(config: TrainConfig) -> dict[str, Any]:
    # Not at the top: a wrong flag should not wait for Keras.
    from dlfa_tf.training import bundle
    from dlfa_tf.training import run
    from dlfa_tf.training.inputs import BundleInputs
    from dlfa_tf.training.inputs import Inputs

    inputs: Inputs | None = None
    if FLAGS.bundle is not None:
        inputs = BundleInputs(
            bundle.read_bundle(FLAGS.bundle), FLAGS.save_weights
        )
    return run.run(
        config,
        inputs,
        say=common_flags.say,
        verbose=1 if sys.stdout.isatty() else 2,
        resume=FLAGS.resume,
    )


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
