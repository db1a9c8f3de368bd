"""What users hand to `fit`."""

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf

from dlfa_tf.models.raw_inputs import check_batched
from dlfa_tf.models.raw_inputs import check_dataset
from dlfa_tf.models.raw_inputs import check_no_loader
from dlfa_tf.models.raw_inputs import is_dataset
from dlfa_tf.models.raw_inputs import split_dataset
from dlfa_tf.models.raw_inputs import unpack_validation_data


def test_is_dataset():
    assert is_dataset(tf.data.Dataset.range(3))
    for value in (["a"], ("a",), {"a": 1}, np.ones(3), tf.ones(3), None, "a"):
        assert not is_dataset(value)


class Loader(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return ["a"], [1]


@pytest.mark.parametrize(
    "loader",
    [(x for x in "ab"), zip("ab", [0, 1], strict=True), iter([1]), Loader()],
    ids=lambda loader: type(loader).__name__,
)
def test_loaders_of_batches_are_refused(loader):
    with pytest.raises(ValueError, match="`x` must be texts or a data set.*"):
        check_no_loader("x", loader)


def test_what_is_in_memory_is_no_loader():
    for value in (["a"], ("a",), {"a": 1}, np.ones(3), tf.ones(3), None, "a",
                  pd.Series(["a"]), pa.array(["a"]), {"a"},
                  tf.data.Dataset.range(3)):  # fmt: skip
        check_no_loader("x", value)


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


LABELLED = tf.data.Dataset.from_tensor_slices((["a", "b"], [0, 1])).batch(2)


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (LABELLED, {"others": {"y": [0]}}, "`y` must be None where `x` is a"),
        (LABELLED.map(lambda x, y: x), {}, "`x` is a data set without labels"),
        (
            LABELLED.map(lambda x, y: (x, x, y, y)),
            {},
            "`x` is a data set of tuples of 4",
        ),
        (
            LABELLED.repeat(),
            {"steps": ("steps", None)},
            r"endless data set.*Received: steps=None",
        ),
    ],
    ids=["labels twice", "no labels", "four", "endless"],
)
def test_data_sets_are_looked_at(dataset, options, message):
    options = {"others": {}, "with_labels": True, **options}
    with pytest.raises(ValueError, match=message):
        check_dataset("x", dataset, **options)


def test_data_sets_that_are_right():
    check_dataset("x", LABELLED, others={"y": None}, with_labels=True)
    check_dataset(
        "x",
        LABELLED.repeat(),
        others={},
        with_labels=True,
        steps=("steps", 3),
    )
    texts = tf.data.Dataset.from_tensor_slices(["a"]).batch(1)
    check_dataset("x", texts, others={}, with_labels=False)


@pytest.mark.parametrize("value", [(["a"],), ["a", "b", "c", "d"], {"x": 1}, 3])
def test_validation_data_are_inputs_and_labels(value):
    with pytest.raises(ValueError, match="`validation_data` must be inputs"):
        unpack_validation_data(value)
    assert unpack_validation_data([1, 2]) == (1, 2, None)
    assert unpack_validation_data((1, 2, 3)) == (1, 2, 3)
