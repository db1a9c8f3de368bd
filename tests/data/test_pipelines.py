"""Batches: nothing lost, little padding, the same on every run."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.pipelines import epoch_batches
from dlfa_tf.data.pipelines import pad_batch
from dlfa_tf.data.pipelines import padded_width
from dlfa_tf.data.pipelines import train_batches


def _arrays(lengths, tagging=False):
    """Rows of the given lengths; every id tells its row and place."""
    lengths = np.asarray(lengths, np.int64)
    row_splits = np.concatenate([[0], np.cumsum(lengths)])
    row = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(row_splits[-1]) - row_splits[row]
    token_ids = (100 * row + place + 10).astype(np.int32)
    labels = np.arange(len(lengths), dtype=np.int32)
    mask = place % 2 == 1
    return TokenArrays(
        token_ids=token_ids,
        segment_ids=(place > 1).astype(np.int8),
        row_splits=row_splits,
        labels=np.where(mask, row, -1).astype(np.int32) if tagging else labels,
        label_mask=mask if tagging else None,
        word_splits=np.array([0, mask.sum()]) if tagging else None,
    )


def _lists(batches):
    return [batch.tolist() for batch in batches]


def _skewed_lengths(count, seed):
    """Lengths as of real text: most short, a few at the limit of 128."""
    random = np.random.default_rng(seed)
    return np.clip(random.lognormal(3.0, 0.7, count), 3, 128).astype(np.int64)


def _padding_share(lengths, batches):
    """Share of positions that are padding, rounding up included."""
    cells = sum(padded_width(lengths[b]) * len(b) for b in batches)
    return 1 - lengths.sum() / cells


# The plan.


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 128), max_size=300),
    st.integers(1, 40),
    st.integers(0, 2**40),
    st.integers(0, 100),
)
def test_every_row_is_used_once_per_epoch(lengths, batch_size, seed, epoch):
    batches = epoch_batches(np.array(lengths), batch_size, seed, epoch)
    rows = [row for batch in batches for row in batch]
    assert sorted(rows) == list(range(len(lengths)))
    # Full batches, then at most one that is smaller.
    assert len(batches) == -(-len(lengths) // batch_size)
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_every_row_is_used_once_over_several_pools(seed):
    # More rows than one pool of 200 batches, and not a multiple of it.
    lengths = _skewed_lengths(1234, seed)
    batches = epoch_batches(lengths, 2, seed, 3)
    assert sorted(np.concatenate(batches)) == list(range(1234))
    assert len(batches) == 617
    batches = epoch_batches(lengths, 4, seed, 3)
    assert sorted(np.concatenate(batches)) == list(range(1234))
    assert [len(b) for b in batches] == [4] * 308 + [2]


def test_plan_depends_on_seed_and_epoch_only(seed):
    lengths = _skewed_lengths(500, seed)
    plans = {}
    for case in itertools.product((0, 1, 2), (0, 1, 2)):
        np.random.seed(case[0])
        plans[case] = _lists(epoch_batches(lengths, 16, *case))
    for case in plans:
        np.random.seed(99)
        assert plans[case] == _lists(epoch_batches(lengths, 16, *case))
    for one, other in itertools.combinations(plans.values(), 2):
        assert one != other
        # Other rows come together, too, not only in another order.
        assert {frozenset(b) for b in one} != {frozenset(b) for b in other}


def test_padding_is_little_on_skewed_lengths(seed):
    lengths = _skewed_lengths(20_000, seed)
    planned = _padding_share(lengths, epoch_batches(lengths, 32, seed, 0))
    order = np.random.default_rng(seed).permutation(len(lengths))
    shuffled = _padding_share(lengths, np.split(order, len(order) // 32))
    assert shuffled > 0.6
    # Most of it comes from rounding up.
    assert planned < 0.15


def test_batches_are_not_sorted_by_length(seed):
    # One pool, whose batches are cut from sorted rows.
    lengths = _skewed_lengths(1600, seed)
    for epoch in range(3):
        batches = epoch_batches(lengths, 32, seed, epoch)
        means = [lengths[batch].mean() for batch in batches]
        place = np.corrcoef(np.arange(len(means)), means)[0, 1]
        assert abs(place) < 0.6  # 4 times 1 / sqrt(50), its deviation


def test_no_rows_give_no_batches():
    assert epoch_batches(np.array([], np.int64), 4, 0, 0) == []


# One batch.


def test_pad_batch_of_pairs():
    arrays = _arrays([3, 9, 1])
    features, labels = pad_batch(arrays, np.array([2, 0]), 1, True)
    assert features["token_ids"].tolist() == [
        [210, 1, 1, 1],
        [10, 11, 12, 1],
    ]
    assert features["padding_mask"].tolist() == [
        [True] + [False] * 3,
        [True] * 3 + [False],
    ]
    assert features["segment_ids"].tolist() == [
        [0] * 4,
        [0, 0, 1, 0],
    ]
    assert labels.tolist() == [2, 0]
    assert features["token_ids"].dtype == np.int32
    assert features["segment_ids"].dtype == np.int32
    assert features["padding_mask"].dtype == bool
    assert labels.dtype == np.int32


def test_pad_batch_of_tags():
    arrays = _arrays([3, 9, 1], tagging=True)
    features, labels = pad_batch(arrays, np.array([1, 0]), 0, False)
    assert set(features) == {"token_ids", "padding_mask"}
    assert features["token_ids"].shape == labels.shape == (2, 12)
    assert labels.tolist() == [
        [-1, 1, -1, 1, -1, 1, -1, 1, -1] + [-1] * 3,
        [-1, 0, -1] + [-1] * 9,
    ]
    assert labels.dtype == np.int32


@pytest.mark.parametrize(
    ("length", "width"),
    [(1, 4), (4, 4), (9, 12), (32, 32), (33, 40), (121, 128), (128, 128)],
)
def test_width_is_the_longest_row_rounded_up(length, width):
    features, _ = pad_batch(_arrays([1, length]), np.array([0, 1]), 0, True)
    assert {v.shape for v in features.values()} == {(2, width)}


def test_width_stays_within_the_positions():
    arrays = _arrays([1, 35])
    rows = np.array([0, 1])
    features, _ = pad_batch(arrays, rows, 0, True, max_width=36)
    assert {v.shape for v in features.values()} == {(2, 36)}
    assert padded_width(arrays.row_lengths, 512) == 40
    with pytest.raises(ValueError, match=r"Received: 35\. .* up to 34; token"):
        pad_batch(arrays, rows, 0, True, max_width=34)


def test_batches_stay_within_the_positions():
    batches = train_batches(
        _arrays([35, 33, 34]),
        batch_size=2,
        seed=5,
        epochs=1,
        pad_id=1,
        use_segment_ids=True,
        max_width=35,
    )
    widths = [x["token_ids"].shape[1] for x, _ in batches]
    assert widths == [35, 35]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
    st.booleans(),
    st.data(),
)
def test_pad_batch_keeps_every_piece(lengths, tagging, data):
    arrays = _arrays(lengths, tagging)
    rows = data.draw(
        st.lists(st.integers(0, len(lengths) - 1), min_size=1, unique=True)
    )
    features, labels = pad_batch(arrays, np.array(rows), 7, True)
    mask = features["padding_mask"]
    assert (features["token_ids"][~mask] == 7).all()
    assert (features["segment_ids"][~mask] == 0).all()
    for i, row in enumerate(rows):
        piece = slice(*arrays.row_splits[row : row + 2])
        for name in ("token_ids", "segment_ids"):
            np.testing.assert_array_equal(
                features[name][i][mask[i]], getattr(arrays, name)[piece]
            )
        if tagging:
            np.testing.assert_array_equal(
                labels[i][mask[i]], arrays.labels[piece]
            )
            assert (labels[i][~mask[i]] == -1).all()
        else:
            assert labels[i] == row


# A run.


@pytest.mark.parametrize("tagging", [False, True], ids=["pairs", "tags"])
@pytest.mark.parametrize("use_segment_ids", [False, True])
def test_run_has_the_planned_batches(tagging, use_segment_ids):
    arrays = _arrays([3, 9, 1, 5, 17, 2, 4], tagging)
    batches = train_batches(
        arrays,
        batch_size=2,
        seed=5,
        epochs=3,
        pad_id=1,
        use_segment_ids=use_segment_ids,
    )
    expected = [
        pad_batch(arrays, rows, 1, use_segment_ids)
        for epoch in range(3)
        for rows in epoch_batches(arrays.row_lengths, 2, 5, epoch)
    ]
    assert len(expected) == 12
    for (features, labels), (want, want_labels) in zip(
        batches, expected, strict=True
    ):
        assert set(features) == set(want)
        for name, value in want.items():
            np.testing.assert_array_equal(features[name], value)
            assert features[name].dtype == value.dtype
        np.testing.assert_array_equal(labels, want_labels)
        assert labels.dtype == np.int32


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (4, 1), (5, 2), (8, 2)])
def test_steps_of_one_epoch(rows, steps):
    batches = train_batches(
        _arrays([3] * rows),
        batch_size=4,
        seed=0,
        epochs=2,
        pad_id=0,
        use_segment_ids=True,
    )
    assert len(list(batches)) == 2 * steps


def test_run_goes_on_from_any_step():
    arrays = _arrays([3, 9, 1, 5, 17, 2, 4], tagging=True)

    def batches(start_step):
        found = train_batches(
            arrays,
            batch_size=2,
            seed=5,
            epochs=3,
            pad_id=1,
            use_segment_ids=False,
            start_step=start_step,
        )
        return [
            (features["token_ids"].tolist(), labels.tolist())
            for features, labels in found
        ]

    whole = batches(0)
    assert len(whole) == 12
    for start_step in range(13):
        assert batches(start_step) == whole[start_step:]


@pytest.mark.parametrize("start_step", [-1, 5])
def test_start_step_out_of_range(start_step):
    with pytest.raises(
        ValueError, match=rf"`start_step` .* {start_step}\. Accepted: 0 to 4"
    ):
        next(
            train_batches(
                _arrays([3, 9, 1]),
                batch_size=2,
                seed=0,
                epochs=2,
                pad_id=0,
                use_segment_ids=True,
                start_step=start_step,
            )
        )
