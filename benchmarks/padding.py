r"""How much of a training batch is padding, on each task.

Plans whole epochs as training does and counts positions that hold no piece.
"shuffled" is what the same rows would cost in plain random batches.

Example:
    python -m benchmarks.padding --data_dir=DIR
"""

from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

from benchmarks import task_data
from benchmarks import timing
from dlfa_tf.data import arrays
from dlfa_tf.data import pipelines
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.models import presets
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import TaggingPreprocessor

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    task_data.define_flags()
    timing.define_output_flag()
    flags.DEFINE_list("tasks", list(TASKS), "Tasks, separated by commas.")
    flags.DEFINE_integer("epochs", 3, "Epochs to plan.", lower_bound=1)
    flags.DEFINE_integer("seed", 1, "Seed of the order.")


def padding_share(
    row_lengths: np.ndarray, batches: Sequence[np.ndarray]
) -> float:
    """Share of the positions of some batches that hold no piece."""
    cells = sum(
        pipelines.padded_width(row_lengths[b]) * len(b) for b in batches
    )
    return 1 - sum(int(row_lengths[b].sum()) for b in batches) / cells


def main(_: Sequence[str] = ()) -> None:
    """Measures every task."""
    report = timing.Report("padding", FLAGS.output_file)
    tokenizer = presets.load_tokenizer(FLAGS.preset)
    for name in FLAGS.tasks:
        source = task_data.source(name)
        task = source.task
        make = PairPreprocessor if task.kind == "pair" else TaggingPreprocessor
        lengths = arrays.tokenize_examples(
            source.load("train", "en"),
            make(
                tokenizer,
                labels=task.labels,
                sequence_length=task.sequence_length,
            ),
        ).row_lengths
        planned = [
            batch
            for epoch in range(FLAGS.epochs)
            for batch in pipelines.epoch_batches(
                lengths, task.batch_size, FLAGS.seed, epoch
            )
        ]
        order = np.random.default_rng(FLAGS.seed).permutation(len(lengths))
        shuffled = np.array_split(order, -(-len(order) // task.batch_size))
        report.add(
            name,
            rows=len(lengths),
            pieces=int(lengths.sum()),
            batch_size=task.batch_size,
            padding_percent=round(100 * padding_share(lengths, planned), 2),
            shuffled_padding_percent=round(
                100 * padding_share(lengths, shuffled), 2
            ),
            preset=FLAGS.preset,
            data="sample" if FLAGS.data_dir is None else "files",
        )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
