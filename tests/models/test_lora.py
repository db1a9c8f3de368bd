"""Tests of dlfa_tf.models.lora, through DLFABackbone."""

import h5py
import keras_hub
import numpy as np
import pytest

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier

SIZES = {
    "vocabulary_size": 30,
    "num_layers": 3,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 16,
}
IDS = np.array([[1, 5, 6, 2], [1, 7, 2, 0]])


def bert(fusion_layer=1):
    encoder = keras_hub.models.BertBackbone(**SIZES)
    return DLFABackbone(encoder, fusion_layer)


def xlm_roberta(fusion_layer=1):
    encoder = keras_hub.models.XLMRobertaBackbone(**SIZES)
    return DLFABackbone(encoder, fusion_layer)


def inputs(backbone):
    features = {"token_ids": IDS, "padding_mask": IDS > 0}
    if "segment_ids" in backbone.input:
        features["segment_ids"] = 0 * IDS
    return features


def trainable_layers(backbone):
    return {w.path.split("/")[0] for w in backbone.trainable_variables}


@pytest.mark.parametrize(
    ("make", "fusion_layer", "new"),
    [
        (bert, 1, {"dlfa"}),
        (bert, None, set()),
        # This encoder has no pooler of its own.
        (xlm_roberta, 1, {"dlfa", "pooled_dense"}),
    ],
)
def test_factors_and_new_layers_are_trained(make, fusion_layer, new):
    backbone = make(fusion_layer)
    backbone.enable_lora(2)
    blocks = {f"transformer_layer_{i}" for i in range(3)}
    assert trainable_layers(backbone) == blocks | new
    factors = [w for w in backbone.trainable_variables if "lora" in w.path]
    assert len(factors) == 3 * 2 * 2  # query and value, two factors each


def test_what_was_frozen_stays_frozen():
    backbone = bert()
    backbone.get_layer("dlfa").trainable = False
    backbone.enable_lora(2)
    assert "dlfa" not in trainable_layers(backbone)
    # A tagger's pooler would have no gradient.
    tagger = DLFATokenClassifier(xlm_roberta(), num_classes=2)
    tagger.backbone.enable_lora(2)
    assert "pooled_dense" not in trainable_layers(tagger.backbone)


def test_encoder_is_not_moved_by_training():
    model = DLFATextClassifier(bert(), num_classes=2)
    model.backbone.enable_lora(2)
    model.compile(run_eagerly=True)
    before = {w.path: w.numpy() for w in model.weights}
    for _ in range(2):  # the second factor starts at zero
        model.train_on_batch(inputs(model.backbone), np.array([0, 1]))
    moved = {
        w.path
        for w in model.weights
        if not np.array_equal(w.numpy(), before[w.path])
    }
    assert any("lora_kernel_a" in path for path in moved)
    assert any(path.startswith("dlfa/") for path in moved)
    assert all(
        "lora" in path or path.startswith(("dlfa/", "logits/"))
        for path in moved
        # Biases of the layers that got factors go on learning.
        if not path.endswith(("query/bias", "value/bias"))
    )


@pytest.mark.parametrize("make", [bert, xlm_roberta])
def test_saved_adaptation_is_the_whole_of_it(make, tmp_path):
    backbone = make()
    encoder = {w.path: w.numpy() for w in backbone.weights}
    backbone.enable_lora(2)
    random = np.random.default_rng(0)
    for weight in backbone.trainable_variables:
        weight.assign(random.normal(size=weight.shape))
    file = tmp_path / "x.lora.h5"
    backbone.save_lora_weights(file)
    assert [path.name for path in tmp_path.iterdir()] == ["x.lora.h5"]
    copy = make()
    for weight in copy.weights:
        weight.assign(encoder[weight.path])
    copy.load_lora_weights(file)
    np.testing.assert_array_equal(
        copy(inputs(copy))["pooled_output"],
        backbone(inputs(backbone))["pooled_output"],
    )


def test_wrong_arguments_are_named(tmp_path):
    backbone = bert()
    for rank in (0, 1.5, True):
        with pytest.raises(ValueError, match="whole number from 1"):
            backbone.enable_lora(rank)
    with pytest.raises(ValueError, match="no layer that takes LoRA.*'query'"):
        backbone.enable_lora(2, ["querry"])
    with pytest.raises(ValueError, match="no lora-enabled layers"):
        bert().save_lora_weights(tmp_path / "x.lora.h5")
    backbone.enable_lora(2)
    with pytest.raises(ValueError, match="must end in `.lora.h5`"):
        backbone.save_lora_weights(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_refused_call_leaves_the_model_as_it_was():
    backbone = bert()
    count = len(backbone.trainable_variables)
    with pytest.raises(ValueError, match="no layer that takes LoRA"):
        backbone.enable_lora(2, ["querry"])
    assert len(backbone.trainable_variables) == count
    backbone.enable_lora(2)
    count = len(backbone.trainable_variables)
    other = DLFABackbone(backbone.encoder, 2)
    message = r"once per encoder.*: `rank`=4 .* factors of rank 2\. Accepted:"
    for again in (backbone, other):
        with pytest.raises(ValueError, match=message):
            again.enable_lora(4)
    assert len(backbone.trainable_variables) == count


def test_file_of_another_fusion_is_refused(tmp_path):
    file = tmp_path / "x.lora.h5"
    backbone = bert()
    backbone.enable_lora(2)
    backbone.save_lora_weights(file)
    with pytest.raises(ValueError, match="fusion layer and pooler"):
        bert(fusion_layer=None).load_lora_weights(file)
    with h5py.File(file, "r+") as stored:
        # As keras-hub alone writes it.
        del stored["adapted"]
        del stored.attrs["dlfa_crc32"]
    with pytest.raises(ValueError, match="Received: arrays of shapes \\[\\]"):
        bert().load_lora_weights(file)
