"""Tests of what is read out of an encoder's graph, cut or frozen."""

import keras
import keras_hub
import numpy as np
import pytest

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models.encoder_blocks import check_sequence_length
from dlfa_tf.models.encoder_blocks import hidden_states
from dlfa_tf.models.encoder_blocks import max_positions


def test_hidden_states_end_with_the_output_of_the_encoder(bert):
    states = hidden_states(bert)
    assert len(states) == 4
    assert states[-1] is bert.output["sequence_output"]


SIZES = {
    "vocabulary_size": 9,
    "num_layers": 1,
    "num_heads": 1,
    "hidden_dim": 2,
    "intermediate_dim": 2,
    "max_sequence_length": 6,
}


@pytest.mark.parametrize(
    "name", ["Bert", "DistilBert", "Roberta", "XLMRoberta"]
)
def test_max_positions_is_what_an_encoder_takes(name):
    """Of RoBERTa and XLM-R too, which elsewhere keep two for padding."""
    encoder = getattr(keras_hub.models, f"{name}Backbone")(**SIZES)
    assert max_positions(encoder) == 6
    inputs = {name: np.ones((1, 7), "int32") for name in encoder.input}
    encoder({name: value[:, :6] for name, value in inputs.items()})
    # Of which class depends on the backend.
    with pytest.raises(Exception, match="PositionEmbedding"):
        encoder(inputs)


def test_max_positions_without_position_embeddings(bert):
    plain = keras.Sequential([keras.layers.Dense(2)])
    assert max_positions(plain) is None
    assert max_positions(bert) == DLFABackbone(bert).max_positions == 16


def test_sequence_length_is_up_to_the_positions():
    check_sequence_length(512, 512)
    check_sequence_length(9999, None)
    with pytest.raises(ValueError, match=r"Received: 513\. .* up to 512 pie"):
        check_sequence_length(513, 512)


@pytest.mark.parametrize("fusion_layer", [None, 1])
def test_last_layer_leaves_the_blocks_above_out(
    bert, bert_inputs, fusion_layer
):
    backbone = DLFABackbone(bert, fusion_layer, last_layer=2)
    names = [layer.name for layer in backbone.layers]
    assert "transformer_layer_1" in names
    assert "transformer_layer_2" not in names
    copy = DLFABackbone.from_config(backbone.get_config())
    copy.set_weights(backbone.get_weights())
    np.testing.assert_array_equal(
        np.asarray(copy(bert_inputs)["sequence_output"]),
        np.asarray(backbone(bert_inputs)["sequence_output"]),
    )
    if fusion_layer is None:
        reader = DLFABackbone(bert, output_hidden_states=[2])
        np.testing.assert_array_equal(
            np.asarray(reader(bert_inputs)["hidden_states"]["2"]),
            np.asarray(backbone(bert_inputs)["sequence_output"]),
        )


@pytest.mark.parametrize("count", [0, 2])
def test_frozen_layers_are_the_embeddings_and_the_lowest_blocks(bert, count):
    backbone = DLFABackbone(bert, 1, frozen_layers=count)
    blocks = [f"transformer_layer_{i}" for i in range(count, 3)]
    trained = {w.path.split("/")[0] for w in backbone.trainable_weights}
    assert trained == {*blocks, "dlfa", "pooled_dense"}
    copy = DLFABackbone.from_config(backbone.get_config())
    assert [w.path for w in copy.trainable_weights] == [
        w.path for w in backbone.trainable_weights
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"last_layer": 4}, ValueError, "`last_layer` is out of range.*1 to 3"),
        ({"last_layer": "2"}, TypeError, "`last_layer` must be an int"),
        ({"frozen_layers": -1}, ValueError, "`frozen_layers` is out of range"),
        ({"frozen_layers": True}, TypeError, "`frozen_layers` must be an int"),
        (
            {"last_layer": 2, "fusion_layer": 2},
            ValueError,
            "`fusion_layer` is out of range. Received: 2.*1 to 1",
        ),
    ],
    ids=["above", "type", "below", "bool", "fused_with_itself"],
)
def test_error_names_argument(bert, arguments, error, message):
    with pytest.raises(error, match=message):
        DLFABackbone(bert, **arguments)
