"""What callers hand to the client, as lists of strings, or refused.

What a text is and what a list of them, `dlfa_tf.raw_values` says, as for
models; generators and data sets with an end are taken besides. What would be
sent as something else is refused before it is: a text is a sequence of letters,
too, a table one of its columns' names, and a missing value would become the
word "nan".
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import KeysView
from collections.abc import Sequence
from collections.abc import ValuesView
from typing import Any

from dlfa_tf import raw_values
from dlfa_tf.serving.client.errors import InputError

_SHOWN = 80
_LISTS = "a list, an array, a column or another ordered collection of"
_TEXT = "str, or bytes of UTF-8"


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
    accepted = f"{_LISTS} {kind}"
    try:
        return raw_values.as_list(name, _read(value), accepted)
    except ValueError:
        # Words for an argument that has a batch and nothing else.
        raise _refusal(name, "is no list", value, accepted) from None


def _read(value: Any) -> Any:
    """A list of what comes one by one, and has an end; other values as given.

    Views of a dict have an order, too. TensorFlow counts -1 examples of a data
    set that is repeated for ever.
    """
    one_by_one = isinstance(value, (Iterator, KeysView, ValuesView))
    count = getattr(value, "cardinality", None)
    if isinstance(value, Iterable) and callable(count):
        one_by_one = int(count()) != -1
    return list(value) if one_by_one else value


def _text(place: str, value: Any, hint: str = "") -> str | bytes:
    if not isinstance(value, (str, bytes)):
        missing = raw_values.is_missing(value)
        raise _refusal(
            place,
            "is missing" if missing else "is no text",
            value,
            f"{_TEXT}; fill or drop missing values first"
            if missing
            else f"{_TEXT}{hint}",
        )
    error = raw_values.utf8_error(value)
    if error is None:
        return value
    what = (
        "holds bytes that are not UTF-8"
        if isinstance(value, bytes)
        else f"holds half a surrogate pair, {value[error.start]!a}"
    )
    raise InputError(
        f"`{place}` {what}, at position {error.start}. Received: "
        f"{value!a:.{_SHOWN}}. Accepted: text that UTF-8 can hold, or bytes "
        "of UTF-8."
    )


def _refusal(place: str, what: str, value: Any, accepted: str) -> InputError:
    return InputError(
        f"`{place}` {what}. Received: {value!r:.{_SHOWN}} of type "
        f"{type(value).__name__}. Accepted: {accepted}."
    )
