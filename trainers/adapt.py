r"""Goes on with the training of an encoder, on text without labels.

The encoder learns to guess hidden pieces of text in the languages it will be
used on. Writes a preset that every program takes as --preset.

Example:
    python -m trainers.adapt --preset=e5_small_multi \
        --texts=de:wiki.txt,news-et.jsonl,FOLDER --steps=1000 \
        --output_dir=presets/e5-adapted --resume
"""

import sys

from absl import flags

from dlfa_tf.adapting.settings import SETTINGS
from dlfa_tf.adapting.settings import AdaptConfig
from trainers import common_flags
from trainers import setting_flags

FLAGS = flags.FLAGS
# What `--help` explains.
FIRST = (
    "preset",
    "texts",
    "steps",
    "output_dir",
    "resume",
)


def define_flags() -> None:
    """Defines the flags of this program."""
    setting_flags.define_settings(SETTINGS)
    flags.mark_flag_as_required("output_dir")
    flags.DEFINE_bool(
        "resume",
        False,
        "Go on with the adaptation in --output_dir if there is one, of the "
        "same settings; start it otherwise.",
    )
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(setting_flags)


def config_from_flags() -> AdaptConfig:
    """Turns the flags into a config."""
    values = setting_flags.values(SETTINGS)
    for name, declared in SETTINGS.items():
        if declared.zero_is_none:
            values[name] = values[name] or None
    return AdaptConfig(**values)


def main() -> None:
    """Turns the flags into a config and runs it."""
    config = config_from_flags()
    # Not at the top: a wrong flag should not wait for Keras.
    from dlfa_tf.adapting import adapt

    record = adapt.adapt(
        config,
        say=common_flags.say,
        verbose=1 if sys.stdout.isatty() else 2,
        resume=FLAGS.resume,
    )
    if not record:
        return
    for name, scores in record["languages"].items():
        before, after = scores["before"], scores["after"]
        common_flags.say(
            f"{name}: guessed right {before['accuracy']:.1f} % before, "
            f"{after['accuracy']:.1f} % after; loss {before['loss']:.3f}, "
            f"{after['loss']:.3f}"
        )
    common_flags.say(f"Preset: {config.output_dir}")


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main, FIRST)
