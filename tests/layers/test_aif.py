import itertools

import keras
import numpy as np
import pytest

from dlfa_tf.layers import AIF
from dlfa_tf.testing import layer_checks
from dlfa_tf.testing.layer_case import LayerCase

CASES = {
    "attention": LayerCase(
        layer_class=AIF,
        config={"reduction_ratio": 2, "gate": "attention", "pooling": "first"},
        num_trainable_weights=16,
    ),
    "feature_batch_norm": LayerCase(
        layer_class=AIF,
        config={"reduction_ratio": 2, "norm": "batch", "activation": "tanh"},
        num_trainable_weights=12,
        num_other_weights=8,
    ),
}


@pytest.mark.parametrize(
    "check", layer_checks.CHECKS, ids=lambda check: check.__name__
)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_layer_passes_generic_check(case, check):
    check(case)


OPTIONS = [
    {"gate": gate, "norm": norm, "pooling": pooling, "activation": activation}
    for gate, norm, pooling, activation in itertools.product(
        ("feature", "attention"),
        ("layer", "batch", "none"),
        ("mean", "first"),
        ("relu", "tanh"),
    )
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o.values()))
def test_output_agrees_with_reference(reference, low, mask, options):
    layer = AIF(reduction_ratio=2, **options)
    layer.build(low.shape)
    reference.shake(layer)
    weights = reference.weights_of(layer)
    # Inference first: training moves the averages that it reads.
    for training, given_mask in itertools.product((False, True), (None, mask)):
        result = layer(low, mask=given_mask, training=training)
        expected = reference.aif(
            weights, low, given_mask, training=training, **options
        )
        np.testing.assert_allclose(
            # Batch statistics of three rows divide by small deviations.
            np.asarray(result),
            expected,
            rtol=1e-4,
            atol=1e-4,
        )


def test_output_known_answer_by_hand():
    # Width 1, no norm, every weight 1, biases 0: each branch is relu(x), so
    # AIF(x) = x * sigmoid(relu(mean) + relu(x)).
    layer = AIF(reduction_ratio=1, norm="none")
    x = np.array([[[2.0], [-1.0]]], "float32")
    layer.build(x.shape)
    for weight in layer.weights:
        weight.assign(np.full(weight.shape, weight.path.endswith("kernel")))
    first, second = np.asarray(layer(x))[0, :, 0]
    # The mean is 0.5.
    assert first == pytest.approx(2 / (1 + np.exp(-2.5)), abs=1e-6)
    assert second == pytest.approx(-1 / (1 + np.exp(-0.5)), abs=1e-6)


def test_defaults_are_those_of_the_paper_notes():
    layer = AIF()
    assert (layer.reduction_ratio, layer.norm, layer.gate) == (
        4,
        "layer",
        "feature",
    )
    assert layer.activation is keras.activations.relu
    assert layer.pooling == "mean"
    assert layer.branches == "both"
    assert layer.initial_gate is None


@pytest.mark.parametrize("scope", ["local", "global"])
def test_one_branch_alone_is_the_sigmoid_of_that_branch(
    reference, low, mask, scope
):
    layer = AIF(branches=scope, gate="attention", norm="none")
    result = np.asarray(layer(low, mask=mask))
    assert [w.path.split("/")[1] for w in layer.weights] == (
        4 * [f"{scope}_branch"]
    )
    weights = {
        path.removeprefix(f"{scope}_branch/"): value
        for path, value in reference.weights_of(layer).items()
    }
    branch = reference.branch(weights, low, mask, scope, norm="none")
    expected = np.broadcast_to(1 / (1 + np.exp(-branch)), low.shape)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("branches", ["both", "local", "global"])
@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_initial_gate_is_where_the_sigmoid_starts(low, mask, norm, branches):
    layer = AIF(
        gate="attention", norm=norm, branches=branches, initial_gate=0.1
    )
    gate = np.asarray(layer(low, mask=mask))
    assert gate.shape == low.shape
    np.testing.assert_allclose(gate, 0.1, atol=1e-6)


@pytest.mark.parametrize("value", [0, 1, -0.1, float("nan")])
def test_error_names_initial_gate_out_of_range(value):
    with pytest.raises(ValueError, match="`initial_gate` is out of range"):
        AIF(initial_gate=value)


