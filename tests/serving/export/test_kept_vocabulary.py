"""Tests of exports over the pieces of given texts."""

import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export.kept_vocabulary import KeptVocabulary
from dlfa_tf.serving.export.kept_vocabulary import pieces_of_texts
from dlfa_tf.serving.export.lint import check_export
from dlfa_tf.serving.export.lint import failures
from dlfa_tf.serving.export.metadata_file import read_metadata
from dlfa_tf.serving.export.served_graph import ServedGraph
from tests.serving.conftest import LABELS
from tests.serving.conftest import TAGS
from tests.serving.conftest import build

LINES = [b"the cat sees a house\n", b"a dog runs\r\n"]
KNOWN = ["a cat sees the dog", "house"]
FOREIGN = "quick 猫"


@pytest.fixture(params=["tiny", "tiny_sentencepiece"])
def model(request):
    return build(DLFATextClassifier, request.param, LABELS)


def logits(kept, model, first, second):
    features = model.preprocessor((first, second))
    return kept.model(kept.features(features), training=False).numpy()


def test_pieces_are_those_of_the_texts_and_the_special_ones(model):
    kept = pieces_of_texts(model.preprocessor, LINES)
    pieces = model.preprocessor.pieces
    assert kept.dtype == np.int32
    assert kept.tolist() == sorted(set(kept.tolist()))
    special = {pieces.pad_id, pieces.start_id, pieces.end_id, pieces.unk_id}
    assert special <= set(kept.tolist())
    for texts in (KNOWN, ["cat", "dog", "house"]):
        ids = pieces.tokenize(tf.constant(texts)).flat_values.numpy()
        assert pieces.unk_id not in ids
        assert set(ids.tolist()) <= set(kept.tolist())
    assert len(kept) < model.backbone.token_embedding.input_dim
    nothing = pieces_of_texts(model.preprocessor, [])
    assert set(nothing.tolist()) == special


def test_known_texts_are_read_as_by_the_full_model(model):
    kept = KeptVocabulary(model, pieces_of_texts(model.preprocessor, LINES))
    features = model.preprocessor((KNOWN, KNOWN[::-1]))
    np.testing.assert_array_equal(
        logits(kept, model, KNOWN, KNOWN[::-1]),
        model(features, training=False).numpy(),
    )


def test_other_pieces_are_read_as_unknown(model):
    kept = KeptVocabulary(model, pieces_of_texts(model.preprocessor, LINES))
    pieces = model.preprocessor.pieces
    features = model.preprocessor(([FOREIGN], ["a dog"]))
    known = tf.reduce_any(
        features["token_ids"].numpy()[..., None]
        == pieces_of_texts(model.preprocessor, LINES),
        axis=-1,
    )
    assert not tf.reduce_all(known)
    as_unknown = {
        **features,
        "token_ids": tf.where(known, features["token_ids"], pieces.unk_id),
    }
    np.testing.assert_array_equal(
        logits(kept, model, [FOREIGN], ["a dog"]),
        model(as_unknown, training=False).numpy(),
    )


@pytest.mark.parametrize(
    ("kept", "part"),
    [([5, 6, 7], "without"), ([0, 1, 2, 3, 10**6], "to 1000000")],
)
def test_ids_that_cannot_be_kept_are_named(kept, part):
    model = build(DLFATextClassifier, "tiny_sentencepiece", LABELS)
    with pytest.raises(ValueError, match=f"`kept` must hold ids.*{part}"):
        KeptVocabulary(model, np.array(kept, np.int32))


@pytest.mark.slow
def test_an_export_of_some_pieces_passes_the_check_and_answers(tmp_path):
    model = build(DLFATokenClassifier, "tiny_sentencepiece", TAGS)
    kept = pieces_of_texts(model.preprocessor, LINES)
    folder = export_saved_model(
        model, tmp_path / "small", max_batch_size=2, kept_ids=kept
    )
    assert not failures(check_export(folder))
    assert read_metadata(folder)["vocabulary_size"] == len(kept)
    graph = ServedGraph(folder)
    text = "a cat sees the dog"
    answer = graph.run(
        "serving_default", {"text": np.array([text, FOREIGN], object)}
    )
    graph.close()
    (tags,) = model.tag([text])
    assert [tag.decode() for tag in answer["tags"][0]] == tags
    assert answer["length"].tolist() == [5, 2]
