"""What every export has to do, whoever asks: right answers, clean errors.

Each function takes an asker (see asking.py) and the kind of the export, a key
of `contract.SIGNATURES`, and raises AssertionError. The same suite runs over
the C API, a double of the server and the server itself.
"""

import random

import numpy as np

from dlfa_tf.serving import contract
from tests.serving.asking import Grpc
from tests.serving.asking import Refusal

# Float32; the model pads other batches.
TOLERANCE = 1e-4
INVALID = b"a \xff\xfeb c \xe6\x9d".decode("utf-8", "surrogateescape")
LONG = " ".join(["cat", "dog", "sees"] * 100)
TEXTS = ["the cat sees", "", LONG, "  a\u00a0dog\u3000runs \n", "東京 ДОМ"]
WORDS = [["the", "cat", "sees"], ["a", "", "dog"], ["", "", ""]]
FIVE_MEGABYTES = 5 * 2**20
# After which a request that nobody answers counts as such.
UNANSWERED_SECONDS = 2
# First and last code points of scripts and of what is no script.
RANGES = {
    "latin": (0x41, 0x24F),
    "combining": (0x300, 0x36F),
    "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x4FF),
    "armenian": (0x531, 0x586),
    "hebrew": (0x590, 0x5F4),
    "arabic": (0x600, 0x6FF),
    "devanagari": (0x900, 0x97F),
    "bengali": (0x980, 0x9FB),
    "tamil": (0xB80, 0xBFA),
    "telugu": (0xC00, 0xC7F),
    "thai": (0xE00, 0xE5B),
    "georgian": (0x10A0, 0x10FF),
    "ethiopic": (0x1200, 0x137C),
    "kana": (0x3041, 0x30FF),
    "han": (0x4E00, 0x9FFF),
    "hangul": (0xAC00, 0xD7A3),
    "control": (0x00, 0x20),
    "punctuation": (0x2000, 0x206F),
    "private": (0xE000, 0xE0FF),
    "emoji": (0x1F300, 0x1FAFF),
    "han beyond": (0x20000, 0x2A6DF),
    "tags": (0xE0000, 0xE007F),
    # Surrogates that stand for bytes which are no UTF-8.
    "no utf-8": (0xDC80, 0xDCFF),
}


def random_texts(count, seed):
    """Strings of 0 to 40 characters of one to three of the ranges."""
    chance = random.Random(seed)
    names = list(RANGES)
    texts = []
    for number in range(count):
        # Every range has its turn.
        chosen = [names[number % len(names)], *chance.sample(names, 2)]
        chosen = chosen[: chance.randint(1, 3)]
        letters = []
        for _ in range(chance.randint(0, 40)):
            low, high = RANGES[chance.choice(chosen)]
            letters.append(chr(chance.randint(low, high)))
            if chance.random() < 0.2:
                letters.append(chance.choice(" \t\u3000\u00a0"))
        # Bytes that by chance make a character would decode to another text.
        text = "".join(letters)
        raw = text.encode("utf-8", "surrogateescape")
        texts.append(raw.decode("utf-8", "surrogateescape"))
    return texts


def check_answers(asker, model, kind):
    """Every signature answers as the Python model does."""
    if kind == "tagger":
        _check_tagger(asker, model)
    else:
        _check_classifier(asker, model, kind)


def _check_tagger(asker, model):
    answer = ask(asker, "serving_default", {"text": TEXTS})
    assert answer["length"] == [len(text.split()) for text in TEXTS]
    _check_tags(answer, model, [text.split() for text in TEXTS])
    answer = ask(asker, "tag_words", {"words": WORDS})
    assert answer["length"] == [3, 3, 0]
    _check_tags(answer, model, [WORDS[0], WORDS[1], []])
    # What the client sends for an empty word, which at the end is padding.
    answer = ask(asker, "tag_words", {"words": [["the", " "]]})
    answer["words"] = [["the", ""]]
    _check_tags(answer, model, [["the", ""]])
    vectors = ask(asker, "embed", {"text": TEXTS})["embedding"]
    for text, vector in zip(TEXTS, vectors, strict=True):
        # Of the first row of the text.
        expected = _vectors(model, [text])[0]
        np.testing.assert_allclose(vector, expected, atol=TOLERANCE)


def _vectors(model, texts):
    """Position 0 of texts or pairs, or the mean of their real positions."""
    features = model.preprocessor(texts)
    output = np.asarray(model.backbone(features)["sequence_output"])
    if model.backbone.sentence_pooling == "first":
        return output[:, 0]
    mask = np.asarray(features["padding_mask"], output.dtype)[..., None]
    return (output * mask).sum(1) / mask.sum(1)


def _check_tags(answer, model, sentences):
    filled = [words or ["x"] for words in sentences]
    logits = model.predict(filled)
    for i, words in enumerate(sentences):
        n = len(words)
        assert answer["words"][i][:n] == words
        odds = np.exp(logits[i, :n] - logits[i, :n].max(-1, keepdims=True))
        odds /= odds.sum(-1, keepdims=True)
        scores = answer["scores"][i]
        np.testing.assert_allclose(scores[:n], odds.max(-1), atol=TOLERANCE)
        best = [model.labels[j] for j in odds.argmax(-1)]
        assert answer["tags"][i][:n] == best
        assert set(answer["tags"][i][n:] + answer["words"][i][n:]) <= {""}
        assert not any(scores[n:])


