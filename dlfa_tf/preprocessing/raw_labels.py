"""Labels as users hand them over: names, ids, whole numbers, or a refusal.

All of a batch is looked at before anything is computed: on a GPU, and wherever
XLA compiles, an id that is out of range is no error but a loss of NaN.
"""

import dataclasses
import itertools
import math
import numbers
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from dlfa_tf import checks
from dlfa_tf import raw_values
from dlfa_tf import words

# Says where in what the user gave an item is.
_Place = Callable[[int], str]
_TRUTH = (bool, np.bool_)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelRule:
    """What counts as a label.

    Attributes:
        labels: names of the labels, label i has id i; None for ids alone.
        num_classes: number of ids; None when it is not known.
        ignored: id of what has no label; None when everything must have one.
    """

    labels: Sequence[str] | None
    num_classes: int | None
    ignored: int | None = None

    @property
    def accepted(self) -> str:
        """The labels accepted, in words."""
        ids = (
            "ids from 0"
            if self.num_classes is None
            else f"ids 0 to {self.num_classes - 1}"
        )
        if self.labels is not None:
            ids = f"{raw_values.shown(list(self.labels))}, or {ids}"
        if self.ignored is not None:
            ids += f", or {self.ignored} for a word without a label"
        return ids

    @property
    def takes_numbers(self) -> bool:
        """False where a number could be a name as well as another id.

        Such as the stars "1" to "5", whose ids are 0 to 4.
        """
        return all(
            _number(name) in (None, i)
            for i, name in enumerate(self.labels or ())
        )


def check_labels(name: str, value: Any, rule: LabelRule) -> Any:
    """Checks one label per example.

    Args:
        name: str, name of the argument, for the message.
        value: labels in any form that `raw_values.as_list` takes; a column
            `(batch, 1)` is read as `(batch,)`.
        rule: `LabelRule`.

    Returns:
        list of names, or int32 array of ids.

    Raises:
        ValueError: when it is no batch, for an unknown name, an id out of
            range, one-hot rows, a number with a fraction, names beside ids,
            or ids where a number could be a name; the first is named.
        TypeError: when an item is no label.
    """
    value = _without_last_axis(value)
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) > 1:
        raise ValueError(
            f"`{name}` must have one label per example. Received: "
            f"{raw_values.shown(value)}. Accepted: {rule.accepted}; of one-hot "
            f"rows `{name}.argmax(-1)`."
        )
    items = raw_values.as_list(name, value, rule.accepted)
    return _checked(name, items, rule, lambda i: f"at index {i}")


class Tags(NamedTuple):
    """Tags of sentences that were found right.

    Attributes:
        values: list of strings, one per sentence, as they were given; or the
            tags of all sentences one after the other, as `check_labels`
            returns labels.
        lengths: number of tags of each sentence.
        as_strings: bool, whether it is the former.
    """

    values: Any
    lengths: list[int]
    as_strings: bool


def check_tags(name: str, value: Any, rule: LabelRule) -> Tags:
    """Checks the tags of sentences.

    Arguments and errors are those of `check_labels`, but that a sentence has
    a list of tags, or a string of tag names split at white space.
    """
    accepted = f"one tag per word: {rule.accepted}"
    items = raw_values.as_list(name, value, accepted)
    if raw_values.are_rows(name, items):
        rows = [
            row if type(row) is list
            else raw_values.as_list(f"{name}[{i}]", row, accepted)
            for i, row in enumerate(items)
        ]  # fmt: skip
        sizes = [len(row) for row in rows]
        flat = list(itertools.chain.from_iterable(rows))
        found = _checked(name, flat, rule, _word_place(sizes))
        return Tags(found, sizes, False)
    texts = raw_values.check_texts(
        name, _texts_only(name, items, accepted), accepted
    )
    # Not all words at once: objects, which take more room than the texts.
    lengths: list[int] = []
    names: set[str] = set()
    split = words.split_function(texts)
    for text in texts:
        tags = split(text)
        lengths.append(len(tags))
        names.update(tags)
    if rule.labels is None or not names.issubset(rule.labels):
        flat = [tag for text in texts for tag in split(text)]
        _check_names(name, flat, rule, _word_place(lengths))
    return Tags(texts, lengths, True)


def _word_place(lengths: list[int]) -> Callable[[int], str]:
    """Says which word of which sentence a tag belongs to."""

    def place(index: int) -> str:
        ends = np.cumsum(lengths)
        at = int(np.searchsorted(ends, index, side="right"))
        return f"at word {index - (ends[at] - lengths[at])} of sentence {at}"

    return place


def _texts_only(name: str, items: list[Any], accepted: str) -> list[Any]:
    """Refuses one number per sentence, as classifiers take them."""
    for i, item in enumerate(items):
        if not isinstance(item, (str, bytes)):
            raise TypeError(
                f"`{name}` has a wrong structure: every sentence must have "
                "tags, as a list or as a string. Received: "
                f"{raw_values.shown(item)} of type {type(item).__name__} at "
                f"index {i}. Accepted: {accepted}."
            )
    return items


