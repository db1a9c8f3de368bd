"""Writes docs/inputs.md: what every public entry takes, found by trying it.

python -m tools.inputs_table            writes the document

Each kind of value is handed to each entry. What comes out behind its checks,
before any model computes, must be what a plain list of the same would have
been; all else must be refused with the argument's name, the value received and
what is accepted. Anything between the two ends the walk with an error. The
second part of the document does the same for files and folders.
"""

import contextlib
import functools
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from dlfa_tf import metrics
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import keras_arguments
from dlfa_tf.serving import Client
from tools import flag_entries
from tools import flag_things
from tools import input_kinds
from tools import loader_entries
from tools import path_entries
from tools.input_kinds import Kind

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "inputs.md"
HEADER = """\
# What is taken as input, and what is refused

Written by `make inputs-table`, which hands every kind of value to every entry;
a test fails when this page is out of date. In the tables:

| | |
|---|---|
| yes | read as a plain list of the same |
| other | a label like any other, as scores do not know which there are |
| one | read as one example |
| none | read as no examples, or as no labels |
| made | a folder of that name is made |
| U+FFFD | the bytes that are not UTF-8 are read as U+FFFD |
| ends | an error of TensorFlow when the batch is read, before its step |
| no | refused before anything is computed, with argument, value and its place |

`Client` is `dlfa_tf.serving.Client`. The first table has two texts, or two
sentences of which the first has two words. Texts are `str`, or `bytes` of
UTF-8. A classifier reads a tuple as a pair; taggers read sentences that are
split into words, or split them at white space.
"""
THINGS_HEADER = """
## Files and folders

Below, everything that may lie on a disk is given to every flag of a program
that names a file or a folder, and to every function that loads something:

| | |
|---|---|
| yes | read, or written to, as what it is for |
| none | read as a folder without a checkpoint |
| no | refused, with the flag or argument, what was given and what is accepted |
| | there is no such thing of it |

Nothing that was there is ever changed, and a program that refuses a flag leaves
nothing behind. Programs end where their work begins.
"""
_REFUSED = (ValueError, TypeError, OSError)
_NAMED = re.compile(
    r"`\w|A (dict|tuple) input|The .* texts? of|mix|data set|holds no|"
    r"could not be saved in"
)


class _Taken(Exception):
    """Ends an entry behind its checks; holds what it was about to use.

    Attributes:
        last: what it was, as Keras makes a new error of one in a layer.
    """

    last: tuple[Any, dict[str, Any]] = (None, {})


def inputs_document() -> str:
    """The text of the document; takes minutes."""
    return values_part() + things_part()


def things_part() -> str:
    """The text about files and folders; takes minutes."""
    with flag_entries.walking() as home:
        parts = [THINGS_HEADER]
        for title, found in flag_entries.TABLES.items():
            entries = {
                flag.title: functools.partial(
                    flag_entries.word, flag, home=home
                )
                for flag in found
            }
            parts.append(_things(title, flag_things.KINDS, entries))
        loader_entries.make_more_things(home)
        entries = {
            loader.title: functools.partial(
                loader_entries.word, loader, home=home
            )
            for loader in loader_entries.LOADERS
        }
        parts.append(
            _things("Functions that load", loader_entries.KINDS, entries)
        )
    return "".join(parts)


def _things(
    title: str,
    kinds: Sequence[Any],
    entries: dict[str, Callable[[Any], str]],
) -> str:
    """A table without rows that are empty."""
    rows = [[try_it(kind) for try_it in entries.values()] for kind in kinds]
    return _layout(title, entries, [
        [kind.name, *row]
        for kind, row in zip(kinds, rows, strict=True)
        if any(row)
    ])  # fmt: skip


