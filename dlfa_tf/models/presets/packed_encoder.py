"""An encoder in little room: only some embedding rows, 4-bit blocks."""

import math
from typing import Any

import keras
import keras_hub
import numpy as np

from dlfa_tf.models import large_weights
from dlfa_tf.models.presets import q4_blocks

FORMATS = ("auto", "q4", "float16", "float32")
# What reads a vector of the encoder's width: several heads come after it.
_READS_WIDTH = ("/query/kernel", "/key/kernel", "/value/kernel")


def pack_encoder(
    encoder: keras_hub.models.Backbone, rows: np.ndarray, weights: str = "auto"
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Takes an encoder apart into plain values and small arrays.

    `q4` holds kernels and token embeddings in blocks of 4 bits, 4.5 bits a
    number, and the rest (biases, norms, positions) in float32. For weights that
    were in such blocks before, as those of `e5_small_multi`, this loses
    nothing; for others it rounds. Other formats are `float16`, `float32` and
    `auto`: q4 where it loses nothing, else float16.

    `rows` are those of the token embedding to keep, in order. The plain values
    are `encoder` (its config), `format`, `exact` (whether every number is kept)
    and `weights` (path and shape of each).
    """
    if weights not in FORMATS:
        raise ValueError(
            f"`weights` is unknown. Received: {weights!r}. Accepted: "
            f"{', '.join(FORMATS)}."
        )
    values = [(v.path, _rows_in_use(encoder, v, rows)) for v in encoder.weights]
    if weights == "auto":
        packed = _pack_all(values, "q4")
        weights = "q4" if packed[1] else "float16"
    arrays, exact = _pack_all(values, weights)
    config = keras.saving.serialize_keras_object(encoder)
    config["config"] = {**config["config"], "vocabulary_size": len(rows)}
    described = [
        {"path": path, "shape": list(value.shape)} for path, value in values
    ]
    meta = {
        "encoder": config,
        "format": weights,
        "exact": exact,
        "weights": described,
    }
    return meta, arrays


def unpack_encoder(
    meta: dict[str, Any], arrays: dict[str, np.ndarray], dtype: Any = None
) -> keras_hub.models.Backbone:
    """Puts together what `pack_encoder` took apart; needs no TensorFlow.

    Token id i stands for the i-th row that was kept. `dtype` None is the packed
    encoder's. Weights that do not fit the encoder raise ValueError.
    """
    config = dict(meta["encoder"])
    if dtype is not None:
        config["config"] = {**config["config"], "dtype": dtype}
    with large_weights.about_to_be_set(least=0):
        encoder = keras.saving.deserialize_keras_object(config)
    expected = [
        {"path": v.path, "shape": list(v.shape)} for v in encoder.weights
    ]
    if expected != meta["weights"]:
        raise ValueError(
            "The packed weights do not fit the encoder. Received: "
            f"{meta['weights'][:3]} ... Accepted: {expected[:3]} ... Was it "
            "packed with another version of keras-hub?"
        )
    for i, variable in enumerate(encoder.weights):
        stored = arrays[_name(i)]
        shape = tuple(variable.shape)
        if stored.dtype.names:
            value = _from_blocks(variable.path, stored, shape)
        else:
            value = stored.astype(np.float32)
        variable.assign(value)
    return encoder


def _rows_in_use(encoder: Any, variable: Any, rows: np.ndarray) -> np.ndarray:
    value = keras.ops.convert_to_numpy(variable.value)
    if variable is encoder.token_embedding.embeddings:
        return value[rows]
    return value


def _pack_all(
    values: list[tuple[str, np.ndarray]], weights: str
) -> tuple[dict[str, np.ndarray], bool]:
    """Arrays by name, and whether they hold every number as it was."""
    arrays, exact = {}, True
    for i, (path, value) in enumerate(values):
        if weights == "q4" and _is_large(path):
            stored = _to_blocks(path, value)
            back = _from_blocks(path, stored, value.shape)
        else:
            half = weights == "float16"
            stored = value.astype(np.float16 if half else np.float32)
            back = stored.astype(np.float32)
        exact = exact and back.tobytes() == value.tobytes()
        arrays[_name(i)] = stored
    return arrays, exact


def _is_large(path: str) -> bool:
    # The pooler is one small kernel, and an identity in `e5_small_multi`,
    # whose zeros would get another sign.
    return path.endswith(
        ("/kernel", "token_embedding/embeddings")
    ) and not path.startswith("pooled_dense")


def _to_blocks(path: str, value: np.ndarray) -> np.ndarray:
    """Blocks run along what a row or an output of a kernel is made of."""
    if path.endswith("/kernel"):
        value = value.reshape(_inputs(path, value.shape), -1).T
    return q4_blocks.quantize(value)


def _from_blocks(
    path: str, blocks: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    values = q4_blocks.dequantize(blocks)[: math.prod(shape)]
    if path.endswith("/kernel"):
        inputs = _inputs(path, shape)
        values = values.reshape(-1, inputs).T
    return values.reshape(shape)


def _inputs(path: str, shape: tuple[int, ...]) -> int:
    """Numbers that an output of a kernel is computed from."""
    if path.endswith(_READS_WIDTH):
        return shape[0]
    return math.prod(shape[:-1])


def _name(index: int) -> str:
    return f"weights/{index:03d}"
