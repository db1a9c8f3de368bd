"""Tests of a model over some of the embedding rows.

That it predicts and trains as the full one: tests/training/
test_compact_vocabulary.py.
"""

import keras
import numpy as np
import pytest

from dlfa_tf.models.compact_model import compact_model
from dlfa_tf.models.compact_model import write_back
from dlfa_tf.models.token_classifier import DLFATokenClassifier


@pytest.fixture
def model(seed):
    keras.utils.set_random_seed(seed)
    return DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"]
    )


def test_the_full_model_keeps_its_weights_until_they_are_written_back(model):
    before = model.get_weights()
    used = np.array([0, 2, 3, 7], np.int32)
    small = compact_model(model, used)
    for weight in small.weights:
        weight.assign(weight + 1.0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    write_back(model, small, used)
    table = model.backbone.token_embedding.get_weights()[0]
    expected = before[0].copy()
    expected[used] += 1.0
    np.testing.assert_array_equal(table, expected)
