import keras
import numpy as np
import pytest

from dlfa_tf.layers import MaskedAveragePooling
from dlfa_tf.testing import layer_checks
from dlfa_tf.testing.layer_case import LayerCase

CASE = LayerCase(
    layer_class=MaskedAveragePooling,
    num_trainable_weights=0,
    output_shape=("batch", 8),
)


@pytest.mark.parametrize(
    "check", layer_checks.CHECKS, ids=lambda check: check.__name__
)
def test_layer_passes_generic_check(check):
    check(CASE)


def test_mean_known_answer():
    x = np.array([[[1.0, 2.0], [3.0, 6.0], [99.0, -99.0]]], "float32")
    mean = MaskedAveragePooling()(x, mask=np.array([[True, True, False]]))
    np.testing.assert_array_equal(np.asarray(mean), [[2.0, 4.0]])


def test_mean_without_mask_takes_every_position(low):
    mean = MaskedAveragePooling()(low)
    np.testing.assert_allclose(np.asarray(mean), low.mean(1), atol=1e-6)


def test_mean_of_fully_padded_row_is_zero(low, mask):
    mask[1] = False
    mean = np.asarray(MaskedAveragePooling()(low, mask=mask))
    np.testing.assert_array_equal(mean[1], np.zeros(8))
    np.testing.assert_allclose(mean[2], low[2, 0], atol=1e-6)


def test_mean_ignores_values_that_are_not_finite_in_padding(low, mask):
    expected = MaskedAveragePooling()(low, mask=mask)
    low[~mask] = np.nan
    mean = MaskedAveragePooling()(low, mask=mask)
    np.testing.assert_array_equal(np.asarray(mean), np.asarray(expected))


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_mean_takes_number_masks(low, mask, dtype):
    expected = MaskedAveragePooling()(low, mask=mask)
    mean = MaskedAveragePooling()(low, mask=mask.astype(dtype))
    np.testing.assert_array_equal(np.asarray(mean), np.asarray(expected))


def test_mean_reads_mask_attached_to_input():
    ids = np.array([[3, 4, 0, 0]])
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    pooling = MaskedAveragePooling()
    mean = pooling(embedded)
    expected = np.asarray(embedded)[:, :2].mean(axis=1)
    np.testing.assert_allclose(np.asarray(mean), expected, atol=1e-6)
    assert pooling.compute_mask(embedded, ids != 0) is None


def test_mean_accumulates_in_float_32():
    # 512 times 200 is above 65504, the largest number of float16.
    x = np.full((1, 512, 1), 200.0, "float16")
    mask = np.ones((1, 512), bool)
    mean = MaskedAveragePooling(dtype="mixed_float16")(x, mask=mask)
    assert keras.backend.standardize_dtype(mean.dtype) == "float16"
    assert float(mean[0, 0]) == 200.0


def test_keras_pooling_still_fails_where_ours_is_needed():
    # If this fails, Keras has changed and our layer may have lost its reason.
    mask = np.zeros((1, 2), bool)
    mean = keras.layers.GlobalAveragePooling1D()(np.ones((1, 2, 1)), mask=mask)
    assert np.isnan(np.asarray(mean)).all()


@pytest.mark.parametrize("shape", [(2, 8), (2, 3, 4, 8)], ids=str)
def test_error_names_shape_of_wrong_rank(shape):
    with pytest.raises(ValueError, match=r"`x` has the wrong shape\. Received"):
        MaskedAveragePooling()(np.ones(shape))


@pytest.mark.parametrize("shape", [(3, 4), (2, 5), (3, 5, 1)], ids=str)
def test_error_names_mask_that_does_not_fit(low, shape):
    with pytest.raises(ValueError, match="`mask` does not fit `x`"):
        MaskedAveragePooling()(low, mask=np.ones(shape, bool))
