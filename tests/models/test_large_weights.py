"""Tests of dlfa_tf.models.large_weights."""

import threading

import keras
import numpy as np
import pytest

from dlfa_tf.models import large_weights
from dlfa_tf.models import presets
from dlfa_tf.models.token_classifier import DLFATokenClassifier


@pytest.fixture
def all_large(monkeypatch):
    """Takes every weight for a large one, in parts of five rows."""
    monkeypatch.setattr(large_weights, "LARGE", 1)
    monkeypatch.setattr(large_weights, "_ROWS", 5)


def draw(seed=1):
    return keras.initializers.TruncatedNormal(seed=seed)((2, 3))


def test_nothing_is_drawn_for_weights_that_are_about_to_be_set():
    before = keras.initializers.TruncatedNormal.__call__
    expected = np.array(draw())
    others = []
    with large_weights.about_to_be_set(least=6):
        assert not np.any(draw())
        assert np.any(keras.initializers.TruncatedNormal(seed=1)((5,)))
        # A generator has to give the same next number to whoever asks for it.
        assert np.any(draw(keras.random.SeedGenerator(1)))
        thread = threading.Thread(target=lambda: others.append(draw()))
        thread.start()
        thread.join()
    np.testing.assert_array_equal(others[0], expected)
    assert keras.initializers.TruncatedNormal.__call__ is before
    with large_weights.about_to_be_set(False, least=6):
        np.testing.assert_array_equal(draw(), expected)
    with pytest.raises(KeyError), large_weights.about_to_be_set():
        raise KeyError
    assert keras.initializers.TruncatedNormal.__call__ is before


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "mixed_bfloat16"])
def test_what_is_loaded_is_what_was_saved(all_large, tmp_path, dtype):
    encoder = presets.load_encoder("tiny")
    encoder.save_to_preset(str(tmp_path))
    random = keras.random.uniform((2,), seed=keras.random.SeedGenerator(3))
    loaded = presets.load_encoder(str(tmp_path), dtype=dtype)
    for a, b in zip(encoder.weights, loaded.weights, strict=True):
        value = keras.ops.cast(a.value, b.dtype)
        np.testing.assert_array_equal(value, b.value, b.path)
        assert keras.backend.standardize_dtype(b.value.dtype) == b.dtype
    again = keras.random.uniform((2,), seed=keras.random.SeedGenerator(3))
    np.testing.assert_array_equal(random, again)
    untrained = presets.load_encoder(str(tmp_path), load_weights=False)
    assert np.any(np.array(untrained.token_embedding.embeddings))


def test_saved_task_is_loaded_whole(all_large, tmp_path):
    model = DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"]
    )
    model.save_to_preset(str(tmp_path))
    loaded = DLFATokenClassifier.from_preset(str(tmp_path))
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(a, b, b.path)
    untrained = DLFATokenClassifier.from_preset(
        str(tmp_path), load_weights=False
    )
    table = untrained.backbone.token_embedding.embeddings
    assert np.any(np.array(table))


def test_table_of_another_size_is_refused(all_large, tmp_path):
    def table(rows):
        layer = keras.layers.Embedding(rows, 2)
        return keras.Sequential([keras.Input((3,), dtype="int32"), layer])

    path = str(tmp_path / "table.weights.h5")
    table(12).save_weights(path)
    with large_weights.about_to_be_set():
        same = table(12)
        same.load_weights(path)
        with pytest.raises(ValueError, match="(?i)shape"):
            table(13).load_weights(path)


def test_factors_of_a_table_end_with_what_is_loaded(all_large, tmp_path):
    def table():
        layer = keras.layers.Embedding(12, 2)
        return keras.Sequential([keras.Input((3,), dtype="int32"), layer])

    saved, adapted = table(), table()
    path = str(tmp_path / "table.weights.h5")
    saved.save_weights(path)
    layer = adapted.layers[0]
    layer.enable_lora(1)
    layer.lora_embeddings_b.assign([[1.0, 1.0]])
    with large_weights.about_to_be_set():
        adapted.load_weights(path)
    np.testing.assert_array_equal(layer.embeddings, saved.layers[0].embeddings)


def test_rows_are_set_in_place(all_large):
    table = keras.Variable(np.arange(24.0).reshape(12, 2))
    expected = np.array(table)
    ids = np.array([0, 4, 5, 11])
    expected[ids] = -1
    large_weights.set_rows(table, ids, np.full((4, 2), -1.0))
    np.testing.assert_array_equal(table, expected)
    bias = keras.Variable(np.arange(12.0))
    large_weights.set_rows(bias, ids, np.full(4, -1.0))
    np.testing.assert_array_equal(
        bias, [-1, 1, 2, 3, -1, -1, *range(6, 11), -1]
    )


def test_rows_of_a_table_on_several_devices_are_set(monkeypatch):
    monkeypatch.setattr(large_weights, "_is_resource", lambda _: False)
    table = keras.Variable(np.zeros((4, 2)))
    large_weights.set_rows(table, np.array([1, 3]), np.ones((2, 2)))
    np.testing.assert_array_equal(table, [[0, 0], [1, 1], [0, 0], [1, 1]])
