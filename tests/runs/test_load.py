"""Tests of models from a config, and of models in folders."""

import numpy as np
import pytest

from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.load import has_bundle_weights
from dlfa_tf.runs.load import load_bundle_model
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.load import save_bundle_weights
from dlfa_tf.runs.load import save_model
from dlfa_tf.runs.settings import default_config


def test_model_is_that_of_the_config(tiny_settings):
    model = build_model(default_config(**tiny_settings))
    assert isinstance(model, DLFATokenClassifier)
    assert model.backbone.fusion_layer == 1
    pair = {**tiny_settings, "task": "xnli", "fusion_layer": None}
    model = build_model(default_config(**pair, dropout=0.3))
    assert isinstance(model, DLFATextClassifier)
    assert model.backbone.fusion_layer is None
    assert model.dropout == 0.3


def test_saved_model_takes_the_place_of_an_older_one(tiny_settings, tmp_path):
    model = build_model(default_config(**tiny_settings))
    save_model(model, tmp_path / "model")
    (tmp_path / "model" / "of-the-old-one").touch()
    readme = tmp_path / "model" / "README.md"
    readme.write_text("mine", "utf-8")
    model.set_weights([w + 1 for w in model.get_weights()])
    save_model(model, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert not (tmp_path / "model" / "of-the-old-one").exists()
    assert readme.read_text("utf-8") == "mine"
    for folder in (tmp_path, tmp_path / "model"):
        loaded = load_model(str(folder))
        for one, other in zip(
            loaded.get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        load_model(str(tmp_path))


def test_damaged_weights_of_a_bundle_run_are_refused(tiny_settings, tmp_path):
    assert not has_bundle_weights(tmp_path)
    model = build_model(default_config(**tiny_settings))
    save_bundle_weights(model, np.arange(3), tmp_path)
    assert has_bundle_weights(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]
    path = tmp_path / "weights.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="weights.npz.*cannot be read"):
        load_bundle_model(tmp_path)
