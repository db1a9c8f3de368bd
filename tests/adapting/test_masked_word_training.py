"""Tests of dlfa_tf.adapting.masked_word_training."""

import numpy as np
import pytest

from dlfa_tf.adapting.masked_word_training import MaskedWordTraining
from dlfa_tf.adapting.masked_word_training import PackedText
from dlfa_tf.adapting.masked_word_training import hold_back
from dlfa_tf.adapting.masked_word_training import take_rows
from dlfa_tf.adapting.masking import Masking
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.data.arrays import TokenArrays


def make_rows(counts, width=6):
    rows = sum(counts)
    ids = np.arange(rows * width, dtype=np.int32) % 20 + 4
    return TokenArrays(
        token_ids=ids,
        segment_ids=np.zeros(len(ids), np.int8),
        row_splits=np.arange(rows + 1) * width,
        labels=np.repeat(np.arange(len(counts)), counts).astype(np.int32),
    )


def test_a_tenth_at_most_is_held_back():
    rows = make_rows([50, 400])
    left, held = hold_back(rows, 20)
    assert np.bincount(rows.labels[held]).tolist() == [5, 20]
    assert sorted([*left, *held]) == list(range(450))
    np.testing.assert_array_equal(hold_back(rows, 20)[1], held)


def test_rows_are_taken_in_the_order_given():
    rows = make_rows([3])
    taken = take_rows(rows, np.array([2, 0]))
    wanted = np.concatenate([rows.token_ids[12:], rows.token_ids[:6]])
    np.testing.assert_array_equal(taken.token_ids, wanted)
    assert taken.row_splits.tolist() == [0, 6, 12]


@pytest.fixture
def objective():
    config = AdaptConfig(
        texts=("de.txt",), output_dir="x", steps=5, batch_size=4
    )
    text = PackedText(
        languages=["de", "et"],
        train=make_rows([10, 10]),
        held_back=make_rows([2, 3]),
        pad_id=0,
        use_segment_ids=False,
    )
    masking = Masking(
        mask_id=3, never=np.arange(4), vocabulary_size=24, rate=0.4
    )
    return MaskedWordTraining(config, text, masking, None)


def test_batches_depend_on_the_number_of_the_step_alone(objective):
    whole = list(objective.batches(0))
    rest = list(objective.batches(3))
    assert len(whole) == 5
    assert len(rest) == 2
    for (features, labels), (others, other_labels) in zip(
        whole[3:], rest, strict=True
    ):
        np.testing.assert_array_equal(labels, other_labels)
        for name in features:
            np.testing.assert_array_equal(features[name], others[name])
    assert (whole[0][1] != whole[1][1]).any()
    assert [len(objective.rows_of_step(n)) for n in (1, 5)] == [4, 4]


def test_guesses_are_counted_by_language(objective):
    held = objective.text.held_back

    def forward(features):
        """Knows German, and gives all ids the same chance elsewhere."""
        ids = held.token_ids.reshape(5, 6)
        positions = features["mask_positions"]
        logits = np.zeros((*positions.shape, 24), np.float32)
        right = np.take_along_axis(ids, positions, 1)
        np.put_along_axis(logits[:2], right[:2, :, None], 50.0, 2)
        return logits

    score = objective.score(forward)
    assert objective.measured["de"]["accuracy"] == 100.0
    assert objective.measured["de"]["loss"] == pytest.approx(0.0, abs=1e-6)
    assert objective.measured["de"]["pieces"] == 4
    assert objective.measured["et"]["loss"] == pytest.approx(np.log(24))
    assert objective.measured["et"]["accuracy"] == 0.0
    assert score == 50.0
    assert objective.log_entries() == [{"held_back": objective.measured}]
