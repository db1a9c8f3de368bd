"""Tests of fusion layers of the user's, named in the settings of a run."""

import subprocess
import sys
import types

import keras
import numpy as np
import pytest

from dlfa_tf.runs import own_fusion
from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.load import save_model
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.settings import default_config

SOURCE = """
import keras


@keras.saving.register_keras_serializable(package="NAME")
class GatedSum(keras.layers.Layer):
    def __init__(self, start=0.0, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(1)
        self.start = start

    def call(self, low, high, padding_mask=None):
        return low * keras.ops.sigmoid(self.inner(high)) + high


class NotRegistered(GatedSum):
    pass


@keras.saving.register_keras_serializable(package="NAME")
class NoKeywords(keras.layers.Layer):
    def __init__(self, units=4):
        super().__init__()


@keras.saving.register_keras_serializable(package="NAME")
class NeedsUnits(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="NAME")
class NoMask(keras.layers.Layer):
    def call(self, low, high):
        return low


def function(low, high, padding_mask=None):
    return low
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Name of a module as a user writes one, not yet imported."""
    name = f"own_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(SOURCE.replace("NAME", name))
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)
    custom = keras.saving.get_custom_objects()
    for key in [key for key in custom if key.startswith(f"{name}>")]:
        del custom[key]


def forget(name):
    """Brings the process into the state of one that never imported it."""
    sys.modules.pop(name)
    custom = keras.saving.get_custom_objects()
    for key in [key for key in custom if key.startswith(f"{name}>")]:
        del custom[key]


@pytest.mark.parametrize(
    ("class_name", "error", "message"),
    [
        ("GatedSun", ValueError, "has no 'GatedSun'.*Did you mean 'GatedSum'"),
        ("function", TypeError, "is no Keras layer. Received: <function"),
        ("keras", TypeError, "is no Keras layer. Received: <module"),
        ("NotRegistered", ValueError, "NotRegistered is not registered.*regi"),
        ("NoKeywords", ValueError, r"unexpected keyword.*hands \*\*kwargs"),
        ("NeedsUnits", ValueError, "missing 1 required.*needs no argument"),
        ("NoMask", ValueError, "Received: a NoMask with call"),
    ],
)
def test_layer_that_cannot_work_is_refused(own, class_name, error, message):
    with pytest.raises(error, match=message) as caught:
        own_fusion.import_layer(f"{own}:{class_name}")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "ModuleNotFoundError: No module"), ("1 / 0", "ZeroDivisionError")],
)
def test_module_that_cannot_be_imported_is_named(
    tmp_path, monkeypatch, text, reason
):
    monkeypatch.syspath_prepend(tmp_path)
    if text:
        (tmp_path / "own_broken.py").write_text(text)
    with pytest.raises(ImportError, match=rf"'own_broken' cannot.*\({reason}"):
        own_fusion.import_module("own_broken")
    with pytest.raises(ValueError, match="No name of a module. Received: 'a:"):
        own_fusion.import_module("a:b")


def test_known_fusions_import_nothing(monkeypatch):
    monkeypatch.setattr(own_fusion, "import_module", None)
    own_fusion.import_layer("mean")
    own_fusion.check_in_a_process(["dlfa", "mean"])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layer_has_the_policy_of_the_run_and_a_stable_name(own, policy):
    own_fusion.import_module(own)
    before = keras.config.dtype_policy()
    for _ in range(2):
        layer = own_fusion.make_layer(f"{own}:GatedSum", policy)
        assert layer.name == own_fusion.LAYER_NAME
        assert layer.dtype_policy.name == policy
        assert layer.inner.dtype_policy.name == policy
    assert keras.config.dtype_policy() == before


def test_config_alone_never_imports_the_module(own, tiny_settings):
    config = default_config(**tiny_settings, fusion=f"{own}:GatedSum")
    config = TrainConfig.from_json(config.to_json())
    assert config.system == "GatedSum_1"
    assert config.gate_used is None
    with pytest.raises(ImportError, match=f"--import_module={own}"):
        build_model(config)
    assert own not in sys.modules


def test_saved_model_is_loaded_once_the_module_is_imported(
    own, tiny_settings, tmp_path
):
    config = default_config(**tiny_settings, fusion=f"{own}:GatedSum")
    own_fusion.import_layer(config.fusion)
    model = build_model(config)
    save_model(model, tmp_path / "saved")
    forget(own)
    with pytest.raises(ValueError, match="not registered.*--import_m") as error:
        load_model(str(tmp_path / "saved"))
    assert f"the layer {own}>GatedSum" in str(error.value)
    assert len(str(error.value)) < 400
    assert own not in sys.modules
    own_fusion.import_module(own)
    loaded = load_model(str(tmp_path / "saved"))
    for weight, wanted in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_process_of_its_own_says_what_is_wrong(monkeypatch):
    calls = []

    def run(command, env, **_):
        calls.append((command, env))
        return types.SimpleNamespace(returncode=1, stderr="noise\nthe reason\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ValueError, match="^the reason$"):
        own_fusion.check_in_a_process(["mean", "a:B", "a:B"])
    ((command, env),) = calls
    assert command[3:] == ["a:B"]
    assert env["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.slow
def test_process_of_its_own_imports_the_layer(own, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    own_fusion.check_in_a_process([f"{own}:GatedSum"])
    with pytest.raises(ValueError, match="^'.*NoKeywords' could not be loaded"):
        own_fusion.check_in_a_process([f"{own}:NoKeywords"])
