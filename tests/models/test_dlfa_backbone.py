"""Tests of the encoder with fusion."""

import json

import keras
import keras_hub
import numpy as np
import pytest

from dlfa_tf.layers import DLFA
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models.encoder_blocks import block_layers

ENCODERS = {
    "bert": keras_hub.models.BertBackbone,
    "xlm_roberta": keras_hub.models.XLMRobertaBackbone,
    "roberta": keras_hub.models.RobertaBackbone,
    "distil_bert": keras_hub.models.DistilBertBackbone,
}
OPTIONS = {
    "reduction_ratio": 2,
    "norm": "none",
    "gate": "attention",
    "activation": "gelu",
    "pooling": "first",
    "mix_factor": 2.0,
    "first": "high",
}
# float32 sums in another order.
TOLERANCE = 1e-5


def make_encoder(kind="bert", **options):
    encoder = ENCODERS[kind](
        vocabulary_size=30,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
        **options,
    )
    shake(encoder)
    return encoder


def shake(layer):
    # Fresh blocks all but copy their input, fresh biases are 0.
    generator = np.random.default_rng(5)
    for weight in layer.weights:
        noise = generator.normal(0.0, 0.3, tuple(weight.shape))
        weight.assign(weight + noise.astype("float32"))


@pytest.fixture(scope="module")
def encoders():
    """One encoder of each kind; tests must leave the weights alone."""
    return {kind: make_encoder(kind) for kind in ENCODERS}


def make_inputs(encoder, padding=0):
    token_ids = np.array([[1, 5, 6, 7, 2], [1, 9, 2, 0, 0]])
    real = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    if padding:
        # What the padding holds must not matter either.
        token_ids = np.pad(token_ids, ((0, 0), (0, padding)))
        token_ids[:, 5:] = 8
        real = np.pad(real, ((0, 0), (0, padding)))
    inputs = {"token_ids": token_ids, "padding_mask": real}
    if "segment_ids" in encoder.input:
        inputs["segment_ids"] = (token_ids > 5).astype("int32")
    return inputs


def array(tensor):
    return np.asarray(keras.ops.cast(tensor, "float32"))


def hidden_states(encoder, inputs):
    blocks = block_layers(encoder)
    first = blocks[0].input
    first = first[0] if isinstance(first, (list, tuple)) else first
    outputs = [first] + [block.output for block in blocks]
    return [array(h) for h in keras.Model(encoder.input, outputs)(inputs)]


def assert_equal_outputs(first, second, inputs):
    first, second = first(inputs), second(inputs)
    for name in ("sequence_output", "pooled_output"):
        np.testing.assert_array_equal(array(first[name]), array(second[name]))


@pytest.mark.parametrize("kind", ENCODERS)
def test_baseline_is_the_encoder_bit_for_bit(encoders, kind):
    encoder = encoders[kind]
    inputs = make_inputs(encoder)
    outputs = DLFABackbone(encoder)(inputs)
    expected = encoder(inputs)
    if kind == "bert":
        np.testing.assert_array_equal(
            array(outputs["pooled_output"]), array(expected["pooled_output"])
        )
        expected = expected["sequence_output"]
    np.testing.assert_array_equal(
        array(outputs["sequence_output"]), array(expected)
    )
    assert sorted(outputs) == ["pooled_output", "sequence_output"]


@pytest.mark.parametrize("kind", ENCODERS)
def test_fusion_is_the_layer_over_two_hidden_states(encoders, kind):
    encoder = encoders[kind]
    inputs = make_inputs(encoder)
    states = hidden_states(encoder, inputs)
    layer = DLFA()
    layer.build(states[0].shape, states[0].shape)
    for fusion_layer in (0, 1, 2):
        backbone = DLFABackbone(encoder, fusion_layer)
        shake(backbone.get_layer("dlfa"))
        layer.set_weights(backbone.get_layer("dlfa").get_weights())
        expected = layer(
            states[fusion_layer], states[3], mask=inputs["padding_mask"] > 0
        )
        outputs = backbone(inputs)
        np.testing.assert_allclose(
            array(outputs["sequence_output"]), array(expected), atol=TOLERANCE
        )
        kernel, bias = backbone.get_layer("pooled_dense").get_weights()
        np.testing.assert_allclose(
            array(outputs["pooled_output"]),
            np.tanh(array(expected)[:, 0] @ kernel + bias),
            atol=TOLERANCE,
        )


