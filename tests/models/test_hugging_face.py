"""Tests of models in the form that Hugging Face's programs write."""

import json

import numpy as np
import pytest
import safetensors.numpy

from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import presets

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat", "dog", "##s"]
WIDTH, BLOCKS, INNER = 8, 2, 16


def bert_tensors():
    """Random weights under the names of `transformers.BertModel`."""
    generator = np.random.default_rng(3)
    tensors = {}

    def add(name, *shape):
        tensors[name] = generator.normal(size=shape).astype(np.float32)

    def dense(name, inputs, outputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    for name, rows in (
        ("word", len(WORDS)),
        ("position", 16),
        ("token_type", 2),
    ):
        add(f"embeddings.{name}_embeddings.weight", rows, WIDTH)
    norms = ["embeddings.LayerNorm"]
    for i in range(BLOCKS):
        block = f"encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{block}.attention.{part}", WIDTH, WIDTH)
        dense(f"{block}.intermediate.dense", WIDTH, INNER)
        dense(f"{block}.output.dense", INNER, WIDTH)
        norms += [f"{block}.attention.output.LayerNorm"]
        norms += [f"{block}.output.LayerNorm"]
    for name in norms:
        add(f"{name}.weight", WIDTH)
        add(f"{name}.bias", WIDTH)
    dense("pooler.dense", WIDTH, WIDTH)
    return tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hugging_face")
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(WORDS),
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 2,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "hidden_dropout_prob": 0.1,
        "max_position_embeddings": 16,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    safetensors.numpy.save_file(
        bert_tensors(), folder / "model.safetensors", {"format": "pt"}
    )
    return folder


def test_weights_of_a_folder_are_the_encoders(folder):
    encoder = presets.load_encoder(str(folder))
    tensors = bert_tensors()
    np.testing.assert_array_equal(
        encoder.token_embedding.embeddings.numpy(),
        tensors["embeddings.word_embeddings.weight"],
    )
    dense = encoder.get_layer("pooled_dense")
    np.testing.assert_array_equal(
        dense.kernel.numpy(), tensors["pooler.dense.weight"].T
    )


def test_folder_becomes_a_task_model(folder):
    model = DLFATokenClassifier.from_preset(
        str(folder), fusion_layer=1, labels=["A", "B"], sequence_length=8
    )
    tags = model.tag(["cats dog"])
    assert [len(row) for row in tags] == [2]
