"""Tests of dlfa_tf.runs.same_settings."""

import dataclasses

import pytest

from dlfa_tf.runs.same_settings import check_same_settings
from dlfa_tf.runs.settings import default_config

CONFIG = default_config("pos", output_dir="a", learning_rate=0.5)


def test_equal_settings_pass():
    check_same_settings(CONFIG.to_json(), CONFIG, "a")


def test_every_difference_is_named():
    other = dataclasses.replace(CONFIG, epochs=3, gate="attention")
    with pytest.raises(ValueError, match="'a' holds") as error:
        check_same_settings(CONFIG.to_json(), other, "a")
    assert "epochs=3 (the run has 10), gate='attention' (the run has" in str(
        error.value
    )


def test_where_it_runs_may_differ():
    other = dataclasses.replace(
        CONFIG, output_dir="b", data_dir="c", strategy="mirrored"
    )
    check_same_settings(CONFIG.to_json(), other, "a")


def test_precision_that_was_left_open_may_be_any():
    auto = dataclasses.replace(CONFIG, precision="auto")
    check_same_settings(CONFIG.to_json(), auto, "a")
    with pytest.raises(ValueError, match="precision='float32'"):
        check_same_settings(auto.to_json(), CONFIG, "a")


def test_missing_setting_had_its_default():
    saved = CONFIG.to_json()
    del saved["warmup_steps"], saved["languages"]
    check_same_settings(saved, CONFIG, "a")
    other = dataclasses.replace(CONFIG, warmup_steps=7)
    with pytest.raises(ValueError, match=r"warmup_steps=7 \(the run has 0\)"):
        check_same_settings(saved, other, "a")


@pytest.mark.parametrize("bundles", [("x", None), (None, "y"), ("x", "y")])
def test_bundles_have_to_be_the_same(bundles):
    with pytest.raises(ValueError, match="bundle="):
        check_same_settings(CONFIG.to_json(), CONFIG, "a", *bundles)
    check_same_settings(CONFIG.to_json(), CONFIG, "a", "z", "z")