def test_fusion_follows_the_equations(encoders):
    encoder = encoders["bert"]
    inputs = make_inputs(encoder)
    backbone = DLFABackbone(encoder, 1, norm="none")
    shake(backbone.get_layer("dlfa"))
    weights = {
        w.path.split("aif/")[1]: array(w)
        for w in backbone.get_layer("dlfa").weights
    }

    def branch(name, x):
        x = x @ weights[f"{name}/reduce/kernel"]
        x = np.maximum(x + weights[f"{name}/reduce/bias"], 0)
        x = x @ weights[f"{name}/expand/kernel"]
        return x + weights[f"{name}/expand/bias"]

    l1, l2 = (hidden_states(encoder, inputs)[i] for i in (1, 3))
    w = (l1 + l2) / 2
    real = inputs["padding_mask"][..., None]
    mean = (w * real).sum(1, keepdims=True) / real.sum(1, keepdims=True)
    attention = 1 / (
        1 + np.exp(-branch("local_branch", w) - branch("global_branch", mean))
    )
    gate = w * attention
    np.testing.assert_allclose(
        array(backbone(inputs)["sequence_output"]),
        l1 * gate + l2 * (1 - gate),
        atol=TOLERANCE,
    )


def test_options_reach_the_layer(encoders):
    backbone = DLFABackbone(encoders["bert"], 1, **OPTIONS)
    layer = backbone.get_layer("dlfa")
    for name, value in OPTIONS.items():
        assert getattr(backbone, name) == value
        if name != "activation":
            assert getattr(layer, name) == value
    assert layer.activation is keras.activations.gelu


@pytest.mark.parametrize("kind", ENCODERS)
def test_hidden_states_count_from_the_embeddings(encoders, kind):
    encoder = encoders[kind]
    inputs = make_inputs(encoder)
    outputs = DLFABackbone(encoder, output_hidden_states=range(4))(inputs)
    states = outputs["hidden_states"]
    assert list(states) == ["0", "1", "2", "3"]
    for i, block in enumerate(block_layers(encoder)):
        assert block.name == f"transformer_layer_{i}"
        np.testing.assert_allclose(
            array(block(states[str(i)], padding_mask=inputs["padding_mask"])),
            array(states[str(i + 1)]),
            atol=TOLERANCE,
        )
    np.testing.assert_array_equal(
        array(states["3"]), array(outputs["sequence_output"])
    )
    embedded = array(encoder.token_embedding(inputs["token_ids"]))
    assert array(states["0"]).shape == embedded.shape


def test_hidden_states_are_those_asked_for(encoders):
    inputs = make_inputs(encoders["bert"])
    backbone = DLFABackbone(encoders["bert"], 1, output_hidden_states=[2])
    outputs = backbone(inputs)
    assert list(outputs["hidden_states"]) == ["2"]
    np.testing.assert_allclose(
        array(outputs["hidden_states"]["2"]),
        hidden_states(encoders["bert"], inputs)[2],
        atol=TOLERANCE,
    )


