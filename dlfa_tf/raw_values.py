"""What users hand over as texts and words: plain lists of it, or a refusal.

One rule for models, preprocessors, metrics and the client, which reads
generators into a list first. Needs neither NumPy nor TensorFlow, and knows
their containers by what they can do: lists, tuples and other sequences, arrays,
columns of pandas, Polars and Arrow, tensors.
"""

import itertools
import reprlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set
from typing import Any

_TEXT = (str, bytes)
_SINGLE = (*_TEXT, bytearray, memoryview, bool, int, float)
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 120
_REPR.maxlist = _REPR.maxtuple = _REPR.maxset = _REPR.maxdict = 6


def shown(value: Any) -> str:
    """A value for an error message: as it is, but what is huge is cut."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) > 0:
        kind = type(value).__name__
        dtype = getattr(value, "dtype", None)
        name = "" if dtype is None else f" of {getattr(dtype, 'name', dtype)}"
        return f"{_article(kind)}{name}, shape {tuple(shape)}"
    return _REPR.repr(value)


def described(value: Any) -> str:
    """What a value is, in words, and what is in it where that is short."""
    if value is None:
        return "None"
    if getattr(value, "shape", None):
        return shown(value)
    return f"{_article(type(value).__name__)}, {shown(value)}"


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def as_list(name: str, value: Any, accepted: str) -> list[Any]:
    """The items of a batch as a plain list, which no other may change.

    Args:
        name: str, name of the argument, for the message.
        value: a sequence, an array, a tensor, or a column of a data frame.
        accepted: str, what the argument accepts, for the message.

    Returns:
        list; the value itself where it is one. Tensors in it that hold one
        value each are those values.

    Raises:
        ValueError: for a single value, and for what has no order or no
            length: sets, mappings, generators.
    """
    items = _items(name, value, accepted)
    kinds = [kind for kind in set(map(type, items)) if hasattr(kind, "numpy")]
    if not kinds:
        return items
    return [
        item.numpy()
        if type(item) in kinds and len(getattr(item, "shape", (0,))) == 0
        else item
        for item in items
    ]


def _items(name: str, value: Any, accepted: str) -> list[Any]:
    if type(value) is list:
        return value
    if value is None or isinstance(value, _SINGLE):
        # Words of Keras: it says so of batches, too.
        raise _refused(name, value, "must have a batch dimension", accepted)
    if hasattr(value, "columns"):
        names = [str(x) for x in list(getattr(value, "column_names", ()))]
        first = (names or [str(x) for x in value.columns] or ["text"])[0]
        accepted += f"; of a table one column, such as table[{first!r}]"
        raise _refused(name, value, "must be one column, not a table", accepted)
    found = value
    for method in ("to_pylist", "to_list", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert) and not isinstance(value, type):
            found = convert()
            break
    else:
        if callable(getattr(value, "numpy", None)):
            found = value.numpy().tolist()
    if isinstance(found, list):
        return found
    if isinstance(found, Sequence) and not isinstance(found, _TEXT):
        return list(found)
    if isinstance(found, (Set, Mapping)):
        why = "must have an order"
    elif isinstance(found, Iterator):
        why = "must have a length; an iterator can be read only once"
        accepted += "; `list(...)` of an iterator"
    else:
        why = "must have a batch dimension"
    raise _refused(name, value, why, accepted)


def _refused(name: str, value: Any, why: str, accepted: str) -> ValueError:
    return ValueError(
        f"`{name}` {why}. Received: {described(value)}. Accepted: {accepted}."
    )


def texts(name: str, value: Any, accepted: str) -> list[str]:
    """A batch of texts as a list of strings.

    Args:
        name: str, name of the argument, for the message.
        value: strings, or UTF-8 bytes, in any form that `as_list` takes.
        accepted: str, what the argument accepts, for the message.

    Returns:
        list of str; the value itself where it is one.

    Raises:
        ValueError: when it is no batch, when an item is a list itself, or
            holds bytes that are no UTF-8, or half a surrogate pair.
        TypeError: when an item is no text; the first one is named.
    """
    return check_texts(name, as_list(name, value, accepted), accepted)


def check_texts(name: str, items: list[Any], accepted: str) -> list[str]:
    """As `texts`, of a plain list."""
    kinds = set(map(type, items))
    if not kinds <= {str}:
        items = [
            _text(name, f"at index {i}", item, accepted)
            for i, item in enumerate(items)
        ]
    _check_unicode(name, items)
    return items


def sentences(
    name: str, value: Any, accepted: str
) -> list[str] | list[list[str]]:
    """A batch of sentences: texts, or lists of words.

    Arguments and errors are those of `texts`; besides, strings beside lists
    raise ValueError, and a list within the words of a sentence.

    Returns:
        list of str, or list of lists of str.
    """
    items = as_list(name, value, accepted)
    if not are_rows(name, items):
        return check_texts(name, items, accepted)
    rows = [
        row if type(row) is list else as_list(f"{name}[{i}]", row, accepted)
        for i, row in enumerate(items)
    ]
    if not set(map(type, itertools.chain.from_iterable(rows))) <= {str}:
        rows = [
            [
                _text(name, f"at word {j} of sentence {i}", word, accepted)
                for j, word in enumerate(row)
            ]
            for i, row in enumerate(rows)
        ]
    _check_unicode(name, itertools.chain.from_iterable(rows))
    return rows


def are_rows(name: str, items: Sequence[Any]) -> bool:
    """Whether the items of a batch are lists, such as words or tags.

    Strings beside lists raise ValueError: read as lists, strings would fall
    into letters.
    """
    kinds = {kind: is_row(kind) for kind in set(map(type, items))}
    if len(set(kinds.values())) < 2:
        return any(kinds.values())
    index = next(i for i, item in enumerate(items) if not kinds[type(item)])
    raise ValueError(
        f"`{name}` must not mix strings and lists. Received: "
        f"{shown(items[index])} beside a list, at index {index}. Accepted: "
        "strings split at white space, or lists with one entry per word."
    )


def is_row(kind: type) -> bool:
    """Whether values of a type are sequences: not texts, numbers, nothing."""
    if issubclass(kind, _TEXT):
        return False
    return issubclass(kind, (Iterable, Sequence)) or hasattr(kind, "to_pylist")


def _text(name: str, place: str, item: Any, accepted: str) -> str:
    if isinstance(item, str):
        return str(item)
    if isinstance(item, bytes):
        error = utf8_error(item)
        if error is None:
            return item.decode("utf-8")
        raise ValueError(
            f"`{name}` holds bytes that are not UTF-8. Received: "
            f"{shown(item)} {place} (byte {error.start}). Accepted: "
            f"{accepted}."
        )
    if is_row(type(item)):
        raise ValueError(
            f"`{name}` must be a flat list. Received: a list with a "
            f"{type(item).__name__} in it, {shown(item)} {place}. Accepted: "
            f"{accepted}."
        )
    hint = " An empty cell of a table is no text." if is_missing(item) else ""
    raise TypeError(
        f"`{name}` must hold strings. Received: {shown(item)} of type "
        f"{type(item).__name__} {place}. Accepted: {accepted}.{hint}"
    )


def utf8_error(
    item: str | bytes,
) -> UnicodeDecodeError | UnicodeEncodeError | None:
    """Why a string or bytes are no text in UTF-8; None where they are.

    Bytes may be no UTF-8, a string may hold half a surrogate pair.

    Args:
        item: str or bytes.

    Returns:
        The error of decoding or encoding, not raised, or None.
    """
    try:
        if isinstance(item, bytes):
            item.decode("utf-8")
        elif not item.isascii():
            item.encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        return error
    return None


def is_missing(item: Any) -> bool:
    """Whether an item is what tables have in empty cells: None, NaN, NA."""
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(item, float) and item != item


def refuse_missing(name: str, items: Sequence[Any]) -> None:
    """Refuses None and NaN among texts, words or labels, by their place."""
    if not any(
        kind is type(None)
        or issubclass(kind, float)
        or kind.__name__ == "NAType"
        for kind in set(map(type, items))
    ):
        return
    for i, item in enumerate(items):
        if is_missing(item):
            raise TypeError(
                f"`{name}` must hold strings or ids. Received: {shown(item)} "
                f"of type {type(item).__name__} at index {i}. Accepted: no "
                "empty cells of a table."
            )


def _check_unicode(name: str, items: Iterable[str]) -> None:
    """Refuses halves of surrogate pairs, which UTF-8 cannot hold."""
    for i, item in enumerate(items):
        if item.isascii():
            continue
        error = utf8_error(item)
        if error is not None:
            half = item[error.start : error.start + 1]
            raise ValueError(
                f"`{name}` holds half a surrogate pair, which UTF-8 cannot "
                f"hold. Received: {half!a} in {ascii(item[:80])}, text or "
                f"word {i} counted from 0. Accepted: both halves, or the "
                "character itself."
            )
