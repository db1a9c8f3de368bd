"""Tests of reading, labelling and writing lines."""

import json

import pytest

from dlfa_tf.serving.bulk.lines import Example
from dlfa_tf.serving.bulk.lines import label_lines
from dlfa_tf.serving.bulk.lines import read_line
from dlfa_tf.serving.client import Classification
from dlfa_tf.serving.client import TaggedWord


class Fake:
    """Tags a word by its length, classifies a pair by being equal."""

    def tag(self, texts):
        assert texts
        return self.tag_words([text.split() for text in texts])

    def tag_words(self, sentences):
        assert sentences
        return [
            [TaggedWord(w, f"L{len(w)}", 0.5) for w in words]
            for words in sentences
        ]

    def classify(self, first, second=None):
        if second is None:
            return [Classification(f"L{len(a)}", [0.25, 0.75]) for a in first]
        return [
            Classification("same" if a == b else "other", [0.25, 0.75])
            for a, b in zip(first, second, strict=True)
        ]


def label(kind, form, lines):
    bad = []
    out = label_lines(
        Fake(), kind, form, lines, lambda *problem: bad.append(problem)
    )
    assert len(out) == len(lines)
    return out, bad


def test_texts_are_tagged():
    out, bad = label("tagger", "lines", ["Привет ab\r\n".encode(), b"\n", b"x"])
    assert out == ["Привет/L6 ab/L2", "", "x/L1"]
    assert bad == []


def test_pairs_are_classified_and_others_reported():
    lines = [b"a\ta\n", b"alone\n", b"a\tb\tc\n", b"\xff\ta\n", b"a\tb\n"]
    out, bad = label("classifier", "lines", lines)
    assert out == ["same\t0.7500", "", "", "", "other\t0.7500"]
    assert [index for index, _ in bad] == [1, 2, 3]
    assert bad[0][1] == (
        "expected two texts separated by TAB. Received: 1 column(s): 'alone'."
    )
    assert "3 column(s)" in bad[1][1]
    assert bad[2][1] == "expected UTF-8. Received: byte 0xff at position 0."


def test_single_texts_are_classified():
    out, bad = label("single_classifier", "lines", [b"alone\n", b"a\tb\n"])
    assert out == ["L5\t0.7500", ""]
    assert bad[0][1].startswith("expected one text, without TAB: the model was")
    lines = [b'{"text": "a\\tb", "id": 1}', b'{"first": "a", "second": "b"}']
    out, bad = label("single_classifier", "jsonl", lines)
    assert json.loads(out[0]) == {
        "id": 1, "label": "L3", "probabilities": [0.25, 0.75],
    }  # fmt: skip
    assert 'expected an object like {"text"' in bad[0][1]


def test_objects_are_tagged_and_keep_their_other_keys():
    lines = [
        b'{"id": 7, "text": "ab c"}\n',
        b'{"words": ["d e", ""], "id": [1]}\n',
        b'{"words": []}',
        b'{"texts": "a"}',
        b"no json",
        b"[1]",
    ]
    out, bad = label("tagger", "jsonl", lines)
    found = [json.loads(line) for line in out]
    scores = [0.5, 0.5]
    assert found[0] == {"id": 7, "words": ["ab", "c"], "tags": ["L2", "L1"],
                        "scores": scores}  # fmt: skip
    assert found[1] == {"id": [1], "words": ["d e", ""], "tags": ["L3", "L0"],
                        "scores": scores}  # fmt: skip
    assert found[2] == {"words": [], "tags": [], "scores": []}
    assert [index for index, _ in bad] == [3, 4, 5]
    assert [f["error"] for f in found[3:]] == [text for _, text in bad]
    assert 'like {"text": "..."} or {"words"' in bad[0][1]
    assert bad[1][1].startswith("expected JSON")


def test_object_pairs_are_classified():
    lines = [b'{"first": "a", "second": "a"}', b'{"first": "a", "second": 1}']
    out, bad = label("classifier", "jsonl", lines)
    assert json.loads(out[0]) == {
        "label": "same",
        "probabilities": [0.25, 0.75],
    }
    assert [index for index, _ in bad] == [1]