@pytest.mark.parametrize("kind", ENCODERS)
def test_weights_of_the_encoder_are_shared_and_unchanged(kind):
    encoder = make_encoder(kind)
    before = encoder.get_weights()
    new_pooler = 0 if kind == "bert" else 2
    counts = {}
    for fusion_layer in (None, 1):
        backbone = DLFABackbone(encoder, fusion_layer)
        ids = {id(weight) for weight in backbone.weights}
        assert {id(weight) for weight in encoder.weights} <= ids
        counts[fusion_layer] = len(backbone.weights) - len(encoder.weights)
    # Two branches of two dense layers and two norms, two weights each.
    assert counts == {None: new_pooler, 1: new_pooler + 16}
    for old, new in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("norm", "trainable", "other"),
    [("layer", 16, 0), ("batch", 12, 8), ("none", 8, 0)],
)
def test_number_of_new_weights(encoders, norm, trainable, other):
    encoder = encoders["bert"]
    backbone = DLFABackbone(encoder, 2, norm=norm)
    count = len(encoder.weights)
    assert len(backbone.trainable_weights) == count + trainable
    assert len(backbone.non_trainable_weights) == other


def test_two_backbones_of_one_encoder():
    encoder = make_encoder()
    inputs = make_inputs(encoder)
    first, second = DLFABackbone(encoder, 1), DLFABackbone(encoder, 1)
    assert first.encoder is second.encoder is encoder
    second.get_layer("dlfa").set_weights(first.get_layer("dlfa").get_weights())
    assert_equal_outputs(first, second, inputs)
    before = array(second(inputs)["sequence_output"])
    shake(first.get_layer("dlfa"))
    np.testing.assert_array_equal(
        array(second(inputs)["sequence_output"]), before
    )
    encoder.token_embedding.embeddings.assign_add(
        np.ones(encoder.token_embedding.embeddings.shape) * [[1, -1] * 4]
    )
    change = array(second(inputs)["sequence_output"]) - before
    assert np.abs(change).max() > 1e-3


@pytest.mark.parametrize("fusion_layer", [None, 1])
@pytest.mark.parametrize("kind", ENCODERS)
def test_longer_padding_changes_nothing(encoders, kind, fusion_layer):
    encoder = encoders[kind]
    backbone = DLFABackbone(encoder, fusion_layer)
    short, long = make_inputs(encoder), make_inputs(encoder, padding=3)
    real = short["padding_mask"] > 0
    first, second = backbone(short), backbone(long)
    np.testing.assert_allclose(
        array(first["sequence_output"])[real],
        array(second["sequence_output"])[:, :5][real],
        atol=TOLERANCE,
    )
    np.testing.assert_allclose(
        array(first["pooled_output"]),
        array(second["pooled_output"]),
        atol=TOLERANCE,
    )


@pytest.mark.parametrize("kind", ENCODERS)
def test_no_mask_is_attached_to_outputs(encoders, kind):
    # Keras would apply it to loss and metrics of fused models only.
    inputs = make_inputs(encoders[kind])
    for fusion_layer in (None, 1):
        backbone = DLFABackbone(encoders[kind], fusion_layer)
        for outputs in (backbone.output, backbone(inputs)):
            for output in outputs.values():
                assert getattr(output, "_keras_mask", None) is None


def test_bool_and_int_masks_are_equal(encoders):
    inputs = make_inputs(encoders["bert"])
    backbone = DLFABackbone(encoders["bert"], 1)
    as_bool = {**inputs, "padding_mask": inputs["padding_mask"] > 0}
    np.testing.assert_array_equal(
        array(backbone(inputs)["sequence_output"]),
        array(backbone(as_bool)["sequence_output"]),
    )


def test_batch_and_time_are_free(encoders):
    backbone = DLFABackbone(encoders["bert"], 1, output_hidden_states=[0])
    assert backbone.output["sequence_output"].shape == (None, None, 8)
    assert backbone.output["pooled_output"].shape == (None, 8)
    assert backbone.output["hidden_states"]["0"].shape == (None, None, 8)
    assert backbone.num_layers == 3
    assert backbone.hidden_dim == 8
    assert backbone.token_embedding is encoders["bert"].token_embedding


