"""Gold and predicted labels as users hand them over, or a refusal.

What compares as unequal to everything, or falls into letters, would be a score
like any other: names against ids, None, strings in place of lists of tags.
"""

import itertools
import re
from collections.abc import Collection
from collections.abc import Sequence
from numbers import Real
from typing import Any

from dlfa_tf import raw_values

_TAGS = "one list of tags per sentence, each tag a string"
_LABELS = "labels: names, or ids"
# What seqeval takes for tags of entities without a warning, and BILOU's.
_ENTITY_TAG = re.compile(r"O|[BIES]|[BIESLU]-.+", re.DOTALL)


def tag_lists(name: str, value: Any) -> list[list[str]]:
    """Tags of sentences as lists of strings.

    Args:
        name: str, name of the argument, for the message.
        value: lists of tags, in any form that `raw_values.as_list` takes.

    Returns:
        One list of str per sentence.

    Raises:
        ValueError: for strings in place of lists, and for empty tags.
        TypeError: when a tag is no string; the first is named.
    """
    found: list[list[str]] = []
    for i, row in enumerate(raw_values.sentences(name, value, _TAGS)):
        if not isinstance(row, list):
            raise ValueError(
                f"`{name}` must hold one list of tags per sentence. Received: "
                f"the string {raw_values.shown(row)} at index {i}. Accepted: "
                f"{_TAGS}."
            )
        if "" in row:
            raise ValueError(
                f"`{name}` holds an empty tag. Received: '' at word "
                f"{row.index('')} of sentence {i}. Accepted: {_TAGS}."
            )
        found.append(row)
    return found


def check_entity_tags(name: str, sentences: Sequence[Sequence[str]]) -> None:
    """Refuses tags that say neither where an entity begins nor of which type.

    Such as the type alone: its first letter would be taken for the prefix.
    """
    wrong = wrong_entity_tags(set(itertools.chain.from_iterable(sentences)))
    if not wrong:
        return
    for i, tags in enumerate(sentences):
        for j, tag in enumerate(tags):
            if tag in wrong:
                raise _no_entity_tag(
                    name, f"{tag!r} at word {j} of sentence {i}"
                )


def check_entity_names(tags: Sequence[str]) -> None:
    """The same for a set of tags."""
    wrong = wrong_entity_tags(tags)
    if wrong:
        raise _no_entity_tag("tags", f"{sorted(wrong)[:12]}")


def wrong_entity_tags(tags: Collection[str]) -> set[str]:
    """Those that are no tags of entities."""
    return {tag for tag in tags if not _ENTITY_TAG.fullmatch(tag)}


def _no_entity_tag(name: str, received: str) -> ValueError:
    return ValueError(
        f"`{name}` has tags without a place in an entity. Received: "
        f"{received}. Accepted: O, B-TYPE, I-TYPE (E-TYPE, S-TYPE); for tags "
        "that are classes `pos_f1` or `accuracy`."
    )


def labels(name: str, value: Any, nested: bool = False) -> list[Any]:
    """Labels as a plain list.

    Args:
        name: str, name of the argument, for the message.
        value: labels in any form that `raw_values.as_list` takes.
        nested: bool, whether lists of labels are taken, too.

    Returns:
        list of labels, or of lists of them; bytes have become strings.

    Raises:
        ValueError: for a single label, for names beside ids, for numbers with
            a fraction, and for lists where they are not taken.
        TypeError: when an item is no label; the first is named.
    """
    items = raw_values.as_list(name, value, _LABELS)
    if not raw_values.are_rows(name, items):
        return _checked(name, items, "")
    if not nested:
        raise ValueError(
            f"`{name}` must be a flat list of labels. Received: a list with "
            f"{raw_values.shown(items[0])} in it. Accepted: {_LABELS}; of "
            "one-hot rows or scores `argmax(-1)`."
        )
    rows = [
        raw_values.as_list(f"{name}[{i}]", row, _LABELS)
        for i, row in enumerate(items)
    ]
    if not all(map(_is_plain, set(map(type, itertools.chain(*rows))))):
        rows = [
            _checked(name, row, f" of item {i}") for i, row in enumerate(rows)
        ]
    return rows


def check_comparable(gold: list[Any], predicted: list[Any]) -> None:
    """Refuses names against ids, which are never equal.

    Arguments are those that `labels` returned.
    """
    kinds = [_kinds(side) for side in (gold, predicted)]
    if kinds[0] and kinds[1] and not kinds[0] & kinds[1]:
        raise ValueError(
            "`gold` and `predicted` must both be names, or both ids. Received: "
            f"{raw_values.shown(gold)} and {raw_values.shown(predicted)}. "
            "Accepted: labels of one kind, as they are never equal otherwise."
        )


def check_equally_long(gold: Sequence, predicted: Sequence) -> None:
    """Refuses more or fewer predicted labels than gold ones."""
    if len(gold) != len(predicted):
        raise ValueError(
            "`gold` and `predicted` must be equally long. Received: "
            f"{len(gold)} and {len(predicted)}."
        )


def _kinds(side: list[Any]) -> set[bool]:
    """Whether there are names (True) and ids (False)."""
    if side and isinstance(side[0], list):
        found = set(map(type, itertools.chain.from_iterable(side)))
    else:
        found = set(map(type, side))
    return {issubclass(kind, str) for kind in found}


def _is_plain(kind: type) -> bool:
    return kind in (str, int)


def _checked(name: str, items: list[Any], where: str) -> list[Any]:
    """A flat list of names, or of whole numbers."""
    kinds = set(map(type, items))
    if kinds in (set(), {str}, {int}):
        return items
    found = [x.decode("utf-8", "replace") if isinstance(x, bytes) else x
             for x in items]  # fmt: skip
    for i, item in enumerate(found):
        is_name = isinstance(item, str)
        is_number = isinstance(item, Real) or isinstance(
            getattr(item, "item", lambda: None)(), (bool, int)
        )
        received = (
            f"Received: {raw_values.shown(item)} of type "
            f"{type(item).__name__} at index {i}{where}. Accepted: {_LABELS}."
        )
        if raw_values.is_missing(item) or not (is_name or is_number):
            raise TypeError(f"`{name}` must hold labels. {received}")
        if is_name != isinstance(found[0], str):
            raise ValueError(f"`{name}` must not mix names and ids. {received}")
        if is_number and float(item) != int(item):
            raise ValueError(
                f"`{name}` must hold names or whole numbers. {received}"
            )
    return found
