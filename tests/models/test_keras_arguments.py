"""Tests of the arguments that are shared with Keras."""

import keras
import numpy as np
import pytest

from dlfa_tf.models.keras_arguments import argument_names
from dlfa_tf.models.keras_arguments import check_arguments


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"class_weights": {}}, TypeError, "Did you mean 'class_weight'"),
        ({"workers": 2}, TypeError, "`fit` has no argument.*'workers'"),
        ({"batch_size": 0}, ValueError, "`batch_size` is too small"),
        ({"batch_size": 2.0}, TypeError, "`batch_size` must be a whole number"),
        ({"batch_size": "8"}, TypeError, "Received: '8' of type str"),
        ({"epochs": 0}, ValueError, "`epochs` is too small"),
        ({"epochs": True}, TypeError, "`epochs` must be a whole number"),
        ({"initial_epoch": -1}, ValueError, "`initial_epoch` is too small"),
        (
            {"epochs": 2, "initial_epoch": 2},
            ValueError,
            "leaves nothing to train.*initial_epoch=2, epochs=2. Acc",
        ),
        ({"steps_per_epoch": 0}, ValueError, "`steps_per_epoch` is too small"),
        ({"validation_split": 1}, ValueError, "Received: 1. Accepted: 0 to be"),
        ({"validation_split": -0.1}, ValueError, "is out of range"),
        ({"validation_split": "0.1"}, TypeError, "must be a number"),
        ({"validation_split": True}, TypeError, "must be a number"),
        ({"validation_freq": 0}, ValueError, "`validation_freq` is too small"),
        ({"validation_freq": 1.5}, TypeError, "Received: 1.5"),
        ({"validation_freq": [1, 0]}, ValueError, "too small. Received: 0"),
        ({"validation_steps": 1}, ValueError, "no use without data"),
        ({"validation_batch_size": 1}, ValueError, "no use without data"),
        ({"shuffle": "batch"}, TypeError, "`shuffle` must be True or False"),
        ({"shuffle": 1}, TypeError, "`shuffle` must be True or False"),
        ({"verbose": 3}, ValueError, "`verbose` is unknown. Received: 3"),
        ({"verbose": "loud"}, ValueError, "`verbose` is unknown"),
        ({"callbacks": [print]}, TypeError, "`callbacks` must hold callbacks"),
        ({"callbacks": "early"}, TypeError, "Received: 'early' of type str"),
        (
            {"callbacks": keras.callbacks.EarlyStopping},
            TypeError,
            r"an instance, such as EarlyStopping\(\)",
        ),
    ],
    ids=str,
)
def test_wrong_arguments_of_fit(given, error, message):
    with pytest.raises(error, match=message):
        check_arguments("fit", given)


def test_right_arguments_of_fit():
    one = keras.callbacks.Callback()
    found = check_arguments(
        "fit",
        {
            "batch_size": np.int64(4),
            "epochs": 3,
            "initial_epoch": 2,
            "callbacks": one,
            "validation_split": 0,
            "validation_freq": range(1, 3),
            "verbose": True,
            "sample_weight": None,
        },
    )
    assert found["batch_size"] == 4
    assert type(found["batch_size"]) is int
    assert found["callbacks"] == [one]
    assert found["validation_split"] == 0.0
    # Keras asks a list, and fails on all else after an epoch.
    assert found["validation_freq"] == [1, 2]
    found = check_arguments(
        "fit", {"validation_steps": 1, "validation_data": "x"}
    )
    assert found["validation_steps"] == 1


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_arguments_of_other_methods(method):
    assert check_arguments(method, {"steps": 2, "verbose": 0})["steps"] == 2
    with pytest.raises(
        TypeError, match=f"`{method}` has no argument.*'epochs'"
    ):
        check_arguments(method, {"epochs": 2})
    with pytest.raises(ValueError, match="`steps` is too small"):
        check_arguments(method, {"steps": 0})
    with pytest.raises(TypeError, match="`batch_size` must be a whole number"):
        check_arguments(method, {"batch_size": 1.5})


def test_names_are_those_of_keras():
    assert "class_weight" in argument_names("fit")
    assert "return_dict" in argument_names("evaluate")
    assert "self" not in argument_names("predict")