def _checked(
    name: str, items: list[Any], rule: LabelRule, place: _Place
) -> Any:
    """Names as they are, all else as an int32 array; see `check_labels`."""
    kinds = set(map(type, items))
    if all(issubclass(kind, (str, bytes)) for kind in kinds):
        if kinds - {str}:
            items = [_as_str(item) for item in items]
        _check_names(name, items, rule, place)
        return items
    if not all(map(_is_number_type, kinds)):
        raise _no_label(name, items, rule, place)
    if rule.labels is not None and not rule.takes_numbers:
        raise ValueError(
            f"`{name}` has numbers, but the names of labels are numbers too, "
            f"and stand for other ids. Received: {raw_values.shown(items[0])} "
            f"{place(0)}. Accepted: names as strings, such as "
            f"{rule.labels[0]!r}, for example `[str(v) for v in {name}]`."
        )
    return check_ids(name, np.asarray(items), rule, place)


def _is_number_type(kind: type) -> bool:
    """Whether values of a type may be ids; True and False are no numbers."""
    return issubclass(kind, numbers.Real) and not issubclass(kind, _TRUTH)


def _no_label(
    name: str, items: list[Any], rule: LabelRule, place: _Place
) -> Exception:
    """The error of the first item that is not as the others have to be."""
    with_names = isinstance(items[0], (str, bytes))
    index = next(
        i
        for i, item in enumerate(items)
        if raw_values.is_missing(item)
        or (
            not isinstance(item, (str, bytes))
            if with_names
            else not _is_number_type(type(item))
        )
    )
    item = items[index]
    received = (
        f"Received: {raw_values.shown(item)} of type {type(item).__name__} "
        f"{place(index)}. Accepted: {rule.accepted}"
    )
    if raw_values.is_missing(item):
        hint = "; an empty cell of a table is no label"
    elif raw_values.is_row(type(item)):
        return ValueError(
            f"`{name}` must have one label per example. {received}; of one-hot "
            "rows the index of the 1."
        )
    elif with_names or isinstance(item, (str, bytes)):
        return ValueError(
            f"`{name}` must not mix names and other values. {received}."
        )
    elif isinstance(item, _TRUTH):
        hint = f"; of truth values `[int(v) for v in {name}]` where True is 1"
    else:
        hint = ""
    return TypeError(f"`{name}` must hold labels. {received}{hint}.")


def _check_names(
    name: str, items: list[str], rule: LabelRule, place: _Place
) -> None:
    if rule.labels is None and items:
        raise ValueError(
            f"`{name}` holds strings, but there are no `labels` to name ids. "
            f"Received: {raw_values.shown(items[0])} {place(0)}. Accepted: "
            f"{rule.accepted}; or a model or preprocessor with "
            "`labels=[...]`."
        )
    unknown = set(items).difference(rule.labels or ())
    if not unknown:
        return
    index = next(i for i, item in enumerate(items) if item in unknown)
    raise ValueError(
        f"`{name}`: Unknown label. Received: "
        f"{raw_values.shown(items[index])} {place(index)} "
        f"({len(unknown)} unknown name(s) in all). Accepted: {rule.accepted}."
        + checks.nearest_hint(items[index], rule.labels or ())
    )


def check_ids(name: str, ids: Any, rule: LabelRule, place: _Place) -> Any:
    """Checks a flat array of numbers.

    Args:
        name: str, name of the argument, for the message.
        ids: int or float array `(labels,)`.
        rule: `LabelRule`; that numbers may be names is not looked at.
        place: function that says where in the argument a number is.

    Returns:
        int32 `(labels,)`.

    Raises:
        ValueError: for the first one with a fraction or out of range.
    """
    if ids.dtype.kind not in "iu":
        ids = np.asarray(ids, np.float64)
        wrong = ~np.isfinite(ids) | (ids != np.floor(ids))
        if wrong.any():
            index = int(wrong.argmax())
            raise ValueError(
                f"`{name}` must hold whole numbers. Received: "
                f"{float(ids[index])!r} {place(index)}. Accepted: "
                f"{rule.accepted}."
            )
    wrong = ids < 0
    if rule.num_classes is not None:
        wrong |= ids >= rule.num_classes
    if rule.ignored is not None:
        wrong &= ids != rule.ignored
    if wrong.any():
        index = int(wrong.argmax())
        hint = "."
        if ids[index] == -100 and rule.ignored is not None:
            hint = f"; -100 of other libraries is {rule.ignored} here."
        raise ValueError(
            f"`{name}` has an id that is out of range. Received: "
            f"{int(ids[index])} {place(index)}. Accepted: {rule.accepted}"
            f"{hint}"
        )
    return ids.astype(np.int32)


