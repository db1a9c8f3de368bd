r"""Exports a trained model as a SavedModel that takes raw strings.

Example:
    python -m trainers.export --model=runs/pos-D_9 --name=pos
"""

import pathlib

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_string(
        "model", None, "Run folder or saved task preset.", required=True
    )
    flags.DEFINE_string(
        "name", None, "Name of the model in the server.", required=True
    )
    flags.DEFINE_string(
        "saved_models_dir", "saved_models", "Folder of the exported models."
    )
    flags.DEFINE_integer(
        "version",
        None,
        "Version of the export; default the next free one.",
        lower_bound=1,
    )
    flags.register_validator(
        "name",
        lambda name: name and name not in (".", "..") and "/" not in name,
        message="Accepted: a folder name without '/'.",
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def main() -> None:
    """Loads the model and writes the export."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.serving.export_module import export_saved_model
    from dlfa_tf.training.model_files import load_model

    base = pathlib.Path(FLAGS.saved_models_dir) / FLAGS.name
    model = load_model(FLAGS.model)
    common_flags.say("Writing the SavedModel")
    folder = export_saved_model(model, base, FLAGS.version)
    common_flags.say(f"Exported to {folder}")


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