def values_part() -> str:
    """The text about values that are handed over."""
    with _entries() as entries, path_entries.entries() as of_paths:
        return "".join(
            [
                HEADER,
                _table("Texts", input_kinds.TEXTS, entries["texts"]),
                _table("Sentences", input_kinds.SENTENCES, entries["words"]),
                _table(
                    "Labels of texts (names `no`, `yes`)",
                    input_kinds.LABELS,
                    entries["labels"],
                ),
                _table(
                    "Tags of words (names `O`, `B-X`)",
                    input_kinds.TAGS,
                    entries["tags"],
                ),
                _table(
                    "Further arguments of `fit`, `evaluate` and `predict`",
                    input_kinds.ARGUMENTS,
                    entries["arguments"],
                ),
                _table("Paths", path_entries.KINDS, of_paths),
            ]
        )


def _table(
    title: str, kinds: list[Kind], entries: dict[str, Callable[[Any], str]]
) -> str:
    return _layout(title, entries, [
        [kind.name, *(_cell(kind, *entry) for entry in entries.items())]
        for kind in kinds
    ])  # fmt: skip


def _layout(
    title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]
) -> str:
    names = list(columns)
    return (
        f"\n## {title}\n\n| | {' | '.join(names)} |\n"
        f"|{'---|' * (len(names) + 1)}\n"
        + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    )


def _cell(kind: Kind, entry: str, try_it: Callable[[Any], str]) -> str:
    """What an entry makes of a kind of value: a word of the table."""
    value = kind.make()
    try:
        return try_it(value)
    except tf.errors.InvalidArgumentError as error:
        found, word = error, "ends"
    except _REFUSED as error:
        found, word = error, "no"
    message = str(found)
    if "Received" not in message or "Accepted" not in message:
        if not _NAMED.search(message):
            raise AssertionError(
                f"{entry} refuses {kind.name} without saying why: {message}"
            ) from found
    return word


def _word(found: Any, wanted: Any, one: Any = None) -> str:
    """A word of the table for what came out; an error for anything else."""
    for answer, word in (
        (wanted, "yes"),
        (one, "one"),
        ([], "none"),
        (input_kinds.REPLACED, "U+FFFD"),
    ):
        if answer is not None and found == answer:
            return word
    raise AssertionError(f"{found!r} instead of {wanted!r} came out.")


def _plain(value: Any) -> Any:
    """Tensors and arrays of texts as nested lists of strings."""
    if isinstance(value, dict):
        return _plain(next(iter(value.values())))
    if isinstance(
        value, (tf.RaggedTensor, tf.compat.v1.ragged.RaggedTensorValue)
    ):
        return _plain(value.to_list())
    if isinstance(value, (tf.Tensor, np.ndarray)):
        return _plain(value.numpy() if hasattr(value, "numpy") else
                      value.tolist())  # fmt: skip
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value


def _split(value: Any) -> Any:
    """Sentences as lists of words."""
    return [x.split() if isinstance(x, str) else x for x in _plain(value)]


def _columns(dataset: Any) -> list[Any]:
    """Inputs, labels and weights of a data set, all batches together."""
    columns: list[list[Any]] = [[], [], []]
    for batch in dataset:
        parts = keras.utils.unpack_x_y_sample_weight(batch)
        for column, part in zip(columns, parts, strict=True):
            if part is not None:
                column += _plain(part)
    return columns


def _ids(values: Any, names: list[str]) -> Any:
    """Names of labels as ids; whole numbers stay."""
    if isinstance(values, list):
        return [_ids(value, names) for value in values]
    return names.index(values) if isinstance(values, str) else int(values)


