import itertools

import keras
import numpy as np
import pytest

from dlfa_tf.layers import AIF
from dlfa_tf.layers import DLFA
from dlfa_tf.testing import layer_checks
from dlfa_tf.testing.layer_case import LayerCase

CASES = {
    "feature": LayerCase(
        layer_class=DLFA,
        config={"reduction_ratio": 2, "mix_factor": 2.0, "first": "high"},
        num_inputs=2,
        num_trainable_weights=16,
    ),
    "attention_batch_norm": LayerCase(
        layer_class=DLFA,
        config={
            "reduction_ratio": 2,
            "norm": "batch",
            "gate": "attention",
            "activation": "gelu",
            "pooling": "first",
        },
        num_inputs=2,
        num_trainable_weights=12,
        num_other_weights=8,
    ),
    "global_branch_output_norm": LayerCase(
        layer_class=DLFA,
        config={
            "reduction_ratio": 2,
            "branches": "global",
            "initial_gate": 0.2,
            "output_norm": "layer",
        },
        num_inputs=2,
        num_trainable_weights=10,
    ),
    "attention_no_norm": LayerCase(
        layer_class=DLFA,
        config={"reduction_ratio": 2, "norm": "none", "gate": "attention"},
        num_inputs=2,
        num_trainable_weights=8,
    ),
}


@pytest.mark.parametrize(
    "check", layer_checks.CHECKS, ids=lambda check: check.__name__
)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_layer_passes_generic_check(case, check):
    check(case)


OPTIONS = [
    {"gate": gate, "norm": norm, "pooling": pooling, "first": first}
    for gate, norm, pooling, first in itertools.product(
        ("feature", "attention"),
        ("layer", "batch", "none"),
        ("mean", "first"),
        ("low", "high"),
    )
]


# The factors take turns; together, these are all options.
@pytest.mark.parametrize(
    ("options", "mix_factor"),
    list(zip(OPTIONS, itertools.cycle([1.0, 2, 2]), strict=False)),
    ids=lambda x: "-".join(x.values()) if isinstance(x, dict) else str(x),
)
def test_output_agrees_with_reference(
    reference, low, high, mask, options, mix_factor
):
    layer = DLFA(reduction_ratio=2, mix_factor=mix_factor, **options)
    layer.build(low.shape, high.shape)
    reference.shake(layer)
    weights = reference.weights_of(layer)
    # Inference first: training moves the averages that it reads.
    for training, given_mask in itertools.product((False, True), (None, mask)):
        result = layer(low, high, mask=given_mask, training=training)
        expected = reference.dlfa(
            weights,
            low,
            high,
            given_mask,
            training=training,
            mix_factor=mix_factor,
            **options,
        )
        np.testing.assert_allclose(
            # Batch statistics of three rows divide by small deviations.
            np.asarray(result),
            expected,
            rtol=1e-4,
            atol=1e-4,
        )


def test_output_known_answer_by_hand():
    # With every weight 0 the sigmoid is 1/2. "attention": the mean of both.
    # "feature": g = m / 2 with m the mean of both, so with low 2 and high 4
    # m = 3, g = 1.5 and L = 2 * 1.5 + 4 * (1 - 1.5) = 1.
    low, high = np.full((1, 2, 4), 2.0), np.full((1, 2, 4), 4.0)
    for gate, expected in (("attention", 3.0), ("feature", 1.0)):
        layer = DLFA(gate=gate)
        layer.build(low.shape, high.shape)
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        np.testing.assert_array_equal(np.asarray(layer(low, high)), expected)


def test_defaults_are_those_of_the_paper_notes():
    layer = DLFA()
    assert layer.reduction_ratio == 4
    assert layer.norm == "layer"
    assert layer.gate == "feature"
    assert layer.activation is keras.activations.relu
    assert layer.pooling == "mean"
    assert layer.mix_factor == 1.0
    assert layer.first == "low"
    assert layer.branches == "both"
    assert layer.initial_gate is None
    assert layer.output_norm == "none"


@pytest.mark.parametrize("branches", ["both", "local", "global"])
def test_initial_gate_sets_the_start_of_the_mix(low, high, mask, branches):
    layer = DLFA(gate="attention", branches=branches, initial_gate=0.25)
    np.testing.assert_allclose(
        np.asarray(layer(low, high, mask=mask)),
        0.25 * low + 0.75 * high,
        atol=1e-6,
    )


