"""Tests with mBERT's own weights, where a machine has them.

DLFA_TF_MBERT names them, in any form that a preset may have; otherwise those
that keras-hub or the Hugging Face client have downloaded are taken.
"""

import os

import keras
import numpy as np
import pytest

from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import get_task
from dlfa_tf.models import DLFABackbone
from dlfa_tf.models.presets import hub
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.runs import settings
from dlfa_tf.training.run import run

VARIABLE = "DLFA_TF_MBERT"
REPOSITORY = "google-bert/bert-base-multilingual-cased"

# 178 million weights: a minute or more each.
pytestmark = [pytest.mark.weights, pytest.mark.slow]


@pytest.fixture(scope="module")
def mbert():
    """Name of the preset."""
    if named := os.environ.get(VARIABLE):
        return named
    if hub._is_cached_kaggle("keras/bert/keras/bert_base_multi"):
        return "bert_base_multi"
    if hub._is_cached_hugging_face(REPOSITORY):
        return f"hf://{REPOSITORY}"
    pytest.skip(
        f"mBERT's weights are not here: set {VARIABLE} to a folder, an archive "
        "or a handle (docs/mbert.md)"
    )


def test_encoder_is_mbert(mbert):
    encoder = load_encoder(mbert)
    assert (encoder.num_layers, encoder.hidden_dim) == (12, 768)
    assert encoder.vocabulary_size == 119547
    tokenizer = load_tokenizer(mbert)
    assert tokenizer.vocabulary_size() == 119547
    assert not tokenizer.lowercase


def test_translations_are_near_each_other(mbert):
    # Of trained weights block 8 puts a German sentence nearest to its English
    # original; of random or misplaced ones it does not.
    tokenizer = load_tokenizer(mbert)
    task = get_task("xnli")
    source = Source(task=task, name="sample")
    preprocessor = PairPreprocessor(
        tokenizer, labels=task.labels, sequence_length=64
    )
    encoder = load_encoder(mbert)
    backbone = DLFABackbone(encoder, output_hidden_states=[8])
    vectors = []
    for language in ("en", "de"):
        examples = source.load("test", language)
        texts = [x.second for x in examples][:40]
        rows = preprocessor((texts, [""] * len(texts)), y=None)
        rows = {name: np.asarray(rows[name]) for name in encoder.input}
        states = keras.ops.convert_to_numpy(
            backbone(rows)["hidden_states"]["8"]
        )
        mask = rows["padding_mask"][..., None]
        mean = (states * mask).sum(1) / mask.sum(1)
        mean -= mean.mean(0)
        vectors.append(mean / np.linalg.norm(mean, axis=1, keepdims=True))
    nearest = (vectors[1] @ vectors[0].T).argmax(1)
    assert len(set(texts)) > 20
    assert (nearest == np.arange(len(texts))).mean() > 0.5


@pytest.mark.parametrize("name", list(TASKS))
def test_task_runs(name, mbert, tmp_path):
    results = run(
        settings.default_config(
            name,
            preset=mbert,
            output_dir=str(tmp_path / "run"),
            data_source="sample",
            fusion_layer=10,
            train_limit=64,
            eval_limit=16,
            epochs=2,
            sequence_length=64,
            languages=("en", "de"),
            dev_every=None,
        )
    )
    assert results["encoder"]["new_pooler"] is False
    assert set(results["languages"]) == {"en", "de"}
    assert all(0 <= x["score"] <= 100 for x in results["languages"].values())
    if name == "pos":
        # A random encoder gives every word the same tag: under 30.
        assert results["languages"]["en"]["accuracy"] > 50
