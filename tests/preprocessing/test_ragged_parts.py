"""Tests of ragged rows by arithmetic."""

import numpy as np
import tensorflow as tf

from dlfa_tf.preprocessing import ragged_parts


def int64(values):
    return tf.constant(values, tf.int64)


def test_rows_of_slices():
    vector = np.arange(100, 110)
    # Row 0: 103, 104 and nothing; row 1: nothing and 100, 101, 102.
    parts = ragged_parts.parts_of(
        [int64([3, 9]), int64([0, 0])], [int64([2, 0]), int64([0, 3])]
    )
    assert vector[parts.index].tolist() == [103, 104, 100, 101, 102]
    assert parts.row.numpy().tolist() == [0, 0, 1, 1, 1]
    assert parts.number.numpy().tolist() == [0, 0, 1, 1, 1]
    assert parts.position.numpy().tolist() == [0, 1, 0, 1, 2]
    assert parts.row_splits.numpy().tolist() == [0, 2, 5]


def test_no_rows():
    parts = ragged_parts.parts_of([int64([])], [int64([])])
    assert parts.index.shape == (0,)
    assert parts.row_splits.numpy().tolist() == [0]


def test_upper_bound_counts_what_is_not_above():
    found = ragged_parts.upper_bound(int64([0, 2, 2, 5]), int64([-1, 0, 2, 9]))
    assert found.numpy().tolist() == [0, 1, 3, 4]
