"""Checks of arguments that several packages share, and "Did you mean"."""

import difflib
import math
import numbers
import re
from collections.abc import Iterable
from collections.abc import Sequence

from dlfa_tf.types import Shape


def nearest_hint(name: str, accepted: Iterable[str]) -> str:
    """Returns " Did you mean 'x'?" when a name of a closed set is near."""
    folded = {accept.casefold(): accept for accept in accepted}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def check_choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """Returns `value` if it is one of the allowed names.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave.
        allowed: Sequence of str, the closed set.

    Returns:
        str, the value.

    Raises:
        ValueError: when the value is outside the set; the nearest allowed
            name is offered if there is a near one.
    """
    if isinstance(value, str) and value in allowed:
        return value
    names = ", ".join(map(repr, allowed))
    raise ValueError(
        f"`{name}` is not a known name. Received: {value!r}. Accepted: {names}."
        + nearest_hint(str(value), allowed)
    )


def check_reduction_ratio(value: object) -> int:
    """Returns `reduction_ratio` as an int.

    Args:
        value: object, what the caller gave.

    Returns:
        int, at least 1.

    Raises:
        TypeError: when the value is not an integer (booleans are refused).
        ValueError: when it is below 1.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"`reduction_ratio` must be an integer. Received: {value!r} of "
            f"type {type(value).__name__}. Accepted: integers from 1 to the "
            "width of the input."
        )
    if value < 1:
        raise ValueError(
            f"`reduction_ratio` is too small. Received: {value}. Accepted: "
            "integers from 1 to the width of the input."
        )
    return int(value)


def one_line(error: object) -> str:
    """A message as one line; only line breaks and what is around them go.

    The values in it stay as they are: two spaces are not one.
    """
    return re.sub(r"[ \t]*[\r\n]+\s*", " ", str(error).strip(" \t\r\n"))


def check_count(name: str, value: object, low: int = 1, unit: str = "") -> int:
    """Returns a whole number as an int.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave; whole numbers of NumPy are taken.
        low: int, the least that is accepted.
        unit: str, of what it is a number, for the message.

    Returns:
        int.

    Raises:
        TypeError: when the value is no whole number (booleans are refused).
        ValueError: when it is too small.
    """
    accepted = f"{low} {unit} or more" if unit else f"{low} or more"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"`{name}` must be a whole number. Received: {value!r:.120} of "
            f"type {type(value).__name__}. Accepted: {accepted}."
        )
    if value < low:
        raise ValueError(
            f"`{name}` is too small. Received: {value}. Accepted: {accepted}."
        )
    return int(value)


def check_known(
    name: str, given: Iterable[str], accepted: Sequence[str]
) -> None:
    """Refuses names of arguments that a function does not have.

    Args:
        name: str, name of the function, for the message.
        given: names that the caller gave.
        accepted: Sequence of str, the names that there are.

    Raises:
        TypeError: for the first one unknown; names the nearest.
    """
    for key in given:
        if key not in accepted:
            raise TypeError(
                f"`{name}` has no argument of this name. Received: {key!r}. "
                f"Accepted: {', '.join(accepted)}."
                + nearest_hint(key, accepted)
            )


def check_finite_number(name: str, value: object) -> float:
    """Returns `value` as a float if it is finite.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave.

    Returns:
        float.

    Raises:
        TypeError: when the value is not a real number (booleans are refused).
        ValueError: when it is infinite or not a number.
    """
    return _check_number(name, value, -math.inf, math.inf, "finite numbers")


def check_positive_number(name: str, value: object) -> float:
    """Returns `value` as a float if it is positive and finite.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave.

    Returns:
        float, above 0.

    Raises:
        TypeError: when the value is not a real number (booleans are refused).
        ValueError: when it is 0, negative, infinite or not a number.
    """
    return _check_number(name, value, 0.0, math.inf, "finite numbers above 0")


def check_share(name: str, value: object) -> float:
    """Returns `value` as a float if it lies between 0 and 1.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave.

    Returns:
        float, above 0 and below 1.

    Raises:
        TypeError: when the value is not a real number (booleans are refused).
        ValueError: when it is 0 or less, 1 or more, or not a number.
    """
    return _check_number(name, value, 0.0, 1.0, "numbers between 0 and 1")


def check_fraction(name: str, value: object, meaning: str = "") -> float:
    """Returns `value` as a float if it is a part of a whole, or nothing of it.

    Args:
        name: str, name of the argument, for the message.
        value: object, what the caller gave.
        meaning: str, of what it is a part, for the message.

    Returns:
        float, 0 or more and below 1.

    Raises:
        TypeError: when the value is not a real number (booleans are refused).
        ValueError: when it is negative, 1 or more, or not a number.
    """
    accepted = f"0 to below 1, {meaning}" if meaning else "0 to below 1"
    return _check_number(name, value, 0.0, 1.0, accepted, with_low=True)


def _check_number(
    name: str,
    value: object,
    low: float,
    high: float,
    accepted: str,
    *,
    with_low: bool = False,
) -> float:
    """Returns `value` as a float if it lies between the bounds, exclusive.

    With `with_low` the lower one is accepted, too.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"`{name}` must be a number. Received: {value!r:.80} of type "
            f"{type(value).__name__}. Accepted: {accepted}."
        )
    number = float(value)
    if not (low < number < high or (with_low and number == low)):
        raise ValueError(
            f"`{name}` is out of range. Received: {value!r}. Accepted: "
            f"{accepted}."
        )
    return number


def check_sequence_shape(name: str, shape: Shape) -> int:
    """Returns the width of a shape `(batch, time, dim)`.

    Args:
        name: str, name of the tensor, for the message.
        shape: Shape of the tensor; batch and time may be unknown.

    Returns:
        int, the last size.

    Raises:
        ValueError: when the rank is not 3 or the last size is unknown.
    """
    if len(shape) != 3 or shape[-1] is None:
        raise ValueError(
            f"`{name}` has the wrong shape. Received: {tuple(shape)}. "
            "Accepted: shapes (batch, time, dim) whose dim is known."
        )
    return int(shape[-1])


def check_mask_shape(name: str, shape: Shape, mask_shape: Shape) -> None:
    """Refuses a mask that does not fit a tensor `(batch, time, dim)`.

    Sizes that are unknown on either side are not compared.

    Args:
        name: str, name of the masked tensor, for the message.
        shape: Shape of the masked tensor.
        mask_shape: Shape of the mask, `(batch, time)`.

    Raises:
        ValueError: when the rank is not 2 or a known size differs.
    """
    if not _sizes_agree(tuple(shape)[:2], mask_shape):
        raise ValueError(
            f"`mask` does not fit `{name}`. Received: mask "
            f"{tuple(mask_shape)} for {name} {tuple(shape)}. Accepted: masks "
            "of shape (batch, time)."
        )


def check_equal_shapes(low_shape: Shape, high_shape: Shape) -> None:
    """Refuses two inputs whose shapes differ.

    Broadcasting would let some unequal shapes pass, with a meaningless
    result. Sizes that are unknown on either side are not compared.

    Args:
        low_shape: Shape of `low`.
        high_shape: Shape of `high`.

    Raises:
        ValueError: when rank or a known size differs.
    """
    if not _sizes_agree(low_shape, high_shape):
        raise ValueError(
            "`low` and `high` must have equal shapes. Received: low "
            f"{tuple(low_shape)}, high {tuple(high_shape)}."
        )


def _sizes_agree(first: Shape, second: Shape) -> bool:
    if len(first) != len(second):
        return False
    return all(
        a == b
        for a, b in zip(first, second, strict=True)
        if a is not None and b is not None
    )
