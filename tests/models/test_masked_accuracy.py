"""Tests of the accuracy over labelled positions."""

import keras
import numpy as np
import pytest

from dlfa_tf.models import MaskedAccuracy

# Highest logit at class 1, 0, 2; then 0, 0, 1.
LOGITS = np.array(
    [
        [[0.0, 1.0, 0.5], [2.0, 1.0, 0.0], [0.0, 0.1, 3.0]],
        [[1.0, 0.0, 0.0], [5.0, 4.0, 3.0], [0.0, 9.0, 8.0]],
    ],
    "float32",
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([[1, 0, 2], [0, 0, 1]], 1.0),
        ([[1, -1, -1], [-1, -1, -1]], 1.0),
        ([[1, 1, -1], [-1, 0, 2]], 0.5),
        ([[0, -1, -1], [-1, -1, -1]], 0.0),
        ([[-1, -1, -1], [-1, -1, -1]], 0.0),
    ],
    ids=["all", "one", "half", "wrong", "none_labelled"],
)
def test_result_known_answer(labels, expected):
    metric = MaskedAccuracy()
    metric.update_state(np.array(labels), LOGITS)
    assert float(metric.result()) == pytest.approx(expected)


def test_result_counts_positions_over_batches():
    metric = MaskedAccuracy()
    metric.update_state(np.array([[1, 0, 2]]), LOGITS[:1])
    metric.update_state(np.array([[1, -1, -1]]), LOGITS[1:])
    # Not the mean of the batches' 1 and 0.
    assert float(metric.result()) == pytest.approx(3 / 4)
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_other_ignored_label():
    metric = MaskedAccuracy(ignored_label=2)
    metric.update_state(np.array([[1, 1, 2]]), LOGITS[:1])
    assert float(metric.result()) == pytest.approx(0.5)


def test_sample_weight_per_position():
    metric = MaskedAccuracy()
    metric.update_state(
        np.array([[1, 1, -1], [-1, 0, 2]]),
        LOGITS,
        sample_weight=[[3.0, 1.0, 9.0], [9.0, 0.0, 2.0]],
    )
    assert float(metric.result()) == pytest.approx(3 / 6)


def test_sample_weight_per_example():
    # As many positions as examples: alignment must be with the examples.
    labels = np.array([[1, 1], [0, 0]])
    metric = MaskedAccuracy()
    metric.update_state(labels, LOGITS[:, :2], sample_weight=[3.0, 1.0])
    assert float(metric.result()) == pytest.approx((3 * 1 + 2) / 8)


def test_longer_padding_changes_nothing():
    labels = np.array([[1, 1, -1], [-1, 0, 2]])
    metric = MaskedAccuracy()
    metric.update_state(
        np.pad(labels, ((0, 0), (0, 2)), constant_values=-1),
        np.pad(LOGITS, ((0, 0), (0, 2), (0, 0))),
    )
    assert float(metric.result()) == pytest.approx(0.5)


def test_config_round_trip():
    metric = MaskedAccuracy(ignored_label=7, name="m")
    config = keras.saving.serialize_keras_object(metric)
    assert config["registered_name"] == "dlfa_tf>MaskedAccuracy"
    copy = keras.saving.deserialize_keras_object(config)
    assert isinstance(copy, MaskedAccuracy)
    assert copy.get_config() == metric.get_config()
    assert copy.ignored_label == 7
    assert copy.name == "m"


def test_default_name_is_accuracy():
    assert MaskedAccuracy().name == "accuracy"
    assert MaskedAccuracy().ignored_label == -1
