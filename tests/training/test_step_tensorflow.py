"""Tests of one step of training."""

import types

import keras
import numpy as np
import pytest

from dlfa_tf.training.optimizers import AdamWOnSums
from dlfa_tf.training.step_tensorflow import TensorFlowStep
from dlfa_tf.training.step_tensorflow import fill_rows


def make_model():
    """Token classifier of 7 pieces and 3 classes with batch norm."""
    ids = keras.Input([None], dtype="int32", name="token_ids")
    mask = keras.Input([None], dtype="bool", name="padding_mask")
    x = keras.layers.Embedding(7, 4, name="table")(ids)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.5, seed=3)(x)
    logits = keras.layers.Dense(3, name="logits")(x)
    return keras.Model({"token_ids": ids, "padding_mask": mask}, logits)


def without_dropout(step):
    for layer in step.model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0


def batch(rows=2, time=4, seed=0):
    random = np.random.default_rng(seed)
    ids = random.integers(1, 7, (rows, time)).astype(np.int32)
    labels = random.integers(-1, 3, (rows, time)).astype(np.int32)
    labels[0, 0] = 1
    return {"token_ids": ids, "padding_mask": ids > 0}, labels


def make_step(optimizer=None, clip_norm=1e9, **options):
    model = make_model()
    optimizer = optimizer or AdamWOnSums(0.01, weight_decay=0.0)
    return TensorFlowStep(model, optimizer, clip_norm=clip_norm, **options)


def take(step, features, labels, **options):
    """What a step reports, as floats."""
    return step(features, labels, **options).on_host()


def scaled_optimizer(scale):
    return keras.optimizers.LossScaleOptimizer(
        AdamWOnSums(0.01, weight_decay=0.0), initial_scale=scale
    )


@pytest.fixture
def step():
    return make_step()


def test_loss_is_the_mean_over_labelled_positions(step):
    features, labels = batch()
    without_dropout(step)
    logits = np.asarray(step.model(features, training=True))
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    real = labels >= 0
    expected = -np.log(
        np.take_along_axis(weights, np.maximum(labels, 0)[..., None], -1)
    )[..., 0][real].mean()
    assert take(step, features, labels).loss == pytest.approx(
        expected, rel=1e-5
    )


def test_clipping_is_by_the_norm_of_the_whole_gradient():
    """Plain gradient descent with rate 1 moves by the clipped gradient."""
    step = make_step(keras.optimizers.SGD(1.0), clip_norm=0.01)
    before = [np.array(v) for v in step.model.trainable_variables]
    # One piece in every position: its row is one part of the norm.
    features, labels = batch()
    features["token_ids"][:] = 3
    norm = take(step, features, labels).gradient_norm
    moved = [
        np.array(v) - b
        for v, b in zip(step.model.trainable_variables, before, strict=True)
    ]
    assert norm > 0.01
    total = np.sqrt(sum(np.square(m).sum() for m in moved))
    assert total == pytest.approx(0.01, rel=1e-3)


def test_norm_counts_a_repeated_row_once():
    unclipped = make_step(keras.optimizers.SGD(1.0))
    table = unclipped.model.get_layer("table").embeddings
    before = [np.array(v) for v in unclipped.model.trainable_variables]
    features, labels = batch()
    features["token_ids"][:] = 3
    norm = take(unclipped, features, labels).gradient_norm
    moved = [
        np.array(v) - b
        for v, b in zip(
            unclipped.model.trainable_variables, before, strict=True
        )
    ]
    assert np.abs(moved[0][3]).sum() > 0
    assert tuple(table.shape) == moved[0].shape
    total = np.sqrt(sum(np.square(m).sum() for m in moved))
    assert norm == pytest.approx(total, rel=1e-4)


def test_one_trace_for_every_shape(step):
    for rows, time in ((2, 4), (3, 8), (1, 16), (2, 8)):
        step(*batch(rows, time))
        step.forward(batch(rows, time)[0])
    assert step.traces == 1
    assert step._forward.experimental_get_tracing_count() == 1


def test_batch_without_a_label_changes_nothing_but_the_count(step):
    features, labels = batch()
    values = take(step, features, np.full_like(labels, -1))
    assert (values.loss, values.gradient_norm) == (0.0, 0.0)
    assert all(np.isfinite(x).all() for x in step.state())


