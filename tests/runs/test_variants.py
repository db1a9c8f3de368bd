"""Tests of the words for what a run changed of the paper's system."""

import dataclasses
import inspect

import pytest

from dlfa_tf.models import DLFABackbone
from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.variants import DEFAULTS
from dlfa_tf.runs.variants import shared_settings
from dlfa_tf.runs.variants import variant_name


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({}, ""),
        ({**DEFAULTS, "fusion_layer": 9}, ""),
        ({"fusion_layer": 9, "branches": "local"}, "branches=local"),
        (
            {"fusion_layer": 9, "initial_gate": 0.1, "new_layer_rate": 10.0},
            "initial_gate=0.1, new_layer_rate=10.0",
        ),
        # What a system does not use makes no variant of it.
        ({"branches": "local", "frozen_layers": 6}, "frozen_layers=6"),
        ({"fusion_layer": 9, "fusion": "mean", "norm": "batch"}, ""),
        ({"label_piece": "first"}, "label_piece=first"),
    ],
    ids=["empty", "defaults", "one", "two", "baseline", "mean", "piece"],
)
def test_variant_name_tells_what_is_changed(config, name):
    assert variant_name(config) == name


def test_what_all_runs_share_is_no_variant():
    configs = [
        {"dropout": 0.3, "pooler": "new", "frozen_layers": 6},
        {"dropout": 0.3, "pooler": "none", "fusion_layer": 9},
    ]
    shared = shared_settings(configs)
    assert shared == {"dropout": 0.3}
    assert [variant_name(config, shared) for config in configs] == [
        "frozen_layers=6, pooler=new",
        "pooler=none",
    ]
    assert shared_settings([{}, {"dropout": 0.3}]) == {}


def test_target_examples_are_named():
    config = {"target_examples": ["zh:100", "sw:7"]}
    assert variant_name(config) == "target_examples=zh:100+sw:7"
    assert shared_settings([config, config]) == {
        "target_examples": "zh:100+sw:7"
    }
    assert variant_name({"target_examples": None}) == ""


def test_encoders_are_named_by_the_last_part_of_their_place():
    adapted = {"preset": "/data/presets/e5-adapted/"}
    assert variant_name(adapted) == "preset=e5-adapted"
    assert variant_name({"preset": "hf://org/name"}) == "preset=name"
    # A study of one other encoder, and two of which the first is the usual.
    mbert, other = {"preset": "bert_base_multi"}, {"preset": "a/adapted"}
    assert shared_settings([mbert, mbert]) == {"preset": "bert_base_multi"}
    assert shared_settings([other, mbert]) == {"preset": "bert_base_multi"}
    shared = shared_settings([other, mbert, other])
    assert shared == {"preset": "adapted"}
    shared = shared_settings([mbert, other, mbert])
    assert [variant_name(x, shared) for x in (mbert, other)] == [
        "",
        "preset=adapted",
    ]
    # The default encoder is never called otherwise.
    assert shared_settings([mbert, mbert, {}]) == {}
    assert variant_name({}, shared_settings([mbert, mbert, {}])) == ""


def test_defaults_are_those_of_the_model_and_of_training():
    arguments = inspect.signature(DLFABackbone.__init__).parameters
    fields = {field.name: field for field in dataclasses.fields(TrainConfig)}
    for name, value in DEFAULTS.items():
        assert fields[name].default == value, name
        if SETTINGS[name].of in ("model", "gate"):
            assert arguments[name].default == value, name
