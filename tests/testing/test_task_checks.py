"""The generic checks pass a good model and name what is wrong with others."""

import dataclasses

import keras
import numpy as np
import pytest

from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.testing import task_checks
from dlfa_tf.testing.task_checks import TaskCase

register = keras.saving.register_keras_serializable(package="task_checks_test")


@register
class Sum(keras.layers.Layer):
    """A fusion as its author would write it."""

    def build(self, low_shape, high_shape):
        self.gate = self.add_weight(shape=(low_shape[-1],), name="gate")

    def call(self, low, high, padding_mask=None):
        return self.gate * low + high

    def get_config(self):
        return keras.layers.Layer.get_config(self)


@register
class SumOverPadding(Sum):
    """Forgets that rows are padded."""

    def call(self, low, high, padding_mask=None):
        total = keras.ops.mean(low, axis=1, keepdims=True)
        return self.gate * total + high


@register
class IdleWeight(Sum):
    """Has a weight that it never reads."""

    def call(self, low, high, padding_mask=None):
        return low + high


@register
class Frozen(Sum):
    """Holds a weight that no training moves, which nobody has declared."""

    def build(self, low_shape, high_shape):
        super().build(low_shape, high_shape)
        self.gate.trainable = False


@register
class Forgetful(Sum):
    """Does not say what it was made with."""

    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, low, high, padding_mask=None):
        return self.scale * super().call(low, high)


CASE = TaskCase(
    task_class=DLFATextClassifier,
    x=["a", "a b", "b", "b c d"],
    y=["yes", "yes", "no", "no"],
    y_ids=[1, 1, 0, 0],
    labels=("no", "yes"),
    options={"fusion_layer": 1, "last_layer": 2},
    make_fusion=Sum,
)
TAGGING = dataclasses.replace(
    CASE,
    task_class=DLFATokenClassifier,
    x=["a b", "b"],
    y=["yes no", "no"],
    y_ids=[[1, 0], [0]],
    num_frozen_weights=2,
)


def other(make_fusion):
    return dataclasses.replace(CASE, make_fusion=make_fusion)


def test_own_fusion_passes_all_checks():
    task_checks.check_task(CASE)


def test_two_models_of_a_case_are_equal_and_without_dropout():
    models = [CASE.make_model() for _ in range(2)]
    for one, two in zip(*(m.weights for m in models), strict=True):
        np.testing.assert_array_equal(one, two)
    features, ids = CASE.prepared(models[0])
    assert ids.tolist() == CASE.y_ids
    np.testing.assert_array_equal(
        models[0](features, training=True), models[1](features)
    )


@pytest.mark.parametrize(
    ("check", "make_fusion", "message"),
    [
        ("check_padding_is_ignored", SumOverPadding, "length of padding"),
        ("check_gradients", IdleWeight, "No gradient reaches .*/gate"),
        ("check_gradients", Frozen, "without training: .*gate.*expected 0"),
        (
            "check_save_and_load",
            lambda: Forgetful(scale=3.0),
            "answers with other logits",
        ),
        (
            "check_preset",
            lambda: Forgetful(scale=3.0),
            "answers with other logits",
        ),
    ],
)
def test_wrong_fusion_is_found(eager, check, make_fusion, message):
    with pytest.raises(AssertionError, match=message):
        getattr(task_checks, check)(other(make_fusion))


def test_class_of_another_package_is_found():
    case = dataclasses.replace(CASE, package="mine")
    with pytest.raises(AssertionError, match="expected mine>DLFATextClass"):
        task_checks.check_config(case)


def test_setting_that_is_not_the_models_is_found(monkeypatch):
    config = DLFATextClassifier.get_config
    monkeypatch.setattr(
        DLFATextClassifier,
        "get_config",
        lambda self: {**config(self), "dropout": 0.5},
    )
    with pytest.raises(AssertionError, match="dropout=0.5, expected 0.0"):
        task_checks.check_config(CASE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda logits: logits + 1, "other numbers than 0 after the last word"),
        (lambda logits: 2 * logits, "logits of `predict`"),
        (lambda logits: logits.astype("float64"), "expected float32"),
    ],
)
def test_wrong_predictions_are_found(monkeypatch, eager, change, message):
    predict = DLFATokenClassifier.predict
    monkeypatch.setattr(
        DLFATokenClassifier,
        "predict",
        lambda self, x, **options: change(predict(self, x)),
    )
    with pytest.raises(AssertionError, match=message):
        task_checks.check_predictions(TAGGING)


def test_names_that_are_other_ids_are_found(eager):
    case = dataclasses.replace(CASE, y=["no", "yes", "no", "no"])
    with pytest.raises(AssertionError, match="what `fit` reports"):
        task_checks.check_fit_and_evaluate(case)


def test_what_is_not_learned_is_found(monkeypatch, eager):
    monkeypatch.setattr(task_checks, "STEPS", 1)
    with pytest.raises(AssertionError, match="The loss went from"):
        task_checks.check_learning(CASE)


def test_second_trace_is_found(monkeypatch):
    def fit(self, dataset, verbose):
        for _ in range(2):
            self.train_step(None)

    monkeypatch.setattr(DLFATextClassifier, "fit", fit)
    monkeypatch.setattr(DLFATextClassifier, "train_step", lambda *_: None)
    with pytest.raises(AssertionError, match="traced 2 times, expected once"):
        task_checks.check_learning(CASE)


def test_lost_state_of_the_optimizer_is_found(monkeypatch):
    monkeypatch.setattr(
        keras.optimizers.Optimizer, "load_own_variables", lambda *_: None
    )
    with pytest.raises(AssertionError, match="optimizer's .* was not restored"):
        task_checks.check_save_and_load(CASE)


def test_failed_check_is_named(monkeypatch):
    def check_nothing(case):
        raise ValueError("no")

    monkeypatch.setattr(task_checks, "CHECKS", (check_nothing,))
    with pytest.raises(ValueError, match="no") as caught:
        task_checks.check_task(CASE)
    assert caught.value.__notes__ == [f"in check_nothing of {CASE.task_class}"]


def test_loss_and_accuracy_by_hand():
    logits = np.log([[0.25, 0.75], [0.5, 0.5]])
    loss, accuracy = task_checks.loss_and_accuracy(logits, np.array([1, 1]))
    assert loss == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2)
    assert accuracy == 0.5
