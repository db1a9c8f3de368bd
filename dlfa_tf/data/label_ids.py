"""Label files -> ids, fast enough for the predictions of a whole sweep."""

import dataclasses
import gzip
import pathlib
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlfa_tf.data import readers


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelIds:
    """Labels of a file, concatenated.

    Attributes:
        ids: int16 `(labels,)`; label i of the task has id i.
        splits: int64 `(items + 1,)`; item i (a pair or a sentence) is
            `[splits[i], splits[i + 1])`.
    """

    ids: np.ndarray
    splits: np.ndarray

    def __len__(self) -> int:
        """Number of items."""
        return len(self.splits) - 1

    def head(self, limit: int | None) -> "LabelIds":
        """The first `limit` items; all for None."""
        splits = self.splits if limit is None else self.splits[: limit + 1]
        return LabelIds(ids=self.ids[: splits[-1]], splits=splits)


def read_label_ids(
    path: pathlib.Path, labels: Sequence[str], kind: str
) -> LabelIds:
    """Reads what `read_label_file` reads, as ids."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    ids: dict[bytes, int] = {
        label.encode(): i for i, label in enumerate(labels)
    }
    if kind == "tagging":
        ids[b""] = -1
    try:
        with opener(path, "rb") as file:
            lines = file.read().removesuffix(b"\n").split(b"\n")
        if b"\t" in lines[0]:
            # A word without a tag is no blank line.
            if any(line.endswith(b"\t") for line in lines):
                raise KeyError("an empty label")
            lines = [line.rpartition(b"\t")[2] for line in lines]
        flat = np.fromiter(map(ids.__getitem__, lines), np.int16, len(lines))
        if flat.max() < 0:
            raise KeyError("no label at all")
    except (KeyError, OSError, EOFError, zlib.error):
        # Not of the plain form that this project writes: read line by line,
        # which takes other line ends too and says where an error is.
        return label_ids(readers.read_label_file(path, labels, kind), labels)
    if kind != "tagging":
        return LabelIds(ids=flat, splits=np.arange(len(flat) + 1))
    is_label = flat >= 0
    # An item ends where a blank line, or the end, follows a label.
    ends = np.flatnonzero(is_label & ~np.append(is_label[1:], False))
    splits = np.cumsum(is_label)[ends]
    return LabelIds(
        ids=flat[is_label],
        splits=np.concatenate([[0], splits]).astype(np.int64),
    )


def label_ids(values: Sequence[Any], labels: Sequence[str]) -> LabelIds:
    """Turns label names, one per pair or a list per sentence, into ids.

    An unknown name raises KeyError.
    """
    ids = {label: i for i, label in enumerate(labels)}
    items = [[item] if isinstance(item, str) else item for item in values]
    return LabelIds(
        ids=np.array([ids[name] for item in items for name in item], np.int16),
        splits=np.cumsum([0, *(len(item) for item in items)]),
    )
