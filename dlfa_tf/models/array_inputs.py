"""What users hand to a model without a preprocessor: token arrays, ids."""

from typing import Any

import keras
import numpy as np

from dlfa_tf import checks
from dlfa_tf import raw_values
from dlfa_tf.lazy import tf
from dlfa_tf.models import raw_inputs
from dlfa_tf.preprocessing import base_preprocessor
from dlfa_tf.preprocessing import raw_labels
from dlfa_tf.preprocessing.raw_labels import LabelRule


def takes_ids(loss: Any) -> bool:
    """Whether a loss reads ids of classes; others are the user's own."""
    sparse = keras.losses.SparseCategoricalCrossentropy
    return isinstance(loss, sparse) or loss in (
        "sparse_categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
    )


def check_inputs(name: str, x: Any, inputs: list[str]) -> None:
    """Refuses texts, and token arrays without what the encoder needs.

    Args:
        name: str, name of the argument, for the message.
        x: what the user gave; loaders and data sets are left to Keras.
        inputs: names of the model's inputs.

    Raises:
        ValueError: when there is nothing, text, or an input is missing.
    """
    accepted = (
        f"a dict of the arrays {', '.join(inputs)}, each (batch, time); of "
        "text a model with a preprocessor"
    )
    values = list(x.values()) if isinstance(x, dict) else [x]
    if x is None or any(_is_text(value) for value in values):
        raise ValueError(
            f"`{name}` must be token arrays: the model has no preprocessor. "
            f"Received: {raw_values.described(x)}. Accepted: {accepted}."
        )
    if not isinstance(x, dict):
        return
    for needed in inputs:
        if needed not in x:
            found = sorted(map(str, x))
            raise ValueError(
                f"`{name}` lacks the array {needed!r}. Received: the keys "
                f"{found}. Accepted: {accepted}."
                + checks.nearest_hint(needed, found)
            )
    lengths = {key: len(x[key]) for key in inputs if hasattr(x[key], "shape")}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"The arrays of `{name}` must have equally many rows. Received: "
            f"{lengths}."
        )


def _is_text(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return True
    if isinstance(value, (list, tuple)):
        return bool(value) and _is_text(value[0])
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kind in ("U", "S", "O", "T") or "string" in str(
        getattr(value, "dtype", "")
    )


def is_in_memory(x: Any) -> bool:
    """Whether `x` holds all examples, and is no loader or data set."""
    return isinstance(x, (dict, list, tuple)) or hasattr(x, "shape")


def check_ids(name: str, y: Any, rule: LabelRule) -> Any:
    """Checks the labels of token arrays.

    Args:
        name: str, name of the argument, for the message.
        y: ids `(batch,)`, or `(batch, time)` where the rule ignores some.
        rule: `LabelRule`.

    Returns:
        `y`, as int32 where it had another form.

    Raises:
        ValueError: for another shape, and for an id that is out of range.
        TypeError: for names, truth values and what is no number.
    """
    raw_inputs.check_given(name, y)
    try:
        ids = np.asarray(keras.ops.convert_to_numpy(y))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{name}` must be an array of ids. Received: "
            f"{raw_values.described(y)}. Accepted: {rule.accepted}."
        ) from error
    if ids.dtype.kind not in "iuf":
        raise TypeError(
            f"`{name}` must hold ids: names need a preprocessor. Received: "
            f"{raw_values.described(ids)}. Accepted: {rule.accepted}."
        )
    ranks = {1} if rule.ignored is None else {2}
    is_column = ids.ndim == 2 and ids.shape[1] == 1
    if ids.ndim not in ranks and not is_column:
        what = "(batch,)" if rule.ignored is None else "(batch, time)"
        raise ValueError(
            f"`{name}` has a wrong shape. Received: {ids.shape}. Accepted: "
            f"ids of shape {what}; of one-hot rows `{name}.argmax(-1)`."
        )

    def place(index: int) -> str:
        at = tuple(int(i) for i in np.unravel_index(index, ids.shape))
        return f"at index {at[0] if len(at) == 1 else at}"

    found = raw_labels.check_ids(name, ids.ravel(), rule, place)
    return y if ids.dtype.kind in "iu" else found.reshape(ids.shape)


def class_weights(ids: Any, table: np.ndarray) -> np.ndarray:
    """Weights of examples or positions by their class, 0 without a label."""
    ids = np.asarray(keras.ops.convert_to_numpy(ids))
    return np.append(table, np.float32(0))[ids]


def check_ids_of_dataset(dataset: Any, rule: LabelRule) -> Any:
    """A data set `(x, y)` or `(x, y, weight)` whose ids are looked at.

    On the processor, before the step that they belong to: elsewhere an id that
    is out of range is no error.
    """
    spec = dataset.element_spec
    if not (isinstance(spec, tuple) and len(spec) in (2, 3)):
        return dataset
    return dataset.map(lambda *batch: with_ids_in_range(batch, rule))


def with_ids_in_range(batch: tuple, rule: LabelRule) -> tuple:
    """A batch `(x, y, ...)` of a data set that checks its ids when it is read.

    InvalidArgumentError when one is out of range.
    """
    x, y, *rest = batch
    low = 0 if rule.ignored is None else rule.ignored
    inside = tf.logical_and(y >= low, y < rule.num_classes)
    check = tf.debugging.Assert(
        tf.reduce_all(inside),
        [
            "`y` has an id that is out of range. Received:",
            tf.boolean_mask(y, ~inside),
            f"Accepted: {rule.accepted}.",
        ],
    )
    return (x, base_preprocessor.after(check, y), *rest)
