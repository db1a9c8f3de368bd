"""Tests of the ways to fuse blocks."""

import keras
import numpy as np
import pytest

from dlfa_tf.layers import DLFA
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models.presets.tiny import tiny_encoder

# float32 sums in another order.
TOLERANCE = 1e-5


@keras.saving.register_keras_serializable(package="test_fusion")
class WeightedSum(keras.layers.Layer):
    """A fusion layer as a user would write one."""

    def build(self, low_shape, high_shape):
        self.weight = self.add_weight(shape=(low_shape[-1],), name="weight")

    def call(self, low, high, padding_mask=None):
        real = keras.ops.cast(padding_mask, low.dtype)[..., None]
        return (low * self.weight + high) * real


def states_of(backbone, inputs):
    encoder = backbone.encoder
    reader = DLFABackbone(encoder, output_hidden_states=range(4))
    return [np.asarray(h) for h in reader(inputs)["hidden_states"].values()]


def test_mean_is_the_mean_of_two_blocks(bert, bert_inputs):
    backbone = DLFABackbone(bert, 1, fusion="mean")
    states = states_of(backbone, bert_inputs)
    np.testing.assert_allclose(
        np.asarray(backbone(bert_inputs)["sequence_output"]),
        (states[1] + states[3]) / 2,
        atol=TOLERANCE,
    )
    assert len(backbone.weights) == len(bert.weights)


def test_scalar_mix_weighs_all_blocks(bert, bert_inputs):
    backbone = DLFABackbone(bert, fusion="scalar_mix")
    layer = backbone.get_layer("scalar_mix")
    layer.set_weights([np.log([1.0, 2.0, 5.0]), np.array(0.5)])
    states = states_of(backbone, bert_inputs)
    expected = 0.5 * (states[1] + 2 * states[2] + 5 * states[3]) / 8
    np.testing.assert_allclose(
        np.asarray(backbone(bert_inputs)["sequence_output"]),
        expected,
        atol=TOLERANCE,
    )


def test_layer_of_ones_own_gets_both_blocks_and_the_mask(
    bert, bert_inputs, tmp_path
):
    backbone = DLFABackbone(bert, 2, fusion=WeightedSum(name="mine"))
    states = states_of(backbone, bert_inputs)
    weight = np.asarray(backbone.get_layer("mine").weight)
    expected = states[2] * weight + states[3]
    expected *= bert_inputs["padding_mask"][..., None]
    result = np.asarray(backbone(bert_inputs)["sequence_output"])
    np.testing.assert_allclose(result, expected, atol=TOLERANCE)
    backbone.save(tmp_path / "mine.keras")
    loaded = keras.models.load_model(tmp_path / "mine.keras")
    assert isinstance(loaded.fusion, WeightedSum)
    # It would reach loss and metrics.
    output = loaded(bert_inputs)["sequence_output"]
    assert getattr(output, "_keras_mask", None) is None
    np.testing.assert_array_equal(
        np.asarray(loaded(bert_inputs)["sequence_output"]), result
    )


@pytest.mark.parametrize(
    ("own", "given", "loaded"),
    [
        ("mixed_bfloat16", "float32", "float32"),
        ("mixed_bfloat16", "bfloat16", "bfloat16"),
        ("float32", "mixed_bfloat16", "float32"),
    ],
)
def test_dtype_given_at_load_reaches_a_layer_that_had_the_encoders(
    own, given, loaded
):
    encoder = tiny_encoder(30, load_weights=False, dtype="mixed_bfloat16")
    backbone = DLFABackbone(encoder, 1, fusion=WeightedSum(dtype=own))
    copy = DLFABackbone.from_config({**backbone.get_config(), "dtype": given})
    assert copy.encoder.dtype_policy.name == given
    assert copy.fusion.dtype_policy.name == loaded


