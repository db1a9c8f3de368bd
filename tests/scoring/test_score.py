"""Tests of the scores of one language."""

import pytest

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.tasks import get_task
from dlfa_tf.scoring.score import score


def sentences(*rows):
    return [TaggedSentence(("w",) * len(tags), tuple(tags)) for tags in rows]


def test_pairs_are_scored_by_accuracy():
    gold = [PairExample("a", "b", label) for label in ("0", "1", "1", "0")]
    assert score(get_task("pawsx"), gold, ["0", "1", "0", "1"]) == {
        "score": 50.0,
        "accuracy": 50.0,
        "examples": 4,
    }


def test_entities_are_scored_by_f1_and_words_by_accuracy():
    gold = sentences(["B-PER", "I-PER", "O"], ["B-LOC", "O"])
    predicted = [["B-PER", "I-PER", "O"], ["O", "B-ORG"]]
    scores = score(get_task("ner"), gold, predicted)
    # One of two entities found, one of two found ones right; 3 of 5 words.
    assert scores == {
        "score": pytest.approx(50.0),
        "accuracy": pytest.approx(60.0),
        "precision": pytest.approx(50.0),
        "recall": pytest.approx(50.0),
        "examples": 2,
    }


def test_tags_that_stand_in_for_removed_ones_are_noted():
    gold = sentences(["X", "X"], ["X"])
    scores = score(get_task("pos"), gold, [["X", "X"], ["NOUN"]])
    assert "the gold tags are all X" in scores["note"]
    some = sentences(["X", "X"], ["NOUN"])
    assert "note" not in score(get_task("pos"), some, [["X", "X"], ["X"]])


def test_gold_labels_without_any_entity_are_noted():
    gold = sentences(["O", "O"], ["O"])
    scores = score(get_task("ner"), gold, [["O", "O"], ["O"]])
    assert scores["accuracy"] == 100.0
    assert scores["score"] == 0.0
    assert "the gold labels hold no entity" in scores["note"]
    some = sentences(["O", "B-PER"])
    assert "note" not in score(get_task("ner"), some, [["O", "O"]])
    assert "note" not in score(get_task("ner"), [], [])
    pos = sentences(["X", "X"])
    assert "note" not in score(get_task("pos"), pos, [["X", "X"]])


def test_pos_is_scored_by_chunks_of_equal_tags():
    gold = sentences(["NOUN", "NOUN", "VERB"])
    scores = score(get_task("pos"), gold, [["NOUN", "VERB", "VERB"]])
    # No chunk agrees, although two of three tags do.
    assert scores["score"] == 0.0
    assert scores["accuracy"] == pytest.approx(200 / 3)


def test_pos_and_entities_are_told_apart():
    tags = ["CCONJ", "SCONJ"]
    scores = score(get_task("pos"), sentences(tags), [["SCONJ", "CCONJ"]])
    assert scores["score"] == 0.0
    assert score(get_task("pos"), sentences(tags), [tags])["score"] == 100.0


@pytest.mark.parametrize("task", ["ner", "pawsx"])
def test_too_few_predictions_are_refused(task):
    gold = {
        "ner": sentences(["O"], ["O"]),
        "pawsx": [PairExample("a", "b", "0")] * 2,
    }[task]
    predicted = [["O"]] if task == "ner" else ["0"]
    with pytest.raises(ValueError, match="2 and 1"):
        score(get_task(task), gold, predicted)
