"""Chunk F1 against hand-made answers, a second writing and seqeval."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from dlfa_tf.data.tasks import NER_TAGS
from dlfa_tf.data.tasks import UPOS_TAGS
from dlfa_tf.metrics.chunk_f1 import ner_f1
from dlfa_tf.metrics.chunk_f1 import pos_f1

BOTH = pytest.mark.parametrize("score", [pos_f1, ner_f1])


def _tagged_pairs(tags):
    """Gold and predicted sentences of equal lengths, often equal tags."""
    # Few tags at a time, so that runs of equal tags are common.
    few = st.sets(st.sampled_from(tags), min_size=1, max_size=4)

    def sentences(chosen):
        tag = st.sampled_from(sorted(chosen))
        word = st.one_of(tag.map(lambda t: (t, t)), st.tuples(tag, tag))
        return st.lists(st.lists(word, max_size=9), min_size=1, max_size=4)

    return few.flatmap(sentences).map(
        lambda words: (
            [[gold for gold, _ in sentence] for sentence in words],
            [[predicted for _, predicted in sentence] for sentence in words],
        )
    )


def _as_tuple(values):
    return values["f1"], values["precision"], values["recall"]


def test_pos_f1_follows_the_rule_that_reproduces_xtreme():
    gold = "CCONJ NOUN X NOUN NOUN SYM SYM SCONJ SCONJ VERB".split()
    predicted = "SCONJ NOUN X NOUN VERB SYM SYM SCONJ SCONJ VERB".split()
    # 9 gold chunks, 10 predicted, 7 equal. The rule of seqeval 1.2.2, which
    # takes CCONJ for SCONJ, would give 84.21 here; accuracy is 80.
    values = pos_f1([gold], [predicted])
    assert values["f1"] == pytest.approx(100 * 14 / 19)
    assert round(values["f1"], 2) == 73.68
    assert values["precision"] == pytest.approx(70.0)
    assert values["recall"] == pytest.approx(100 * 7 / 9)


@pytest.mark.parametrize(
    ("gold", "predicted", "f1"),
    [
        pytest.param("CCONJ", "SCONJ", 0, id="cconj_is_not_sconj"),
        pytest.param("X", "SYM", 0, id="x_is_not_sym"),
        pytest.param("X X", "X NOUN", 0, id="x_merges"),
        pytest.param("SYM SYM", "SYM NOUN", 50, id="sym_never_merges"),
        pytest.param("SCONJ SCONJ", "SCONJ X", 50, id="sconj_never_merges"),
        pytest.param("CCONJ CCONJ", "CCONJ X", 0, id="cconj_merges"),
        pytest.param("NOUN NOUN", "NOUN VERB", 0, id="half_a_run_is_wrong"),
        pytest.param("NOUN VERB", "NOUN NOUN", 0, id="too_long_a_run"),
        pytest.param("INTJ INTJ", "INTJ INTJ", 100, id="intj"),
        pytest.param("ADP DET NOUN", "ADP DET VERB", 200 / 3, id="two_of_3"),
        pytest.param("SYM NUM SYM", "SYM NUM SYM", 100, id="sym_apart"),
    ],
)
def test_pos_f1_of_one_sentence(gold, predicted, f1):
    assert pos_f1([gold.split()], [predicted.split()])["f1"] == pytest.approx(
        f1
    )


def test_pos_chunks_end_with_the_sentence():
    joined = pos_f1([["NOUN", "NOUN"]], [["NOUN", "VERB"]])
    apart = pos_f1([["NOUN"], ["NOUN"]], [["NOUN"], ["VERB"]])
    assert joined["f1"] == 0
    assert apart["f1"] == 50


def _pos_by_groups(gold, predicted):
    def chunks(sentences):
        found = []
        for number, tags in enumerate(sentences):
            place = 0
            for tag, run in itertools.groupby(tags):
                size = len(list(run))
                single = tag in ("SCONJ", "SYM")
                parts = [1] * size if single else [size]
                for part in parts:
                    found.append((number, place, place + part, tag))
                    place += part
        return set(found)

    a, b = chunks(gold), chunks(predicted)
    right = len(a & b)
    precision = 100 * right / len(b) if b else 0
    recall = 100 * right / len(a) if a else 0
    both = precision + recall
    return (2 * precision * recall / both if both else 0), precision, recall


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_tagged_pairs(UPOS_TAGS))
def test_pos_f1_equals_a_second_writing(pair):
    assert _as_tuple(pos_f1(*pair)) == pytest.approx(_pos_by_groups(*pair))


def _seqeval(gold, predicted):
    from seqeval.metrics import f1_score
    from seqeval.metrics import precision_score
    from seqeval.metrics import recall_score

    return tuple(
        100 * score(gold, predicted, zero_division=0)
        for score in (f1_score, precision_score, recall_score)
    )


def _is_iob2(tags):
    before = "O"
    for tag in tags:
        if tag.startswith("I-") and before[2:] != tag[2:]:
            return False
        before = tag
    return True


def _as_iob2(tags):
    """Makes every I- without its entity a B-."""
    valid = []
    for tag in tags:
        before = valid[-1] if valid else "O"
        opens = tag.startswith("I-") and before[2:] != tag[2:]
        valid.append("B" + tag[1:] if opens else tag)
    return valid


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_tagged_pairs(NER_TAGS))
def test_ner_f1_equals_seqeval_on_iob2(pair):
    gold, predicted = ([_as_iob2(tags) for tags in side] for side in pair)
    assert all(map(_is_iob2, gold + predicted))
    assert _as_tuple(ner_f1(gold, predicted)) == pytest.approx(
        _seqeval(gold, predicted)
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_tagged_pairs(NER_TAGS))
def test_ner_f1_equals_seqeval_on_any_iob(pair):
    assert _as_tuple(ner_f1(*pair)) == pytest.approx(_seqeval(*pair))


@pytest.mark.parametrize(
    ("gold", "predicted", "f1"),
    [
        pytest.param("B-PER I-PER O", "B-PER I-PER O", 100, id="equal"),
        pytest.param("B-PER I-PER", "B-PER O", 0, id="other_border"),
        pytest.param("B-PER I-PER", "B-ORG I-ORG", 0, id="other_type"),
        pytest.param("B-PER B-PER", "B-PER I-PER", 0, id="two_against_one"),
        pytest.param("O B-PER", "O I-PER", 100, id="i_after_o_opens"),
        pytest.param("B-PER B-LOC", "B-PER I-LOC", 100, id="i_of_other_type"),
        pytest.param("B-PER O", "B-PER B-LOC", 200 / 3, id="one_too_many"),
    ],
)
def test_ner_f1_of_one_sentence(gold, predicted, f1):
    assert ner_f1([gold.split()], [predicted.split()])["f1"] == pytest.approx(
        f1
    )


def test_ner_entities_end_with_the_sentence():
    gold = [["B-PER"], ["I-PER"]]
    assert ner_f1(gold, [["B-PER"], ["B-PER"]])["f1"] == 100


def test_ner_f1_is_micro_averaged():
    # Three PER of four right, no LOC right: macro would give 42.9 or less.
    gold = [["B-PER"], ["B-PER"], ["B-PER"], ["B-PER", "B-LOC"]]
    predicted = [["B-PER"], ["B-PER"], ["B-PER"], ["O", "O"]]
    values = ner_f1(gold, predicted)
    assert values == {
        "f1": pytest.approx(75.0),
        "precision": 100.0,
        "recall": 60.0,
    }


@BOTH
@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_nothing_to_score_gives_zero(score, sentences):
    assert _as_tuple(score(sentences, sentences)) == (0, 0, 0)


def test_no_entities_give_zero():
    assert _as_tuple(ner_f1([["O", "O"]], [["O", "O"]])) == (0, 0, 0)
    assert _as_tuple(ner_f1([["O", "B-PER"]], [["O", "O"]])) == (0, 0, 0)
    assert _as_tuple(ner_f1([["O", "O"]], [["O", "B-PER"]])) == (0, 0, 0)


def test_one_class():
    assert _as_tuple(pos_f1([["NOUN"] * 3], [["NOUN"] * 3])) == (100,) * 3
    assert _as_tuple(ner_f1([["B-LOC"] * 3], [["B-LOC"] * 3])) == (100,) * 3


@BOTH
@settings(max_examples=50, deadline=None, derandomize=True)
@given(_tagged_pairs(NER_TAGS), st.randoms(use_true_random=False))
def test_order_of_sentences_does_not_matter(score, pair, random):
    order = list(range(len(pair[0])))
    random.shuffle(order)
    shuffled = [[side[i] for i in order] for side in pair]
    assert score(*pair) == score(*shuffled)


@BOTH
def test_sequences_of_any_kind_are_accepted(score):
    expected = score([["B-PER", "O"]], [["B-PER", "O"]])
    for kind in (tuple, np.array):
        sentences = kind([kind(["B-PER", "O"])])
        assert score(sentences, sentences) == expected


@BOTH
def test_numbers_of_sentences_must_agree(score):
    with pytest.raises(ValueError, match=r"equally many sentences.*2 and 1\."):
        score([["O"], ["O"]], [["O"]])


@BOTH
def test_numbers_of_tags_must_agree_and_the_sentence_is_named(score):
    gold = [["O"], ["O", "O"], ["O"]]
    predicted = [["O"], ["O", "O"], ["O", "O"]]
    with pytest.raises(
        ValueError, match=r"Sentence 2 \(counted from 0\).*1 and 2\."
    ):
        score(gold, predicted)
