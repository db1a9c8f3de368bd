"""Weights of hundreds of megabytes, read and changed without copies of them.

The token embedding of a multilingual encoder has 100 to 200 million values.
Keras draws them at random before it reads them from a file, which takes most of
the time of loading, and holds up to four copies of them for a moment.
"""

import contextlib
import math
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from dlfa_tf.lazy import tf

# Number of values from which on a weight is large: only tables of pieces are.
LARGE = 2**24
# Rows of a table that are changed at a time: 25 MB of 384 columns.
_ROWS = 2**14
_LOCK = threading.RLock()


@contextlib.contextmanager
def about_to_be_set(
    when: bool = True, *, least: int | None = None
) -> Iterator[None]:
    """Builds and loads models whose large weights are about to be set.

    In this thread weights that would be drawn from a truncated normal
    distribution, as keras-hub's encoders have them, begin as zeros; no other
    random number changes by that. Large embeddings are read from a file with
    one copy at a time instead of three. Other threads that ask for the same
    wait.

    Args:
        when: bool, whether to do so; without, nothing is done.
        least: int, number of values from which on a weight begins as zeros.
            Defaults to `None`: `LARGE`.

    Returns:
        Context manager.
    """
    if not when:
        yield
        return
    least = LARGE if least is None else least
    thread = threading.get_ident()
    initializer = keras.initializers.TruncatedNormal
    embedding = keras.layers.Embedding

    def mine(function: Callable, original: Callable) -> Callable:
        def either(*arguments: Any, **named: Any) -> Any:
            is_mine = threading.get_ident() == thread
            return (function if is_mine else original)(*arguments, **named)

        return either

    draw, load = initializer.__call__, embedding.load_own_variables

    def zeros(self: Any, shape: Any, dtype: Any = None) -> Any:
        # A generator as the seed would give others the next number.
        if math.prod(shape) < least or not isinstance(self.seed, int):
            return draw(self, shape, dtype)
        return keras.ops.zeros(shape, dtype)

    def load_in_parts(self: Any, store: Any) -> None:
        if _is_plain(self) and list(store.keys()) == ["0"]:
            assign(self.embeddings, store["0"])
        else:
            load(self, store)

    with _LOCK:
        initializer.__call__ = mine(zeros, draw)
        embedding.load_own_variables = mine(load_in_parts, load)
        try:
            yield
        finally:
            initializer.__call__ = draw
            embedding.load_own_variables = load


def assign(variable: Any, value: np.ndarray) -> None:
    """Sets a variable, without copies of the value where it is large.

    Args:
        variable: variable of Keras.
        value: array of its shape, or what HDF5 has of one.

    Raises:
        ValueError: when the value has another shape.
    """
    if (
        value.size < LARGE
        or value.shape != tuple(variable.shape)
        or not _is_resource(variable)
    ):
        variable.assign(value)
        return
    for start in range(0, len(value), _ROWS):
        part = value[start : start + _ROWS]
        _set_part(variable, start, part.astype(variable.dtype, copy=False))


def set_rows(variable: Any, ids: np.ndarray, rows: Any) -> None:
    """Sets some rows of a table.

    TensorFlow's own way to do it in place, `scatter_update`, has every later
    read of the variable make a copy of it.

    Args:
        variable: variable of Keras, `(rows, ...)`.
        ids: int array `(some,)`, numbers of rows in ascending order.
        rows: array or tensor `(some, ...)` of the variable's type.
    """
    if not _is_resource(variable):
        value = keras.ops.scatter_update(variable.value, ids[:, None], rows)
        variable.assign(value)
        return
    rows = keras.ops.convert_to_numpy(rows)
    for start in range(0, variable.shape[0], _ROWS):
        end = min(start + _ROWS, variable.shape[0])
        first, last = np.searchsorted(ids, [start, end])
        if first < last:
            part = np.array(variable.value[start:end])
            part[ids[first:last] - start] = rows[first:last]
            _set_part(variable, start, part)


def _set_part(variable: Any, start: int, part: np.ndarray) -> None:
    tf.raw_ops.ResourceStridedSliceAssign(
        ref=variable.value.handle,
        begin=[start],
        end=[start + len(part)],
        strides=[1],
        value=part,
    )


def _is_plain(layer: Any) -> bool:
    """Whether an embedding is one table, without LoRA, int8 or a second."""
    return (
        layer.built
        and layer.quantization_mode is None
        and len(layer.variables) == 1
    )


def _is_resource(variable: Any) -> bool:
    """Whether a variable is TensorFlow's, on one device, outside of a graph."""
    return (
        keras.backend.backend() == "tensorflow"
        and tf.executing_eagerly()
        and not tf.distribute.has_strategy()
        and hasattr(variable.value, "handle")
        and not isinstance(variable.value, tf.distribute.DistributedValues)
    )
