"""Generic checks of a layer: one call does what each layer's test needs.

Every check takes a `LayerCase` and raises AssertionError, or lets the error
of the layer through, when the layer breaks what the check is about. The file
is long because it holds ten checks of one form; a layer's test runs them all.
"""

import inspect
import json
import pathlib
import tempfile
from collections.abc import Callable

import keras
import numpy as np

from dlfa_tf.testing import layer_case
from dlfa_tf.testing.layer_case import LayerCase
from dlfa_tf.types import Tensor

# Rounding of float32 over sums of up to a few hundred terms.
TOLERANCE = 1e-5
# Smallest gradient of a weight that counts as one; rounding alone is smaller.
SMALLEST_GRADIENT = 1e-6
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def check_config(case: LayerCase) -> None:
    """Checks registration and the round trip through the configuration.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when the class is not registered under the package,
            an argument is absent from the configuration or has another value
            there, or the copy has another configuration.
    """
    layer = case.make_layer()
    name = keras.saving.get_registered_name(case.layer_class)
    expected_name = f"{case.package}>{case.layer_class.__name__}"
    _require(
        name == expected_name,
        f"The layer is registered as {name}, expected {expected_name}.",
    )
    config = layer.get_config()
    parameters = inspect.signature(case.layer_class.__init__).parameters
    for parameter in list(parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        _require(
            parameter.name in config,
            f"Argument `{parameter.name}` is not in the configuration.",
        )
        _require(
            hasattr(layer, parameter.name),
            f"Argument `{parameter.name}` is not kept as an attribute.",
        )
    for key, value in case.config.items():
        _require(
            config[key] == value,
            f"The configuration has {key}={config[key]!r}, expected {value!r}.",
        )
    copy = case.layer_class.from_config(json.loads(json.dumps(config)))
    _require(
        copy.get_config() == config,
        f"The copy has configuration {copy.get_config()}, expected {config}.",
    )


def check_save_and_load(case: LayerCase) -> None:
    """Checks that a `.keras` file gives back a layer with equal outputs.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when the outputs differ.
    """
    model = case.make_model(case.make_built_layer())
    data = _model_data(case, 2, 5)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    _require_close(
        loaded(data), model(data), "outputs after saving and loading"
    )


def check_shapes_and_counts(case: LayerCase) -> None:
    """Checks that build, symbolic call and eager call agree.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when a shape, a dtype, the path of a weight or a
            number of weights is not as declared.
    """
    shapes = [(2, 5, case.dim)] * case.num_inputs
    expected = case.expected_shape(2, 5)
    built, called = case.make_layer(), case.make_layer()
    built.build(*shapes)
    declared = tuple(built.compute_output_shape(*shapes))
    eager = called(*case.make_inputs(2, 5), **case.mask_argument(2, 5))
    mask = {}
    if case.takes_mask:
        mask[case.mask_name] = keras.KerasTensor((2, 5), dtype="bool")
    symbolic = built(*(keras.KerasTensor(shape) for shape in shapes), **mask)
    for name, shape in (
        ("compute_output_shape", declared),
        ("the symbolic call", tuple(symbolic.shape)),
        ("the eager call", tuple(eager.shape)),
    ):
        _require(
            shape == expected, f"Shape of {name} is {shape}, not {expected}."
        )
    dtypes = [
        keras.backend.standardize_dtype(t.dtype) for t in (symbolic, eager)
    ]
    _require(
        dtypes == ["float32"] * 2,
        f"Dtypes of symbolic and eager call are {dtypes}, expected float32.",
    )
    counts = (
        len(built.trainable_weights),
        len(built.non_trainable_weights),
    )
    expected_counts = (case.num_trainable_weights, case.num_other_weights)
    _require(
        counts == expected_counts,
        f"The layer has {counts} trainable and other weights, expected "
        f"{expected_counts}.",
    )
    weights = [
        [(weight.path, tuple(weight.shape)) for weight in layer.weights]
        for layer in (built, called)
    ]
    _require(
        weights[0] == weights[1],
        f"`build` made the weights {weights[0]}, a call {weights[1]}.",
    )


def check_unknown_sizes(case: LayerCase) -> None:
    """Checks that one layer takes any batch size and any length.

    With the TensorFlow backend the layer is also traced once with both sizes
    unknown, as an exported model is.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when a shape is not as declared, or the traced layer
            and the eager one differ.
    """
    layer = case.make_built_layer()
    symbolic = tuple(case.make_model(layer).output_shape)
    expected = case.expected_shape(None, None)
    _require(
        symbolic == expected,
        f"With unknown sizes the shape is {symbolic}, not {expected}.",
    )
    traced = _trace_with_unknown_sizes(case, layer)
    for batch, time in ((2, 3), (3, 7)):
        inputs = case.make_inputs(batch, time)
        mask = case.mask_argument(batch, time)
        eager = layer(*inputs, **mask)
        expected = case.expected_shape(batch, time)
        _require(
            tuple(eager.shape) == expected,
            f"Sizes {(batch, time)} give {tuple(eager.shape)}, not {expected}.",
        )
        _require_close(
            traced(*inputs, *mask.values()), eager, f"traced {(batch, time)}"
        )


def check_training_step(case: LayerCase) -> None:
    """Checks that a compiled training step runs and moves the weights.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when the loss or a weight is not finite, or no
            trainable weight of the layer has changed.
    """
    layer = case.make_built_layer()
    before = [layer_case.to_numpy(weight) for weight in layer.trainable_weights]
    _, loss = _train_once(case, layer, jit_compile=False)
    _require(np.isfinite(loss), f"The loss is {loss}, expected a finite one.")
    after = [layer_case.to_numpy(weight) for weight in layer.trainable_weights]
    for weight in layer.weights:
        _require_finite(weight, f"weight {weight.path} after a step")
    if before:
        _require(
            any(
                not np.array_equal(*pair)
                for pair in zip(before, after, strict=True)
            ),
            "A training step has changed no weight of the layer.",
        )


def check_gradients(case: LayerCase) -> None:
    """Checks that every trainable weight and every input has a gradient.

    One row is fully padded if the layer takes a mask. TensorFlow only.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when a gradient is absent, not finite, or so small
            that rounding explains it.
        RuntimeError: when the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "`check_gradients` cannot run. Received: the backend "
            f"{keras.backend.backend()}. Accepted: tensorflow."
        )
    import tensorflow as tf

    layer = case.make_built_layer()
    inputs = [tf.constant(array) for array in case.make_inputs(3, 5)]
    mask = case.mask_argument(3, 5)
    if case.takes_mask:
        mask[case.mask_name][2] = False
    variables = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(*inputs, **mask, training=True)
        # Unequal factors: a plain sum would hide that a norm removes it.
        factors = np.random.default_rng(case.seed).normal(size=outputs.shape)
        loss = tf.reduce_sum(outputs * tf.cast(factors, outputs.dtype))
    gradients = tape.gradient(loss, [*variables, *inputs])
    names = [weight.path for weight in layer.trainable_weights]
    names += [f"input {index}" for index in range(case.num_inputs)]
    for name, gradient in zip(names, gradients, strict=True):
        _require(gradient is not None, f"No gradient reaches {name}.")
        _require_finite(gradient, f"gradient of {name}")
        size = np.abs(layer_case.to_numpy(gradient)).max()
        _require(
            size > SMALLEST_GRADIENT,
            f"The gradient of {name} is at most {size}, expected above "
            f"{SMALLEST_GRADIENT}.",
        )


def check_dtype_policies(case: LayerCase) -> None:
    """Checks outputs, weights and sublayers under three dtype policies.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when an output has not the compute dtype, a weight not
            the variable dtype, a sublayer another policy, or an output is not
            finite.
    """
    for policy_name in POLICIES:
        policy = keras.dtype_policies.get(policy_name)
        layer = case.make_layer(policy_name)
        outputs = layer(*case.make_inputs(2, 5), **case.mask_argument(2, 5))
        shapes = [(2, 5, case.dim)] * case.num_inputs
        symbolic = layer(*(keras.KerasTensor(shape) for shape in shapes))
        for kind, tensor in (("Eager", outputs), ("Symbolic", symbolic)):
            dtype = keras.backend.standardize_dtype(tensor.dtype)
            _require(
                dtype == policy.compute_dtype,
                f"{kind} output under {policy_name} is {dtype}, expected "
                f"{policy.compute_dtype}.",
            )
        _require_finite(outputs, f"outputs under {policy_name}")
        for weight in layer.weights:
            _require(
                weight.dtype == policy.variable_dtype,
                f"Weight {weight.path} under {policy_name} is {weight.dtype}, "
                f"expected {policy.variable_dtype}.",
            )
        for sublayer in layer._flatten_layers(include_self=False):
            _require(
                sublayer.dtype_policy.name == policy_name,
                f"Sublayer {sublayer.path} of a {policy_name} layer has the "
                f"policy {sublayer.dtype_policy.name}.",
            )


def check_padding_is_ignored(case: LayerCase) -> None:
    """Checks that what padding holds and how long it is changes nothing.

    Real positions are compared, or everything if the output has no time axis
    of the input's length; and the other weights, such as moving averages.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when an output or a weight depends on padding.
    """
    if not case.takes_mask:
        return
    inputs, mask = (
        case.make_inputs(3, 5),
        case.mask_argument(3, 5)[case.mask_name],
    )
    other = [
        np.where(mask[..., None], x, 9.0 * noise).astype("float32")
        for x, noise in zip(inputs, case.make_inputs(3, 5, seed=1), strict=True)
    ]
    longer = [
        np.concatenate([x, 9.0 * noise], axis=1)
        for x, noise in zip(inputs, case.make_inputs(3, 2, seed=2), strict=True)
    ]
    longer_mask = np.pad(mask, ((0, 0), (0, 2)))
    for training in (False, True):
        expected = _run(case, inputs, mask, training)
        for name, result in (
            ("the content", _run(case, other, mask, training)),
            ("the length", _run(case, longer, longer_mask, training)),
        ):
            for got, wanted in zip(result, expected, strict=True):
                _require_close(
                    got, wanted, f"{name} of padding, training={training}"
                )


def check_full_padding(case: LayerCase) -> None:
    """Checks that rows without a real token give finite numbers.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when an output or a weight is not finite.
    """
    if not case.takes_mask:
        return
    inputs = case.make_inputs(2, 5)
    for num_empty_rows in (1, 2):
        mask = case.mask_argument(2, 5)[case.mask_name]
        mask[:num_empty_rows] = False
        for training in (False, True):
            layer = case.make_built_layer()
            outputs = layer(
                *inputs, **{case.mask_name: mask}, training=training
            )
            for tensor in (outputs, *layer.weights):
                _require_finite(
                    tensor,
                    f"outputs or weights with {num_empty_rows} fully padded "
                    f"rows, training={training}",
                )


def check_xla(case: LayerCase) -> None:
    """Checks that a training step is the same with and without XLA.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when outputs, loss or trained weights differ.
    """
    if not case.works_with_xla:
        return
    results = []
    for xla in (False, True):
        layer = case.make_built_layer()
        # Step by step there is no XLA, and nothing to trace.
        model, loss = _train_once(
            case, layer, jit_compile=xla, run_eagerly=not xla
        )
        outputs = model.predict_on_batch(_model_data(case, 2, 5))
        results.append([outputs, np.asarray(loss), *layer.get_weights()])
    for plain, compiled in zip(*results, strict=True):
        # XLA sums in another order, and the step feeds that back.
        _require_close(compiled, plain, "results with XLA", 10 * TOLERANCE)


# In the order in which a beginner's mistakes are best explained.
CHECKS: tuple[Callable[[LayerCase], None], ...] = (
    check_config,
    check_shapes_and_counts,
    check_unknown_sizes,
    check_dtype_policies,
    check_padding_is_ignored,
    check_full_padding,
    check_gradients,
    check_training_step,
    check_save_and_load,
    check_xla,
)


def check_layer(case: LayerCase) -> None:
    """Runs every check on a layer.

    Args:
        case: LayerCase, the layer and what is declared of it.

    Raises:
        AssertionError: when a check fails. What the layer itself raises comes
            through; a note on the error names the check in both cases.
    """
    for check in CHECKS:
        try:
            check(case)
        except Exception as error:
            error.add_note(f"in {check.__name__} of {case.layer_class}")
            raise


def _model_data(case: LayerCase, batch: int, time: int) -> list[np.ndarray]:
    mask = case.mask_argument(batch, time)
    return [*case.make_inputs(batch, time), *mask.values()]


def _trace_with_unknown_sizes(
    case: LayerCase, layer: keras.layers.Layer
) -> Callable[..., Tensor]:
    def call(*tensors: Tensor) -> Tensor:
        if case.takes_mask:
            return layer(*tensors[:-1], **{case.mask_name: tensors[-1]})
        return layer(*tensors)

    if keras.backend.backend() != "tensorflow":
        return call
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, case.dim))] * case.num_inputs
    if case.takes_mask:
        signature.append(tf.TensorSpec((None, None), tf.bool))
    return tf.function(call, input_signature=signature)


def _train_once(
    case: LayerCase, layer: keras.layers.Layer, **compilation: bool
) -> tuple[keras.Model, float]:
    """Returns the model that holds the layer and the loss of one step."""
    model = case.make_model(layer, head=True)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss="mse",
        **compilation,
    )
    data = _model_data(case, 2, 5)
    targets = np.ones_like(layer_case.to_numpy(model(data)))
    loss = model.train_on_batch(data, targets)
    return model, float(loss)


def _run(
    case: LayerCase,
    inputs: list[np.ndarray],
    mask: np.ndarray,
    training: bool,
) -> list[np.ndarray]:
    """Returns the real part of the outputs, then the other weights."""
    layer = case.make_built_layer()
    outputs = layer_case.to_numpy(
        layer(*inputs, **{case.mask_name: mask}, training=training)
    )
    if "time" in case.output_shape:
        outputs = outputs[mask]
    others = [
        layer_case.to_numpy(weight) for weight in layer.non_trainable_weights
    ]
    return [outputs, *others]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_finite(tensor: Tensor, what: str) -> None:
    _require(
        bool(np.isfinite(layer_case.to_numpy(tensor)).all()),
        f"Not all numbers are finite: {what}.",
    )


def _require_close(
    got: Tensor, expected: Tensor, what: str, tolerance: float = TOLERANCE
) -> None:
    np.testing.assert_allclose(
        layer_case.to_numpy(got),
        layer_case.to_numpy(expected),
        rtol=tolerance,
        atol=tolerance,
        err_msg=f"Not equal: {what}.",
    )