@pytest.mark.parametrize("kind", ENCODERS)
def test_config_round_trip(encoders, kind):
    backbone = DLFABackbone(
        encoders[kind], 2, **OPTIONS, output_hidden_states=(1, 3), name="b"
    )
    config = backbone.get_config()
    json.dumps(config)
    copy = DLFABackbone.from_config(config)
    assert copy.get_config() == config
    assert copy.fusion_layer == 2
    assert copy.name == "b"
    assert {k: getattr(copy, k) for k in OPTIONS} == OPTIONS
    assert copy.output_hidden_states == [1, 3]
    assert [w.path for w in copy.weights] == [w.path for w in backbone.weights]
    copy.set_weights(backbone.get_weights())
    assert_equal_outputs(backbone, copy, make_inputs(encoders[kind]))


# The baseline has the encoder's own pooler or, as of the others, a new one.
@pytest.mark.parametrize(
    ("kind", "fusion_layer"),
    [*((kind, 1) for kind in ENCODERS), ("bert", None), ("roberta", None)],
)
def test_reload_is_exact(encoders, kind, fusion_layer, tmp_path):
    encoder = encoders[kind]
    backbone = DLFABackbone(encoder, fusion_layer, gate="attention")
    path = tmp_path / "backbone.keras"
    backbone.save(path)
    copy = keras.saving.load_model(path)
    assert isinstance(copy, DLFABackbone)
    assert_equal_outputs(backbone, copy, make_inputs(encoder))
    folder = str(tmp_path / "preset")
    backbone.save_to_preset(folder)
    copy = DLFABackbone.from_preset(folder)
    assert copy.fusion_layer == fusion_layer
    assert_equal_outputs(backbone, copy, make_inputs(encoder))
    fresh = DLFABackbone.from_preset(folder, load_weights=False)
    assert len(fresh.weights) == len(backbone.weights)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
def test_dtype_given_at_load_holds_for_encoder_and_fusion(tmp_path, policy):
    # XLM-R: its pooler is new.
    backbone = DLFABackbone(make_encoder("xlm_roberta"), 1)
    folder = str(tmp_path / "preset")
    backbone.save_to_preset(folder)
    copy = DLFABackbone.from_preset(folder, dtype=policy)
    for layer in (copy, copy.encoder, *copy.layers):
        if layer.weights:
            assert layer.dtype_policy.name == policy
    inputs = make_inputs(backbone)
    outputs = copy(inputs)
    assert outputs["sequence_output"].dtype == "bfloat16"
    np.testing.assert_allclose(
        array(outputs["pooled_output"]),
        array(backbone(inputs)["pooled_output"]),
        # tanh of sums of bfloat16, of 8 bits.
        atol=0.1,
    )


@pytest.mark.parametrize("kind", ENCODERS)
def test_mixed_bfloat16(kind):
    backbone = DLFABackbone(make_encoder(kind, dtype="mixed_bfloat16"), 1)
    for weight in backbone.weights:
        assert weight.dtype == "float32"
    for name in ("dlfa", "pooled_dense", "transformer_layer_0"):
        assert backbone.get_layer(name).compute_dtype == "bfloat16"
    for output in backbone(make_inputs(backbone)).values():
        assert output.dtype == "bfloat16"
        assert np.isfinite(array(output)).all()


def test_int8_of_a_mixed_model_stays_mixed():
    backbone = DLFABackbone(make_encoder(dtype="mixed_bfloat16"), 1)
    backbone.get_layer("pooled_dense").quantize("int8")
    config = json.loads(json.dumps(backbone.get_config()))
    copy = DLFABackbone.from_config(config)
    assert copy.get_layer("pooled_dense").quantization_mode == "int8"
    for name in ("pooled_dense", "transformer_layer_0", "dlfa"):
        assert copy.get_layer(name).compute_dtype == "bfloat16"
    assert copy.get_config()["dtype"] == config["dtype"]


