"""Tests of what callers may hand to the client, and of what is refused."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import Client
from dlfa_tf.serving.client import arguments as client_arguments
from dlfa_tf.serving.client.errors import InputError


class Recorder:
    """Stands for a connection: keeps what would be sent, answers nothing."""

    def __init__(self):
        self.sent = []

    def predict(self, spec, inputs, outputs, timeout):
        del outputs, timeout
        self.sent.append((spec["signature"], inputs))
        rows = len(next(iter(inputs.values())))
        if spec["signature"] == "embed":
            return {"embedding": [[1.0]] * rows}
        if "first" in inputs:
            return {"label": ["x"] * rows, "probabilities": [[1.0]] * rows}
        # Words of one letter, as many as the row has.
        lengths = [
            sum(word != "" for word in row) if isinstance(row, list) else 1
            for row in next(iter(inputs.values()))
        ]
        width = max(lengths)
        return {
            "words": [["w"] * width] * rows,
            "tags": [["T"] * width] * rows,
            "scores": [[1.0] * width] * rows,
            "length": lengths,
        }

    def signatures(self, spec, timeout):
        del spec, timeout
        return {"serving_default": (["text"], ["tags"])}

    def close(self):
        pass


@pytest.fixture
def client(monkeypatch):
    client = Client("127.0.0.1:1", "m")
    client._transport = Recorder()
    return client


# Every way to hand texts to the client: its name, the call, the argument that
# messages name, and what the server would get of `["a", "b"]`.
ENTRIES = {
    "tag": (lambda c, x: c.tag(x), "texts"),
    "embed": (lambda c, x: c.embed(x), "first"),
    "classify first": (lambda c, x: c.classify(x, ["x", "y"]), "first"),
    "classify second": (lambda c, x: c.classify(["x", "y"], x), "second"),
    "embed second": (lambda c, x: c.embed(["x", "y"], x), "second"),
    "predict": (lambda c, x: c.predict({"text": x}), "inputs['text']"),
}
# Kinds of values that stand for the texts a and b.
ACCEPTED = {
    "list": ["a", "b"],
    "tuple": ("a", "b"),
    "bytes": [b"a", b"b"],
    "array of str": np.array(["a", "b"]),
    "array of bytes": np.array([b"a", b"b"]),
    "array of objects": np.array(["a", "b"], object),
    "column": pd.Series(["a", "b"], index=[7, 3]),
    "column of strings": pd.Series(["a", "b"], dtype="string"),
    "categories": pd.Series(["a", "b"], dtype="category"),
    "index": pd.Index(["a", "b"]),
    "keys": {"a": 1, "b": 2}.keys(),
    "generator": lambda: (letter for letter in "ab"),
    "tensor": lambda: tf.constant(["a", "b"]),
    "tensors": lambda: [tf.constant("a"), tf.constant("b")],
    "data set": lambda: tf.data.Dataset.from_tensor_slices(["a", "b"]),
}
# Kinds that are refused, with what the message says, `{}` for the argument.
REFUSED = {
    "none": (None, "`{}` is no list. Received: None of type NoneType"),
    "text": ("a dog", "`{}` is no list. Received: 'a dog' of type str"),
    "one bytes": (b"ab", "`{}` is no list. Received: b'ab' of type bytes"),
    "number": (3, "`{}` is no list. Received: 3 of type int"),
    "nan": (math.nan, "`{}` is no list. Received: nan of type float"),
    "scalar": (np.array("ab"), "`{}` is no list. Received: array('ab'"),
    "dict": ({"a": 1, "b": 2}, "`{}` is no list. Received: {{'a': 1, 'b': 2}}"),
    "set": ({"a"}, "`{}` is no list. Received: {{'a'}} of type set"),
    "table": (
        pd.DataFrame({"a": ["b"]}),
        "of type DataFrame. Accepted: a list",
    ),
    "none inside": (["a", None], "`{}[1]` is missing. Received: None"),
    "nan inside": (["a", math.nan], "`{}[1]` is missing. Received: nan"),
    "missing": (
        pd.Series(["a", pd.NA], dtype="string"),
        "`{}[1]` is missing. Received: <NA>",
    ),
    "hole": (pd.Series(["a", None]), "`{}[1]` is missing. Received: "),
    "numbers": ([1, 2], "`{}[0]` is no text. Received: 1 of type int"),
    "letters and numbers": (["a", 2], "`{}[1]` is no text. Received: 2"),
    "bytearray": (["a", bytearray(b"b")], "`{}[1]` is no text. Received: byte"),
    "bytes of Latin-1": (
        ["a", b"caf\xe9"],
        "`{}[1]` holds bytes that are not UTF-8, at position 3. Received: b'ca",
    ),
    "bytes of bytes": (bytearray(b"ab"), "`{}` is no list. Received: bytearr"),
    "half a pair": (["a", "\ud800"], "`{}[1]` holds half a surrogate pair"),
}
NESTED = {
    "nested": (
        [["a"], ["b"]],
        "`{}[0]` is no text. Received: ['a'] of type list",
    ),
    "table of NumPy": (np.array([["a"], ["b"]]), "`{}[0]` is no text"),
}


def made(value):
    return value() if callable(value) else value


def decoded(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("kind", list(ACCEPTED))
@pytest.mark.parametrize("entry", list(ENTRIES))
def test_texts_are_taken_of_any_ordered_kind(client, entry, kind):
    call, _ = ENTRIES[entry]
    call(client, made(ACCEPTED[kind]))
    ((_, inputs),) = client._transport.sent
    assert ["a", "b"] in [[*map(decoded, x)] for x in inputs.values()]
    for texts in inputs.values():
        assert isinstance(texts, list)
        assert all(isinstance(text, (str, bytes)) for text in texts)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (entry, kind)
        for entry in ENTRIES
        for kind in (*REFUSED, *NESTED)
        # None is the default: there are no second texts.
        if (entry, kind)
        not in (("embed second", "none"), ("classify second", "none"))
    ],
)
def test_what_are_no_texts_is_refused(client, entry, kind):
    call, name = ENTRIES[entry]
    value, message = {**REFUSED, **NESTED}[kind]
    if entry == "predict" and kind in NESTED:
        # Rows, which some signature may take.
        call(client, value)
        return
    with pytest.raises(InputError) as caught:
        call(client, value)
    assert message.format(name) in str(caught.value)
    assert "Accepted: " in str(caught.value)
    assert client._transport.sent == []


@pytest.mark.parametrize("kind", [CallerError, TypeError, ValueError])
def test_refusal_is_an_error_of_callers_types_and_values(kind):
    assert issubclass(InputError, kind)


def test_no_texts_are_no_request(client):
    for empty in ([], (), np.array([]), pd.Series([], dtype=str), iter(())):
        assert client.tag(empty) == []
        assert client.classify([], empty) == []
    assert client.embed([]) == client.embed([], []) == []
    assert client._transport.sent == []


@pytest.mark.parametrize(
    "sentences",
    [
        [["a", "b"], ["c"]],
        (("a", "b"), ("c",)),
        [np.array(["a", "b"]), np.array([b"c"])],
        pd.Series([["a", "b"], ["c"]]),
        iter([iter("ab"), iter("c")]),
        tf.ragged.constant([["a", "b"], ["c"]]),
    ],
    ids=["lists", "tuples", "arrays", "column", "generators", "ragged"],
)
def test_sentences_are_taken_of_any_ordered_kind(client, sentences):
    answer = client.tag_words(sentences)
    assert [[word.word for word in words] for words in answer] == [
        ["a", "b"],
        ["c"],
    ]


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (
            ["dog", "cats"],
            "`sentences[0]` is no list. Received: 'dog' of type str",
        ),
        ([["a"], "cats"], "`sentences[1]` is no list. Received: 'cats'"),
        ([["a"], b"cats"], "`sentences[1]` is no list. Received: b'cats'"),
        (pd.Series(["dog", "cats"]), "`tag` splits texts itself"),
        ("dog", "`sentences` is no list. Received: 'dog' of type str"),
        (None, "`sentences` is no list. Received: None"),
        ([["a"], None], "`sentences[1]` is no list. Received: None"),
        ([["a"], math.nan], "`sentences[1]` is no list. Received: nan"),
        ([["a", None]], "`sentences[0][1]` is missing. Received: None"),
        ([["a"], ["b", 3]], "`sentences[1][1]` is no text. Received: 3"),
        (
            [[["a"]]],
            "`sentences[0][0]` is no text. Received: ['a'] of type list",
        ),
        (
            [{"a": 1}],
            "`sentences[0]` is no list. Received: {'a': 1} of type dict",
        ),
    ],
)
def test_what_are_no_sentences_is_refused(client, sentences, message):
    with pytest.raises(InputError) as caught:
        client.tag_words(sentences)
    assert message in str(caught.value)
    assert client._transport.sent == []


def test_words_for_texts_are_told_where_to_go(client):
    with pytest.raises(InputError, match="go to `tag_words`"):
        client.tag([["a", "dog"]])


@pytest.mark.parametrize("call", ["classify", "embed"])
@pytest.mark.parametrize("pairs", [([], ["a"]), (["a"], []), (["a", "b"], "c")])
def test_pairs_of_unequal_number_are_refused(client, call, pairs):
    first, second = pairs[0], list(pairs[1])
    with pytest.raises(InputError, match="`first` and `second` must be of one"):
        getattr(client, call)(first, second)
    assert client._transport.sent == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (["a"],),
            "`inputs` goes from names to lists. Received: ['a'] of type list",
        ),
        ((None,), "`inputs` goes from names to lists. Received: None"),
        (({},), "`inputs` must be of one length. Received: {}"),
        (({"a": ["x"], "b": []},), "of one length. Received: {'a': 1, 'b': 0}"),
        (
            ({"words": [["a", "b"], ["c"]]},),
            "`inputs['words'][1]` differs in shape from `inputs['words'][0]`. "
            "Received: [1], [2]",
        ),
        (
            ({"words": [["a"], "c"]},),
            "`inputs['words'][1]` differs in shape",
        ),
        (({"text": ["a"]}, "embed", "tags"), "`outputs` is no list"),
        (({"text": ["a"]}, "embed", [1]), "`outputs[0]` is no name"),
    ],
)
def test_wrong_requests_are_refused(client, arguments, message):
    with pytest.raises(InputError) as caught:
        client.predict(*arguments)
    assert message in str(caught.value)
    assert client._transport.sent == []


class Loader:
    """As `keras.utils.PyDataset`: items by number, without an end."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return ["a"]


class Repeated:
    """As a `tf.data.Dataset` after `repeat()`."""

    def __iter__(self):
        return itertools.repeat("a")

    def cardinality(self):
        return -1


@pytest.mark.parametrize("value", [Loader(), Repeated()], ids=["loader", "set"])
def test_what_never_ends_is_refused(value):
    with pytest.raises(InputError, match="`texts` is no list"):
        client_arguments.texts("texts", value)
