"""Tests of dlfa_tf.data.packed_arrays."""

import dataclasses

import numpy as np
import pytest

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.packed_arrays import gold_names
from dlfa_tf.data.packed_arrays import pack_arrays
from dlfa_tf.data.packed_arrays import unpack_arrays

PAIRS = TokenArrays(
    token_ids=np.array([2, 70000, 3, 9, 3, 2, 5, 3, 6, 3], np.int32),
    segment_ids=np.array([0, 0, 0, 1, 1, 0, 0, 0, 1, 1], np.int8),
    row_splits=np.array([0, 5, 10]),
    labels=np.array([1, 0], np.int32),
)
TAGS = TokenArrays(
    token_ids=np.array([2, 7, 8, 3, 2, 9, 3, 2, 4, 5, 3], np.int32),
    segment_ids=np.zeros(11, np.int8),
    # The first sentence has two rows, the second none of its own words ... 0.
    row_splits=np.array([0, 4, 7, 11]),
    labels=np.array([-1, 2, -1, -1, -1, 0, -1, -1, 1, 1, -1], np.int32),
    label_mask=np.array([0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0], bool),
    word_splits=np.array([0, 2, 2, 4]),
)


@pytest.mark.parametrize("arrays", [PAIRS, TAGS], ids=["pairs", "tags"])
def test_round_trip(arrays):
    packed = pack_arrays(arrays)
    copy = unpack_arrays(packed)
    for field in dataclasses.fields(arrays):
        value = getattr(arrays, field.name)
        found = getattr(copy, field.name)
        if value is None:
            assert found is None
        else:
            assert found.dtype == value.dtype
            np.testing.assert_array_equal(found, value)
    assert packed["labels"].dtype == np.uint8


def test_small_ids_take_little_room():
    packed = pack_arrays(TAGS)
    assert packed["token_ids"].dtype == np.uint8
    assert "segment_bits" not in packed
    assert pack_arrays(PAIRS)["token_ids"].dtype == np.uint32


def test_gold_names():
    assert gold_names(PAIRS, ("no", "yes")) == ["yes", "no"]
    assert gold_names(TAGS, ("A", "B", "C")) == [["C", "A"], [], ["B", "B"]]