def test_keys_that_the_answer_has_come_back_aside():
    lines = [
        b'{"first": "a", "second": "b", "label": "neutral", "id": 7}',
        b'{"first": "a", "second": "a", "error": "", "input": 1, "tags": 2}',
    ]
    out, bad = label("classifier", "jsonl", lines)
    assert bad == []
    odds = [0.25, 0.75]
    assert [json.loads(line) for line in out] == [
        {"id": 7, "label": "other", "probabilities": odds,
         "input": {"label": "neutral"}},
        {"tags": 2, "label": "same", "probabilities": odds,
         "input": {"error": "", "input": 1}},
    ]  # fmt: skip
    (line,), _ = label("tagger", "jsonl", [b'{"text": "ab", "tags": ["X"]}'])
    found = json.loads(line)
    assert (found["tags"], found["input"]) == (["L2"], {"tags": ["X"]})


def test_offsets_are_written_with_the_lines():
    lines = [b"a\ta\n", b"x\n"]
    out = label_lines(
        Fake(), "classifier", "lines", lines, lambda *_: None, [0, 4]
    )
    assert out == ["0\tsame\t0.7500", "4\t"]
    lines = [b'{"text": "ab", "offset": 5}', b"x"]
    out = label_lines(Fake(), "tagger", "jsonl", lines, lambda *_: None, [0, 9])
    found = [json.loads(line) for line in out]
    assert [f["offset"] for f in found] == [0, 9]
    assert found[0]["input"] == {"offset": 5}
    assert found[1]["error"].startswith("expected JSON")


@pytest.mark.parametrize("form", ["text", "words", "passed on", "key"])
def test_half_a_surrogate_pair_is_reported(form):
    line = {
        "text": rb'{"text": "hi \ud83d"}',
        "words": rb'{"words": ["hi", "\uDE00"]}',
        "passed on": rb'{"text": "hi", "meta": [{"by": "\ud83d"}]}',
        "key": rb'{"text": "hi", "\ud83d": 1}',
    }[form]
    whole = rb'{"text": "\ud83d\ude00"}'
    out, bad = label("tagger", "jsonl", [whole, line, whole])
    assert json.loads(out[0])["words"] == json.loads(out[2])["words"] == ["😀"]
    assert [index for index, _ in bad] == [1]
    half = r"'\ude00'" if form == "words" else r"'\ud83d'"
    assert f"half a surrogate pair, {half}: " in bad[0][1]
    assert json.loads(out[1]) == {"error": bad[0][1]}


def test_half_a_surrogate_pair_of_a_pair_is_reported():
    line = rb'{"first": "a", "second": "\ud83d"}'
    out, bad = label("classifier", "jsonl", [line])
    assert json.loads(out[0]) == {"error": bad[0][1]}


@pytest.mark.parametrize("form", ["lines", "jsonl"])
def test_surrogates_in_bytes_are_no_utf_8(form):
    _, bad = label("tagger", form, [b'{"text": "\xed\xa0\xbd"}'])
    assert [text for _, text in bad] == [
        "expected UTF-8. Received: byte 0xed at position 10."
    ]


@pytest.mark.parametrize(
    "start", [b"", b'{"text": "a", "rest": '], ids=["line", "passed on"]
)
def test_deeply_nested_line_is_reported(start):
    good = b'{"text": "a"}'
    line = start + b"[" * 100_000
    out, bad = label("tagger", "jsonl", [good, line, good])
    ((index, text),) = bad
    assert index == 1
    assert "expected JSON that is nested less deeply. Received: '" in text
    assert len(text) < 250
    assert json.loads(out[1]) == {"error": text}
    assert json.loads(out[0])["tags"] == json.loads(out[2])["tags"] == ["L1"]


def test_report_may_stop():
    def stop(index, message):
        raise ValueError(f"{index}: {message}")

    with pytest.raises(ValueError, match="1: expected two texts"):
        label_lines(Fake(), "classifier", "lines", [b"a\tb", b"c"], stop)


def test_line_is_read_as_it_stands():
    assert read_line(b" a  b \r\n", "tagger", "lines") == Example(" a  b ", {})
