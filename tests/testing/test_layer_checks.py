"""Feeds the generic checks layers that are broken in one way each."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from dlfa_tf.testing import layer_checks
from dlfa_tf.testing.layer_case import LayerCase
from dlfa_tf.testing.layer_case import to_numpy

register = keras.saving.register_keras_serializable(package="toys")


@register
class Sound(keras.layers.Layer):
    """A scale and a shift of `x` plus its masked mean: nothing is broken."""

    def __init__(self, power=1, **kwargs):
        super().__init__(**kwargs)
        self.power = power
        self.supports_masking = True
        self.norm = keras.layers.BatchNormalization(
            name="norm", dtype=self.dtype_policy
        )

    def build(self, x_shape):
        width = (x_shape[-1],)
        self.scale = self.add_weight(
            shape=width, initializer="ones", name="scale"
        )
        self.shift = self.add_weight(
            shape=width, initializer="zeros", name="shift"
        )
        self.norm.build(x_shape)

    def mean(self, x, mask):
        mask = ops.cast(ops.expand_dims(mask, -1), x.dtype)
        total = ops.sum(ops.where(mask > 0, x, 0 * mask), 1, keepdims=True)
        return total / ops.maximum(ops.sum(mask, 1, keepdims=True), 1)

    def call(self, x, mask=None, training=None):
        normal = self.norm(x, mask=mask, training=training)
        if mask is not None:
            x = x + self.mean(x, mask)
        return normal + x**self.power * self.scale + self.shift

    def compute_output_shape(self, x_shape):
        return x_shape

    def get_config(self):
        return {**super().get_config(), "power": self.power}


@register
class ConfigWithoutArgument(Sound):
    def get_config(self):
        config = super().get_config()
        del config["power"]
        return config


@register
class ConfigWithOtherValue(Sound):
    def get_config(self):
        return {**super().get_config(), "power": 1}


@register
class ConfigNotRestored(Sound):
    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "power": 3})


@register
class ArgumentNotKept(Sound):
    def __init__(self, power=1, extra=0, **kwargs):
        super().__init__(power, **kwargs)
        self._extra = extra

    def get_config(self):
        return {**super().get_config(), "extra": self._extra}


class NotRegistered(Sound):
    pass


@register
class WrongSymbolicShape(Sound):
    def compute_output_shape(self, x_shape):
        return (*x_shape[:-1], 2 * x_shape[-1])


@register
class WrongEagerShape(Sound):
    def call(self, x, mask=None, training=None):
        return super().call(x, mask=mask, training=training)[:, :1]


@register
class WrongEagerDtype(Sound):
    def call(self, x, mask=None, training=None):
        return ops.cast(super().call(x, mask=mask), "float64")


@register
class WeightOfCallOnly(Sound):
    late = None

    def call(self, x, mask=None, training=None):
        if self.late is None:
            self._tracker.unlock()
            self.late = self.add_weight(shape=(1,), name="late")
            self._tracker.lock()
        return super().call(x, mask=mask, training=training) + self.late


@register
class FixedLength(Sound):
    def build(self, x_shape):
        super().build(x_shape)
        time = x_shape[1] or 5
        self.offset = ops.ones((time, x_shape[-1]))

    def call(self, x, mask=None, training=None):
        return super().call(x, mask=mask) + self.offset


@register
class LengthOfTracing(Sound):
    def call(self, x, mask=None, training=None):
        # Right for eager tensors only: None becomes 1 while tracing.
        return super().call(x, mask=mask) / (x.shape[1] or 1)


@register
class OutputAlwaysFloat32(Sound):
    def call(self, x, mask=None, training=None):
        return ops.cast(super().call(x, mask=mask), "float32")


@register
class WeightOfComputeDtype(Sound):
    def build(self, x_shape):
        super().build(x_shape)
        self.scale = self.add_weight(
            shape=(x_shape[-1],), dtype=self.compute_dtype, name="scale"
        )


@register
class SublayerWithoutPolicy(Sound):
    def __init__(self, power=1, **kwargs):
        super().__init__(power, **kwargs)
        self.norm = keras.layers.BatchNormalization(
            name="norm", dtype="float32"
        )

    def call(self, x, mask=None, training=None):
        normal = self.norm(x, mask=mask, training=training)
        return ops.cast(normal, x.dtype) + x * self.scale + self.shift


@register
class OverflowInHalfPrecision(Sound):
    def call(self, x, mask=None, training=None):
        big = ops.ones_like(x) * 1e3
        return super().call(x, mask=mask) + big * big / 1e6


@register
class MeanOverPadding(Sound):
    def mean(self, x, mask):
        return ops.mean(x, axis=1, keepdims=True)


@register
class MeanOverLength(Sound):
    def mean(self, x, mask):
        mask = ops.cast(ops.expand_dims(mask, -1), x.dtype)
        return ops.mean(x * mask, axis=1, keepdims=True)


@register
class StatisticsOverPadding(Sound):
    def call(self, x, mask=None, training=None):
        normal = self.norm(x, training=training)
        # Only the moving averages see padding here.
        return super().call(x, mask=mask, training=False) + 0 * normal


@register
class NanOnFullPadding(Sound):
    def mean(self, x, mask):
        mask = ops.cast(ops.expand_dims(mask, -1), x.dtype)
        total = ops.sum(ops.where(mask > 0, x, 0 * mask), 1, keepdims=True)
        return total / ops.sum(mask, 1, keepdims=True)


@register
class UnusedWeight(Sound):
    def call(self, x, mask=None, training=None):
        return self.norm(x, mask=mask, training=training) + x * self.scale


@register
class StoppedGradient(Sound):
    def call(self, x, mask=None, training=None):
        return super().call(ops.stop_gradient(x), mask=mask, training=training)


@register
class CancelledWeight(Sound):
    def call(self, x, mask=None, training=None):
        outputs = super().call(x, mask=mask, training=training)
        return outputs - self.shift


@register
class NanGradient(Sound):
    def call(self, x, mask=None, training=None):
        # The slope of a root is infinite at 0.
        root = ops.sqrt(0 * ops.square(self.scale))
        return super().call(x, mask=mask, training=training) + root


@register
class NanInTraining(Sound):
    def call(self, x, mask=None, training=None):
        outputs = super().call(x, mask=mask, training=training)
        return outputs / 0 if training else outputs


@register
class EagerOnly(Sound):
    def call(self, x, mask=None, training=None):
        ops.convert_to_numpy(x)
        return super().call(x, mask=mask, training=training)


@register
class FrozenInTraining(Sound):
    def call(self, x, mask=None, training=None):
        outputs = super().call(x, mask=mask, training=training)
        return 0 * outputs if training else outputs


@register
class StateNotSaved(Sound):
    def build(self, x_shape):
        super().build(x_shape)
        self.state = keras.random.uniform((x_shape[-1],))

    def call(self, x, mask=None, training=None):
        outputs = super().call(x, mask=mask, training=training)
        return outputs + ops.cast(self.state, x.dtype)


@register
class OtherUnderXla(Sound):
    traces = 0

    def call(self, x, mask=None, training=None):
        type(self).traces += 1
        return super().call(x, mask=mask) + self.traces


@register
class NotForXla(Sound):
    def call(self, x, mask=None, training=None):
        import tensorflow as tf

        @tf.custom_gradient
        def through_python(x):
            y = tf.numpy_function(lambda a: a, [x], x.dtype)
            return tf.ensure_shape(y, x.shape), lambda upstream: upstream

        return super().call(through_python(x), mask=mask, training=training)


SOUND = LayerCase(
    layer_class=Sound,
    config={"power": 2},
    num_trainable_weights=4,
    num_other_weights=2,
    package="toys",
)


def case_of(layer_class, **changes):
    return dataclasses.replace(SOUND, layer_class=layer_class, **changes)


@pytest.mark.parametrize(
    "check", layer_checks.CHECKS, ids=lambda check: check.__name__
)
def test_sound_layer_passes(check):
    check(SOUND)


@pytest.mark.parametrize(
    ("check", "layer_class", "message"),
    [
        ("config", ConfigWithoutArgument, "`power` is not in the config"),
        ("config", ConfigWithOtherValue, "power=1, expected 2"),
        ("config", ConfigNotRestored, "The copy has configuration"),
        ("config", ArgumentNotKept, "`extra` is not kept"),
        ("config", NotRegistered, "registered as NotRegistered, expected"),
        ("shapes_and_counts", WrongSymbolicShape, "compute_output_shape is"),
        ("shapes_and_counts", WrongEagerShape, "Shape of the eager call"),
        ("shapes_and_counts", WrongEagerDtype, "'float32', 'float64'"),
        ("shapes_and_counts", WeightOfCallOnly, "`build` made the weights"),
        ("unknown_sizes", WrongSymbolicShape, "With unknown sizes the shape"),
        ("unknown_sizes", WrongEagerShape, r"Sizes \(2, 3\) give"),
        ("unknown_sizes", LengthOfTracing, r"Not equal: traced \(2, 3\)"),
        ("dtype_policies", OutputAlwaysFloat32, "Eager output under mixed_b"),
        ("dtype_policies", WeightOfComputeDtype, "Weight layer_under_test"),
        ("dtype_policies", SublayerWithoutPolicy, "Sublayer layer_under_te"),
        ("dtype_policies", OverflowInHalfPrecision, "under mixed_float16"),
        ("padding_is_ignored", MeanOverPadding, "Not equal: the content"),
        ("padding_is_ignored", MeanOverLength, "Not equal: the length"),
        ("padding_is_ignored", StatisticsOverPadding, "training=True"),
        ("full_padding", NanOnFullPadding, "with 1 fully padded rows"),
        ("gradients", UnusedWeight, "No gradient reaches .*shift"),
        ("gradients", StoppedGradient, "No gradient reaches input 0"),
        ("gradients", CancelledWeight, "gradient of .*shift is at most 0"),
        ("gradients", NanGradient, "gradient of layer_under_test/scale"),
        ("training_step", NanInTraining, "The loss is nan"),
        ("training_step", FrozenInTraining, "has changed no weight"),
        ("save_and_load", StateNotSaved, "after saving and loading"),
        ("xla", OtherUnderXla, "Not equal: results with XLA"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_broken_layer_is_caught(check, layer_class, message):
    with pytest.raises(AssertionError, match=message):
        getattr(layer_checks, f"check_{check}")(case_of(layer_class))


@pytest.mark.parametrize(
    ("check", "layer_class", "message"),
    [
        ("unknown_sizes", FixedLength, "(?i)shape|dimension"),
        ("training_step", EagerOnly, "NumPy|numpy|KerasTensor"),
        ("xla", NotForXla, "(?i)xla|compil"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_error_of_layer_comes_through(check, layer_class, message):
    with pytest.raises(Exception, match=message) as caught:
        getattr(layer_checks, f"check_{check}")(case_of(layer_class))
    assert not isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(
    "changes",
    [{"num_trainable_weights": 5}, {"num_other_weights": 0}],
    ids=["trainable", "other"],
)
def test_wrong_number_of_weights_is_caught(changes):
    with pytest.raises(AssertionError, match=r"has \(4, 2\) trainable and"):
        layer_checks.check_shapes_and_counts(case_of(Sound, **changes))


def test_check_layer_runs_every_check_and_names_the_failed_one():
    layer_checks.check_layer(SOUND)
    with pytest.raises(AssertionError) as caught:
        layer_checks.check_layer(case_of(StateNotSaved))
    assert "check_save_and_load" in caught.value.__notes__[0]


def test_checks_hold_every_public_check():
    names = {name for name in vars(layer_checks) if name.startswith("check_")}
    listed = {check.__name__ for check in layer_checks.CHECKS}
    assert names == listed | {"check_layer"}


def test_switches_skip_checks_of_padding_and_xla():
    no_mask = case_of(NanOnFullPadding, takes_mask=False)
    layer_checks.check_padding_is_ignored(no_mask)
    layer_checks.check_full_padding(no_mask)
    layer_checks.check_xla(case_of(OtherUnderXla, works_with_xla=False))


def test_built_layers_of_a_case_are_equal_and_not_special():
    first, second = SOUND.make_built_layer(), SOUND.make_built_layer()
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))
        assert not np.isin(to_numpy(one), (0, 1)).any()


def test_mask_of_a_case_is_ragged():
    mask = SOUND.mask_argument(4, 3)["mask"]
    assert mask.sum(axis=1).tolist() == [3, 2, 1, 1]


@register
class Fusion(keras.layers.Layer):
    """A fusion of `DLFABackbone`, whose mask has another name."""

    def build(self, low_shape, high_shape):
        self.gate = self.add_weight(shape=(low_shape[-1],), name="gate")

    def call(self, low, high, padding_mask=None):
        return low * self.gate + high

    def compute_output_shape(self, low_shape, high_shape):
        return low_shape


@register
class LeakyFusion(Fusion):
    """Reads positions that its mask leaves out."""

    def call(self, low, high, padding_mask=None):
        output = super().call(low, high)
        return output + ops.mean(low, axis=1, keepdims=True)


def test_mask_may_have_another_name():
    case = LayerCase(
        layer_class=Fusion,
        num_trainable_weights=1,
        num_inputs=2,
        mask_name="padding_mask",
        works_with_xla=False,
        package="toys",
    )
    layer_checks.check_layer(case)
    leaky = dataclasses.replace(case, layer_class=LeakyFusion)
    with pytest.raises(AssertionError, match="content of padding"):
        layer_checks.check_padding_is_ignored(leaky)
