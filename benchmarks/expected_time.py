r"""How long a run of the paper takes, worked out from its operations.

Nothing is trained: the rows of the training and English dev data are counted as
batches lay them out, with a preset's vocabulary, and multiplied by the
operations of an encoder of mBERT's size. A training set that is not complete
here is scaled to the published number of examples. Forward and backward pass
count three times the forward one. Minutes follow from speeds that are assumed,
not measured: of computing alone, and where no more steps a second are taken
than kernels can be started for.

Example:
    python -m benchmarks.expected_time --data_dir=DIR --preset=MBERT_FOLDER
"""

from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

from benchmarks import task_data
from benchmarks import timing
from dlfa_tf.analysis.published import TRAIN_EXAMPLES
from dlfa_tf.data import arrays
from dlfa_tf.data import pipelines
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.models import presets
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import TaggingPreprocessor

FLAGS = flags.FLAGS
_BLOCKS, _WIDTH, _INNER, _RATIO = 12, 768, 3072, 4


def define_flags() -> None:
    """Defines the flags of this program."""
    task_data.define_flags()
    timing.define_output_flag()
    flags.DEFINE_list("tasks", list(TASKS), "Tasks, separated by commas.")
    flags.DEFINE_float(
        "tflops",
        30.0,
        "Operations per second that a GPU keeps up, in 10^12: an assumption, "
        "by default a tenth of the peak of an A100 in bfloat16.",
        lower_bound=0.001,
    )
    flags.DEFINE_float(
        "steps_per_second",
        10.0,
        "Steps of training that a GPU takes at most, however short they are: "
        "an assumption.",
        lower_bound=0.001,
    )


def forward_flops(row_width: int) -> int:
    """Operations for one position of a row of `row_width` pieces.

    A multiplication and an addition count two. The encoder's matrices, the
    scores and the mix of its attention, and one DLFA layer's local branch.
    """
    matrices = 4 * _WIDTH**2 + 2 * _WIDTH * _INNER
    attention = 2 * row_width * _WIDTH
    fusion = 2 * _WIDTH * _WIDTH // _RATIO
    return 2 * (_BLOCKS * (matrices + attention) + fusion)


def pass_flops(lengths: np.ndarray, batch_size: int) -> tuple[int, int]:
    """Positions, and forward operations, of one pass over some rows."""
    positions = flops = 0
    for batch in pipelines.epoch_batches(lengths, batch_size, 1, 0):
        width = pipelines.padded_width(lengths[batch])
        positions += width * len(batch)
        flops += width * len(batch) * forward_flops(width)
    return positions, flops


def main(_: Sequence[str] = ()) -> None:
    """Works out every task."""
    report = timing.Report("expected_time", FLAGS.output_file)
    tokenizer = presets.load_tokenizer(FLAGS.preset)
    for name in FLAGS.tasks:
        source = task_data.source(name)
        task = source.task
        make = PairPreprocessor if task.kind == "pair" else TaggingPreprocessor
        preprocessor = make(
            tokenizer, labels=task.labels, sequence_length=task.sequence_length
        )
        rows, positions, flops = {}, {}, {}
        for split in ("train", "dev"):
            examples = source.load(split, "en")
            rows[split] = len(examples)
            lengths = arrays.tokenize_examples(
                examples, preprocessor
            ).row_lengths
            positions[split], flops[split] = pass_flops(
                lengths, task.batch_size
            )
        scale = TRAIN_EXAMPLES[name] / rows["train"]
        steps = task.epochs * -(-TRAIN_EXAMPLES[name] // task.batch_size)
        rounds = steps // (task.dev_every or steps)
        train = 3 * task.epochs * scale * flops["train"]
        dev = rounds * flops["dev"]
        speed = FLAGS.tflops * 1e12
        started = max(train / speed, steps / FLAGS.steps_per_second)
        report.add(
            name,
            epochs=task.epochs,
            examples=TRAIN_EXAMPLES[name],
            examples_here=rows["train"],
            positions_per_example=round(positions["train"] / rows["train"], 1),
            steps=steps,
            dev_rounds=rounds,
            train_pflop=round(train / 1e15, 1),
            dev_pflop=round(dev / 1e15, 1),
            assumed_tflop_per_second=FLAGS.tflops,
            minutes=round((train + dev) / speed / 60, 1),
            assumed_steps_per_second=FLAGS.steps_per_second,
            minutes_with_starts=round((started + dev / speed) / 60, 1),
        )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
