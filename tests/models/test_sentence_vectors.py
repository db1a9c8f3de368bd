"""Tests of the vector of a whole sequence."""

import keras_hub
import numpy as np
import pytest

from dlfa_tf.models import DLFABackbone

# float32 sums in another order.
TOLERANCE = 1e-5


def outputs_of(backbone, inputs):
    outputs = backbone(inputs)
    return {k: np.asarray(v) for k, v in outputs.items()}


@pytest.mark.parametrize("fusion_layer", [None, 1])
def test_mean_leaves_padding_out(bert, bert_inputs, fusion_layer):
    backbone = DLFABackbone(
        bert, fusion_layer, sentence_pooling="mean", pooler="none"
    )
    outputs = outputs_of(backbone, bert_inputs)
    sequence = outputs["sequence_output"]
    expected = [sequence[0].mean(0), sequence[1, :3].mean(0)]
    np.testing.assert_allclose(
        outputs["pooled_output"], expected, atol=TOLERANCE
    )


def test_poolers_differ_in_their_dense_layer(bert, bert_inputs):
    results = {}
    for pooler in ("encoder", "identity", "new", "none"):
        backbone = DLFABackbone(bert, 1, pooler=pooler)
        dlfa = backbone.get_layer("dlfa")
        dlfa.set_weights([np.ones(w.shape) for w in dlfa.weights])
        outputs = outputs_of(backbone, bert_inputs)
        first = outputs["sequence_output"][:, 0]
        results[pooler] = outputs["pooled_output"]
    np.testing.assert_array_equal(results["none"], first)
    np.testing.assert_allclose(
        results["identity"], np.tanh(first), atol=TOLERANCE
    )
    kernel, bias = bert.get_layer("pooled_dense").get_weights()
    np.testing.assert_allclose(
        results["encoder"], np.tanh(first @ kernel + bias), atol=TOLERANCE
    )
    assert np.abs(results["new"] - results["encoder"]).max() > 1e-2


def test_encoder_without_pooler_gets_one():
    encoder = keras_hub.models.RobertaBackbone(
        vocabulary_size=30,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    backbone = DLFABackbone(encoder)
    assert len(backbone.weights) == len(encoder.weights) + 2
    assert len(DLFABackbone(encoder, pooler="none").weights) == len(
        encoder.weights
    )


def test_saved_settings_come_back(bert):
    config = DLFABackbone(
        bert, sentence_pooling="mean", pooler="identity"
    ).get_config()
    copy = DLFABackbone.from_config(config)
    assert (copy.sentence_pooling, copy.pooler) == ("mean", "identity")


@pytest.mark.parametrize("argument", ["sentence_pooling", "pooler"])
def test_error_names_argument(bert, argument):
    with pytest.raises(ValueError, match=f"`{argument}` is not a known name"):
        DLFABackbone(bert, **{argument: "max"})