def _as_str(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else item


def _without_last_axis(value: Any) -> Any:
    """A column `(batch, 1)` as `(batch,)`."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] == 1:
        if hasattr(value, "columns"):
            return value.iloc[:, 0] if hasattr(value, "iloc") else value
        return value[:, 0]
    return value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def class_weight_table(class_weight: Any, rule: LabelRule) -> np.ndarray:
    """Weights of all classes, in the order of their ids.

    Args:
        class_weight: mapping from ids or names of labels to weights, where a
            class that is left out weighs 1; or one weight per class.
        rule: `LabelRule` with a number of classes.

    Returns:
        float32 `(num_classes,)`.

    Raises:
        ValueError: for a class that there is not or that is named twice, a
            negative or infinite weight, or another number of weights.
        TypeError: for another structure, or a weight that is no number.
    """
    count = rule.num_classes or 0
    accepted = (
        "a dict from names or ids of labels to weights of 0 or more, or "
        f"{count} weights"
    )
    if isinstance(class_weight, Mapping):
        table = np.ones(count, np.float32)
        seen: dict[int, Any] = {}
        for key, weight in class_weight.items():
            at = _class_id(key, rule)
            if at in seen:
                raise ValueError(
                    "`class_weight` has a class twice. Received: "
                    f"{seen[at]!r} and {key!r}. Accepted: {accepted}."
                )
            seen[at] = key
            table[at] = _weight("class_weight", f"of {key!r}", weight)
        return table
    if isinstance(class_weight, (str, bytes)):
        hint = (
            "; the weights of scikit-learn's 'balanced' are those that "
            "`compute_class_weight` returns"
        )
        raise TypeError(
            f"`class_weight` must be weights. Received: {class_weight!r}. "
            f"Accepted: {accepted}{hint}."
        )
    items = raw_values.as_list("class_weight", class_weight, accepted)
    if len(items) != count:
        raise ValueError(
            "`class_weight` must have one weight per class. Received: "
            f"{len(items)} weights. Accepted: {accepted}."
        )
    return np.array(
        [
            _weight("class_weight", f"at index {i}", item)
            for i, item in enumerate(items)
        ],
        np.float32,
    )


def _class_id(key: Any, rule: LabelRule) -> int:
    names = list(rule.labels or ())
    if isinstance(key, str):
        if key in names:
            return names.index(key)
    elif (
        isinstance(key, numbers.Real)
        and not isinstance(key, bool)
        and key in range(rule.num_classes or 0)
    ):
        if rule.takes_numbers:
            return int(float(key))
        raise ValueError(
            "`class_weight` has a number for a key, but the names of labels "
            f"are numbers too, and stand for other ids. Received: {key!r}. "
            f"Accepted: names as strings, such as {names[0]!r}."
        )
    known = dataclasses.replace(rule, ignored=None)
    raise ValueError(
        f"`class_weight` has an unknown class. Received: {key!r}. Accepted: "
        f"{known.accepted}." + checks.nearest_hint(str(key), names)
    )


def _weight(name: str, place: str, weight: Any) -> float:
    if isinstance(weight, _TRUTH) or not isinstance(weight, numbers.Real):
        raise TypeError(
            f"`{name}` must hold numbers. Received: "
            f"{raw_values.shown(weight)} of type {type(weight).__name__} "
            f"{place}. Accepted: finite numbers of 0 or more."
        )
    if not 0 <= float(weight) < math.inf:
        raise ValueError(
            f"`{name}` is out of range. Received: {weight!r} {place}. "
            "Accepted: finite numbers of 0 or more."
        )
    return float(weight)


def check_sample_weight(value: Any, count: int) -> np.ndarray:
    """Checks one weight per example.

    Args:
        value: numbers of 0 or more, in any form that `raw_values.as_list`
            takes.
        count: int, number of examples.

    Returns:
        float32 `(count,)`.

    Raises:
        ValueError: for another number of weights, or a negative or infinite
            one; the first is named.
        TypeError: when an item is no number.
    """
    accepted = "one finite number of 0 or more per example"
    value = _without_last_axis(value)
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) > 1:
        raise ValueError(
            "`sample_weight` must have one number per example. Received: "
            f"{raw_values.shown(value)}. Accepted: {accepted}."
        )
    items = raw_values.as_list("sample_weight", value, accepted)
    check_equally_long("x", count, "sample_weight", len(items))
    simple = set(map(type, items)) <= {int, float}
    weights = np.asarray(items, np.float32) if simple else None
    if weights is None or not (np.isfinite(weights) & (weights >= 0)).all():
        weights = np.array(
            [
                _weight("sample_weight", f"at index {i}", item)
                for i, item in enumerate(items)
            ],
            np.float32,
        )
    return weights


def check_equally_long(
    first: str, first_count: int, second: str, second_count: int
) -> None:
    """Refuses two arguments with different numbers of examples."""
    if first_count != second_count:
        raise ValueError(
            f"`{first}` and `{second}` must be equally long. Received: "
            f"{first_count} and {second_count} examples."
        )
