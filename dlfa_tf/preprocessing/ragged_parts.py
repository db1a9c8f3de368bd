"""Ragged rows by arithmetic on flat vectors, in few ops.

Ragged tensors can be concatenated, masked and repeated too, in many more ops,
which an export would run beside its encoder for every request.
"""

from typing import Any
from typing import NamedTuple

from dlfa_tf.lazy import tf


class Parts(NamedTuple):
    """Rows of slices of a vector; all int64.

    Attributes:
        index: `(values,)`, where in the vector each value of the rows lies.
        row: `(values,)`, its row.
        number: `(values,)`, which of the row's slices it is in.
        position: `(values,)`, where in the slice it lies.
        row_splits: `(rows + 1,)`.
    """

    index: Any
    row: Any
    number: Any
    position: Any
    row_splits: Any


def parts_of(starts: list[Any], lengths: list[Any]) -> Parts:
    """Rows of some slices each, from the starts and lengths of every slice.

    Both are int64 `(rows,)`, one vector for each slice of a row.
    """
    count = len(starts)
    ends = tf.cumsum(_in_turn(lengths))
    splits = tf.concat([tf.constant([0], tf.int64), ends], axis=0)
    slot = tf.range(splits[-1])
    part = upper_bound(ends, slot)
    position = slot - tf.gather(splits, part)
    start = tf.gather(_in_turn(starts), part)
    return Parts(
        start + position, part // count, part % count, position, splits[::count]
    )


def _in_turn(vectors: list[Any]) -> Any:
    """The first values of all vectors, then the second ones, and so on."""
    if len(vectors) == 1:
        return vectors[0]
    return tf.reshape(tf.stack(vectors, axis=1), [-1])


def upper_bound(sorted_values: Any, values: Any) -> Any:
    """How many of some sorted numbers are not above each value, int64."""
    # tf.searchsorted is the same op between a dozen others.
    return tf.raw_ops.UpperBound(
        sorted_inputs=sorted_values[None],
        values=values[None],
        out_type=tf.int64,
    )[0]


def ragged(values: Any, row_splits: Any) -> Any:
    """A RaggedTensor of int64 row splits that nobody has to check."""
    return tf.RaggedTensor.from_row_splits(values, row_splits, validate=False)
