r"""Memory and time of preparing XNLI: reading, tokenising, caching.

The training file is repeated up to --rows (MNLI has 392,702), written to a
temporary folder and prepared from there as `trainers.prepare` does it, then
found again in the cache. Memory is the largest resident set of the process,
TensorFlow included.

Example:
    python -m benchmarks.preparing_memory --data_dir=DIR
"""

import itertools
import pathlib
import tempfile
import time
from collections.abc import Sequence

from absl import app
from absl import flags

from benchmarks import task_data
from benchmarks import timing
from dlfa_tf.data import cache
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.sources import Source
from dlfa_tf.models import presets
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.runs import environment

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this program."""
    task_data.define_flags()
    timing.define_output_flag()
    flags.DEFINE_integer(
        "rows", 392_702, "Rows of the training file.", lower_bound=1
    )


def write_repeated(source: Source, rows: int, folder: pathlib.Path) -> Source:
    """Writes the training file over and over, up to a number of rows."""
    target = folder / source.task.folder
    target.mkdir()
    examples = itertools.cycle(source.load("train", "en"))
    with (target / "train-en.tsv").open("w", encoding="utf-8") as file:
        for example in itertools.islice(examples, rows):
            if isinstance(example, PairExample):
                columns = (example.first, example.second, example.label)
                file.write("\t".join(columns) + "\n")
    return Source(task=source.task, name="files", data_dir=str(folder))


def main(_: Sequence[str] = ()) -> None:
    """Prepares twice and reports."""
    report = timing.Report("preparing_memory", FLAGS.output_file)
    source = task_data.source("xnli")
    with tempfile.TemporaryDirectory() as folder:
        repeated = write_repeated(source, FLAGS.rows, pathlib.Path(folder))
        del source
        preprocessor = PairPreprocessor(
            presets.load_tokenizer(FLAGS.preset), labels=repeated.task.labels
        )
        before = environment.peak_memory_bytes()
        for case in ("first", "from_cache"):
            started = time.perf_counter()
            examples = repeated.load("train", "en")
            read = time.perf_counter()
            tokens = cache.cached_tokens(examples, preprocessor, folder)
            done = time.perf_counter()
            report.add(
                case,
                rows=len(tokens),
                pieces=len(tokens.token_ids),
                read_seconds=round(read - started, 2),
                tokens_seconds=round(done - read, 2),
                peak_memory_before_bytes=before,
            )
            del examples, tokens
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