def _raise_taken(_: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
    _Taken.last = (x, kwargs)
    raise _Taken


@contextlib.contextmanager
def _entries() -> Iterator[dict[str, dict[str, Callable[[Any], str]]]]:
    """All entries by table; their models compute nothing."""
    classifier = DLFATextClassifier.from_preset(
        "tiny", labels=input_kinds.LABEL_NAMES, last_layer=1
    )
    tagger = DLFATokenClassifier.from_preset(
        "tiny", labels=input_kinds.TAG_NAMES, last_layer=1
    )
    client = Client("127.0.0.1:1", model="none")
    for method in ("fit", "evaluate", "predict"):
        # Before the methods are others.
        keras_arguments.argument_names(method)
    with contextlib.ExitStack() as stack:
        for cls in (keras_hub.models.Task, keras.Model):
            for name in ("fit", "evaluate", "predict"):
                stack.enter_context(mock.patch.object(cls, name, _raise_taken))
        for cls in (keras_hub.models.Task, keras.Model):
            for name in ("train_on_batch", "predict_on_batch"):
                stack.enter_context(mock.patch.object(cls, name, _raise_taken))
        stack.enter_context(mock.patch.object(Client, "predict", _raise_taken))
        stack.callback(client.close)
        yield {
            "texts": _text_entries(classifier, client),
            "words": _word_entries(tagger, client),
            "labels": _label_entries(classifier),
            "tags": _tag_entries(tagger),
            "arguments": _argument_entries(classifier, tagger),
        }


def _taken(call: Callable[[], Any]) -> Any:
    """What a call was about to use behind its checks; else what it returns."""
    try:
        return call()
    except _Taken:
        return _Taken.last[0]


def _text_entries(model: Any, client: Any) -> dict[str, Callable]:
    wanted = input_kinds.TEXT_VALUES
    labels = input_kinds.LABEL_NAMES

    def of_data(method: Callable, *args: Any, **kwargs: Any) -> Callable:
        def try_it(value: Any) -> str:
            found = _taken(lambda: method(value, *_labelled(value, args),
                                          **kwargs))  # fmt: skip
            if isinstance(found, np.ndarray):
                return _word(found.tolist(), [[]])
            return _word(_columns(found)[0], wanted)

        return try_it

    def of_preprocessor(value: Any) -> str:
        with mock.patch.object(
            type(model.preprocessor), "encode", _raise_taken
        ):
            found = _taken(lambda: model.preprocessor(value))
        return _word(_plain(found), wanted, wanted[:1])

    def of_client(method: Callable, key: str, *more: Any) -> Callable:
        def try_it(value: Any) -> str:
            found = _taken(lambda: method(value, *more))
            return _word(_plain(found[key] if isinstance(found, dict) else
                                found), wanted)  # fmt: skip

        return try_it

    return {
        "`fit`": of_data(model.fit, labels, shuffle=False),
        "`evaluate`": of_data(model.evaluate, labels),
        "`predict`": of_data(model.predict),
        "`preprocessor`": of_preprocessor,
        "`Client.tag`": of_client(client.tag, "text"),
        "`Client.classify`": of_client(client.classify, "first", wanted),
    }


def _labelled(value: Any, args: tuple) -> tuple:
    """Labels, but for a data set, which has its own."""
    return () if isinstance(value, tf.data.Dataset) else args


def _word_entries(model: Any, client: Any) -> dict[str, Callable]:
    wanted = input_kinds.SENTENCE_VALUES
    tags = [["O", "O"], ["O"]]

    def of_data(method: Callable, *args: Any, **kwargs: Any) -> Callable:
        def try_it(value: Any) -> str:
            found = _taken(lambda: method(value, *_labelled(value, args),
                                          **kwargs))  # fmt: skip
            return _word(_split(_columns(found)[0]), wanted)

        return try_it

    def of_words(method: Callable) -> Callable:
        def try_it(value: Any) -> str:
            with mock.patch.object(
                type(model.preprocessor), "encode_words", _raise_taken
            ):
                found = _taken(lambda: method(value))
            return _word(_split(found), wanted, wanted[:1])

        return try_it

    def of_client(value: Any) -> str:
        found = _taken(lambda: client.tag_words(value))
        rows = found["words"] if isinstance(found, dict) else found
        return _word([[w for w in row if w] for row in _plain(rows)], wanted)

    return {
        "`fit`": of_data(model.fit, tags, shuffle=False),
        "`evaluate`": of_data(model.evaluate, tags),
        "`predict`": of_words(model.predict),
        "`tag`": of_words(model.tag),
        "`preprocessor`": of_words(model.preprocessor),
        "`Client.tag_words`": of_client,
    }


def _label_entries(model: Any) -> dict[str, Callable]:
    texts, names = input_kinds.TEXT_VALUES, input_kinds.LABEL_NAMES
    wanted = [1, 0]

    def of_data(call: Callable, where: str = "x") -> Callable:
        def try_it(value: Any) -> str:
            try:
                call(value)
            except _Taken:
                data, more = _Taken.last
                data = more["validation_data"] if where != "x" else data
                return _word(_ids(_columns(data)[1], names), wanted)
            raise AssertionError("nothing was taken")

        return try_it

    def of_preprocessor(value: Any) -> str:
        found = model.preprocessor(tf.constant(texts), y=value)
        if isinstance(found, dict):
            return "none"
        return _word(np.ravel(found[1]).tolist(), wanted)

    def of_metric(score: Callable, key: str) -> Callable:
        def try_it(value: Any) -> str:
            found: Any = None
            for other in (["yes", "no"], [1, 0]):
                try:
                    right = score(value, other)[key] == 100.0
                except ValueError as error:
                    found = found or error
                else:
                    return "yes" if right else "other"
            raise found

        return try_it

    def bootstrap(value: Any, other: Any) -> dict[str, float]:
        found = metrics.paired_bootstrap(value, other, other, "accuracy",
                                         num_samples=2)  # fmt: skip
        return {"accuracy": 100.0 + found["difference"]}

    return {
        "`fit`": of_data(lambda y: model.fit(texts, y, shuffle=False)),
        "`validation_data`": of_data(
            lambda y: model.fit(texts, names, validation_data=(texts, y)),
            "validation_data",
        ),
        "`evaluate`": of_data(lambda y: model.evaluate(texts, y)),
        "`preprocessor`": of_preprocessor,
        "`metrics.accuracy`": of_metric(metrics.accuracy, "accuracy"),
        "`metrics.macro_f1`": of_metric(metrics.macro_f1, "macro_f1"),
        "`metrics.matthews`": of_metric(metrics.matthews, "matthews"),
        "`metrics.paired_bootstrap`": of_metric(bootstrap, "accuracy"),
    }


def _tag_entries(model: Any) -> dict[str, Callable]:
    texts, names = input_kinds.SENTENCE_VALUES, input_kinds.TAG_NAMES
    wanted = [[1, 0], [0]]

    def of_data(method: Callable, **kwargs: Any) -> Callable:
        def try_it(value: Any) -> str:
            found = _taken(lambda: method(texts, value, **kwargs))
            return _word(_ids(_split(_columns(found)[1]), names), wanted)

        return try_it

    def of_metric(score: Callable) -> Callable:
        def try_it(value: Any) -> str:
            found = score(value, [["B-X", "O"], ["O"]])["f1"]
            return "yes" if found == 100.0 else "other"

        return try_it

    return {
        "`fit`": of_data(model.fit, shuffle=False),
        "`evaluate`": of_data(model.evaluate),
        "`metrics.ner_f1`": of_metric(metrics.ner_f1),
        "`metrics.entity_f1`": of_metric(metrics.entity_f1),
        "`metrics.pos_f1`": of_metric(metrics.pos_f1),
    }


def _argument_entries(classifier: Any, tagger: Any) -> dict[str, Callable]:
    def of(model: Any, method: str, x: Any, y: Any) -> Callable:
        def try_it(given: dict[str, Any]) -> str:
            labelled = [] if method == "predict" else [y]
            with mock.patch.object(
                type(model.preprocessor), "encode_words", _raise_taken,
                create=True,
            ):  # fmt: skip
                _taken(lambda: getattr(model, method)(x, *labelled, **given))
            return "yes"

        return try_it

    texts, labels = input_kinds.TEXT_VALUES, ["yes", "no"]
    words, tags = input_kinds.SENTENCE_VALUES, [["B-X", "O"], ["O"]]
    return {
        f"{kind} `{method}`": of(model, method, x, y)
        for kind, model, x, y in (
            ("classifier", classifier, texts, labels),
            ("tagger", tagger, words, tags),
        )
        for method in ("fit", "evaluate", "predict")
    }


if __name__ == "__main__":
    FILE.write_text(inputs_document(), encoding="utf-8")
