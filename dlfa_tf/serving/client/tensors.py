"""Nested lists to tensor messages and back, without NumPy or TensorFlow."""

import math
import struct
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client.messages import MESSAGES

FLOAT, DOUBLE, INT32, STRING, INT64 = 1, 2, 3, 7, 9
# Type -> field with the numbers, their form in `tensor_content`, its bytes.
_NUMBERS = {
    FLOAT: ("float_val", "f", 4),
    DOUBLE: ("double_val", "d", 8),
    INT32: ("int_val", "i", 4),
    INT64: ("int64_val", "q", 8),
}


def shape_of(value: Any) -> list[int]:
    """Shape of nested lists of equal lengths; that of a string is `[]`."""
    if not isinstance(value, (list, tuple)):
        return []
    return [len(value), *(shape_of(value[0]) if value else [])]


def flat_of(value: Any) -> list[Any]:
    """Values of nested lists in their order."""
    if not isinstance(value, (list, tuple)):
        return [value]
    return [item for part in value for item in flat_of(part)]


def to_bytes(value: str | bytes) -> bytes:
    """UTF-8 of a string; bytes as they are; TypeError for anything else."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8")
    raise TypeError(
        f"Inputs must be strings. Received: {value!r}, a "
        f"{type(value).__name__}. Accepted: str, or bytes of UTF-8."
    )


def string_tensor(value: Any) -> Any:
    """Makes a `TensorProto` of nested lists of strings, rows of equal lengths.

    Strings have no other form than `string_val`.
    """
    tensor = MESSAGES["TensorProto"](dtype=STRING)
    for size in shape_of(value):
        tensor.tensor_shape.dim.add(size=size)
    tensor.string_val.extend(to_bytes(item) for item in flat_of(value))
    return tensor


def from_tensor(tensor: Any) -> Any:
    """Makes nested lists of a `TensorProto`.

    Numbers lie in the typed fields, or in `tensor_content` where the server
    runs with --enable_serialization_as_tensor_content; a single repeated value
    is stored once. ValueError for a type that exports do not answer with.
    """
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    count = math.prod(shape)
    values: list[Any]
    if tensor.dtype == STRING:
        values = [x.decode("utf-8", "replace") for x in tensor.string_val]
    elif tensor.dtype in _NUMBERS:
        field, form, size = _NUMBERS[tensor.dtype]
        content = tensor.tensor_content
        if content:
            values = list(struct.unpack(f"<{len(content) // size}{form}",
                                        content))  # fmt: skip
        else:
            values = list(getattr(tensor, field))
    else:
        raise ValueError(
            f"Answer of an unknown type. Received: DataType {tensor.dtype}. "
            f"Accepted: {sorted([STRING, *_NUMBERS])}."
        )
    if len(values) == 1:
        values *= count
    return _nested(values, shape)


def _nested(values: Sequence[Any], shape: Sequence[int]) -> Any:
    if not shape:
        return values[0]
    if len(shape) == 1:
        return list(values)
    size = math.prod(shape[1:])
    return [
        _nested(values[i * size : (i + 1) * size], shape[1:])
        for i in range(shape[0])
    ]