def test_output_norm_is_layer_norm_of_the_mix(low, high, mask):
    plain, normed = DLFA(), DLFA(output_norm="layer")
    mix = np.asarray(plain(low, high, mask=mask), "float64")
    normed.build(low.shape, high.shape)
    normed.aif.set_weights(plain.aif.get_weights())
    centred = mix - mix.mean(-1, keepdims=True)
    expected = centred / np.sqrt(mix.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(
        np.asarray(normed(low, high, mask=mask)), expected, atol=1e-4
    )


def test_equal_inputs_come_through_the_mix(low, mask):
    # L * g + L * (1 - g) = L, whatever the gate.
    for gate in ("feature", "attention"):
        fused = DLFA(gate=gate, mix_factor=2.0)(low, low, mask=mask)
        np.testing.assert_allclose(np.asarray(fused), 2 * low, atol=1e-5)


def test_attention_gate_keeps_output_between_inputs(low, high, mask):
    fused = np.asarray(DLFA(gate="attention")(low, high, mask=mask))
    assert (fused >= np.minimum(low, high) - 1e-6).all()
    assert (fused <= np.maximum(low, high) + 1e-6).all()


def test_first_swaps_roles_of_inputs(low, high, mask):
    # The mean is the same, so is the gate: only the mix changes.
    normal, swapped = DLFA(), DLFA(first="high")
    normal.build(low.shape, high.shape)
    swapped.build(low.shape, high.shape)
    swapped.set_weights(normal.get_weights())
    np.testing.assert_allclose(
        np.asarray(swapped(low, high, mask=mask)),
        np.asarray(normal(high, low, mask=mask)),
        atol=1e-6,
    )
    difference = swapped(low, high, mask=mask) - normal(low, high, mask=mask)
    assert np.abs(np.asarray(difference)).max() > 0.1


def test_mix_factor_scales_output(low, high):
    once, thrice = DLFA(), DLFA(mix_factor=3)
    once.build(low.shape, high.shape)
    thrice.build(low.shape, high.shape)
    thrice.set_weights(once.get_weights())
    np.testing.assert_allclose(
        np.asarray(thrice(low, high)),
        3 * np.asarray(once(low, high)),
        rtol=1e-5,
    )


@pytest.mark.parametrize("gate", ["feature", "attention"])
def test_compute_gate_is_the_gate_of_the_output(low, high, mask, gate):
    layer = DLFA(gate=gate)
    fused = np.asarray(layer(low, high, mask=mask))
    g = np.asarray(layer.compute_gate(low, high, mask=mask))
    np.testing.assert_allclose(low * g + high * (1 - g), fused, atol=1e-5)
    if gate == "attention":
        assert 0 < g.min()
        assert g.max() < 1
    else:
        assert g.min() < 0


def test_compute_gate_first_builds_the_same_weights(low, high, mask):
    called, asked = DLFA(name="d"), DLFA(name="d")
    called(low, high, mask=mask)
    gate = asked.compute_gate(low, high, mask=mask)
    paths = [[w.path for w in layer.weights] for layer in (called, asked)]
    assert paths[0] == paths[1]
    assert tuple(gate.shape) == low.shape
    asked(low, high, mask=mask)
    assert len(asked.weights) == len(called.weights)


def test_compute_gate_follows_training_of_batch_norm(low, high, mask):
    layer = DLFA(norm="batch")
    inference = np.asarray(layer.compute_gate(low, high, mask))
    training = np.asarray(layer.compute_gate(low, high, mask, training=True))
    assert np.abs(training - inference).max() > 0.01


def test_compute_gate_works_on_symbolic_tensors(low, high, mask):
    inputs = [
        keras.Input((None, 8)),
        keras.Input((None, 8)),
        keras.Input((None,), dtype="int32"),
    ]
    layer = DLFA(norm="batch")
    fused = keras.Model(inputs, layer(*inputs[:2], mask=inputs[2]))
    gate = keras.Model(inputs, layer.compute_gate(*inputs))
    assert gate.output_shape == (None, None, 8)
    data = [low, high, mask.astype("int32")]
    np.testing.assert_allclose(
        gate.predict_on_batch(data),
        np.asarray(layer.compute_gate(low, high, mask)),
        atol=1e-6,
    )
    assert len(fused.weights) == len(gate.weights) == 20


def test_compute_gate_casts_like_a_call(low, high, mask):
    layer = DLFA(dtype="mixed_bfloat16")
    gate = layer.compute_gate(low.astype("float64"), high, mask)
    assert keras.backend.standardize_dtype(gate.dtype) == "bfloat16"
    # The mix as `call` does it, in bfloat16, must give the same digits.
    low, high = (keras.ops.cast(x, "bfloat16") for x in (low, high))
    np.testing.assert_array_equal(
        np.asarray(keras.ops.cast(low * gate + high * (1 - gate), "float32")),
        np.asarray(keras.ops.cast(layer(low, high, mask=mask), "float32")),
    )


@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_permuted_batch_permutes_output(low, high, mask, norm):
    layer = DLFA(norm=norm)
    order = [1, 2, 0]
    for training in (False, True):
        straight = layer(low, high, mask=mask, training=training)
        permuted = layer(
            low[order], high[order], mask=mask[order], training=training
        )
        np.testing.assert_allclose(
            np.asarray(straight)[order], np.asarray(permuted), atol=1e-5
        )


def test_batch_norm_differs_between_training_and_inference(low, high, mask):
    layer = DLFA(norm="batch")
    inference = np.asarray(layer(low, high, mask=mask, training=False))
    training = np.asarray(layer(low, high, mask=mask, training=True))
    assert np.abs(training - inference).max() > 0.01
    moved = np.asarray(layer(low, high, mask=mask, training=False))
    assert np.abs(moved - inference).max() > 0.001


def test_mask_attached_to_low_is_read_and_passed_on():
    ids = np.array([[3, 4, 0, 0], [5, 6, 7, 8]])
    embedding = keras.layers.Embedding(
        9, 8, mask_zero=True, embeddings_initializer="normal"
    )
    embedded = embedding(ids)
    values = np.asarray(embedded)
    layer = DLFA(reduction_ratio=1, activation="tanh")
    result = layer(embedded, -2 * values)
    expected = layer(values, -2 * values, mask=ids != 0)
    np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))
    without = np.asarray(layer(values, -2 * values))
    assert np.abs(np.asarray(result) - without).max() > 1e-5
    np.testing.assert_array_equal(np.asarray(result._keras_mask), ids != 0)


