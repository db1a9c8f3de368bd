"""Token arrays -> length-bucketed batches, seeded, nothing lost or repeated."""

from collections.abc import Iterator

import numpy as np

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL

# Rows are sorted by length within pools of this many batches: little padding,
# yet other batches every epoch. With fewer, the longest rows of each pool pad
# one another; benchmarks.padding counts what is left.
_POOL_BATCHES = 200
# Lengths are padded to a multiple, so that few shapes occur: of 8, but of 4 up
# to 32 pieces, where 8 would be a quarter of most rows of NER.
_SHORT = 32
_SHORT_MULTIPLE = 4
_MULTIPLE = 8


def epoch_batches(
    row_lengths: np.ndarray, batch_size: int, seed: int, epoch: int
) -> list[np.ndarray]:
    """Plans the batches of one epoch: indices of rows, in training order.

    Every row occurs exactly once; the last batch may be smaller. The plan
    depends on nothing but the arguments, so a run can go on from any step.
    `row_lengths` are in pieces, `epoch` counts from 0.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(row_lengths))
    pool = batch_size * _POOL_BATCHES
    full: list[np.ndarray] = []
    partial: list[np.ndarray] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(row_lengths[rows], kind="stable")]
        for i in range(0, len(rows), batch_size):
            batch = rows[i : i + batch_size]
            (full if len(batch) == batch_size else partial).append(batch)
    return [full[i] for i in random.permutation(len(full))] + partial


def padded_width(row_lengths: np.ndarray, max_width: int | None = None) -> int:
    """Positions of a batch: those of its longest row, rounded up.

    A multiple of 4 up to 32 and of 8 from there on, but no more than
    `max_width`, the positions of the encoder (None: no limit). A row that is
    longer than these is refused.
    """
    longest = int(row_lengths.max())
    multiple = _SHORT_MULTIPLE if longest <= _SHORT else _MULTIPLE
    width = -(-longest // multiple) * multiple
    if max_width is None:
        return width
    if longest > max_width:
        raise ValueError(
            "A row has more pieces than the encoder has positions. Received: "
            f"{longest}. Accepted: up to {max_width}; tokenise with a smaller "
            "`sequence_length`."
        )
    return min(width, max_width)


def pad_batch(
    arrays: TokenArrays,
    rows: np.ndarray,
    pad_id: int,
    use_segment_ids: bool,
    max_width: int | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Builds one padded batch: features and labels.

    Features are `token_ids` int32, `padding_mask` bool and, when used,
    `segment_ids` int32, each `(batch, time)`; see `padded_width`. Labels are
    int32, `(batch,)` for pairs, `(batch, time)` with -1 where there is no label
    for tagging. `rows` are indices.
    """
    starts = arrays.row_splits[rows]
    lengths = arrays.row_splits[rows + 1] - starts
    position = np.arange(padded_width(lengths, max_width))
    mask = position < lengths[:, None]
    index = np.where(mask, starts[:, None] + position, 0)
    features = {
        "token_ids": np.where(mask, arrays.token_ids[index], pad_id).astype(
            np.int32
        ),
        "padding_mask": mask,
    }
    if use_segment_ids:
        features["segment_ids"] = np.where(
            mask, arrays.segment_ids[index], 0
        ).astype(np.int32)
    if arrays.label_mask is None:
        return features, arrays.labels[rows]
    labels = np.where(mask, arrays.labels[index], IGNORED_LABEL)
    return features, labels.astype(np.int32)


def train_batches(
    arrays: TokenArrays,
    *,
    batch_size: int,
    seed: int,
    epochs: int,
    pad_id: int,
    use_segment_ids: bool,
    start_step: int = 0,
    max_width: int | None = None,
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Yields the batches of a whole training run, or of what is left of it.

    Each is what `pad_batch` returns. `start_step` counts the steps already
    taken, over all epochs; the batches after them are yielded.
    """
    lengths = arrays.row_lengths
    # The same every epoch: only the last batch may be smaller.
    steps = -(-len(lengths) // batch_size)
    if not 0 <= start_step <= steps * epochs:
        raise ValueError(
            f"`start_step` is out of range. Received: {start_step}. Accepted: "
            f"0 to {steps * epochs} ({epochs} epochs of {steps} steps)."
        )
    first, skipped = divmod(start_step, max(steps, 1))
    for epoch in range(first, epochs):
        plan = epoch_batches(lengths, batch_size, seed, epoch)
        for rows in plan[skipped if epoch == first else 0 :]:
            yield pad_batch(arrays, rows, pad_id, use_segment_ids, max_width)
