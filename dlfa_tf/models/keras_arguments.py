"""Arguments that `fit`, `evaluate` and `predict` share with Keras.

Keras takes many values that are no meant ones, and fails in the middle of an
epoch, or ignores them. They are looked at before anything is computed.
"""

import functools
import inspect
import numbers
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import keras

from dlfa_tf import checks
from dlfa_tf import raw_values

_VERBOSE = ("auto", 0, 1, 2)
# What they have to be, for those that are whole numbers.
_COUNTS = {
    "batch_size": 1,
    "epochs": 1,
    "initial_epoch": 0,
    "steps_per_epoch": 1,
    "validation_steps": 1,
    "validation_batch_size": 1,
    "steps": 1,
}
# Keras has no use for these where there is nothing to evaluate on.
_OF_VALIDATION = ("validation_steps", "validation_batch_size")


@functools.cache
def argument_names(method: str) -> tuple[str, ...]:
    """Names of the arguments of a method of `keras.Model`."""
    parameters = inspect.signature(getattr(keras.Model, method)).parameters
    return tuple(
        name
        for name, parameter in parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
    )


def check_arguments(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Checks what is given to a method besides inputs, labels and weights.

    Args:
        method: str, `fit`, `evaluate` or `predict`.
        given: the arguments that have other values than None.

    Returns:
        The arguments as Keras wants them.

    Raises:
        TypeError: for an unknown name, or a value of a wrong type.
        ValueError: for a value out of range.
    """
    found = dict(given)
    checks.check_known(method, found, argument_names(method))
    for name, low in _COUNTS.items():
        if found.get(name) is not None:
            found[name] = checks.check_count(name, found[name], low)
    if "verbose" in found:
        _check_verbose(found["verbose"])
    for name in ("shuffle", "return_dict"):
        if name in found and not isinstance(found[name], bool):
            raise TypeError(
                f"`{name}` must be True or False. Received: "
                f"{raw_values.shown(found[name])} of type "
                f"{type(found[name]).__name__}."
            )
    if found.get("callbacks") is not None:
        found["callbacks"] = _checked_callbacks(found["callbacks"])
    if method == "fit":
        _check_fit(found)
    return found


def _check_fit(found: dict[str, Any]) -> None:
    epochs, begin = found.get("epochs", 1), found.get("initial_epoch", 0)
    if begin >= epochs:
        raise ValueError(
            "`initial_epoch` leaves nothing to train: `epochs` is the number "
            "of the last epoch, not of further ones. Received: initial_epoch="
            f"{begin}, epochs={epochs}. Accepted: 0 to {epochs - 1}."
        )
    split = found.get("validation_split")
    if split is not None:
        found["validation_split"] = checks.check_fraction(
            "validation_split", split, "a share of the examples"
        )
    if found.get("validation_freq") is not None:
        found["validation_freq"] = _checked_frequency(found["validation_freq"])
    has_some = found.get("validation_data") is not None
    if has_some or found.get("validation_split"):
        return
    for name in _OF_VALIDATION:
        if found.get(name) is not None:
            raise ValueError(
                f"`{name}` is of no use without data to evaluate on. "
                f"Received: {found[name]}. Accepted: with `validation_data` or "
                "`validation_split`."
            )


def _check_verbose(value: Any) -> None:
    if isinstance(value, bool) or value in _VERBOSE:
        return
    raise ValueError(
        f"`verbose` is unknown. Received: {value!r:.80}. Accepted: 'auto', 0 "
        "(silent), 1 (a progress bar), 2 (a line per epoch)."
    )


def _checked_callbacks(value: Any) -> Any:
    if isinstance(value, keras.callbacks.CallbackList):
        return value
    single = isinstance(value, (keras.callbacks.Callback, type, str))
    found = [value] if single or not isinstance(value, Iterable) else value
    found = list(found)
    for i, callback in enumerate(found):
        if isinstance(callback, keras.callbacks.Callback):
            continue
        hint = ""
        if isinstance(callback, type):
            hint = f": an instance, such as {callback.__name__}()"
        raise TypeError(
            "`callbacks` must hold callbacks of Keras. Received: "
            f"{raw_values.shown(callback)} of type {type(callback).__name__} "
            f"at index {i}. Accepted: keras.callbacks.Callback{hint}."
        )
    return found


def _checked_frequency(value: Any) -> Any:
    """`validation_freq` as an int or a list, which Keras can ask."""
    if isinstance(value, numbers.Integral) or isinstance(value, (str, float)):
        return checks.check_count("validation_freq", value)
    accepted = "a number of epochs, or a list of the epochs, counted from 1"
    items = raw_values.as_list(
        "validation_freq",
        sorted(value) if isinstance(value, (set, frozenset)) else value,
        accepted,
    )
    return [checks.check_count("validation_freq", item) for item in items]
