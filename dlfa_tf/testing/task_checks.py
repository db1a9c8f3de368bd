"""Generic checks of a task model: from raw strings to answers and back.

Every check takes a `TaskCase` and raises AssertionError, or lets the error of
the model through. They are for TensorFlow, which reads the raw strings. Where
layer_checks.py looks at one layer by itself, these see whether a whole model
with that layer learns, answers, and comes back from the disk.
"""

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from dlfa_tf.testing import layer_case

# Rounding of float32 over sums of up to a few hundred terms.
TOLERANCE = 1e-5
# What Keras calls the mixed policies; float32 is that of all other checks.
POLICIES = ("mixed_bfloat16", "mixed_float16")
# Steps in which a model has to learn the examples, all of them in each.
STEPS = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskCase:
    """One kind of task model, and a few examples that it can learn.

    Args:
        task_class: Class of the model, `DLFATextClassifier` or
            `DLFATokenClassifier` or a class of your own.
        x: Raw inputs as `fit` takes them, short enough to be one row each.
        y: Their labels by name, as `fit` takes them.
        y_ids: The same labels as ids.
        labels: Tuple of the label names, in the order of the ids.
        options: Mapping of further arguments of `from_preset`, among them
            `fusion_layer`.
        make_fusion: Optional function without arguments that returns a fusion
            layer of your own; each model gets a new one.
        num_frozen_weights: int, number of weight tensors that no training
            moves.
        preset: str, the encoder; a tiny one, as every check builds models.
        package: str, name under which the class is registered in Keras.
        seed: int, seed of the weights.

    Example:
        from dlfa_tf.models import DLFATextClassifier
        from dlfa_tf.testing import task_checks

        case = task_checks.TaskCase(
            task_class=DLFATextClassifier, x=["a", "b"], y=["no", "yes"],
            y_ids=[0, 1], labels=("no", "yes"), options={"fusion_layer": 1})
        task_checks.check_gradients(case)  # `check_task(case)` runs all
    """

    task_class: type[Any]
    x: Any
    y: Any
    y_ids: Any
    labels: Sequence[str]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    make_fusion: Callable[[], keras.layers.Layer] | None = None
    num_frozen_weights: int = 0
    preset: str = "tiny"
    package: str = "dlfa_tf"
    seed: int = 7

    def make_model(
        self, learning_rate: float = 0.0, dtype: str | None = None
    ) -> Any:
        """Returns a new model without dropout that runs as plain Python.

        Its weights are away from their special start values, and are the same
        in every call.

        Args:
            learning_rate: float, of the optimizer Adam.
            dtype: Optional policy. Defaults to the global one.
        """
        keras.utils.set_random_seed(self.seed)
        options = dict(self.options)
        if self.make_fusion is not None:
            options["fusion"] = self.make_fusion()
        if dtype is not None:
            options["dtype"] = dtype
        model = self.task_class.from_preset(
            self.preset, labels=list(self.labels), dropout=0.0, **options
        )
        remove_dropout(model)
        generator = np.random.default_rng(self.seed)
        for weight in model.weights:
            noise = generator.normal(0.0, 0.1, tuple(weight.shape))
            if weight.path.endswith("variance"):
                noise = np.abs(noise)
            weight.assign(layer_case.to_numpy(weight) + noise)
        compile_model(model, learning_rate)
        return model

    def prepared(self, model: Any) -> tuple[dict[str, Any], np.ndarray]:
        """Returns the model's inputs, and the ids with -1 for no label."""
        features, ids = model.preprocessor(self.x, y=self.y_ids)
        return features, layer_case.to_numpy(ids)


def remove_dropout(model: Any) -> None:
    """Sets the rate of every dropout to 0, the encoder's, too."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0


def compile_model(
    model: Any, learning_rate: float, run_eagerly: bool = True
) -> None:
    """Compiles with Adam and the model's own loss and metric."""
    # Steps of one size, however small a gradient is.
    optimizer = keras.optimizers.Adam(learning_rate, epsilon=1e-12)
    model.compile(optimizer=optimizer, run_eagerly=run_eagerly)


def check_config(case: TaskCase) -> None:
    """Checks registration and the round trip through the configuration.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when the class is not registered under the package, or
            the copy has another configuration or other labels.
    """
    model = case.make_model()
    name = keras.saving.get_registered_name(case.task_class)
    expected = f"{case.package}>{case.task_class.__name__}"
    _require(name == expected, f"Registered as {name}, expected {expected}.")
    # As it is stored; keras-hub puts objects into what it is given.
    config = json.dumps(model.get_config())
    copy = case.task_class.from_config(json.loads(config))
    found = json.dumps(copy.get_config())
    _require(
        found == config,
        f"The copy has configuration {found}, expected {config}.",
    )
    for attribute, value in (
        ("labels", list(case.labels)),
        ("num_classes", len(case.labels)),
        ("name", model.name),
        ("dropout", 0.0),
    ):
        found = getattr(copy, attribute)
        _require(
            found == value,
            f"The copy has {attribute}={found!r}, expected {value!r}.",
        )


