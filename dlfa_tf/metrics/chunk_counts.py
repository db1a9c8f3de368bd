"""Counts of chunks, for a million tags at once."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChunkRule:
    """Where chunks begin and end, as tables over pairs of neighbouring tags.

    A tag is its id; one id more, the last, stands for what is before the
    first and after the last word of a sentence.

    Attributes:
        begins: bool `(tags + 1, tags + 1)`, [tag before, tag]: whether a
            chunk begins at the tag.
        ends: bool `(tags + 1, tags + 1)`, [tag, tag after]: whether a chunk
            ends with the tag.
        types: int64 `(tags + 1,)`, type of a chunk that ends with the tag.
        type_names: name of every type.
    """

    begins: np.ndarray
    ends: np.ndarray
    types: np.ndarray
    type_names: tuple[str, ...]


def tabulate_rule(
    tags: Sequence[str],
    begins: Callable[[str | None, str], bool],
    ends: Callable[[str, str | None], bool],
    chunk_type: Callable[[str], str],
) -> ChunkRule:
    """Asks a rule about every pair of tags once.

    Args:
        tags: names of the tags; tag i has id i.
        begins: called with the tag before (None at the first word) and a tag.
        ends: called with a tag and the tag after (None at the last word).
        chunk_type: called with the last tag of a chunk.

    Returns:
        `ChunkRule`.
    """
    names = [*tags, None]
    size = len(names)
    begin_table = np.zeros((size, size), bool)
    end_table = np.zeros((size, size), bool)
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if second is not None:
                begin_table[i, j] = begins(first, second)
            if first is not None:
                end_table[i, j] = ends(first, second)
    types = [chunk_type(tag) for tag in tags]
    ids = {name: i for i, name in enumerate(dict.fromkeys(types))}
    return ChunkRule(
        begins=begin_table,
        ends=end_table,
        types=np.array([*(ids[name] for name in types), -1], np.int64),
        type_names=tuple(ids),
    )


def count_chunks(
    rule: ChunkRule,
    gold: np.ndarray,
    predicted: np.ndarray,
    splits: np.ndarray,
) -> np.ndarray:
    """Counts chunks sentence by sentence.

    Args:
        rule: `ChunkRule`.
        gold: int `(words,)`, ids of the tags of all sentences.
        predicted: int `(words,)`, the same.
        splits: int64 `(sentences + 1,)`; sentence i is
            `[splits[i], splits[i + 1])`.

    Returns:
        int64 `(sentences, 3)`: right, gold and predicted chunks. A chunk is
        right when its type, first word and last word all agree.
    """
    per_word = _per_word(rule, gold, predicted, splits)
    # Not np.add.reduceat, which takes an empty sentence for its neighbour.
    so_far = np.concatenate(
        [np.zeros((1, 3), np.int64), np.cumsum(per_word, axis=0)]
    )
    return so_far[splits[1:]] - so_far[splits[:-1]]


def count_by_type(
    rule: ChunkRule,
    gold: np.ndarray,
    predicted: np.ndarray,
    splits: np.ndarray,
) -> np.ndarray:
    """Counts the chunks of every type; arguments as for `count_chunks`.

    Returns:
        int64 `(types, 3)`: right, gold and predicted chunks, in the order of
        `rule.type_names`.
    """
    per_word = _per_word(rule, gold, predicted, splits)
    types = (rule.types[gold], rule.types[gold], rule.types[predicted])
    return np.stack(
        [
            np.bincount(
                types[i][per_word[:, i]], minlength=len(rule.type_names)
            )
            for i in range(3)
        ],
        axis=1,
    )


def _per_word(
    rule: ChunkRule,
    gold: np.ndarray,
    predicted: np.ndarray,
    splits: np.ndarray,
) -> np.ndarray:
    """Whether a right, a gold, a predicted chunk ends with each word."""
    gold_start, gold_end = _chunks(rule, gold, splits)
    start, end = _chunks(rule, predicted, splits)
    right = (
        gold_end
        & end
        & (gold_start == start)
        & (rule.types[gold] == rule.types[predicted])
    )
    return np.stack([right, gold_end, end], axis=1)


def _chunks(
    rule: ChunkRule, tags: np.ndarray, splits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First word of the chunk that a word is in, and whether it ends there."""
    outside = len(rule.types) - 1
    first = splits[:-1][np.diff(splits) > 0]
    before = np.roll(tags, 1)
    before[first] = outside
    after = np.roll(tags, -1)
    after[splits[1:][np.diff(splits) > 0] - 1] = outside
    begins = rule.begins[before, tags]
    # A chunk never reaches back over the start of its sentence.
    begins[first] = True
    place = np.arange(len(tags))
    start = np.maximum.accumulate(np.where(begins, place, 0))
    return start, rule.ends[tags, after]
