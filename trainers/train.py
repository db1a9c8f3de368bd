r"""Fine-tunes one system on English and evaluates it on other languages.

Example:
    python -m trainers.train --task=pos --data_source=files --data_dir=DIR \
        --fusion_layer=9 --output_dir=runs/pos-D_9 --resume
"""

import sys
from typing import TYPE_CHECKING
from typing import Any

from absl import flags

from trainers import bundle_flags
from trainers import common_flags
from trainers import fusion_flags

if TYPE_CHECKING:
    from dlfa_tf.runs.settings import TrainConfig

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    define_run_flags()
    flags.register_multi_flags_validator(
        ["task", "bundle"],
        lambda values: bool(values["task"] or values["bundle"]),
        message="--task is needed, or --bundle.",
    )
    fusion_flags.refuse_gate_of_baseline()
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)
    flags.adopt_module_key_flags(fusion_flags)
    flags.adopt_module_key_flags(bundle_flags)


def define_run_flags() -> None:
    """Defines the flags of a run, which a sweep of runs has too."""
    common_flags.define_task_flags(required=False)
    common_flags.define_evaluation_flags(limit_default="the recipe's")
    bundle_flags.define_run_flags()
    flags.DEFINE_string(
        "output_dir", None, "Run folder; new or empty.", required=True
    )
    flags.DEFINE_string(
        "preset",
        "e5_small_multi",
        "Encoder: e5_small_multi, bert_base_multi, a keras-hub preset, a "
        "local preset folder, an hf:// or kaggle:// handle.",
    )
    fusion_flags.define_fusion_flags()
    common_flags.define_label_piece_flag()
    _define_recipe_flags()
    _define_engine_flags()


def _define_engine_flags() -> None:
    flags.DEFINE_bool(
        "resume",
        False,
        "Go on with the run in --output_dir if there is one, of the same "
        "settings; start it otherwise.",
    )
    common_flags.define_choice(
        "strategy",
        "auto",
        ("auto", "one_device", "mirrored", "multi_worker"),
        "Where to train: one device, all GPUs of this machine, or the "
        "machines in TF_CONFIG.",
    )
    common_flags.define_choice(
        "precision",
        "float32",
        ("float32", "mixed_bfloat16", "mixed_float16", "auto"),
        "Dtype policy; `auto` is mixed_bfloat16 where the hardware has it.",
    )
    flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
    flags.DEFINE_float(
        "checkpoint_minutes",
        10.0,
        "Minutes between two checkpoints; 0 is after every step.",
        lower_bound=0.0,
    )
    flags.DEFINE_integer(
        "keep_checkpoints", 2, "Newest checkpoints to keep.", lower_bound=1
    )


def _define_recipe_flags() -> None:
    common_flags.define_choice(
        "recipe",
        "xtreme",
        ("xtreme", "paper2epoch", "quick", "e5_small"),
        "Named settings by task, which the other flags override.",
    )
    flags.DEFINE_integer(
        "epochs",
        None,
        "Passes over the training data; default the recipe's for the task.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "batch_size",
        None,
        "Rows per step over all replicas; default the recipe's (32).",
        lower_bound=1,
    )
    flags.DEFINE_float(
        "learning_rate",
        None,
        "Highest learning rate, falls linearly to 0; default the recipe's "
        "(2e-5 for xtreme).",
        lower_bound=0.0,
    )
    flags.DEFINE_integer(
        "warmup_steps",
        None,
        "Steps in which the rate rises from 0 first; default the recipe's (0 "
        "for xtreme).",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "weight_decay",
        None,
        "Weight decay of AdamW; default 0 (XTREME scripts); another value "
        "needs --nocompact_vocabulary.",
        lower_bound=0.0,
    )
    flags.DEFINE_float(
        "adam_epsilon",
        None,
        "Epsilon of AdamW; default 1e-8 (XTREME scripts).",
        lower_bound=0.0,
    )
    flags.DEFINE_float(
        "clip_norm",
        None,
        "Limit of the global gradient norm; default 1 (XTREME scripts).",
        lower_bound=0.0,
    )
    flags.DEFINE_float(
        "dropout",
        None,
        "Dropout before the last layer; default 0.1.",
        0.0,
        0.99,
    )
    flags.DEFINE_integer(
        "sequence_length",
        None,
        "Pieces per row, special ones included, at most the encoder's "
        "positions; default 128 (XTREME scripts).",
        lower_bound=8,
    )
    flags.DEFINE_integer(
        "dev_every",
        None,
        "Steps between scores on English dev; 0 is once an epoch; default the "
        "recipe's.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "train_limit",
        None,
        "Training examples to use, from one fixed shuffle; 0 is all; default "
        "the recipe's.",
        lower_bound=0,
    )
    flags.DEFINE_integer("seed", 1, "Seed of weights, dropout and order.")
    flags.DEFINE_bool(
        "compact_vocabulary",
        True,
        "Train on the embedding rows in use only (exact without weight decay).",
    )


_CONFIG_FLAGS = (
    *fusion_flags.NAMES, "output_dir", "data_source", "data_dir", "preset",
    "label_piece", "sequence_length", "dropout", "epochs", "batch_size",
    "learning_rate", "warmup_steps",
    "weight_decay", "adam_epsilon", "clip_norm", "dev_every", "train_limit",
    "eval_limit", "eval_split", "seed", "precision", "compact_vocabulary",
    "jit_compile", "strategy", "checkpoint_minutes", "keep_checkpoints",
)  # fmt: skip


def config_from_flags(**others: Any) -> "TrainConfig":
    """Turns the flags into a config.

    Args:
        **others: settings that do not come from flags.

    Returns:
        `TrainConfig`.
    """
    # Not at the top: a wrong flag should not wait for it.
    from dlfa_tf.runs import settings

    names = ("task", "recipe", "languages", *_CONFIG_FLAGS)
    values: dict[str, Any] = {
        name: FLAGS[name].value for name in names if name not in others
    }
    if FLAGS.bundle is not None:
        values.update(bundle_flags.settings_not_given(FLAGS.bundle))
    values.update(others)
    values["languages"] = tuple(values["languages"])
    return settings.default_config(**values)


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


def _run(config: "TrainConfig") -> dict[str, Any]:
    verbose = 1 if sys.stdout.isatty() else 2
    if FLAGS.bundle is not None:
        return bundle_flags.run_on_bundle(config, verbose)
    from dlfa_tf.training import loop

    return loop.run(
        config, say=common_flags.say, verbose=verbose, resume=FLAGS.resume
    )


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
