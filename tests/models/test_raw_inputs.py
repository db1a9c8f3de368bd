"""What users hand to `fit`."""

import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models.raw_inputs import as_batch
from dlfa_tf.models.raw_inputs import check_batched
from dlfa_tf.models.raw_inputs import is_dataset
from dlfa_tf.models.raw_inputs import split_dataset


def test_is_dataset():
    def generator():
        yield 1

    assert is_dataset(tf.data.Dataset.range(3))
    assert is_dataset(generator())
    for value in (["a"], ("a",), {"a": 1}, np.ones(3), tf.ones(3), None, "a"):
        assert not is_dataset(value)


def test_as_batch_turns_tuples_only():
    assert as_batch(("a", "b")) == ["a", "b"]
    array = np.ones(2)
    assert as_batch(array) is array


def test_check_batched_refuses_single_examples():
    dataset = tf.data.Dataset.from_tensor_slices((["a"], [1]))
    check_batched(dataset.batch(1))
    with pytest.raises(ValueError, match="must hold batches"):
        check_batched(dataset)


def test_check_batched_refuses_single_ragged_rows():
    words = tf.ragged.constant([["a", "b"], ["c"]])
    dataset = tf.data.Dataset.from_tensor_slices(words)
    check_batched(dataset.batch(1))
    with pytest.raises(ValueError, match="must hold batches.*Ragged"):
        check_batched(dataset)


def test_split_dataset_takes_the_end():
    first, rest = split_dataset(tf.data.Dataset.range(10), 0.3)
    assert list(first.as_numpy_iterator()) == list(range(7))
    assert list(rest.as_numpy_iterator()) == [7, 8, 9]
    with pytest.raises(ValueError, match="leaves no examples.*1.0 for 10"):
        split_dataset(tf.data.Dataset.range(10), 1.0)