def check_fit_and_evaluate(case: TaskCase) -> None:
    """Checks `fit` and `evaluate` on raw strings.

    Loss and accuracy are worked out anew from the logits of the prepared
    examples: means over the positions that have a label.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when `fit`, with labels by name, or `evaluate`, with
            labels by id, gives other numbers.
    """
    model = case.make_model()
    features, ids = case.prepared(model)
    logits = layer_case.to_numpy(model(features))
    expected = loss_and_accuracy(logits[ids >= 0], ids[ids >= 0])
    # Nothing is learned at a rate of 0: this is the loss of the examples.
    history = model.fit(case.x, case.y, verbose=0).history
    found = [history["loss"][0], history["accuracy"][0]]
    _require_close(found, expected, "what `fit` reports")
    found = model.evaluate(case.x, case.y_ids, verbose=0)
    _require_close(found, expected, "what `evaluate` returns")


def check_predictions(case: TaskCase) -> None:
    """Checks `predict` on raw strings.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when the logits are not float32, or are others than
            those of the prepared examples, or not 0 after the last word.
    """
    model = case.make_model()
    features, ids = case.prepared(model)
    predicted = model.predict(case.x, verbose=0)
    _require(
        predicted.dtype == np.float32,
        f"`predict` returns {predicted.dtype}, expected float32.",
    )
    if ids.ndim > 1:
        counts = (ids >= 0).sum(1)
        words = np.arange(predicted.shape[1]) < counts[:, None]
        _require(
            not predicted[~words].any(),
            "`predict` returns other numbers than 0 after the last word.",
        )
        predicted = predicted[words]
    logits = layer_case.to_numpy(model(features))[ids >= 0]
    _require_close(predicted, logits, "logits of `predict`")


def check_padding_is_ignored(case: TaskCase) -> None:
    """Checks that longer padding changes no logits.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when logits of a labelled position differ.
    """
    model = case.make_model()
    features, ids = case.prepared(model)
    longer = {
        name: np.pad(layer_case.to_numpy(value), ((0, 0), (0, 3)))
        for name, value in features.items()
    }
    logits, found = (layer_case.to_numpy(model(x)) for x in (features, longer))
    if ids.ndim > 1:
        found = found[:, : ids.shape[1]]
    _require_close(found[ids >= 0], logits[ids >= 0], "length of padding")


def check_gradients(case: TaskCase) -> None:
    """Checks that every trainable weight has a finite gradient.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when a gradient is absent or not finite, or another
            number of weights is frozen than declared.
    """
    import tensorflow as tf

    model = case.make_model()
    features, ids = case.prepared(model)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(features, ids, model(features, training=True))
    weights = model.trainable_variables
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        _require(gradient is not None, f"No gradient reaches {weight.path}.")
        _require(
            bool(np.isfinite(tf.convert_to_tensor(gradient)).all()),
            f"The gradient of {weight.path} is not finite.",
        )
    frozen = [weight.path for weight in model.non_trainable_weights]
    _require(
        len(frozen) == case.num_frozen_weights,
        f"Weights without training: {frozen}, expected "
        f"{case.num_frozen_weights}.",
    )


def check_learning(case: TaskCase) -> None:
    """Checks that a compiled `fit` learns the examples, in one trace.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when the loss does not fall to a third, an answer is
            wrong afterwards, a weight has not moved or a frozen one has, or
            the step was traced more than once.
    """
    import tensorflow as tf

    model = case.make_model()
    compile_model(model, 0.05, run_eagerly=False)
    features, ids = case.prepared(model)
    wanted = ids[ids >= 0]
    before = {w.path: layer_case.to_numpy(w) for w in model.weights}
    first, _ = loss_and_accuracy(
        layer_case.to_numpy(model(features))[ids >= 0], wanted
    )
    traces = []
    step = model.train_step

    def train_step(data: Any) -> Any:
        traces.append(data)
        return step(data)

    model.train_step = train_step
    # One data set, as a new one for every pass costs more than the passes.
    examples = (model.structured_x(case.x), model.structured_y(case.y))
    dataset = tf.data.Dataset.from_tensor_slices(examples)
    model.fit(dataset.batch(len(ids)).repeat(STEPS), verbose=0)
    # Without functions every step is one more call.
    eager = tf.config.functions_run_eagerly()
    _require(
        eager or len(traces) == 1,
        f"The step was traced {len(traces)} times, expected once.",
    )
    logits = layer_case.to_numpy(model(features))[ids >= 0]
    last, accuracy = loss_and_accuracy(logits, wanted)
    _require(last < first / 3, f"The loss went from {first} to {last}.")
    _require(
        accuracy == 1.0,
        f"The answers are {logits.argmax(-1).tolist()}, expected "
        f"{wanted.tolist()}.",
    )
    same = {
        weight.path
        for weight in model.weights
        if np.array_equal(layer_case.to_numpy(weight), before[weight.path])
    }
    frozen = {weight.path for weight in model.non_trainable_weights}
    _require(frozen <= same, f"Frozen weights moved: {frozen - same}.")
    # A key's bias shifts all scores of a query alike: softmax ignores it, up
    # to rounding.
    still = {path for path in same - frozen if "key/bias" not in path}
    _require(not still, f"Trainable weights did not move: {still}.")


