"""Tests of dlfa_tf.adapting.packing."""

import numpy as np
import pytest

from dlfa_tf.adapting import packing
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing.piece_tokenizer import build_piece_tokenizer


@pytest.fixture(scope="module")
def pieces():
    return build_piece_tokenizer(load_tokenizer("tiny"))


def test_texts_are_joined_and_nothing_is_lost(pieces):
    a = 5  # id of "a"; "##a" is 26 further
    texts = {"de": ["ab", "c  a", "abc"], "et": ["a" * 4]}
    rows = packing.pack_texts(texts, pieces, sequence_length=8)
    start, end = pieces.start_id, pieces.end_id
    found = np.split(rows.token_ids, rows.row_splits[1:-1])
    wanted = [
        [start, a, a + 27, end, a + 2, a, end, end],
        [start, a, a + 27, a + 28, end, end],
        [start, a, a + 26, a + 26, a + 26, end, end],
    ]
    assert [row.tolist() for row in found] == wanted
    assert rows.labels.tolist() == [0, 0, 1]


def test_long_text_is_read_whole(pieces):
    text = "ab " * 3000 + "c" * 90
    rows = packing.pack_texts({"de": [text]}, pieces, sequence_length=512)
    content = rows.token_ids[
        ~np.isin(rows.token_ids, [pieces.start_id, pieces.end_id])
    ]
    assert len(content) == 2 * 3000 + 90


def test_language_without_text_is_refused(pieces):
    with pytest.raises(ValueError, match="'et'"):
        packing.pack_texts({"de": ["a"], "et": []}, pieces, 8)
