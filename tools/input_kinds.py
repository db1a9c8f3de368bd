"""Kinds of values that people hand to `fit`, to metrics and to the client."""

import collections
import math
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import tensorflow as tf

LABEL_NAMES = ["no", "yes"]
TAG_NAMES = ["O", "B-X"]
TEXT_VALUES = ["ein Satz", "zwei"]
# What is read of bytes that are not UTF-8, where it is.
REPLACED = ["a", "\ufffd"]
SENTENCE_VALUES = [["ein", "Satz"], ["zwei"]]


class Kind(NamedTuple):
    """A kind of value: what it is called, and what makes a new one."""

    name: str
    make: Callable[[], Any]


class _Loader(keras.utils.PyDataset):
    """A loader of one batch."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return TEXT_VALUES, ["yes", "no"]


def _batches(x: Any, *more: Any) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors((x, *more) if more else x)


def _common(values: list[Any]) -> list[Kind]:
    """Kinds of columns, by what they hold."""
    nested = isinstance(values[0], list)
    array = np.empty(len(values), object)
    array[:] = values
    found = [
        Kind("list", lambda: values),
        Kind("`collections.deque`", lambda: collections.deque(values)),
        Kind("NumPy array of objects", lambda: array),
        Kind("pandas `Series`", lambda: pd.Series(values)),
        Kind("Arrow array", lambda: pa.array(values)),
        Kind("Arrow chunked array", lambda: pa.chunked_array([values])),
    ]
    if not nested:
        found += [
            Kind("NumPy array of str", lambda: np.array(values)),
            Kind("NumPy array of bytes",
                 lambda: np.array([v.encode() for v in values])),
            Kind("pandas `Series`, dtype string",
                 lambda: pd.Series(values, dtype="string")),
            Kind("pandas `Series`, dtype category",
                 lambda: pd.Series(values, dtype="category")),
            Kind("pandas `Index`", lambda: pd.Index(values)),
            Kind("`tf.Tensor`", lambda: tf.constant(values)),
        ]  # fmt: skip
    return found


def _no_columns(values: list[Any]) -> list[Kind]:
    """Kinds that are no column of anything."""
    return [
        Kind("generator", lambda: (v for v in values)),
        Kind("iterator (`zip`, `map`)", lambda: map(str, values)),
        Kind("`keras.utils.PyDataset`", _Loader),
        Kind("set", lambda: set(map(str, values))),
        Kind("dict with other keys", lambda: {"text": values}),
        Kind("pandas `DataFrame`", lambda: pd.DataFrame({"text": values})),
        Kind("Arrow table", lambda: pa.table({"text": values})),
        Kind("a number", lambda: 3),
        Kind("None", lambda: None),
        Kind("None within", lambda: [values[0], None]),
        Kind("NaN within", lambda: [values[0], math.nan]),
        Kind("`pd.NA` within",
             lambda: pd.Series(["a", None], dtype="string")),
        Kind("a number within", lambda: [values[0], 3]),
    ]  # fmt: skip


TEXTS = [
    *_common(TEXT_VALUES),
    Kind("list of bytes", lambda: [v.encode() for v in TEXT_VALUES]),
    Kind("list of tensors of one text each",
         lambda: [tf.constant(v) for v in TEXT_VALUES]),
    Kind("dict with `first`", lambda: {"first": TEXT_VALUES}),
    Kind("`tf.data.Dataset` of batches `(x, y)`",
         lambda: _batches(TEXT_VALUES, ["yes", "no"])),
    Kind("the same, endless",
         lambda: _batches(TEXT_VALUES, ["yes", "no"]).repeat()),
    Kind("the same, single examples",
         lambda: _batches(TEXT_VALUES, ["yes", "no"]).unbatch()),
    *_no_columns(TEXT_VALUES),
    Kind("str", lambda: TEXT_VALUES[0]),
    Kind("bytes", lambda: TEXT_VALUES[0].encode()),
    Kind("list of pairs", lambda: [("a", "b"), ("c", "d")]),
    Kind("NumPy array (n, 2)", lambda: np.array([["a", "b"], ["c", "d"]])),
    Kind("bytes that are not UTF-8", lambda: [b"a", b"\xff"]),
    Kind("half a surrogate pair", lambda: ["a", "\ud83d"]),
    Kind("empty list", list),
]  # fmt: skip

SENTENCES = [
    *_common(SENTENCE_VALUES),
    Kind("tuple of tuples", lambda: (("ein", "Satz"), ("zwei",))),
    Kind("list of arrays",
         lambda: [np.array(["ein", "Satz"]), np.array(["zwei"])]),
    Kind("`tf.RaggedTensor`", lambda: tf.ragged.constant(SENTENCE_VALUES)),
    Kind("list of str", lambda: TEXT_VALUES),
    Kind("pandas `Series` of str", lambda: pd.Series(TEXT_VALUES)),
    Kind("`tf.Tensor` of str", lambda: tf.constant(TEXT_VALUES)),
    Kind("`tf.data.Dataset` of batches `(x, y)`",
         lambda: _batches(TEXT_VALUES, ["O O", "O"])),
    *_no_columns(SENTENCE_VALUES),
    Kind("str", lambda: TEXT_VALUES[0]),
    Kind("strings beside lists", lambda: [["ein", "Satz"], "zwei"]),
    Kind("None among the words", lambda: [["ein", None], ["zwei"]]),
    Kind("lists among the words", lambda: [[["ein"], "Satz"], ["zwei"]]),
    Kind("empty list", list),
]  # fmt: skip

LABELS = [
    *_common(["yes", "no"]),
    Kind("tuple", lambda: ("yes", "no")),
    Kind("list of ids", lambda: [1, 0]),
    Kind("NumPy array of ids", lambda: np.array([1, 0], np.int8)),
    Kind("`tf.Tensor` of ids", lambda: tf.constant([1, 0])),
    Kind("whole floats", lambda: [1.0, 0.0]),
    Kind("column (n, 1)", lambda: np.array([[1], [0]])),
    Kind("fractions", lambda: [0.2, 0.9]),
    Kind("truth values", lambda: [True, False]),
    Kind("one-hot rows", lambda: np.eye(2)),
    Kind("id too high", lambda: [1, 2]),
    Kind("-1", lambda: [1, -1]),
    Kind("unknown name", lambda: ["yes", "maybe"]),
    Kind("names beside ids", lambda: ["yes", 0]),
    Kind("too few", lambda: ["yes"]),
    *_no_columns(["yes", "no"]),
    Kind("str", lambda: "yes"),
]

TAGS = [
    *_common([["B-X", "O"], ["O"]]),
    Kind("tuple of tuples", lambda: (("B-X", "O"), ("O",))),
    Kind("`tf.RaggedTensor` of names",
         lambda: tf.ragged.constant([["B-X", "O"], ["O"]])),
    Kind("list of str, split at white space", lambda: ["B-X O", "O"]),
    Kind("lists of ids", lambda: [[1, 0], [0]]),
    Kind("`tf.RaggedTensor` of ids", lambda: tf.ragged.constant([[1, 0], [0]])),
    Kind("lists of whole floats", lambda: [[1.0, 0.0], [0.0]]),
    Kind("fractions", lambda: [[0.5, 0.0], [0.0]]),
    Kind("id too high", lambda: [[2, 0], [0]]),
    Kind("-100", lambda: [[-100, 0], [0]]),
    Kind("tag that is no entity's", lambda: [["X", "O"], ["O"]]),
    Kind("names beside ids", lambda: [["B-X", 0], ["O"]]),
    Kind("too many for the words", lambda: [["B-X", "O"], ["O", "O"]]),
    Kind("one tag per sentence", lambda: [1, 0]),
    Kind("None among the tags", lambda: [["B-X", None], ["O"]]),
    *_no_columns([["B-X", "O"], ["O"]]),
    Kind("str", lambda: "B-X O"),
]  # fmt: skip


def _given(text: str, **given: Any) -> Kind:
    return Kind(f"`{text}`", lambda: given)


_VALIDATION = (TEXT_VALUES, LABEL_NAMES)
ARGUMENTS = [
    _given("batch_size=1", batch_size=1),
    _given("batch_size=0", batch_size=0),
    _given("batch_size=2.0", batch_size=2.0),
    _given("epochs=2", epochs=2),
    _given("epochs=0", epochs=0),
    _given("epochs=3, initial_epoch=2", epochs=3, initial_epoch=2),
    _given("epochs=2, initial_epoch=2", epochs=2, initial_epoch=2),
    _given("verbose=2", verbose=2),
    _given("verbose='all'", verbose="all"),
    _given("shuffle=False", shuffle=False),
    _given("shuffle='batch'", shuffle="batch"),
    _given("callbacks=[Callback()]", callbacks=[keras.callbacks.Callback()]),
    _given("callbacks=Callback", callbacks=keras.callbacks.Callback),
    _given("steps_per_epoch=3", steps_per_epoch=3),
    _given("steps_per_epoch=0", steps_per_epoch=0),
    _given("steps=1", steps=1),
    _given("steps=0", steps=0),
    _given("return_dict=True", return_dict=True),
    _given("validation_split=0.5", validation_split=0.5),
    _given("validation_split=1.0", validation_split=1.0),
    _given("validation_data=texts", validation_data=TEXT_VALUES),
    _given("validation_freq=[1, 3]", validation_freq=[1, 3]),
    _given("validation_freq=0", validation_freq=0),
    _given("validation_steps=1", validation_steps=1),
    _given("class_weight={1: 2.0}", class_weight={1: 2.0}),
    _given("class_weight=[1.0, 2.0]", class_weight=[1.0, 2.0]),
    _given("class_weight={'yes': 2.0}", class_weight={"yes": 2.0}),
    _given("class_weight={'B-X': 2.0}", class_weight={"B-X": 2.0}),
    _given("class_weight={2: 1.0}", class_weight={2: 1.0}),
    _given("class_weight=[1.0]", class_weight=[1.0]),
    _given("class_weight='balanced'", class_weight="balanced"),
    _given("sample_weight=[1.0, 2.0]", sample_weight=[1.0, 2.0]),
    _given("sample_weight=[1.0]", sample_weight=[1.0]),
    _given("sample_weight=[1.0, nan]", sample_weight=[1.0, math.nan]),
    _given(
        "class_weight and sample_weight",
        class_weight=[1.0, 2.0],
        sample_weight=[1.0, 2.0],
    ),
    _given("class_weights={}", class_weights={}),
]
