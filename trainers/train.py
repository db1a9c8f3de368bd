r"""Fine-tunes one system on English and evaluates it on other languages.

Example:
    python -m trainers.train --task=pos --data_source=files --data_dir=DIR \
        --fusion_layer=9 --output_dir=runs/pos-D_9
"""

import sys

from absl import flags

from trainers import common_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    common_flags.define_task_flags()
    common_flags.define_evaluation_flags()
    flags.DEFINE_string(
        "output_dir", None, "Run folder; new or empty.", required=True
    )
    flags.DEFINE_string(
        "preset",
        "e5_small_multi",
        "Encoder: e5_small_multi, bert_base_multi, a keras-hub preset, a "
        "local preset folder, an hf:// or kaggle:// handle.",
    )
    flags.DEFINE_integer(
        "fusion_layer",
        None,
        "Block fused with the last one: 1 is the first block; default none, "
        "the baseline.",
        lower_bound=0,
    )
    common_flags.define_choice(
        "gate",
        "feature",
        ("feature", "attention"),
        "Gate of the fusion: `feature` as equation 2 is written, `attention` "
        "the sigmoid alone.",
    )
    common_flags.define_choice(
        "norm", "layer", ("layer", "batch", "none"), "Norm in the branches."
    )
    flags.DEFINE_integer(
        "reduction_ratio", 4, "Divisor of the branches' width.", lower_bound=1
    )
    common_flags.define_label_piece_flag()
    _define_recipe_flags()
    # --help shows the flags of the main module and those it adopts.
    flags.adopt_module_key_flags(common_flags)


def _define_recipe_flags() -> None:
    flags.DEFINE_integer(
        "epochs",
        None,
        "Passes over the training data; default the task's (XTREME scripts).",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "batch_size",
        None,
        "Rows per step over all replicas; default 32 (XTREME scripts).",
        lower_bound=1,
    )
    flags.DEFINE_float(
        "learning_rate",
        None,
        "Learning rate of the first step, falls linearly to 0; default 2e-5 "
        "(XTREME scripts).",
        lower_bound=0.0,
    )
    flags.DEFINE_float(
        "dropout", 0.1, "Dropout before the last layer.", 0.0, 0.99
    )
    flags.DEFINE_integer(
        "sequence_length",
        128,
        "Pieces per row, special ones included (XTREME scripts).",
        lower_bound=8,
    )
    flags.DEFINE_integer(
        "dev_every",
        None,
        "Steps between scores on English dev; default once an epoch.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "train_limit",
        None,
        "Training examples to use, from a seeded shuffle; default all.",
        lower_bound=1,
    )
    flags.DEFINE_integer("seed", 1, "Seed of weights, dropout and order.")
    common_flags.define_choice(
        "precision",
        "float32",
        ("float32", "mixed_bfloat16", "mixed_float16"),
        "Dtype policy.",
    )
    flags.DEFINE_bool(
        "compact_vocabulary",
        True,
        "Train on the embedding rows in use only (exact without weight decay).",
    )


_CONFIG_FLAGS = (
    "task", "output_dir", "data_source", "data_dir", "preset", "fusion_layer",
    "gate", "norm", "reduction_ratio", "label_piece", "sequence_length",
    "dropout", "epochs", "batch_size", "learning_rate", "dev_every",
    "train_limit", "eval_limit", "eval_split", "seed", "precision",
    "compact_vocabulary",
)  # fmt: skip


def main() -> None:
    """Turns the flags into a config and runs it."""
    # Not at the top: a wrong flag should not wait for TensorFlow.
    from dlfa_tf.training.config import default_config

    values = {name: FLAGS[name].value for name in _CONFIG_FLAGS}
    config = default_config(
        str(values.pop("task")), languages=tuple(FLAGS.languages), **values
    )
    # Nor should a wrong combination of them.
    from dlfa_tf.training.loop import run
    from trainers.result_table import print_results

    results = run(
        config, say=common_flags.say, verbose=1 if sys.stdout.isatty() else 2
    )
    print_results([results])
    common_flags.say(f"Results: {config.output_dir}/results.json")


if __name__ == "__main__":
    define_flags()
    common_flags.run_program(main)
