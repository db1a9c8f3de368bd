import itertools

import keras
import numpy as np
import pytest

from dlfa_tf.layers import AttentionBranch
from dlfa_tf.testing import layer_checks
from dlfa_tf.testing.layer_case import LayerCase

CASES = {
    "local": LayerCase(
        layer_class=AttentionBranch,
        config={"reduction_ratio": 2},
        num_trainable_weights=8,
    ),
    "global_batch_norm": LayerCase(
        layer_class=AttentionBranch,
        config={
            "reduction_ratio": 2,
            "norm": "batch",
            "activation": "gelu",
            "scope": "global",
        },
        num_trainable_weights=6,
        num_other_weights=4,
        output_shape=("batch", 1, 8),
    ),
}


@pytest.mark.parametrize(
    "check", layer_checks.CHECKS, ids=lambda check: check.__name__
)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_layer_passes_generic_check(case, check):
    check(case)


OPTIONS = [
    {"scope": scope, "norm": norm, "pooling": pooling, "activation": activation}
    for scope, norm, pooling, activation in itertools.product(
        ("local", "global"),
        ("layer", "batch", "none"),
        ("mean", "first"),
        ("relu", "tanh"),
    )
]


# The ratios take turns; together, these are all options.
@pytest.mark.parametrize(
    ("options", "ratio"),
    list(zip(OPTIONS, itertools.cycle([1, 3, 4, 3, 4]), strict=False)),
    ids=lambda x: "-".join(x.values()) if isinstance(x, dict) else str(x),
)
def test_output_agrees_with_reference(reference, low, mask, options, ratio):
    layer = AttentionBranch(reduction_ratio=ratio, **options)
    layer.build(low.shape)
    reference.shake(layer)
    weights = reference.weights_of(layer)
    assert weights["reduce/kernel"].shape == (8, 8 // ratio)
    # Inference first: training moves the averages that it reads.
    for training, given_mask in itertools.product((False, True), (None, mask)):
        result = layer(low, mask=given_mask, training=training)
        expected = reference.branch(
            weights, low, given_mask, training=training, **options
        )
        np.testing.assert_allclose(
            # Batch statistics of three rows divide by small deviations.
            np.asarray(result),
            expected,
            rtol=1e-4,
            atol=1e-4,
        )


def test_defaults_are_those_of_the_paper_notes():
    config = AttentionBranch().get_config()
    config = {name: config[name] for name in config if name not in ("name",)}
    del config["trainable"], config["dtype"]
    assert config == {
        "reduction_ratio": 4,
        "norm": "layer",
        "activation": "relu",
        "scope": "local",
        "pooling": "mean",
        "initial_output": None,
    }


@pytest.mark.parametrize("scope", ["local", "global"])
@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_initial_output_is_what_an_untrained_branch_returns(low, norm, scope):
    layer = AttentionBranch(norm=norm, scope=scope, initial_output=-1.5)
    for training in (False, True):
        result = np.asarray(layer(low, training=training))
        np.testing.assert_allclose(result, -1.5, atol=1e-6)


@pytest.mark.parametrize("value", ["1", True], ids=repr)
def test_error_names_initial_output_of_wrong_type(value):
    with pytest.raises(TypeError, match="`initial_output` must be a number"):
        AttentionBranch(initial_output=value)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_error_names_initial_output_out_of_range(value):
    with pytest.raises(ValueError, match="`initial_output` is out of range"):
        AttentionBranch(initial_output=value)


@pytest.mark.parametrize("scope", ["local", "global"])
def test_batch_norm_statistics_leave_padding_out(scope, low, mask):
    layer = AttentionBranch(reduction_ratio=2, norm="batch", scope=scope)
    layer.build(low.shape)
    mask[2] = False
    layer(low, mask=mask, training=True)
    moved = np.asarray(layer.reduce_norm.moving_mean)
    if scope == "local":
        rows = low[mask]
    else:
        rows = np.stack([low[i][mask[i]].mean(0) for i in range(2)])
    reduced = rows @ np.asarray(layer.reduce.kernel)
    # A tenth of the batch's mean on top of nine tenths of the start, 0.
    np.testing.assert_allclose(moved, 0.1 * reduced.mean(axis=0), atol=1e-5)


def test_batch_norm_differs_between_training_and_inference(low, mask):
    layer = AttentionBranch(norm="batch")
    inference = np.asarray(layer(low, mask=mask, training=False))
    before = np.asarray(layer.reduce_norm.moving_mean)
    again = np.asarray(layer(low, mask=mask))
    np.testing.assert_array_equal(inference, again)
    np.testing.assert_array_equal(before, layer.reduce_norm.moving_mean)
    training = np.asarray(layer(low, mask=mask, training=True))
    assert np.abs(training - inference).max() > 0.1
    assert np.abs(np.asarray(layer.reduce_norm.moving_mean)).max() > 1e-3


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_training_changes_nothing_without_batch_norm(low, mask, norm):
    layer = AttentionBranch(norm=norm)
    inference = layer(low, mask=mask, training=False)
    training = layer(low, mask=mask, training=True)
    np.testing.assert_array_equal(np.asarray(inference), np.asarray(training))


@pytest.mark.parametrize("scope", ["local", "global"])
def test_inner_width_of_one_agrees_with_reference(reference, low, mask, scope):
    layer = AttentionBranch(reduction_ratio=8, norm="none", scope=scope)
    result = layer(low, mask=mask)
    weights = reference.weights_of(layer)
    assert weights["reduce/kernel"].shape == (8, 1)
    expected = reference.branch(weights, low, mask, scope, norm="none")
    np.testing.assert_allclose(np.asarray(result), expected, atol=1e-5)


def test_inner_width_of_one_ignores_input_under_layer_norm(low, high):
    # The docstring warns of this.
    layer = AttentionBranch(reduction_ratio=8)
    np.testing.assert_allclose(
        np.asarray(layer(low)), np.asarray(layer(high)), atol=1e-6
    )


def test_sublayer_names_are_stable(low):
    layer = AttentionBranch(norm="batch", scope="global", name="b")
    layer.build(low.shape)
    assert [weight.path for weight in layer.weights] == [
        "b/reduce/kernel",
        "b/reduce_norm/gamma",
        "b/reduce_norm/beta",
        "b/reduce_norm/moving_mean",
        "b/reduce_norm/moving_variance",
        "b/expand/kernel",
        "b/expand_norm/gamma",
        "b/expand_norm/beta",
        "b/expand_norm/moving_mean",
        "b/expand_norm/moving_variance",
    ]


def test_mask_goes_on_from_local_branch_only(low, mask):
    assert AttentionBranch().compute_mask(low, mask) is mask
    assert AttentionBranch(scope="global").compute_mask(low, mask) is None


def test_activation_function_survives_round_trip():
    layer = AttentionBranch(activation=keras.activations.silu)
    copy = AttentionBranch.from_config(layer.get_config())
    assert copy.activation is keras.activations.silu


def test_numpy_integer_ratio_is_kept_as_int():
    ratio = AttentionBranch(reduction_ratio=np.int64(2)).reduction_ratio
    assert type(ratio) is int


@pytest.mark.parametrize("ratio", [2.0, "2", None, True], ids=repr)
def test_error_names_ratio_of_wrong_type(ratio):
    with pytest.raises(TypeError, match="`reduction_ratio` must be an integer"):
        AttentionBranch(reduction_ratio=ratio)


@pytest.mark.parametrize("ratio", [0, -1])
def test_error_names_ratio_below_one(ratio):
    message = rf"`reduction_ratio` is too small\. Received: {ratio}\. Accepted"
    with pytest.raises(ValueError, match=message):
        AttentionBranch(reduction_ratio=ratio)


def test_error_names_ratio_above_width(low):
    message = r"Received: 9 for width 8. Accepted: integers from 1 to 8"
    with pytest.raises(ValueError, match=message):
        AttentionBranch(reduction_ratio=9)(low)


@pytest.mark.parametrize(
    ("argument", "value", "near"),
    [
        ("norm", "layr", "layer"),
        ("norm", "Batch", "batch"),
        ("scope", "locl", "local"),
        ("pooling", "men", "mean"),
    ],
)
def test_error_offers_nearest_name(argument, value, near):
    message = (
        rf"`{argument}` is not a known name\. Received: '{value}'\. Accepted: "
        rf".*Did you mean '{near}'\?"
    )
    with pytest.raises(ValueError, match=message):
        AttentionBranch(**{argument: value})


@pytest.mark.parametrize("value", [None, 3, ["layer"]], ids=repr)
def test_error_names_value_that_is_no_name(value):
    with pytest.raises(ValueError, match="`norm` is not a known name"):
        AttentionBranch(norm=value)


def test_error_names_unknown_activation():
    message = r"`activation` is not known\. Received: 'rlu'\. Accepted"
    with pytest.raises(ValueError, match=message):
        AttentionBranch(activation="rlu")


@pytest.mark.parametrize("ratio", [5, 8])
def test_error_names_ratio_that_leaves_batch_norm_one_channel(ratio):
    message = rf"Received: {ratio} for width 8\. Accepted .* from 1 to 4\."
    with pytest.raises(ValueError, match=message):
        AttentionBranch(reduction_ratio=ratio, norm="batch").build((2, 5, 8))


def test_error_names_unknown_width():
    with pytest.raises(
        ValueError, match=r"Received: \(2, 5, None\)\. Accepted"
    ):
        AttentionBranch().build((2, 5, None))


@pytest.mark.parametrize("scope", ["local", "global"])
def test_error_names_mask_that_does_not_fit(low, scope):
    with pytest.raises(ValueError, match=r"Received: mask \(3, 4\) for x"):
        AttentionBranch(scope=scope)(low, mask=np.ones((3, 4), bool))