def test_explicit_mask_stays_local(low, mask):
    # It would go through the task head into loss and metrics.
    for explicit in (mask, mask.astype("int32")):
        result = DLFA()(low, low, mask=explicit)
        assert getattr(result, "_keras_mask", None) is None


def test_explicit_mask_wins_over_attached_one():
    ids = np.array([[3, 4, 0, 0]])
    embedded = keras.layers.Embedding(9, 8, mask_zero=True)(ids)
    values = np.asarray(embedded)
    mask = np.array([[True, True, True, False]])
    layer = DLFA(reduction_ratio=1, activation="tanh")
    np.testing.assert_array_equal(
        np.asarray(layer(embedded, embedded, mask=mask)),
        np.asarray(layer(values, values, mask=mask)),
    )


def test_gate_is_one_aif_layer_with_stable_name(low, high):
    layer = DLFA(name="d")
    layer(low, high)
    assert isinstance(layer.aif, AIF)
    assert layer.weights[0].path == "d/aif/local_branch/reduce/kernel"
    assert layer.weights[-1].path == "d/aif/global_branch/expand_norm/beta"


@pytest.mark.parametrize("time", [1, 4])
def test_error_names_unequal_lengths(low, high, time):
    message = (
        r"`low` and `high` must have equal shapes\. Received: low "
        rf"\(3, 5, 8\), high \(3, {time}, 8\)\."
    )
    built = DLFA()
    built(low, high)
    for layer in (DLFA(), built):
        with pytest.raises(ValueError, match=message):
            layer(low, high[:, :time])
    with pytest.raises(ValueError, match=message):
        built.compute_gate(low, high[:, :time])


def test_error_names_unequal_widths_of_symbolic_inputs(low, high):
    built = DLFA()
    built(low, high)
    inputs = [keras.Input((7, 8), 2), keras.Input((7, 16), 2)]
    message = r"Received: low \(2, 7, 8\), high \(2, 7, 16\)\."
    for layer in (DLFA(), built):
        with pytest.raises(ValueError, match=message):
            layer(*inputs)


def test_error_names_unequal_ranks(low):
    with pytest.raises(
        ValueError, match=r"Received: low \(3, 5, 8\), high \(3"
    ):
        DLFA().build((3, 5, 8), (3, 8))


@pytest.mark.parametrize("value", ["1", None, True], ids=repr)
def test_error_names_mix_factor_of_wrong_type(value):
    with pytest.raises(TypeError, match="`mix_factor` must be a number"):
        DLFA(mix_factor=value)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_error_names_mix_factor_out_of_range(value):
    with pytest.raises(ValueError, match="`mix_factor` is out of range"):
        DLFA(mix_factor=value)


def test_error_offers_nearest_order():
    message = r"`first` is not a known name.*Did you mean 'high'\?"
    with pytest.raises(ValueError, match=message):
        DLFA(first="higher")


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("reduction_ratio", -2, ValueError),
        ("reduction_ratio", "4", TypeError),
        ("norm", "rms", ValueError),
        ("gate", "sigmoid", ValueError),
        ("pooling", "max", ValueError),
        ("activation", "rlu", ValueError),
        ("branches", "none", ValueError),
        ("initial_gate", "0.5", TypeError),
        ("output_norm", "batch", ValueError),
    ],
)
def test_error_of_aif_names_argument(argument, value, error):
    with pytest.raises(error, match=f"`{argument}`"):
        DLFA(**{argument: value})
