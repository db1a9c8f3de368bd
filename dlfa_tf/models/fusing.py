"""The ways to fuse blocks of an encoder, by name or as a layer of one's own."""

import inspect
import re
from typing import Any

import keras

from dlfa_tf import checks
from dlfa_tf.layers.dlfa import DLFA
from dlfa_tf.layers.scalar_mix import ScalarMix
from dlfa_tf.options import FUSIONS
from dlfa_tf.types import Config

# A model is data: what it names is shown only where it is no more than a name.
_NAME = re.compile(r"[\w.>]{1,100}")


def check_fusion(fusion: Any, fusion_layer: int | None) -> Any:
    """Refuses an unknown fusion, or one without the block that it needs.

    Returns a name as it is, and the layer for a layer or its configuration. A
    layer must take `padding_mask` and be registered; the class of a layer
    raises TypeError.
    """
    if isinstance(fusion, type):
        raise TypeError(
            f"`fusion` must be a layer. Received: the class {fusion.__name__}. "
            f"Accepted: an instance, {fusion.__name__}()."
        )
    if isinstance(fusion, dict):
        fusion = _deserialize(fusion)
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
        checks.check_choice("fusion", fusion, FUSIONS)
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


def _deserialize(saved: Config) -> Any:
    """Rebuilds a saved layer, whose class has to be imported already.

    Keras raises TypeError, and puts the whole configuration around it at
    every level of the model; ValueError comes through as it is.
    """
    try:
        return keras.saving.deserialize_keras_object(saved)
    except TypeError as error:
        name, module = (
            str(x) if _NAME.fullmatch(str(x)) else "(not readable)"
            for x in (
                saved.get("registered_name") or saved.get("class_name"),
                saved.get("module"),
            )
        )
        if keras.saving.get_registered_object(name) is None:
            raise ValueError(
                f"The model uses the layer {name}, which is not registered. "
                "Accepted: import the module that defines it first, in "
                "programs with --import_module=MODULE (the model says it was "
                f"{module})."
            ) from error
        raise ValueError(
            f"The layer {name} of the model cannot be rebuilt from what its "
            "get_config returned. Accepted: a constructor that takes all of "
            f"it. {' '.join(str(error).split())[-200:]}"
        ) from error


def check_registered(layer: Any) -> None:
    """Refuses a layer that a saved model could not be loaded with."""
    if isinstance(layer, str):
        return
    cls = type(layer)
    name = keras.saving.get_registered_name(cls)
    if keras.saving.get_registered_object(name) is cls:
        return
    if cls.__module__.startswith("keras."):
        return
    raise ValueError(
        f"The layer {cls.__name__} is not registered, so that a model with it "
        "could not be loaded again. Accepted: a class under "
        '@keras.saving.register_keras_serializable(package="my_package").'
    )


def fused_output(
    fusion: Any,
    states: list[Any],
    fusion_layer: int | None,
    mask: Any,
    options: Config,
    policy: Any,
) -> Any:
    """Applies a fusion, as `check_fusion` returned it, to hidden states.

    `"dlfa"` is equation 2, and without a `fusion_layer` the baseline; `"mean"`
    the plain mean of the two blocks; `"scalar_mix"` a learned weighted mean of
    all blocks without the embeddings; a layer is called as
    `layer(low, high, padding_mask=mask)`. `states` are `(batch, time, dim)`,
    embeddings first, the last block last; the result is as one of them, or the
    layer is refused. `options` are arguments of `DLFA`, checked whatever the
    fusion.
    """
    # Its constructor checks the options; it makes no weights.
    dlfa = DLFA(**options, dtype=policy, name="dlfa")
    if fusion == "scalar_mix":
        return ScalarMix(dtype=policy, name="scalar_mix")(states[1:])
    if fusion_layer is None:
        return states[-1]
    low, high = states[fusion_layer], states[-1]
    if fusion == "mean":
        return keras.layers.Average(dtype=policy, name="mean")([low, high])
    if fusion == "dlfa":
        return dlfa(low, high, mask=mask)
    output = fusion(low, high, padding_mask=mask)
    shape = getattr(output, "shape", None)
    if (
        shape is None
        or len(shape) != 3
        or shape[1] not in (high.shape[1], None)
        or shape[2] != high.shape[2]
    ):
        received = type(output).__name__ if shape is None else tuple(shape)
        raise ValueError(
            "`fusion` must return a tensor of the shape of the two blocks. "
            f"Received: {received} from the {type(fusion).__name__} "
            f"{fusion.name!r}. Accepted: {tuple(high.shape)}, which is (batch, "
            "time, width)."
        )
    return output