def check_save_and_load(case: TaskCase) -> None:
    """Checks that training goes on from a `.keras` file as if never stopped.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when labels, logits, the optimizer's state, or the
            next step differ.
    """
    model = case.make_model(learning_rate=0.1)
    features, ids = case.prepared(model)
    keras.Model.train_on_batch(model, features, ids)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
    remove_dropout(copy)
    _require_same_model(copy, model, case)
    for one, other in zip(
        copy.optimizer.variables, model.optimizer.variables, strict=True
    ):
        _require(
            np.array_equal(
                layer_case.to_numpy(one), layer_case.to_numpy(other)
            ),
            f"The optimizer's {other.path} was not restored.",
        )
    found, expected = (
        keras.Model.train_on_batch(m, features, ids) for m in (copy, model)
    )
    _require_close(found, expected, "loss and metric of the next step")
    for one, other in zip(copy.weights, model.weights, strict=True):
        # Sums of gradients may be taken in another order.
        _require_close(
            layer_case.to_numpy(one),
            layer_case.to_numpy(other),
            f"{other.path} after it",
        )


def check_preset(case: TaskCase) -> None:
    """Checks that a preset folder gives back the model, in its precision.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when labels, logits, a policy or a weight differ, or
            logits or weights of a mixed policy are not float32.
    """
    for policy in (None, *POLICIES):
        model = case.make_model(dtype=policy)
        with tempfile.TemporaryDirectory() as folder:
            model.save_to_preset(f"{folder}/model")
            copy = case.task_class.from_preset(f"{folder}/model")
        name = model.backbone.dtype_policy.name
        _require(
            copy.backbone.dtype_policy.name == name == (policy or name),
            f"The policy is {copy.backbone.dtype_policy.name}, not {name}.",
        )
        for weight in copy.weights:
            _require(
                weight.dtype == "float32",
                f"Weight {weight.path} under {policy} is {weight.dtype}.",
            )
        _require_same_model(copy, model, case)


# In the order in which a beginner's mistakes are best explained.
CHECKS: tuple[Callable[[TaskCase], None], ...] = (
    check_config,
    check_fit_and_evaluate,
    check_predictions,
    check_padding_is_ignored,
    check_gradients,
    check_save_and_load,
    check_preset,
    check_learning,
)


def check_task(case: TaskCase) -> None:
    """Runs every check on a task model.

    Args:
        case: TaskCase, the model and its examples.

    Raises:
        AssertionError: when a check fails. What the model itself raises comes
            through; a note on the error names the check in both cases.
    """
    for check in CHECKS:
        try:
            check(case)
        except Exception as error:
            error.add_note(f"in {check.__name__} of {case.task_class}")
            raise


def loss_and_accuracy(logits: np.ndarray, ids: np.ndarray) -> list[float]:
    """Mean cross entropy and accuracy, written out.

    Args:
        logits: float `(labels, classes)`.
        ids: int `(labels,)`.
    """
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    loss = -np.log(shares[np.arange(len(ids)), ids]).mean()
    return [float(loss), float((logits.argmax(-1) == ids).mean())]


def _require_same_model(copy: Any, model: Any, case: TaskCase) -> None:
    _require(
        type(copy) is type(model),
        f"The copy is a {type(copy).__name__}, not {type(model).__name__}.",
    )
    for what, labels in (
        ("copy", copy.labels),
        ("copy's preprocessor", copy.preprocessor.labels),
    ):
        _require(
            labels == list(case.labels),
            f"The {what} has the labels {labels}, expected {case.labels}.",
        )
    features, _ = case.prepared(copy)
    logits, expected = copy(features), model(case.prepared(model)[0])
    dtype = keras.backend.standardize_dtype(logits.dtype)
    _require(dtype == "float32", f"Logits are {dtype}, expected float32.")
    _require(
        np.array_equal(
            layer_case.to_numpy(logits), layer_case.to_numpy(expected)
        ),
        "The copy answers with other logits.",
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_close(got: Any, expected: Any, what: str) -> None:
    np.testing.assert_allclose(
        got,
        expected,
        rtol=TOLERANCE,
        atol=TOLERANCE,
        err_msg=f"Not equal: {what}.",
    )
