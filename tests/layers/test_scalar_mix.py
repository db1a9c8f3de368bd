import keras
import numpy as np
import pytest

from dlfa_tf.layers import ScalarMix


def model_of(layer, num_states=3):
    states = [keras.Input((None, 8)) for _ in range(num_states)]
    return keras.Model(states, layer(states))


def test_starts_as_the_plain_mean(low, high):
    mixed = np.asarray(ScalarMix()([low, high]))
    np.testing.assert_allclose(mixed, (low + high) / 2, atol=1e-6)


def test_output_known_answer_by_hand(low, high):
    layer = ScalarMix()
    layer.build([low.shape, high.shape])
    # softmax(log 3, 0) = (3/4, 1/4).
    layer.set_weights([np.array([np.log(3.0), 0.0]), np.array(2.0)])
    expected = 2 * (0.75 * low + 0.25 * high)
    np.testing.assert_allclose(
        np.asarray(layer([low, high])), expected, atol=1e-5
    )


def test_saved_model_gives_equal_outputs(tmp_path, low, high):
    model = model_of(ScalarMix(name="mix"))
    model.get_layer("mix").set_weights(
        [np.array([0.5, -1.0, 2.0]), np.array(1.5)]
    )
    model.save(tmp_path / "mix.keras")
    loaded = keras.models.load_model(tmp_path / "mix.keras")
    inputs = [low, high, low * high]
    np.testing.assert_array_equal(
        np.asarray(model(inputs)), np.asarray(loaded(inputs))
    )


def test_training_moves_all_weights(low, high):
    model = model_of(ScalarMix())
    before = [np.asarray(w) for w in model.weights]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit([low, high, 0 * low], high, verbose=0)
    for old, new in zip(before, model.weights, strict=True):
        assert np.abs(np.asarray(new) - old).min() > 1e-6


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_its_dtype(low, high, policy):
    layer = ScalarMix(dtype=policy)
    mixed = layer([low, high])
    assert keras.backend.standardize_dtype(mixed.dtype) == policy[6:]
    assert layer.gamma.dtype == "float32"


def test_mask_attached_to_inputs_is_passed_on():
    ids = np.array([[3, 4, 0, 0]])
    embedded = keras.layers.Embedding(9, 8, mask_zero=True)(ids)
    mixed = ScalarMix()([embedded, embedded])
    np.testing.assert_array_equal(np.asarray(mixed._keras_mask), ids != 0)


def test_error_names_unequal_widths(low):
    message = r"`states` must have equal widths.*\(3, 5, 8\), \(3, 5, 4\)"
    with pytest.raises(ValueError, match=message):
        ScalarMix()([low, low[:, :, :4]])


def test_error_names_a_bare_tensor(low):
    with pytest.raises(ValueError, match="`states` must be a list"):
        ScalarMix()(low)
