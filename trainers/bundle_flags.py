"""Flags of bundles: one file with all that runs of a task need."""

import pathlib
from typing import Any

from absl import flags

from dlfa_tf.runs import settings
from dlfa_tf.runs.settings import SETTINGS
from trainers import common_flags
from trainers import setting_flags

FLAGS = flags.FLAGS
_FORMATS = ("auto", "q4", "float16", "float32")


def define_run_flags() -> None:
    """Defines the flags of a program that runs on a bundle."""
    flags.DEFINE_string(
        "bundle",
        None,
        "File that trainers.prepare --bundle wrote, to run on instead of data "
        "and preset; its settings are taken where no flag says otherwise.",
    )
    flags.DEFINE_bool(
        "save_weights",
        True,
        "Keep the trained weights of a run on a bundle (about 100 MB with "
        "e5_small_multi).",
    )
    flags.register_multi_flags_validator(
        ["save_weights", "bundle"],
        lambda values: values["save_weights"] or bool(values["bundle"]),
        message="--nosave_weights needs --bundle: other runs always keep their "
        "model/.",
    )


def define_make_flags() -> None:
    """Defines the flags of the program that makes a bundle."""
    flags.DEFINE_string(
        "bundle",
        None,
        "File to write all into that runs of the task need (needs --preset); "
        "must not exist.",
    )
    common_flags.define_choice(
        "bundle_weights",
        "auto",
        _FORMATS,
        "Numbers of the encoder in the bundle; `auto` is 4 bits where that "
        "loses nothing (e5_small_multi), else float16.",
    )
    setting_flags.define("source_languages", "target_examples")
    setting_flags.define(
        "train_limit",
        help="Training examples in the bundle, from one fixed shuffle; 0 is "
        "all",
        unset="all",
    )


def settings_not_given(bundle: str) -> dict[str, Any]:
    """Settings of a bundle that no flag says anything of."""
    from dlfa_tf.training import bundle_file

    _, meta = bundle_file.read_bundle_meta(bundle)
    return {
        # No limit; None would leave it to the recipe.
        name: 0
        if value is None and SETTINGS[name].zero_is_none
        else SETTINGS[name].from_json(value)
        for name, value in meta["settings"].items()
        if name not in FLAGS or not FLAGS[name].present
        # A task that is named is not the bundle's, or said to be.
        if name != "definition"
        or not FLAGS["task" if "task" in FLAGS else "tasks"].present
    }


def make_from_flags() -> None:
    """Makes the bundle that the flags ask for."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.training import bundle

    config = settings.default_config(output_dir="", **setting_flags.values())
    meta = bundle.make_bundle(
        config, FLAGS.bundle, FLAGS.bundle_weights, common_flags.say
    )
    packed = meta["packed"]
    # A slash at the end of a file's name is read over as it is written.
    size = pathlib.Path(FLAGS.bundle).stat().st_size
    loss = "exact" if packed["exact"] else "rounded"
    common_flags.say(
        f"Bundle: {FLAGS.bundle}, {size / 1e6:.1f} "
        f"MB, weights {packed['format']} ({loss}), SHA-256 of the content "
        f"{meta['sha256']}"
    )
