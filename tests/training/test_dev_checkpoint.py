"""Tests of the choice of weights on the English dev set."""

import json

import keras
import numpy as np
import pytest

from dlfa_tf.training.dev_checkpoint import DevCheckpoint


class Run:
    """A checkpoint on a model of one weight that counts the steps."""

    def __init__(self, folder, scores, **arguments):
        self.file = folder / "metrics.jsonl"
        self.weight = 0
        self.scores = iter(scores)
        self.checkpoint = DevCheckpoint(
            lambda: next(self.scores), metrics_file=self.file, **arguments
        )
        self.checkpoint.set_model(self)
        self.optimizer = keras.optimizers.SGD(0.5)
        for step in range(arguments["total_steps"]):
            self.weight += 1
            self.checkpoint.on_train_batch_end(step, {"loss": 2.0})

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        (self.weight,) = weights

    @property
    def lines(self):
        text = self.file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


def run(folder, scores, total_steps=6, every=2, **arguments):
    return Run(
        folder,
        scores,
        total_steps=total_steps,
        every=every,
        steps_per_epoch=3,
        **arguments,
    )


def test_only_a_strictly_better_score_replaces_the_best(tmp_path):
    one = run(tmp_path, [50.0, 50.0, 40.0])
    assert (one.checkpoint.best_step, one.checkpoint.best_score) == (2, 50.0)
    assert one.weight == 6
    one.checkpoint.restore_best()
    assert one.weight == 2


def test_a_better_score_replaces_the_best(tmp_path):
    one = run(tmp_path, [50.0, 51.0, 40.0])
    one.checkpoint.restore_best()
    assert (one.checkpoint.best_step, one.weight) == (4, 4)


def test_a_score_of_zero_is_kept_too(tmp_path):
    one = run(tmp_path, [0.0, 0.0, 0.0])
    one.checkpoint.restore_best()
    assert (one.checkpoint.best_step, one.weight) == (2, 2)


@pytest.mark.parametrize(
    ("every", "steps"),
    [(4, [4, 6]), (100, [6]), (None, [3, 6]), (6, [6])],
    ids=["between", "never", "once an epoch", "at the end"],
)
def test_last_step_is_always_scored_and_once(tmp_path, every, steps):
    one = run(tmp_path, [1.0, 2.0], every=every)
    assert [entry["step"] for entry in one.checkpoint.history] == steps
    assert one.checkpoint.best_step == 6


def test_metrics_file_holds_losses_and_scores(tmp_path):
    one = run(tmp_path, [10.0, 20.0], every=3, log_every=4)
    losses = [line for line in one.lines if "epoch_mean_loss" in line]
    scores = [line for line in one.lines if "dev_score" in line]
    # The first, every fourth and the last step.
    assert [line["step"] for line in losses] == [1, 4, 6]
    assert losses[1]["epoch"] == pytest.approx(4 / 3)
    assert losses[1]["epoch_mean_loss"] == 2.0
    assert losses[1]["learning_rate"] == 0.5
    assert losses[1]["seconds"] >= 0
    assert scores == one.checkpoint.history
    assert scores == [
        {"step": 3, "dev_score": 10.0},
        {"step": 6, "dev_score": 20.0},
    ]
    assert len(one.lines) == 5


def test_kept_weights_are_a_copy(tmp_path):
    """Training goes on in place; what was kept must not move with it."""
    model = keras.Sequential([keras.layers.Input([1]), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    checkpoint = DevCheckpoint(
        iter([2.0, 1.0]).__next__,
        steps_per_epoch=1,
        total_steps=2,
        every=1,
        metrics_file=tmp_path / "metrics.jsonl",
    )
    checkpoint.set_model(model)
    kept = model.get_weights()
    checkpoint.on_train_batch_end(0, {"loss": 1.0})
    for weight in model.weights:
        weight.assign_add(weight * 0 + 1)
    checkpoint.on_train_batch_end(1, {"loss": 1.0})
    checkpoint.restore_best()
    for a, b in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
