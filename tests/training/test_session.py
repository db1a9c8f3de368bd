"""Tests of a training run from step to step; going on: test_resume.py."""

import dataclasses
import json
import os

import keras
import numpy as np
import pytest

from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.fit import fit
from dlfa_tf.training.interruption import NonFiniteTraining
from dlfa_tf.training.loop import build_for_training
from dlfa_tf.training.prepared import read_data
from dlfa_tf.training.run_log import RunLog
from dlfa_tf.training.train_step import StepValues
from dlfa_tf.training.train_step import TrainStep

# The data set's own function is traced all the same; that is fine.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


@pytest.fixture
def train(tiny_settings, tmp_path, eager):
    """Trains some steps; returns what `fit` returns, and the model."""

    def train(say=lambda _: None, **changes):
        values = {
            **tiny_settings,
            "fusion_layer": None,
            "checkpoint_minutes": 0.0,
            "eval_limit": 2,
            **changes,
        }
        config = default_config(values.pop("task"), **values)
        keras.utils.set_random_seed(config.seed)
        model, prepared = build_for_training(config, read_data(config), None)
        found = fit(config, model, prepared, tmp_path, say=say, verbose=0)
        return found, model, prepared

    return train


def at_step(number, **changes):
    """The step of `TrainStep`, whose values are others at one step."""
    really = TrainStep.__call__
    steps = []

    def call(self, *arguments, **options):
        values = really(self, *arguments, **options)
        steps.append(values)
        if len(steps) == number:
            return dataclasses.replace(values, **changes)
        return values

    return call


def test_breakdown_names_step_and_rows_and_keeps_the_checkpoint(
    train, monkeypatch, tmp_path
):
    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", at_step(3, loss=float("nan")))
        with pytest.raises(NonFiniteTraining) as caught:
            train()
    message = str(caught.value)
    assert "at step 3" in message
    assert "loss nan" in message
    files = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert files == ["step-00000001.npz", "step-00000002.npz"]
    # With better luck it goes on from there.
    found, _, prepared = train()
    lengths = prepared.train.row_lengths
    rows = epoch_batches(lengths, 8, 1, 0)[2].tolist()
    assert str(rows) in message
    assert found["best_step"] == found["total_steps"]


def test_log_is_on_the_disk_before_the_checkpoint_and_may_be_shorter(
    train, monkeypatch, tmp_path
):
    order = []

    def recording(cls, name):
        really = getattr(cls, name)

        def call(self, *arguments):
            order.append(name)
            return really(self, *arguments)

        return call

    with monkeypatch.context() as patch:
        for cls, name in ((RunLog, "sync"), (CheckpointStore, "save")):
            patch.setattr(cls, name, recording(cls, name))
        patch.setattr(TrainStep, "__call__", at_step(3, loss=float("nan")))
        with pytest.raises(NonFiniteTraining):
            train()
    assert order == ["sync", "save"] * 2
    log = tmp_path / "metrics.jsonl"
    size = log.stat().st_size
    os.truncate(log, size - 1)
    said = []
    train(say=said.append)
    assert f"lacks {size} of the {size} bytes" in " ".join(said)
    steps = [json.loads(x)["step"] for x in log.read_text().splitlines()]
    assert steps == [4, 4]


def test_overflow_of_float16_is_no_breakdown(train, monkeypatch, tmp_path):
    overflow = {"gradient_norm": float("inf")}
    monkeypatch.setattr(TrainStep, "__call__", at_step(2, **overflow))
    found, _, _ = train(precision="mixed_float16")
    assert found["total_steps"] > 2


def test_best_weights_are_left_in_the_model(train, monkeypatch):
    scores = iter([50.0, 40.0])
    kept = []

    def score_dev(config, model, prepared, forward):
        kept.append([np.array(w) for w in model.get_weights()])
        return next(scores)

    monkeypatch.setattr("dlfa_tf.training.session.score_dev", score_dev)
    found, model, _ = train(dev_every=2)
    assert found["best_step"] == 2
    assert [e["dev_score"] for e in found["dev_history"]] == [50.0, 40.0]
    for a, b in zip(kept[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(*kept, strict=True))


def test_checkpoints_come_by_the_clock(train, tmp_path):
    train(checkpoint_minutes=60.0)
    assert not (tmp_path / "checkpoints").exists()


def test_log_holds_the_mean_since_its_last_entry(train, monkeypatch, tmp_path):
    losses = iter(range(100))

    def call(self, *_, **__):
        self.traces = 1
        loss = float(next(losses))
        return StepValues(loss=loss, gradient_norm=2.0, stop=False)

    monkeypatch.setattr(TrainStep, "__call__", call)
    found, _, _ = train(batch_size=2, dev_every=100)
    text = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    entries = {x["step"]: x for x in lines if "loss" in x}
    total = found["total_steps"]
    assert list(entries) == [1, total]
    assert entries[total]["loss"] == np.mean(range(1, total))
    assert entries[total]["clipped_share"] == 1.0
    assert "tokens_per_second" in entries[total]["timing"]