def test_layer_that_is_not_registered_is_not_saved(bert, tmp_path):
    class Unregistered(WeightedSum):
        pass

    backbone = DLFABackbone(bert, 1, fusion=Unregistered())
    message = "Unregistered is not registered.*register_keras_serializable"
    with pytest.raises(ValueError, match=message):
        backbone.save_to_preset(str(tmp_path / "a"))
    task = DLFATextClassifier(backbone, num_classes=2)
    with pytest.raises(ValueError, match=message):
        task.save_to_preset(str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()


def test_class_that_is_missing_when_a_model_is_loaded(bert, tmp_path):
    name = "test_fusion>WeightedSum"
    DLFABackbone(bert, 1, fusion=WeightedSum()).save(tmp_path / "m.keras")
    custom = keras.saving.get_custom_objects()
    cls = custom.pop(name)
    try:
        with pytest.raises(ValueError, match=f"the layer {name}, which") as e:
            keras.models.load_model(tmp_path / "m.keras")
    finally:
        custom[name] = cls
    assert "--import_module=MODULE" in str(e.value)
    assert len(str(e.value)) < 300


def test_layer_that_does_not_take_what_its_config_holds(bert):
    @keras.saving.register_keras_serializable(package="test_fusion")
    class NoKeywords(WeightedSum):
        def __init__(self):
            super().__init__()

    config = DLFABackbone(bert, 1, fusion=NoKeywords()).get_config()
    with pytest.raises(ValueError, match="NoKeywords of the model cannot be r"):
        DLFABackbone.from_config(config)


@pytest.mark.parametrize("fusion", ["mean", "scalar_mix"])
def test_saved_model_keeps_its_fusion(bert, bert_inputs, tmp_path, fusion):
    layer = None if fusion == "scalar_mix" else 1
    backbone = DLFABackbone(bert, layer, fusion=fusion)
    backbone.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.fusion, loaded.fusion_layer) == (fusion, layer)
    np.testing.assert_array_equal(
        np.asarray(loaded(bert_inputs)["sequence_output"]),
        np.asarray(backbone(bert_inputs)["sequence_output"]),
    )


def test_error_offers_nearest_fusion(bert):
    with pytest.raises(ValueError, match="`fusion`.*Did you mean 'mean'"):
        DLFABackbone(bert, 1, fusion="means")


def test_error_names_a_layer_that_takes_no_padding_mask(bert):
    with pytest.raises(ValueError, match="Received: a DLFA with call"):
        DLFABackbone(bert, 1, fusion=DLFA())


def test_error_for_a_class_in_place_of_a_layer(bert):
    with pytest.raises(TypeError, match=r"an instance, WeightedSum\(\)\."):
        DLFABackbone(bert, 1, fusion=WeightedSum)


@pytest.mark.parametrize(
    ("fuse", "received"),
    [
        (
            lambda low, high: keras.ops.concatenate([low, high], -1),
            r"\(None, .*16",
        ),
        (lambda low, high: low[:, 0], r"\(None, 8\)"),
        (lambda low, high: [low, high], "list"),
    ],
    ids=["width", "rank", "two"],
)
def test_error_names_the_layer_that_returns_another_shape(bert, fuse, received):
    class Mine(keras.layers.Layer):
        def call(self, low, high, padding_mask=None):
            return fuse(low, high)

    with pytest.raises(ValueError, match=f"Received: {received}.* the Mine '"):
        DLFABackbone(bert, 1, fusion=Mine())


@pytest.mark.parametrize(
    "given",
    [{}, {"fusion_layer": 1, "fusion": "mean"}, {"fusion": "scalar_mix"}],
    ids=["baseline", "mean", "scalar_mix"],
)
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"gate": "attentoin"}, "Did you mean 'attention'"),
        ({"mix_factor": -3}, "`mix_factor` is out of range"),
    ],
    ids=["name", "number"],
)
def test_options_are_checked_whatever_the_fusion(bert, given, option, message):
    with pytest.raises(ValueError, match=message):
        DLFABackbone(bert, **given, **option)


def test_error_names_a_block_that_is_missing_or_one_too_many(bert):
    with pytest.raises(ValueError, match="`fusion_layer` is needed"):
        DLFABackbone(bert, fusion="mean")
    with pytest.raises(ValueError, match="`fusion_layer` must be None"):
        DLFABackbone(bert, 1, fusion="scalar_mix")