def test_state_is_all_that_the_next_step_depends_on():
    step = make_step()
    step(*batch(seed=1))
    state = step.state()
    after = take(step, *batch(seed=2)), step.state()
    other = make_step()
    other.set_state(state)
    again = take(other, *batch(seed=2)), other.state()
    assert again[0] == after[0]
    for a, b in zip(after[1], again[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_and_batch_norm_move_on(step):
    before = [np.array(v) for v in step.model.non_trainable_variables]
    step(*batch())
    after = [np.array(v) for v in step.model.non_trainable_variables]
    assert len(before) == 3
    for a, b in zip(before, after, strict=True):
        assert not np.array_equal(a, b)


# At the smaller scale only the sum of the squares overflows.
@pytest.mark.parametrize("scale", [2.0**127, 2.0**80])
def test_overflow_leaves_the_weights_alone_and_halves_the_scale(scale):
    step = make_step(scaled_optimizer(scale))
    before = [np.array(v) for v in step.model.trainable_variables]
    values = take(step, *batch())
    assert np.isfinite(values.loss)
    assert not np.isfinite(values.gradient_norm)
    for a, v in zip(before, step.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, np.array(v))
    assert step.loss_scale() == scale / 2
    step.optimizer.dynamic_scale.assign(1024.0)
    assert np.isfinite(take(step, *batch()).gradient_norm)
    assert not np.array_equal(before[0], step.model.get_weights()[0])


def test_loss_scale_cancels_out():
    plain, scaled = make_step(), make_step(scaled_optimizer(1024.0))
    for a, b in zip(plain.model.variables, scaled.model.variables, strict=True):
        b.assign(a.value)
    a, b = take(plain, *batch()), take(scaled, *batch())
    # A power of two: exact.
    assert a == b
    for v, w in zip(
        plain.model.trainable_variables,
        scaled.model.trainable_variables,
        strict=True,
    ):
        np.testing.assert_array_equal(np.array(v), np.array(w))
    assert plain.loss_scale() is None
    assert scaled.learning_rate() == plain.learning_rate()


def test_state_of_version_0_1_0_gets_its_loss_scale():
    step = make_step(scaled_optimizer(8.0))
    names = [v.path.split("/")[-1] for v in step.optimizer.variables[:4]]
    assert names[2:] == ["step_counter", "dynamic_scale"]
    state = step.state()
    models = len(step.model.variables)
    old = state[:models] + state[models + 4 :]
    step.set_state(step.with_loss_scale(old, value=2.0, good_steps=7))
    assert step.loss_scale() == 2.0
    assert int(step.optimizer.step_counter) == 7
    for a, b in zip(
        state[models + 4 :], step.state()[models + 4 :], strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_compiled_step_gives_the_same():
    plain, compiled = make_step(), make_step(jit_compile=True)
    compiled.set_state(plain.state())
    for step in (plain, compiled):
        # XLA draws other masks from the same seed.
        without_dropout(step)
    for seed in (1, 2):
        a, b = (take(s, *batch(seed=seed)) for s in (plain, compiled))
        # Another order of float32 sums.
        assert a.loss == pytest.approx(b.loss, rel=1e-5)
        assert a.gradient_norm == pytest.approx(b.gradient_norm, rel=1e-4)


@pytest.mark.parametrize("wish", [True, False])
def test_wish_to_stop_comes_back(step, wish):
    assert take(step, *batch(), stop=wish).stops == wish


@pytest.mark.parametrize(
    "options",
    [{"jit_compile": True}, {"optimizer": scaled_optimizer(1.0)}],
    ids=["XLA", "float16"],
)
def test_options_of_one_replica_are_refused_with_more(options):
    with pytest.raises(ValueError, match="one replica only. Received: 2"):
        make_step(
            strategy=types.SimpleNamespace(num_replicas_in_sync=2), **options
        )


@pytest.mark.parametrize("shape", [(3,), (3, 4)], ids=["pairs", "tagging"])
def test_rows_are_filled_up_with_nothing(shape):
    features, _ = batch(rows=3)
    labels = np.ones(shape, np.int32)
    filled, with_more = fill_rows(features, labels, 2)
    assert with_more.shape == (4, *shape[1:])
    assert (with_more[3] == -1).all()
    assert not filled["padding_mask"][3].any()
    assert filled["token_ids"].dtype == np.int32
    np.testing.assert_array_equal(
        filled["token_ids"][:3], features["token_ids"]
    )
    same, _ = fill_rows(features, labels, 3)
    assert same is features
