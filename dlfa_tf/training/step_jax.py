"""One training step on Keras' JAX backend, compiled as a whole."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.scoring.zero_shot import EVAL_BATCH
from dlfa_tf.training.step import StepValues

# Every shape is compiled once, which takes seconds to a minute; four widths
# for rows of up to 128 pieces.
WIDTH_MULTIPLE = 32


def check_policies(model: Any) -> None:
    """Refuses mixed_float16, which needs a scaled loss, under JAX."""
    policies = {layer.dtype_policy.name for layer in model._flatten_layers()}
    if "mixed_float16" in policies:
        raise ValueError(
            "`precision` must not be mixed_float16 under JAX, where the "
            "loss is not scaled. Accepted: mixed_bfloat16, float32."
        )


class JaxStep:
    """Loss, gradients, clipping and update in one compiled function.

    The loss is the mean over the labelled positions of the batch, gradients are
    clipped by their global norm: what the TensorFlow step computes. The state
    stays on the device; `sync` writes it into the variables. The model has no
    preprocessor and the optimizer does not clip.
    """

    replicas = workers = 1

    def __init__(self, model: Any, optimizer: Any, *, clip_norm: float) -> None:
        if keras.backend.backend() != "jax":
            raise ValueError(
                "`JaxStep` needs Keras' JAX backend. Received: "
                f"{keras.backend.backend()!r}. Set KERAS_BACKEND=jax."
            )
        check_policies(model)
        import jax

        optimizer.build(model.trainable_variables)
        self.model = model
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.max_width = model.backbone.max_positions
        self.traces = 0
        # The old state is of no use after a step: its memory is taken again.
        self._step = jax.jit(self._update, donate_argnums=0)
        self._state = self._read()
        self.forward = compiled_forward(
            model, EVAL_BATCH, lambda: self._state[:2]
        )

    def __call__(
        self,
        features: dict[str, np.ndarray],
        labels: np.ndarray,
        stop: bool = False,
    ) -> StepValues:
        """Takes a step; does not wait for it; see `Step`."""
        features, labels = pad_width(features, labels, self.max_width)
        self._state, loss, norm = self._step(self._state, features, labels)
        return StepValues(loss, norm, stop)

    def sync(self) -> None:
        """Writes the state into the variables of model and optimizer."""
        for variable, value in self._by_variable():
            # A copy: the next step would take this memory away.
            variable.assign(np.array(value))

    def state(self) -> list[np.ndarray]:
        """Every number that the next step depends on, besides the batch."""
        values = {id(v): value for v, value in self._by_variable()}
        return [np.array(values[id(v)]) for v in self._variables()]

    def set_state(self, state: list[np.ndarray]) -> None:
        """Puts back what `state` returned."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)
        self._state = self._read()

    def with_loss_scale(
        self, state: list[np.ndarray], value: float, good_steps: int
    ) -> list[np.ndarray]:
        """The state: the loss is not scaled."""
        return state

    def learning_rate(self) -> float:
        """Rate of the next step."""
        values = {id(v): value for v, value in self._by_variable()}
        steps = values[id(self.optimizer.iterations)]
        return float(self.optimizer._learning_rate(steps))

    def loss_scale(self) -> float | None:
        """None: the loss is not scaled."""
        return None

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def _by_variable(self) -> Any:
        """Pairs of a variable and its value now, on the device."""
        variables = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.optimizer.variables,
        )
        return zip(
            itertools.chain(*variables),
            itertools.chain(*self._state),
            strict=True,
        )

    def _read(self) -> tuple[list, list, list]:
        return (
            [np.array(v.value) for v in self.model.trainable_variables],
            [np.array(v.value) for v in self.model.non_trainable_variables],
            [np.array(v.value) for v in self.optimizer.variables],
        )

    def _loss(
        self, trainable: Any, other: Any, features: Any, labels: Any
    ) -> Any:
        logits, other = self.model.stateless_call(
            trainable, other, features, training=True
        )
        losses = keras.losses.sparse_categorical_crossentropy(
            labels, logits, from_logits=True, ignore_class=IGNORED_LABEL
        )
        ops = keras.ops
        count = ops.sum(ops.cast(labels != IGNORED_LABEL, "float32"))
        # A batch without a single label has loss 0, not NaN.
        return ops.sum(losses) / ops.maximum(count, 1.0), other

    def _update(self, state: Any, features: Any, labels: Any) -> Any:
        import jax

        # Python runs this only while a new shape is compiled.
        self.traces += 1
        trainable, other, slots = state
        (loss, other), gradients = jax.value_and_grad(self._loss, has_aux=True)(
            trainable, other, features, labels
        )
        ops = keras.ops
        norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in gradients))
        factor = ops.minimum(1.0, self.clip_norm / norm)
        trainable, slots = self.optimizer.stateless_apply(
            slots, [g * factor for g in gradients], trainable
        )
        return (trainable, other, slots), loss, norm


def compiled_forward(
    model: Any,
    rows: int,
    weights: Callable[[], tuple[Any, Any]] | None = None,
) -> Callable[[dict[str, Any]], np.ndarray]:
    """A function from features to logits that is compiled for few shapes.

    It fills arrays `(at most rows, time)` up to `rows` and gives the float32
    logits of the rows that came, without dropout. `weights` is called every
    time for the values of the trainable and the other variables; None takes
    those that the variables have.
    """
    import jax

    @jax.jit
    def call(trainable: Any, other: Any, features: Any) -> Any:
        return model.stateless_call(trainable, other, features)[0]

    def of_variables() -> tuple[Any, Any]:
        return (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

    def forward(features: dict[str, Any]) -> np.ndarray:
        arrays = {k: np.asarray(v) for k, v in features.items()}
        count, time = arrays["token_ids"].shape
        arrays, _ = pad_width(arrays, None, model.backbone.max_positions)
        arrays = {
            k: np.pad(v, ((0, rows - count), (0, 0))) for k, v in arrays.items()
        }
        logits = call(*(weights or of_variables)(), arrays)
        logits = np.asarray(logits)[:count]
        return logits[:, :time] if logits.ndim == 3 else logits

    return forward


def pad_width(
    features: dict[str, Any], labels: Any, max_width: int | None = None
) -> tuple[dict[str, Any], Any]:
    """Pads a batch to a width that few others have.

    Time becomes a multiple of `WIDTH_MULTIPLE`, but no more than `max_width`,
    the positions of the encoder (None: no limit). New positions are padding
    without a label; labels `(rows,)` and None stay as they are.
    """
    time = features["token_ids"].shape[1]
    more = -time % WIDTH_MULTIPLE
    if max_width is not None:
        more = min(more, max_width - time)
    padded = {
        name: np.pad(value, ((0, 0), (0, more)))
        for name, value in features.items()
    }
    if labels is not None and labels.ndim == 2:
        labels = np.pad(
            labels, ((0, 0), (0, more)), constant_values=IGNORED_LABEL
        )
    return padded, labels
