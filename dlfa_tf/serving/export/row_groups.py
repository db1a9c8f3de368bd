"""Rows of similar length together, group by group, inside an exported graph."""

from collections.abc import Callable
from typing import Any

from dlfa_tf.lazy import tf

# Texts that share a request differ in length, and what is padded to the longest
# of 32 is padding to a half (XNLI in random batches: benchmarks.padding). A
# smaller group has less of it, and costs a pass through the graph as well. It
# bounds the memory too: one text may have thousands of rows.
ROWS_AT_A_TIME = 8
# The same factor twice: from so many groups on they grow, up to so many times
# the rows, because a pass costs time whatever it holds.
_GROWTH = 8


def map_by_length(
    lengths: Any,
    compute: Callable[[Any], Any],
    width: int,
    rows_at_a_time: int = ROWS_AT_A_TIME,
) -> tuple[Any, Any]:
    """Calls a function with groups of rows of similar length, in a loop.

    `lengths` is int `(rows,)`, pieces of every row. `compute` goes from the
    numbers of some rows, int32 `(group,)`, to float32 `(values, width)`, any
    number of values a row; it is called once, with no rows, when there are
    none. A group has at most `rows_at_a_time` rows, up to eight times as many
    where that leaves eight groups or more.

    Gives the results joined, float32 `(values, width)`, and the numbers of the
    rows in the order that the results are in, int32 `(rows,)`.
    """
    count = tf.size(lengths)
    # Of equal ones the first comes first. tf.argsort does the same, and more.
    order = tf.math.top_k(tf.bitwise.invert(lengths), count).indices
    size = tf.clip_by_value(
        count // _GROWTH, rows_at_a_time, _GROWTH * rows_at_a_time
    )
    groups = tf.maximum((count + size - 1) // size, 1)

    def step(i: Any, before: Any) -> tuple[Any, Any]:
        # Groups of equal size: a last one of one row would cost as much.
        rows = order[count * i // groups : count * (i + 1) // groups]
        return i + 1, before.write(i, compute(rows))

    parts = tf.TensorArray(
        tf.float32, groups, element_shape=[None, width], infer_shape=False
    )
    _, parts = tf.while_loop(
        lambda i, _: i < groups, step, (0, parts), parallel_iterations=1
    )
    return parts.concat(), order


def rows_in_order(values: Any, order: Any) -> Any:
    """Puts results of one value a row back into the order of the rows.

    `values` is `(rows, width)`; `order`, int32 `(rows,)`, is the row of every
    value.
    """
    return tf.gather(values, tf.math.invert_permutation(order))


def parts_in_order(values: Any, order: Any, counts: Any) -> Any:
    """Puts results of any number of values a row back into order.

    `values` is `(values, width)`; `order`, int32 `(rows,)`, has the rows in
    the order of the values; `counts`, int `(rows,)`, the number of values of
    every row, in the rows' order.
    """
    parts = tf.RaggedTensor.from_row_lengths(
        values, tf.gather(counts, order), validate=False
    )
    return tf.gather(parts, tf.math.invert_permutation(order)).flat_values
