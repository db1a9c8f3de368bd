"""Flags that say which system is trained: what is fused, and how."""

from typing import Any

from absl import flags

from trainers import common_flags

# Names of the flags that are settings of a run.
NAMES = (
    "fusion_layer", "gate", "norm", "reduction_ratio", "mix_factor",
    "branches", "initial_gate", "output_norm", "fusion", "last_layer",
    "frozen_layers", "sentence_pooling", "pooler", "new_layer_rate",
)  # fmt: skip
# Those of the gate, which only equation 2 has.
_OF_THE_GATE = (
    "gate", "norm", "reduction_ratio", "mix_factor", "branches",
    "initial_gate", "output_norm",
)  # fmt: skip


class _BlockParser(flags.IntegerParser):
    """Reads the number of a block, also as the name of its system."""

    syntactic_help = "a block number such as 9, or D_9"

    def convert(self, argument: int | str) -> int:
        try:
            return super().convert(str(argument).strip().removeprefix("D_"))
        except ValueError:
            raise ValueError(
                "not a block. Accepted: the number of a block such as 9, or "
                "D_9 for the same; leave the flag out for the baseline."
            ) from None


def define_fusion_flags() -> None:
    """Defines the flags in `NAMES`."""
    flags.DEFINE(
        _BlockParser(lower_bound=0),
        "fusion_layer",
        None,
        "Block fused with the last one: 1 is the first block, and D_1 its "
        "system; default none, the baseline.",
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
    flags.DEFINE_float(
        "mix_factor",
        1.0,
        "Factor of the mix; 1 is equation 2, the vision ancestor has 2.",
        lower_bound=0.0,
    )
    common_flags.define_choice(
        "branches", "both", ("both", "local", "global"), "Branches of the gate."
    )
    flags.DEFINE_float(
        "initial_gate",
        None,
        "Where the gate's sigmoid starts, above 0 and below 1; default a "
        "random start.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    common_flags.define_choice(
        "output_norm", "none", ("none", "layer"), "Norm of the fused output."
    )
    flags.DEFINE_string(
        "fusion",
        "dlfa",
        "<dlfa|mean|scalar_mix|MODULE:CLASS>: Equation 2; the plain mean of "
        "two blocks; a learned weighted mean of all blocks, which takes no "
        "--fusion_layer; or a layer of your own, whose module is imported "
        "from the current folder or PYTHONPATH.",
    )
    flags.register_validator("fusion", _check_fusion)
    _define_encoder_flags()
    flags.DEFINE_float(
        "new_layer_rate",
        1.0,
        "Factor of the learning rate for fusion, new pooler and head.",
        lower_bound=0.0,
    )


def _check_fusion(value: str) -> bool:
    # Not at the top: flags are defined by importing nothing of the library.
    from dlfa_tf.runs import own_fusion

    try:
        own_fusion.check_fusion_name(value)
    except ValueError as error:
        raise flags.ValidationError(str(error)) from error
    return True


def refuse_gate_of_baseline() -> None:
    """Makes options of a gate an error where --fusion_layer was forgotten.

    For a program that trains one system. A sweep hands the same options to
    all systems, and names the fusion of each: --fusion=dlfa without a block
    is a baseline that was meant.
    """

    def check(values: dict[str, Any]) -> bool:
        given = [f"--{x}" for x in _OF_THE_GATE if flags.FLAGS[x].present]
        fused = values["fusion_layer"] is not None
        if fused or flags.FLAGS["fusion"].present or not given:
            return True
        raise flags.ValidationError(
            f"without --fusion_layer the baseline is trained, which has no "
            f"gate. Received: {', '.join(given)}. Accepted: --fusion_layer=9 "
            "or another block with them; none of them for the baseline."
        )

    flags.register_multi_flags_validator(["fusion_layer", "fusion"], check)


def _define_encoder_flags() -> None:
    flags.DEFINE_integer(
        "last_layer",
        None,
        "Block that counts as the last one; default the last there is.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "frozen_layers",
        None,
        "Lowest blocks that are not trained, with the embeddings; default "
        "none is frozen.",
        lower_bound=0,
    )
    common_flags.define_choice(
        "sentence_pooling",
        "first",
        ("first", "mean"),
        "What a classifier reads: position 0, or the mean over real tokens.",
    )
    common_flags.define_choice(
        "pooler",
        "encoder",
        ("encoder", "identity", "new", "none"),
        "A classifier's dense layer with tanh: the encoder's own, one that "
        "starts as the identity or at random, or none.",
    )