def _check_classifier(asker, model, kind):
    inputs = _inputs(kind, TEXTS, TEXTS[::-1])
    texts = TEXTS if kind == "single_classifier" else (TEXTS, TEXTS[::-1])
    answer = ask(asker, "serving_default", inputs)
    logits = np.asarray(model.predict_on_batch(texts))
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    odds /= odds.sum(-1, keepdims=True)
    np.testing.assert_allclose(
        np.array(answer["probabilities"], float), odds, atol=TOLERANCE
    )
    assert answer["label"] == [model.labels[j] for j in odds.argmax(-1)]
    vectors = ask(asker, "embed", inputs)["embedding"]
    np.testing.assert_allclose(
        np.array(vectors, float), _vectors(model, texts), atol=TOLERANCE
    )


def _inputs(kind, first, second):
    """Texts for `serving_default` and `embed`; `second` is of pairs only."""
    names = contract.SIGNATURES[kind]["serving_default"].inputs
    return dict(zip(names, (first, second), strict=False))


def check_hostile(asker, kind, size=FIVE_MEGABYTES, batching=False):
    """Requests that no client should send; the next is answered as before.

    With `batching` the server joins requests: it refuses what has no
    dimension itself, and does not answer what has no rows.
    """
    names = list(contract.SIGNATURES[kind]["serving_default"].inputs)

    def every(value):
        return dict.fromkeys(names, value)

    before = ask(asker, "serving_default", every(["it lives"]))
    for signature in ("serving_default", "embed"):
        for name in names:
            for wrong in ("a b", [["a b"]], [["a", "b"]], [[["a"]]]):
                answer = asker.ask(signature, {**every(["a b"]), name: wrong})
                assert isinstance(answer, Refusal), (signature, wrong, answer)
                said = answer.message.lower()
                if batching and wrong == "a b":
                    assert "must have at least one dimension" in said, answer
                else:
                    assert "shape" in said, answer
            answer = asker.ask(signature, {**every(["a b"]), name: [1.5]})
            assert isinstance(answer, Refusal), (signature, answer)
    if kind == "tagger":
        for wrong in ("a", ["a", "b"], [[["a"]]]):
            answer = asker.ask("tag_words", {"words": wrong})
            assert isinstance(answer, Refusal), answer
    elif kind == "classifier":
        answer = asker.ask(
            "serving_default", {"first": ["a", "b"], "second": ["c"]}
        )
        assert isinstance(answer, Refusal), answer
    _check_odd_texts(asker, names, kind, size, batching)
    after = ask(asker, "serving_default", every(["it lives"]))
    assert after == before


def _check_odd_texts(asker, names, kind, size, batching):
    """No texts, no UTF-8, and texts of megabytes are answered."""

    def every(value):
        return dict.fromkeys(names, value)

    for signature in ("serving_default", "embed"):
        if not batching:
            answer = ask(asker, signature, every([]))
            assert all(np.size(value) == 0 for value in answer.values())
        elif isinstance(asker, Grpc):
            # Over REST the server itself decides how long it waits.
            answer = asker.ask(signature, every([]), UNANSWERED_SECONDS)
            assert isinstance(answer, Refusal), answer
            assert answer.message.startswith("DEADLINE_EXCEEDED"), answer
    answer = ask(asker, "serving_default", every([INVALID]))
    if kind == "tagger":
        assert answer["length"] == [4]
        assert answer["words"][0][0] == "a"
        answer = ask(asker, "tag_words", {"words": [[]]})
        assert answer["length"] == [0]
    huge = "cat " * (size // 4)
    answer = ask(asker, "embed", every([huge]))
    assert len(answer["embedding"]) == 1
    one_word = "x" * size
    answer = ask(asker, "serving_default", every([one_word]))
    if kind == "tagger":
        assert answer["length"] == [1]
        answer = ask(asker, "serving_default", every([huge]))
        assert answer["length"] == [size // 4]
        assert "" not in answer["tags"][0]
    else:
        answer = ask(asker, "serving_default", every([huge]))
        assert len(answer["label"]) == 1


def check_random(asker, model, kind, count, seed, batch=50):
    """Random strings are answered row by row with labels of the model."""
    texts = random_texts(count, seed)
    for start in range(0, count, batch):
        part = texts[start : start + batch]
        if kind == "tagger":
            answer = ask(asker, "serving_default", {"text": part})
            for i, length in enumerate(answer["length"]):
                assert set(answer["tags"][i][:length]) <= set(model.labels)
                assert "" not in answer["words"][i][:length]
            scores = np.array(answer["scores"], float)
        else:
            inputs = _inputs(kind, part, part[::-1])
            answer = ask(asker, "serving_default", inputs)
            assert set(answer["label"]) <= set(model.labels)
            scores = np.array(answer["probabilities"], float)
            np.testing.assert_allclose(scores.sum(-1), 1, atol=TOLERANCE)
        assert len(scores) == len(part)
        assert np.isfinite(scores).all()


def ask(asker, signature, inputs):
    """Asks, and takes no error for an answer."""
    answer = asker.ask(signature, inputs)
    assert not isinstance(answer, Refusal), (signature, answer.message[:2000])
    return answer
