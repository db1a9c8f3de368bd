"""Tests of dlfa_tf.adapting.masking."""

import numpy as np
import pytest

from dlfa_tf.adapting.masking import Masking
from dlfa_tf.adapting.masking import continuing_pieces
from dlfa_tf.models.presets import load_tokenizer

MASK, PAD, START, END = 3, 0, 1, 2


def make_masking(**changes):
    return Masking(
        **{
            "mask_id": MASK,
            "never": np.array([MASK, PAD, START, END], np.int32),
            "vocabulary_size": 100,
            "rate": 0.15,
            **changes,
        }
    )


def make_features(rows=64, width=40):
    random = np.random.default_rng(0)
    ids = random.integers(4, 100, (rows, width)).astype(np.int32)
    lengths = random.integers(3, width + 1, rows)
    lengths[0] = 2
    mask = np.arange(width) < lengths[:, None]
    ids = np.where(mask, ids, PAD).astype(np.int32)
    ids[:, 0] = START
    ids[np.arange(rows), lengths - 1] = END
    return {"token_ids": ids, "padding_mask": mask}


def test_pieces_are_hidden_as_bert_hides_them():
    features = make_features()
    hidden, labels = make_masking().hide(features, [1, 2])
    positions = hidden["mask_positions"]
    assert positions.shape == labels.shape == (64, 6)
    assert positions.dtype == labels.dtype == np.int32
    ids = features["token_ids"]
    at = labels >= 0
    # What was there is to be guessed, and nothing else has changed.
    there = np.take_along_axis(ids, positions, 1)
    np.testing.assert_array_equal(labels[at], there[at])
    changed = np.zeros_like(ids, bool)
    rows = np.broadcast_to(np.arange(64)[:, None], at.shape)
    changed[rows[at], positions[at]] = True
    np.testing.assert_array_equal(hidden["token_ids"][~changed], ids[~changed])
    assert (labels[at] > MASK).all()
    # The share of each row, but one guess at least where there is a piece.
    free = (ids > MASK).sum(1)
    wanted = np.where(free, np.maximum(np.rint(0.15 * free), 1), 0)
    np.testing.assert_array_equal(at.sum(1), wanted)
    assert not at[0].any()
    for row, own in zip(positions, at, strict=True):
        assert len(set(row[own])) == own.sum()
    # The features given are left alone.
    assert features["token_ids"] is ids
    assert "mask_positions" not in features


def test_shares_of_what_is_shown():
    hidden, labels = make_masking(rate=0.9).hide(make_features(400), [1])
    shown = np.take_along_axis(
        hidden["token_ids"], hidden["mask_positions"], 1
    )[labels >= 0]
    same = shown == labels[labels >= 0]
    assert (shown == MASK).mean() == pytest.approx(0.8, abs=0.02)
    assert same.mean() == pytest.approx(0.1, abs=0.02)


def test_seed_decides_what_is_hidden():
    features = make_features()
    masking = make_masking()
    first, again, other = (masking.hide(features, [s])[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_words_are_hidden_whole():
    random = np.random.default_rng(3)
    continues = random.random(100) < 0.5
    features = make_features(200)
    masking = make_masking(continues=continues, rate=0.3)
    hidden, labels = masking.hide(features, [5])
    ids = features["token_ids"]
    goes_on = continues[ids] & (ids > MASK)
    goes_on[:, 1:] &= ids[:, :-1] > MASK
    whole = partial = 0
    for row in range(200):
        at = set(hidden["mask_positions"][row][labels[row] >= 0].tolist())
        starts = np.flatnonzero(~goes_on[row])
        for start, end in zip(starts, [*starts[1:], 40], strict=True):
            inside = at & set(range(start, end))
            if end - start <= 8 <= (labels[row] >= 0).sum() and inside:
                whole += len(inside) == end - start
                partial += len(inside) != end - start
    # Part of a word is hidden only where it is longer than a row's guesses.
    assert whole > 300
    assert partial == 0


def test_script_without_spaces_is_hidden_piece_by_piece():
    ids = np.array([[START, *range(10, 40), END]], np.int32)
    features = {"token_ids": ids, "padding_mask": np.ones_like(ids, bool)}
    masking = make_masking(continues=np.ones(100, bool))
    hidden, labels = masking.hide(features, [1])
    positions = np.sort(hidden["mask_positions"][labels >= 0])
    assert len(positions) == 4  # 15 % of 30
    assert (np.diff(positions) > 1).any()


@pytest.mark.parametrize(
    "preset, goes_on, starts",
    [("tiny", "##a", "a"), ("tiny_sentencepiece", "in", "▁un")],
)
def test_pieces_that_go_on_with_a_word(preset, goes_on, starts):
    tokenizer = load_tokenizer(preset)
    found = continuing_pieces(tokenizer)
    assert len(found) == tokenizer.vocabulary_size()
    assert found[tokenizer.token_to_id(goes_on)]
    assert not found[tokenizer.token_to_id(starts)]
