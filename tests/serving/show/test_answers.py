"""Tests of dlfa_tf.serving.show.answers."""

import keras
import numpy as np
import pytest

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving.client import Client
from dlfa_tf.serving.show.answers import ExportAnswers
from dlfa_tf.serving.show.answers import ModelAnswers
from tests.serving import toy_models

TEXT = "Der Zug\u3000ist weg , 東京 नमस्ते"


@pytest.fixture(scope="module")
def fused_classifier():
    keras.utils.set_random_seed(5)
    return DLFATextClassifier.from_preset(
        "tiny_sentencepiece", fusion_layer=1, labels=["no", "yes"]
    )


def test_words_have_the_tags_and_odds_of_the_model(tagger, eager):
    answer = ModelAnswers(tagger, "runs/x").answer([TEXT])
    words = answer["words"]
    assert [word["text"] for word in words] == TEXT.split()
    assert [word["tag"] for word in words] == tagger.tag([TEXT])[0]
    odds = keras.ops.convert_to_numpy(
        keras.ops.softmax(tagger.predict([TEXT]))
    )[0]
    for word, expected in zip(words, odds, strict=True):
        found = dict(word["odds"])
        # float32, and rows of another width.
        assert word["score"] == pytest.approx(expected.max(), abs=1e-5)
        for label, value in zip(tagger.labels, expected, strict=True):
            assert found[label] == pytest.approx(value, abs=1e-5)


def test_share_of_a_word_is_that_of_its_label_piece(tagger, eager):
    words = ModelAnswers(tagger, "x").answer(["Der Zug ist weg"])["words"]
    preprocessor = tagger.preprocessor
    rows = preprocessor.encode_words(preprocessor.as_words(["Der Zug ist weg"]))
    features = preprocessor.features(rows.token_ids, None)
    fusion = tagger.backbone.get_layer("dlfa")
    low, high = (
        keras.Model(tagger.backbone.input, x)(features)
        for x in fusion.input[:2]
    )
    gate = fusion.compute_gate(low, high, mask=features["padding_mask"])
    part = np.abs(np.asarray(low * gate)).sum(-1)
    other = np.abs(np.asarray(high * (1 - gate))).sum(-1)
    expected = (part / (part + other))[rows.label_mask.to_tensor(False).numpy()]
    assert [word["share"] for word in words] == pytest.approx(
        expected.tolist(), abs=1e-5
    )


def test_text_of_many_rows_is_tagged_to_the_end(tagger, eager):
    text = "Zug " * 200
    words = ModelAnswers(tagger, "x").answer([text])["words"]
    assert [word["tag"] for word in words] == tagger.tag([text])[0]
    assert all(0 <= word["share"] <= 1 for word in words)


def test_text_without_words_has_none(tagger, eager):
    assert ModelAnswers(tagger, "x").answer([" \n"]) == {"words": []}


def test_pair_has_the_label_of_the_model_and_its_pieces(
    fused_classifier, eager
):
    answers = ModelAnswers(fused_classifier, "x")
    answer = answers.answer(["the cat", "a dog sleeps"])
    logits = fused_classifier.predict_on_batch((["the cat"], ["a dog sleeps"]))
    labels = fused_classifier.labels
    assert answer["label"] == labels[int(np.argmax(logits))]
    assert sum(value for _, value in answer["odds"]) == pytest.approx(1)
    first, second = answer["texts"]
    for pieces, text in ((first, "the cat"), (second, "a dog sleeps")):
        assert "".join(p["text"] for p in pieces) == text.replace(" ", "")
        assert pieces[0]["starts"]
        assert sum(p["starts"] for p in pieces) == len(text.split())
        assert all(0 <= p["share"] <= 1 for p in pieces)


def test_single_text_is_read_alone(fused_classifier, eager):
    answer = ModelAnswers(fused_classifier, "x").answer(["the cat"])
    logits = fused_classifier.predict_on_batch(["the cat"])
    odds = dict(answer["odds"])
    expected = np.asarray(keras.ops.softmax(logits))[0]
    assert odds["no"] == pytest.approx(float(expected[0]), abs=1e-5)
    assert len(answer["texts"]) == 1


def test_pieces_of_a_wordpiece_vocabulary_are_shown(eager):
    model = DLFATextClassifier.from_preset("tiny", labels=["no", "yes"])
    answers = ModelAnswers(model, "x")
    (pieces,) = answers.answer(["Zug Zugs"])["texts"]
    assert [p["text"] for p in pieces if p["starts"]]
    assert not any(p["text"].startswith("##") for p in pieces)
    assert sum(p["starts"] for p in pieces) == 2
    assert {p["share"] for p in pieces} == {None}
    assert not answers.about["shows_share"]


def test_about_says_what_the_model_is(tagger):
    assert ModelAnswers(tagger, "runs/x").about == {
        "name": "runs/x",
        "kind": "tagger",
        "system": "D_1",
        "labels": ["A", "B", "C", "D"],
        "fusion_layer": 1,
        "shows_share": True,
    }


def test_model_without_a_preprocessor_is_refused():
    model = DLFATokenClassifier.from_preset(
        "tiny", labels=["A", "B"], preprocessor=None
    )
    with pytest.raises(ValueError, match="with a preprocessor and labels"):
        ModelAnswers(model, "x")


def test_exported_tagger_answers_as_the_client(toy_tagger):
    answers = ExportAnswers(toy_tagger, "toy")
    assert answers.about["system"] is None
    assert answers.answer(["der Zug"])["words"] == [
        {
            "text": word,
            "tag": tag,
            "score": 0.5,
            "odds": [(tag, 0.5)],
            "share": None,
        }
        for word, tag in (("der", "LOW"), ("Zug", "UP"))
    ]


def test_exported_classifier_answers_as_the_client(toy_classifier):
    answers = ExportAnswers(toy_classifier, "toy")
    assert answers.answer(["a", "a"]) == {
        "label": "same",
        "odds": [("1", 1.0), ("0", 0.0)],
        "texts": [],
    }
    # A single text is a pair with nothing.
    assert answers.answer(["a"])["label"] == "other"
    with Client.of_export(toy_classifier) as client:
        assert client.classify(["a"], [""])[0].label == "other"


def test_exported_classifier_of_single_texts_answers_as_the_client(tmp_path):
    export = toy_models.save_single_classifier(tmp_path / "1")
    answers = ExportAnswers(export, "toy")
    assert answers.about["kind"] == "single_classifier"
    assert answers.answer(["abc"]) == {
        "label": "long",
        "odds": [("1", 1.0), ("0", 0.0)],
        "texts": [],
    }


def test_model_of_single_texts_is_of_the_kind_of_its_export(fused_classifier):
    about = ModelAnswers(fused_classifier, "pairs").about
    assert about["kind"] == "classifier"
    fused_classifier.num_texts = 1
    try:
        about = ModelAnswers(fused_classifier, "single").about
    finally:
        fused_classifier.num_texts = None
    assert about["kind"] == "single_classifier"


def test_export_says_what_it_is(tagger_export):
    about = ExportAnswers(tagger_export, "tagger").about
    assert about["system"] == "D_1"
    assert about["labels"] == ["A", "B", "C", "D"]
