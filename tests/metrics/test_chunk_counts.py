"""Chunks of a million tags at once."""

import time

import numpy as np
import pytest

from dlfa_tf.data.tasks import NER_TAGS
from dlfa_tf.metrics.chunk_counts import count_by_type
from dlfa_tf.metrics.chunk_counts import count_chunks
from dlfa_tf.metrics.chunk_counts import tabulate_rule
from dlfa_tf.metrics.chunk_f1 import ner_counts
from dlfa_tf.metrics.chunk_f1 import ner_rule
from dlfa_tf.metrics.chunk_f1 import pos_counts


def test_counts_of_every_sentence_by_hand():
    gold = [["NOUN", "NOUN", "VERB"], [], ["SYM", "SYM"], ["NOUN"]]
    predicted = [["NOUN", "VERB", "VERB"], [], ["SYM", "SYM"], ["NOUN"]]
    # Of the first: NOUN(0-1) VERB(2) against NOUN(0) VERB(1-2).
    assert pos_counts(gold, predicted).tolist() == [
        [0, 2, 2],
        [0, 0, 0],
        [2, 2, 2],
        [1, 1, 1],
    ]


def test_chunk_of_another_type_but_the_same_place_is_wrong():
    gold, predicted = [["B-PER", "I-PER", "O"]], [["B-LOC", "I-LOC", "O"]]
    assert ner_counts(gold, predicted).tolist() == [[0, 1, 1]]


def entities(tags):
    from seqeval.metrics.sequence_labeling import get_entities

    return set(get_entities(list(tags)))


def test_tables_agree_with_seqeval_on_tags_of_every_prefix():
    # Of other schemes too: the labels of a file need not be IOB2.
    tags = [*NER_TAGS, "E-PER", "S-PER", "E-LOC", "S-ORG"]
    random = np.random.default_rng(0)
    for _ in range(200):
        gold, predicted = random.choice(tags, size=(2, 8)).tolist()
        a, b = entities(gold), entities(predicted)
        assert ner_counts([gold], [predicted]).tolist() == [
            [len(a & b), len(a), len(b)]
        ]


def test_table_has_a_row_for_the_start_and_a_column_for_the_end():
    rule = tabulate_rule(
        ["a", "b"],
        begins=lambda before, tag: before is None,
        ends=lambda tag, after: after is None,
        chunk_type=lambda tag: "one",
    )
    assert rule.begins[2, :2].all() and not rule.begins[:2].any()
    assert rule.ends[:2, 2].all() and not rule.ends[:, :2].any()
    counts = count_chunks(
        rule, np.array([0, 1, 0]), np.array([1, 0, 1]), np.array([0, 2, 3])
    )
    # One chunk a sentence, of one type: all right.
    assert counts.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_counts_by_type_add_up_to_those_by_sentence():
    rule = ner_rule(NER_TAGS)
    random = np.random.default_rng(0)
    gold, predicted = random.integers(len(NER_TAGS), size=(2, 300))
    splits = np.arange(0, 301, 5)
    by_type = count_by_type(rule, gold, predicted, splits)
    by_sentence = count_chunks(rule, gold, predicted, splits)
    assert by_type.sum(axis=0).tolist() == by_sentence.sum(axis=0).tolist()
    names = dict(zip(rule.type_names, by_type.tolist(), strict=True))
    assert set(names) == {"_", "PER", "ORG", "LOC"}
    assert names["_"] == [0, 0, 0]


def test_counts_by_type_by_hand():
    rule = ner_rule(NER_TAGS)
    ids = {tag: i for i, tag in enumerate(NER_TAGS)}
    gold = np.array([ids[x] for x in ("B-PER", "I-PER", "B-LOC", "O")])
    predicted = np.array([ids[x] for x in ("B-PER", "I-PER", "B-ORG", "O")])
    counts = count_by_type(rule, gold, predicted, np.array([0, 4]))
    found = dict(zip(rule.type_names, counts.tolist(), strict=True))
    assert found["PER"] == [1, 1, 1]
    assert found["LOC"] == [0, 1, 0]
    assert found["ORG"] == [0, 0, 1]


@pytest.mark.slow
def test_a_million_tags_take_a_fraction_of_a_second():
    random = np.random.default_rng(0)
    tags = random.integers(7, size=(2, 1_000_000))
    splits = np.arange(0, 1_000_001, 20)
    rule = ner_rule(NER_TAGS)
    started = time.monotonic()
    count_chunks(rule, tags[0], tags[1], splits)
    # 0.1 s alone; sentence by sentence in Python it takes 10 s.
    assert time.monotonic() - started < 2
