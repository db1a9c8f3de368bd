"""The ways to fuse blocks of an encoder, by name or as a layer of one's own."""

import inspect
from typing import Any

import keras

from dlfa_tf.layers.argument_checks import check_choice
from dlfa_tf.layers.dlfa import DLFA
from dlfa_tf.layers.scalar_mix import ScalarMix
from dlfa_tf.types import Config

FUSIONS = ("dlfa", "mean", "scalar_mix")


def check_fusion(fusion: Any, fusion_layer: int | None) -> Any:
    """Refuses an unknown fusion, or one without the block that it needs.

    Args:
        fusion: name, Keras layer, or the configuration of a layer.
        fusion_layer: int or None.

    Returns:
        The name or the layer.

    Raises:
        ValueError: for an unknown name, a layer that takes no
            `padding_mask`, and when `fusion_layer` is missing or one too
            many.
    """
    if isinstance(fusion, dict):
        fusion = keras.saving.deserialize_keras_object(fusion)
    if isinstance(fusion, keras.layers.Layer):
        # Not `mask`: Keras would attach it to the output, and carry it into
        # loss and metrics, or warn that the layer destroys it.
        if "padding_mask" not in inspect.signature(fusion.call).parameters:
            raise ValueError(
                "`fusion` must be a layer with `call(low, high, "
                f"padding_mask)`. Received: a {type(fusion).__name__} with "
                f"call{inspect.signature(fusion.call)}. For another DLFA pass "
                "its options, such as `gate`."
            )
    else:
        check_choice("fusion", fusion, FUSIONS)
    if fusion == "scalar_mix":
        if fusion_layer is not None:
            raise ValueError(
                '`fusion_layer` must be None with `fusion="scalar_mix"`, '
                f"which mixes all blocks. Received: {fusion_layer}."
            )
    elif fusion != "dlfa" and fusion_layer is None:
        raise ValueError(
            f"`fusion_layer` is needed with `fusion={fusion!r}`. Received: "
            "None. Accepted: the number of the block to fuse with the last."
        )
    return fusion


def fused_output(
    fusion: Any,
    states: list[Any],
    fusion_layer: int | None,
    mask: Any,
    options: Config,
    policy: Any,
) -> Any:
    """Applies a fusion to hidden states.

    Args:
        fusion: what `check_fusion` returned. `"dlfa"` is equation 2; `"mean"`
            the plain mean of the two blocks; `"scalar_mix"` a learned
            weighted mean of all blocks without the embeddings; a layer is
            called as `layer(low, high, padding_mask=mask)`.
        states: list of KerasTensors `(batch, time, dim)`, embeddings first,
            the last block last.
        fusion_layer: int or None; None with `"dlfa"` is the baseline.
        mask: KerasTensor `(batch, time)`.
        options: arguments of `DLFA`.
        policy: dtype policy of new layers.

    Returns:
        KerasTensor `(batch, time, dim)`.
    """
    if fusion == "scalar_mix":
        return ScalarMix(dtype=policy, name="scalar_mix")(states[1:])
    if fusion_layer is None:
        return states[-1]
    low, high = states[fusion_layer], states[-1]
    if fusion == "mean":
        return keras.layers.Average(dtype=policy, name="mean")([low, high])
    if fusion == "dlfa":
        return DLFA(**options, dtype=policy, name="dlfa")(low, high, mask=mask)
    return fusion(low, high, padding_mask=mask)
