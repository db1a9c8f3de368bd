"""Tests of dlfa_tf.training.bundle."""

import dataclasses

import numpy as np
import pytest

from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.packed_arrays import gold_names
from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.scoring.score import gold_labels
from dlfa_tf.training.bundle import make_bundle
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.bundle_settings import BUNDLE_SETTINGS
from dlfa_tf.training.preparing import prepare
from dlfa_tf.training.preparing import read_data

pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


@pytest.fixture
def settings(tiny_settings, tmp_path):
    return {**tiny_settings, "output_dir": str(tmp_path)}


@pytest.mark.parametrize("task", ["pos", "pawsx"])
def test_bundle_holds_what_training_on_the_data_reads(
    eager, settings, tmp_path, task
):
    settings.update(task=task, languages=("de", "fr"))
    if task == "pawsx":
        settings["preset"] = "tiny_sentencepiece"
    config = default_config(**settings)
    said = []
    meta = make_bundle(config, tmp_path / "b", "float32", said.append)
    assert said[-1].startswith("packing the encoder")
    bundle = read_bundle(tmp_path / "b")
    assert bundle.sha256 == meta["sha256"]
    assert set(bundle.meta["settings"]) == set(BUNDLE_SETTINGS)
    assert bundle.meta["files"] == {"de": "test", "fr": "test"}

    model = build_model(config)
    data = read_data(config)
    wanted = prepare(config, data, model.preprocessor)
    found = bundle.prepared(config)
    for part in ("train", "dev"):
        for field in dataclasses.fields(getattr(wanted, part)):
            np.testing.assert_array_equal(
                getattr(getattr(found, part), field.name),
                getattr(getattr(wanted, part), field.name),
            )
    for name in ("dev_gold", "train_examples", "pad_id", "use_segment_ids"):
        assert getattr(found, name) == getattr(wanted, name)
    # Row i of the bundle stands for the token that row i stood for.
    rows = bundle.vocabulary[found.used_ids]
    np.testing.assert_array_equal(rows, wanted.used_ids)
    encoder = bundle.encoder()
    np.testing.assert_array_equal(
        encoder.token_embedding.embeddings,
        model.backbone.token_embedding.embeddings.numpy()[bundle.vocabulary],
    )


def test_arrays_to_evaluate_on_stand_for_the_same_tokens(
    eager, settings, tmp_path
):
    settings.update(eval_split="test_or_dev", languages=("zh",))
    config = default_config(**settings)
    make_bundle(config, tmp_path / "b", "float32")
    bundle = read_bundle(tmp_path / "b")
    preprocessor = build_model(config).preprocessor
    data = read_data(config)
    examples = data.source.load("test", "zh", config.eval_limit)
    arrays = bundle.arrays["test-zh"]
    plain = tokenize_examples(examples, preprocessor)
    np.testing.assert_array_equal(
        bundle.vocabulary[arrays.token_ids], plain.token_ids
    )
    labels = data.source.task.labels
    assert gold_names(arrays, labels) == gold_labels(data.source.task, examples)


def test_dev_may_be_what_is_evaluated_on(eager, settings, tmp_path):
    settings.update(eval_split="dev", languages=("en",))
    make_bundle(default_config(**settings), tmp_path / "b", "float32")
    bundle = read_bundle(tmp_path / "b")
    assert set(bundle.arrays) == {"train-en", "dev-en"}
    assert bundle.meta["files"] == {"en": "dev"}


def test_full_vocabulary(eager, settings, tmp_path):
    config = default_config(**settings)
    make_bundle(config, tmp_path / "b", "float32")
    config = dataclasses.replace(config, compact_vocabulary=False)
    assert read_bundle(tmp_path / "b").prepared(config).used_ids is None


def test_existing_file_is_refused_before_any_work(settings, tmp_path):
    (tmp_path / "b").touch()
    with pytest.raises(FileExistsError, match="never overwritten"):
        make_bundle(default_config(**settings), tmp_path / "b", say=pytest.fail)
