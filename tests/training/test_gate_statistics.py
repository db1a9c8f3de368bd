"""Tests of what is said of the gate while training."""

import numpy as np
import pytest

from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.gate_statistics import GateProbe
from dlfa_tf.training.preparing import prepare
from dlfa_tf.training.preparing import read_data


@pytest.mark.parametrize("gate", ["feature", "attention"])
def test_statistics_are_of_the_real_positions(tiny_settings, eager, gate):
    values = {**tiny_settings, "gate": gate, "compact_vocabulary": False}
    config = default_config(values.pop("task"), **values)
    model = build_model(config)
    prepared = prepare(config, read_data(config), model.preprocessor)
    probe = GateProbe(model, prepared)
    found = probe()
    features = probe._features
    fusion = model.backbone.get_layer("dlfa")
    outputs = model.backbone(features, training=False)
    fused = np.asarray(outputs["sequence_output"])[features["padding_mask"]]
    assert found["rms_fused"] == pytest.approx(
        np.sqrt((fused**2).mean()), rel=1e-5
    )
    assert fusion.gate == gate
    if gate == "attention":
        assert found["outside_share"] == 0.0
        assert 0.3 < found["mean"] < 0.7
    else:
        assert found["outside_share"] > 0.1
        assert abs(found["mean"]) < 0.3
    assert min(found["rms_low"], found["rms_high"], found["sd"]) > 0
    # What is padded has no share in it.
    features["token_ids"][~features["padding_mask"]] = 7
    again = probe()
    for name in found:
        assert again[name] == pytest.approx(found[name], rel=1e-5, abs=1e-7)