def test_dtype_argument_is_for_the_new_layers(encoders):
    backbone = DLFABackbone(
        encoders["roberta"], 1, dtype=keras.DTypePolicy("mixed_bfloat16")
    )
    for name in ("dlfa", "pooled_dense"):
        assert backbone.get_layer(name).compute_dtype == "bfloat16"
    assert backbone.get_layer("transformer_layer_0").compute_dtype == "float32"


@pytest.mark.parametrize(
    ("fusion_layer", "error", "message"),
    [
        (3, ValueError, r"`fusion_layer` is out of range\. Received: 3\."),
        (-1, ValueError, r"Received: -1\. Accepted .* of 3 blocks: 1 to 2"),
        (1.0, TypeError, r"must be an int or None\. Received: 1\.0 of type f"),
        (True, TypeError, r"Received: True of type bool"),
        ("2", TypeError, r"Received: '2' of type str"),
    ],
)
def test_error_of_fusion_layer(encoders, fusion_layer, error, message):
    with pytest.raises(error, match=message):
        DLFABackbone(encoders["bert"], fusion_layer)


@pytest.mark.parametrize(
    ("states", "error", "message"),
    [
        ([4], ValueError, r"out of range\. Received: \[4\].*to 3\."),
        ([0, -1], ValueError, r"Received: \[0, -1\]"),
        (2, TypeError, r"must be a list of ints\. Received: 2 of type int"),
        (["1"], TypeError, r"Received: \['1'\] of type list"),
        ([True], TypeError, r"Received: \[True\]"),
    ],
)
def test_error_of_output_hidden_states(encoders, states, error, message):
    with pytest.raises(error, match=message):
        DLFABackbone(encoders["bert"], output_hidden_states=states)


def test_error_of_encoder_of_another_type(encoders):
    with pytest.raises(TypeError, match=r"Received: 'bert' of type str"):
        DLFABackbone("bert", 1)
    fused = DLFABackbone(encoders["bert"], 1)
    with pytest.raises(TypeError, match=r"take `\.encoder`"):
        DLFABackbone(fused, 2)


def test_error_of_encoder_without_named_blocks():
    encoder = keras_hub.models.AlbertBackbone(
        vocabulary_size=30,
        num_layers=2,
        num_heads=2,
        embedding_dim=8,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    message = r"must have blocks named `transformer_layer_0`.*AlbertBackbone"
    with pytest.raises(ValueError, match=message):
        DLFABackbone(encoder, 1)


def test_error_of_unknown_argument(encoders):
    # Keras would swallow it.
    with pytest.raises(TypeError, match="fusion_layr"):
        DLFABackbone(encoders["bert"], fusion_layr=1)


@pytest.mark.parametrize(("kind", "new"), [("bert", 16), ("roberta", 18)])
def test_frozen_encoder_leaves_the_new_weights(kind, new):
    backbone = DLFABackbone(make_encoder(kind), 1)
    count = len(backbone.weights)
    backbone.encoder.trainable = False
    assert len(backbone.trainable_weights) == new
    copy = DLFABackbone.from_config(backbone.get_config())
    assert len(copy.trainable_weights) == new
    backbone.encoder.trainable = True
    assert len(backbone.trainable_weights) == count


def test_frozen_backbone_stays_frozen_in_a_model():
    backbone = DLFABackbone(make_encoder(), 1, trainable=False)
    assert backbone.trainable_weights == []
    copy = DLFABackbone.from_config(backbone.get_config())
    outputs = copy(copy.input)["pooled_output"]
    model = keras.Model(copy.input, keras.layers.Dense(2)(outputs))
    assert len(model.trainable_weights) == 2


def test_other_encoders_with_named_blocks_work():
    encoder = keras_hub.models.ElectraBackbone(
        vocab_size=30,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        embedding_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    outputs = DLFABackbone(encoder, 1)(make_inputs(encoder))
    assert outputs["sequence_output"].shape == (2, 5, 8)
    assert outputs["pooled_output"].shape == (2, 8)
