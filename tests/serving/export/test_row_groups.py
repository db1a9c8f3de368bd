"""Tests of going through rows by their length."""

import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.serving.export.row_groups import ROWS_AT_A_TIME
from dlfa_tf.serving.export.row_groups import map_by_length
from dlfa_tf.serving.export.row_groups import parts_in_order
from dlfa_tf.serving.export.row_groups import rows_in_order
from tests.eager_mode import eagerly

LENGTHS = [3, 9, 1, 9, 2, 8, 30, 1, 4, 5, 6, 7, 7, 2, 25, 1, 3, 28, 2]


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Runs loops as Python, so that a test sees every group."""
    with eagerly():
        yield


@pytest.mark.parametrize(
    ("limit", "largest"), [(ROWS_AT_A_TIME, 8), (1, 2), (100, 100)]
)
def test_groups_are_small_and_of_similar_length(limit, largest):
    groups = []

    def compute(group):
        groups.append(group.numpy().tolist())
        return tf.zeros([len(group), 1])

    map_by_length(tf.constant(LENGTHS), compute, 1, limit)
    sizes = [len(group) for group in groups]
    assert max(sizes) <= largest
    assert max(sizes) - min(sizes) <= 1
    lengths = [[LENGTHS[row] for row in group] for group in groups]
    assert sum(lengths, []) == sorted(LENGTHS)


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [(8, {8}), (9, {4, 5}), (64, {8}), (160, {20}), (1024, {64})],
)
def test_groups_grow_with_the_rows(rows, sizes):
    found = set()

    def compute(group):
        found.add(len(group))
        return tf.zeros([len(group), 1])

    map_by_length(tf.range(rows), compute, 1)
    assert found == sizes


def test_rows_come_back_in_their_order():
    def compute(group):
        return tf.cast(group, tf.float32)[:, None] * [[1.0, 10.0]]

    values, order = map_by_length(tf.constant(LENGTHS), compute, 2)
    rows = np.arange(len(LENGTHS), dtype="float32")
    np.testing.assert_array_equal(
        rows_in_order(values, order), np.stack([rows, 10 * rows], axis=1)
    )


def test_rows_with_any_number_of_values_come_back_in_their_order():
    counts = [length % 4 for length in LENGTHS]
    words = tf.RaggedTensor.from_row_lengths(
        tf.range(float(sum(counts))), counts
    )

    def compute(group):
        return tf.gather(words, group).flat_values[:, None]

    values, order = map_by_length(tf.constant(LENGTHS), compute, 1)
    np.testing.assert_array_equal(
        parts_in_order(values, order, tf.constant(counts))[:, 0],
        np.arange(sum(counts)),
    )


def test_no_rows():
    called = []

    def compute(group):
        called.append(group.shape)
        return tf.zeros([tf.size(group), 3])

    values, order = map_by_length(tf.zeros([0], tf.int64), compute, 3)
    assert called == [(0,)]
    assert rows_in_order(values, order).shape == (0, 3)
    assert parts_in_order(values, order, order).shape == (0, 3)
