"""Tests of a training run from step to step; going on: test_resume.py."""

import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.runs.settings import default_config
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.engine import Engine
from dlfa_tf.training.fine_tuning import FineTuning
from dlfa_tf.training.inputs import build_for_training
from dlfa_tf.training.interruption import NonFiniteTraining
from dlfa_tf.training.preparing import read_data
from dlfa_tf.training.run_log import RunLog
from dlfa_tf.training.step import StepValues
from dlfa_tf.training.step_tensorflow import TensorFlowStep

# The data set's own function is traced all the same; that is fine.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


@pytest.fixture
def train(tiny_settings, tmp_path, eager):
    """Trains some steps; returns what the engine returns, and the model."""

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
        objective = FineTuning(config, model, prepared)
        engine = Engine(config, model, objective, say=say, verbose=0)
        return engine.run(tmp_path), model, prepared

    return train


def at_step(number, **changes):
    """The step of `TensorFlowStep`, whose values are others at one step."""
    really = TensorFlowStep.__call__
    steps = []

    def call(self, *arguments, **options):
        values = really(self, *arguments, **options)
        steps.append(values)
        if len(steps) == number:
            return values._replace(**changes)
        return values

    return call


def test_breakdown_names_step_and_rows_and_keeps_the_checkpoint(
    train, monkeypatch, tmp_path
):
    with monkeypatch.context() as patch:
        patch.setattr(TensorFlowStep, "__call__", at_step(3, loss=float("nan")))
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
        patch.setattr(TensorFlowStep, "__call__", at_step(3, loss=float("nan")))
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
    monkeypatch.setattr(TensorFlowStep, "__call__", at_step(2, **overflow))
    found, _, _ = train(precision="mixed_float16")
    assert found["total_steps"] > 2


def test_best_weights_are_left_in_the_model(train, monkeypatch):
    scores = iter([50.0, 40.0])
    kept = []

    def score_dev(config, model, prepared, forward):
        kept.append([np.array(w) for w in model.get_weights()])
        return next(scores)

    monkeypatch.setattr("dlfa_tf.training.fine_tuning.score_dev", score_dev)
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
        return StepValues(loss=loss, gradient_norm=2.0)

    monkeypatch.setattr(TensorFlowStep, "__call__", call)
    found, _, _ = train(batch_size=2, dev_every=100)
    text = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    entries = {x["step"]: x for x in lines if "loss" in x}
    total = found["total_steps"]
    assert list(entries) == [1, total]
    assert entries[total]["loss"] == np.mean(range(1, total))
    assert entries[total]["clipped_share"] == 1.0
    assert "tokens_per_second" in entries[total]["timing"]


def test_nothing_is_copied_to_the_host_between_two_entries(train, monkeypatch):
    """Steps 1, 20 and the last are read; a GPU works on during the others."""
    counts = {}
    step = [0]
    eager = type(tf.constant(0.0))
    copy = eager._numpy
    take = TensorFlowStep.__call__
    read = StepValues.on_host

    def counted_copy(self):
        counts[step[0]] = counts.get(step[0], 0) + 1
        return copy(self)

    def counted_step(self, *arguments):
        step[0] += 1
        return take(self, *arguments)

    tf.config.run_functions_eagerly(False)
    monkeypatch.setattr(eager, "_numpy", counted_copy)
    monkeypatch.setattr(TensorFlowStep, "__call__", counted_step)
    reads = []
    monkeypatch.setattr(
        StepValues, "on_host", lambda v: reads.append(step[0]) or read(v)
    )
    found, _, _ = train(
        batch_size=1, train_limit=24, dev_every=100, checkpoint_minutes=60.0
    )
    total = found["total_steps"]
    assert total > 20
    assert {n for n in counts if n > 0} == {1, 20, total}
    assert reads == [1] + [20] * 19 + [total] * (total - 20)


@pytest.mark.parametrize("due", ["score", "checkpoint"])
def test_numbers_that_are_not_finite_reach_no_file(
    train, monkeypatch, tmp_path, due
):
    """Step 3 breaks down between two entries of the log."""
    breaks = at_step(3, gradient_norm=float("inf"))
    monkeypatch.setattr(TensorFlowStep, "__call__", breaks)
    settings = {"dev_every": 4, "checkpoint_minutes": 60.0}
    if due == "checkpoint":
        settings = {"dev_every": 100, "checkpoint_minutes": 0.0}
    with pytest.raises(NonFiniteTraining, match="at step 3.*norm inf"):
        train(batch_size=4, **settings)
    text = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    assert [json.loads(x)["step"] for x in text.splitlines()] == [1]
    kept = sorted(p.name for p in tmp_path.glob("checkpoints/*"))
    steps = [] if due == "score" else [1, 2]
    assert kept == [f"step-{n:08d}.npz" for n in steps]


def test_checkpoint_of_another_backend_is_refused(train, monkeypatch, tmp_path):
    stopped = at_step(2, loss=float("nan"))
    with monkeypatch.context() as patch:
        patch.setattr(TensorFlowStep, "__call__", stopped)
        with pytest.raises(NonFiniteTraining):
            train()
    (file,) = (tmp_path / "checkpoints").iterdir()
    with np.load(file) as content:
        arrays = dict(content)
    meta = json.loads(arrays["meta"].tobytes())
    assert meta["backend"] == "tensorflow"
    meta["backend"] = "jax"
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax, or another"):
        train()