def test_attention_lies_between_zero_and_one(reference, low, mask):
    layer = AIF(gate="attention")
    layer.build(low.shape)
    reference.shake(layer)
    gate = np.asarray(layer(10 * low, mask=mask))
    assert gate.min() > 0
    assert gate.max() < 1


def test_feature_gate_is_attention_times_input(low, mask):
    attention, feature = AIF(gate="attention"), AIF(gate="feature")
    attention.build(low.shape)
    feature.build(low.shape)
    feature.set_weights(attention.get_weights())
    np.testing.assert_allclose(
        np.asarray(feature(low, mask=mask)),
        low * np.asarray(attention(low, mask=mask)),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "training", [False, True], ids=["inference", "training"]
)
@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_permuted_batch_permutes_output(low, mask, norm, training):
    layer = AIF(norm=norm)
    order = [2, 0, 1]
    straight = layer(low, mask=mask, training=training)
    permuted = layer(low[order], mask=mask[order], training=training)
    np.testing.assert_allclose(
        np.asarray(straight)[order], np.asarray(permuted), atol=1e-5
    )


def test_permuted_positions_permute_output_without_first_pooling(low):
    layer = AIF()
    order = [4, 2, 0, 1, 3]
    np.testing.assert_allclose(
        np.asarray(layer(low))[:, order],
        np.asarray(layer(low[:, order])),
        atol=1e-5,
    )


def test_both_branches_matter(low, mask):
    layer = AIF(gate="attention")
    before = np.asarray(layer(low, mask=mask))
    for name in ("local_branch", "global_branch"):
        beta = getattr(layer, name).expand_norm.beta
        beta.assign(np.ones(8))
        after = np.asarray(layer(low, mask=mask))
        assert np.abs(after - before).max() > 0.05
        beta.assign(np.zeros(8))


def test_global_branch_sees_other_positions(low):
    layer = AIF(reduction_ratio=1, gate="attention", activation="tanh")
    before = np.asarray(layer(low))
    low[:, 4] += np.arange(8)
    after = np.asarray(layer(low))
    assert np.abs(after - before)[:, 0].max() > 1e-3


# The tolerance is that of the format: 8 bits for bfloat16, 11 for float16.
@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [("mixed_bfloat16", 3e-2), ("mixed_float16", 4e-3)],
)
def test_half_precision_stays_near_float_32(low, mask, policy, tolerance):
    exact, half = AIF(), AIF(dtype=policy)
    exact.build(low.shape)
    half.build(low.shape)
    half.set_weights(exact.get_weights())
    np.testing.assert_allclose(
        np.asarray(keras.ops.cast(half(low, mask=mask), "float32")),
        np.asarray(exact(low, mask=mask)),
        atol=tolerance,
    )


def test_mask_attached_to_input_is_read_and_passed_on():
    ids = np.array([[3, 4, 0, 0], [5, 6, 7, 8]])
    embedding = keras.layers.Embedding(
        9, 8, mask_zero=True, embeddings_initializer="normal"
    )
    embedded = embedding(ids)
    values = np.asarray(embedded)
    layer = AIF(reduction_ratio=1, activation="tanh")
    result = layer(embedded)
    expected = layer(values, mask=ids != 0)
    np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))
    assert np.abs(np.asarray(result) - np.asarray(layer(values))).max() > 1e-5
    np.testing.assert_array_equal(np.asarray(result._keras_mask), ids != 0)


def test_explicit_mask_stays_local(low, mask):
    # It would go through the task head into loss and metrics.
    for explicit in (mask, mask.astype("int32")):
        result = AIF()(low, mask=explicit)
        assert getattr(result, "_keras_mask", None) is None


def test_error_offers_nearest_gate():
    message = r"`gate` is not a known name.*Did you mean 'attention'\?"
    with pytest.raises(ValueError, match=message):
        AIF(gate="atention")


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("reduction_ratio", 0, ValueError),
        ("reduction_ratio", 1.5, TypeError),
        ("norm", "group", ValueError),
        ("pooling", "max", ValueError),
        ("activation", "rlu", ValueError),
        ("branches", "neither", ValueError),
    ],
)
def test_error_of_branch_names_argument(argument, value, error):
    with pytest.raises(error, match=f"`{argument}`"):
        AIF(**{argument: value})


def test_error_names_ratio_above_width(low):
    with pytest.raises(ValueError, match="Received: 16 for width 8"):
        AIF(reduction_ratio=16)(low)
