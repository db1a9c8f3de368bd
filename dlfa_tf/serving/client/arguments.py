"""What callers hand to the client, as lists of strings, or refused.

Lists, tuples, arrays, columns of a table, tensors and generators are taken
alike, without an import of what made them. What would be sent as something
else is refused before it is: a text is a sequence of letters, too, a table one
of its columns' names, and a missing value would become the word "nan".
"""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.serving.client.errors import InputError

_SHOWN = 80
_LISTS = "a list, an array, a column or another ordered collection of"
_TEXT = "str, or bytes of UTF-8"
# How arrays of NumPy, pandas, PyArrow and TensorFlow become lists.
_TO_LIST = ("to_pylist", "to_list", "numpy", "tolist")


def texts(name: str, value: Any) -> list[str | bytes]:
    """Texts of an argument; InputError names the first that is none."""
    hint = (
        "; sentences that are split into words go to `tag_words`"
        if name == "texts"
        else ""
    )
    return [
        _text(f"{name}[{i}]", item, hint)
        for i, item in enumerate(_items(name, value, f"{_TEXT}{hint}"))
    ]


def sentences(name: str, value: Any) -> list[list[str | bytes]]:
    """Lists of words; InputError for what is none, as a text is not."""
    kind = f"lists of words, each {_TEXT}"
    return [
        [
            _text(f"{name}[{i}][{j}]", word)
            for j, word in enumerate(
                _items(
                    f"{name}[{i}]",
                    row,
                    f"{_TEXT}, its words; `tag` splits texts itself",
                )
            )
        ]
        for i, row in enumerate(_items(name, value, kind))
    ]


def tensor(name: str, value: Any) -> list[Any]:
    """Nested lists of strings; InputError where rows differ in length."""
    return _tensor(name, value)[0]


def names(name: str, value: Any) -> list[str]:
    """Names in a list; InputError for a single one."""
    found = _items(name, value, "names")
    for i, item in enumerate(found):
        if not isinstance(item, str):
            raise _refusal(f"{name}[{i}]", "is no name", item, "str")
    return found


def same_length(**lengths: Sequence[Any]) -> None:
    """InputError when arguments, by their names, differ in length."""
    found = {name: len(value) for name, value in lengths.items()}
    if len(set(found.values())) > 1:
        listed = " and ".join(f"`{name}`" for name in found)
        raise InputError(f"{listed} must be of one length. Received: {found}.")


def check_names(server: Any, model: Any, version: Any, label: Any) -> None:
    """Refuses what would be an address or a name of something else."""
    for name, value in (("server", server), ("model", model)):
        if not isinstance(value, str):
            raise TypeError(
                f"`{name}` must be a str. Received: {value!r} of type "
                f"{type(value).__name__}."
            )
        if not value:
            raise ValueError(f"`{name}` must not be empty. Received: ''.")
    if version is not None and label is not None:
        raise ValueError(
            f"Either `version` or `label` may be given. Received: version="
            f"{version}, label={label!r}."
        )
    if version is not None and (
        isinstance(version, bool) or not isinstance(version, int)
    ):
        raise TypeError(
            f"`version` must be an int. Received: {version!r} of type "
            f"{type(version).__name__}. Accepted: the name of a version's "
            "folder, or `label`."
        )
    if label is not None and not isinstance(label, str):
        raise TypeError(
            f"`label` must be a str. Received: {label!r} of type "
            f"{type(label).__name__}."
        )


def _tensor(name: str, value: Any) -> tuple[Any, list[int]]:
    """Nested lists and their shape."""
    rows: list[Any] = []
    shapes: list[list[int]] = []
    for i, item in enumerate(_items(name, value, f"{_TEXT}, or rows of them")):
        place = f"{name}[{i}]"
        row, shape = (
            _tensor(place, item) if _is_list(item) else (_text(place, item), [])
        )
        if shapes and shape != shapes[0]:
            raise InputError(
                f"`{place}` differs in shape from `{name}[0]`. Received: "
                f"{shape}, {shapes[0]}. Accepted: rows of equal lengths; "
                '`tag_words` pads its own with "".'
            )
        rows.append(row)
        shapes.append(shape)
    return rows, [len(rows), *(shapes[0] if shapes else [])]


def _is_list(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    return isinstance(value, (list, tuple)) or bool(
        len(getattr(value, "shape", ()))
    )


def _items(name: str, value: Any, kind: str) -> list[Any]:
    """A list of what an ordered collection holds."""
    found = None if _has_other_items(value) else _as_list(value)
    if found is None:
        raise _refusal(name, "is no list", value, f"{_LISTS} {kind}")
    return found


def _as_list(value: Any) -> list[Any] | None:
    for method in _TO_LIST:
        make = getattr(value, method, None)
        if callable(make):
            value = make()
            if isinstance(value, list):
                return value
    # What made a text or a number of itself, as an array without dimensions.
    if isinstance(value, (str, bytes)) or _is_endless(value):
        return None
    try:
        return list(value)
    except TypeError:
        return None


def _is_endless(value: Any) -> bool:
    """Whether a list of it would never end: loaders, repeated data sets.

    Python goes on to ask for items by number where nothing else says when to
    stop, and a `keras.utils.PyDataset` answers for ever.
    """
    if not hasattr(value, "__iter__"):
        return True
    count = getattr(value, "cardinality", None)
    # TensorFlow's number for data sets without an end.
    return callable(count) and int(count()) == -1


def _has_other_items(value: Any) -> bool:
    """Whether the items of a collection are not what a caller means by it.

    Those of a text are letters, of a mapping or a table the names in it; those
    of a set have no order, which an answer could keep.
    """
    other = (str, bytes, bytearray, memoryview, Mapping, set, frozenset)
    return isinstance(value, other) or hasattr(value, "columns")


def _text(place: str, value: Any, hint: str = "") -> str | bytes:
    if hasattr(value, "numpy"):
        # An item of a tensor is one itself.
        value = value.numpy()
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        missing = value is None or _is_nan(value)
        raise _refusal(
            place,
            "is missing" if missing else "is no text",
            value,
            f"{_TEXT}; fill or drop missing values first"
            if missing
            else f"{_TEXT}{hint}",
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.start + 1]
        raise InputError(
            f"`{place}` holds half a surrogate pair, {half!a}, at position "
            f"{error.start}. Received: {value!a:.{_SHOWN}}. Accepted: text "
            "that UTF-8 can hold, or bytes."
        ) from None
    return value


def _is_nan(value: Any) -> bool:
    # pandas' own missing value is neither None nor a number.
    return type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, float) and math.isnan(value)
    )


def _refusal(place: str, what: str, value: Any, accepted: str) -> InputError:
    return InputError(
        f"`{place}` {what}. Received: {value!r:.{_SHOWN}} of type "
        f"{type(value).__name__}. Accepted: {accepted}."
    )
