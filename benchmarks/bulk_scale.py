r"""What bulk inference costs per million words, and how it grows with workers.

Test sentences of the POS task in all its languages, in turn and repeated up to
--words, are labelled by an export of a tagger: first in this process (`one
process`), then by --workers worker processes of a Dask cluster on this machine,
one after the other (`2 workers`), every process with one thread. A small file
goes before, and the first parts of every worker are not timed, so that no speed
has the loading of the export in it, which is given by itself.
The last lines follow from the first: what a billion such sentences take, and
how many processes of one core a load of short texts needs.

Example:
    pip install ".[cluster]"
    python -m benchmarks.bulk_scale --export=saved_models/pos/1 \
        --data_dir=DIR
"""

import contextlib
import itertools
import math
import os
import pathlib
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

# Read by TensorFlow when it is imported.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

from absl import app
from absl import flags

from benchmarks import timing
from benchmarks.dask_processes import DaskProcesses
from dlfa_tf.data import tasks
from dlfa_tf.data.sources import Source
from dlfa_tf.serving import Client
from dlfa_tf.serving.bulk import parts as files_in_parts
from dlfa_tf.serving.bulk.part_labeller import PartLabeller
from dlfa_tf.serving.bulk.part_labeller import Work
from dlfa_tf.serving.bulk.parts import Part

FLAGS = flags.FLAGS
_SHORT_WORDS = 10
_SHORT_REPEATS = 30
_DAY = 86_400
_BILLION = 1_000_000_000
# Share of a core's time that is planned to be used: a queue that forms in a
# busy second has to go away in the next.
_PLANNED_SHARE = 0.6
_LOADS = (10, 100, 1000)


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_output_flag()
    flags.DEFINE_string("export", None, "Version's folder.", required=True)
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder that holds udpos_fused/; default the sample of the package, "
        "which is too small for figures.",
    )
    flags.DEFINE_integer("words", 20_000, "Words to label.", lower_bound=1)
    flags.DEFINE_integer("parts", 16, "Parts of the work.", lower_bound=1)
    flags.DEFINE_list("workers", ["1", "2", "4"], "Numbers of workers.")


def read_sentences() -> list[str]:
    """Test sentences of all languages: the first of each, the second, ..."""
    source = Source(
        task=tasks.get_task("pos"),
        name="sample" if FLAGS.data_dir is None else "files",
        data_dir=FLAGS.data_dir,
    )
    examples: list[Any] = [
        source.load("test", language) for language in source.available("test")
    ]
    turns = itertools.zip_longest(*examples)
    return [" ".join(x.words) for turn in turns for x in turn if x is not None]


def write_work(
    folder: pathlib.Path, sentences: Sequence[str], words: int
) -> tuple[pathlib.Path, int]:
    """Writes sentences of so many words; returns the file and their number."""
    path = folder / f"{words}-words.txt"
    count = lines = 0
    with path.open("w", encoding="utf-8") as file:
        while count < words:
            sentence = sentences[lines % len(sentences)]
            file.write(sentence + "\n")
            count += len(sentence.split())
            lines += 1
    return path, lines


def short_text_seconds(export: str, sentences: Sequence[str]) -> float:
    """Median seconds of one short text, asked alone, after the first."""
    words = " ".join(sentences[:_SHORT_WORDS]).split()
    short = [" ".join(words[:_SHORT_WORDS])]
    with Client.of_export(export) as client:
        client.tag(short)
        seconds = []
        for _ in range(_SHORT_REPEATS):
            started = time.perf_counter()
            client.tag(short)
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main(_: Sequence[str] = ()) -> None:
    """Measures and reports."""
    report = timing.Report("bulk_scale", FLAGS.output_file)
    sentences = read_sentences()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, lines = write_work(folder, sentences, FLAGS.words)
        warm = write_work(folder, sentences, max(FLAGS.words // 20, 1))[0]
        alone = one_process(report, folder, path, warm, lines)
        for count in map(int, FLAGS.workers):
            on_workers(report, folder, path, count)
    # Of the processor: elapsed time has in it what else a machine does.
    per_sentence = alone["cpu_seconds"] / lines
    report.add(
        "a billion sentences",
        words=round(_BILLION * FLAGS.words / lines),
        core_days=float(f"{_BILLION * per_sentence / _DAY:.3g}"),
        output_bytes=round(_BILLION * alone["output_bytes"] / lines),
    )
    short = short_text_seconds(FLAGS.export, sentences)
    report.add(
        "load of short texts",
        words=_SHORT_WORDS,
        milliseconds=round(1000 * short, 1),
        planned_share=_PLANNED_SHARE,
        **{
            f"cores_for_{load}_per_second": replicas(load, short)
            for load in _LOADS
        },
    )
    report.write()


def replicas(load: float, seconds: float) -> int:
    """Processes of one core that answer so many requests per second.

    `seconds` is what one request keeps a core busy for.
    """
    # Rounded first: 24 x 0.025 / 0.6 is a little more than 1 in floats.
    return max(1, math.ceil(round(load * seconds / _PLANNED_SHARE, 6)))


def one_process(
    report: timing.Report,
    folder: pathlib.Path,
    path: pathlib.Path,
    warm: pathlib.Path,
    lines: int,
) -> dict:
    """Labels the work in this process."""
    output = folder / "alone"
    output.mkdir()
    work = Work(
        output=str(output), export=os.path.abspath(FLAGS.export), form="lines",
        batch_size=32, strict=False, parts=2,
    )  # fmt: skip
    labeller = PartLabeller(work)
    with contextlib.closing(labeller):
        started = time.perf_counter()
        labeller.label(Part(index=0, path=str(warm), start=0, end=None))
        loaded = time.perf_counter()
        cpu = time.process_time()
        labeller.label(Part(index=1, path=str(path), start=0, end=None))
        seconds = time.perf_counter() - loaded
        cpu_seconds = time.process_time() - cpu
    written = pathlib.Path(work.part_file(1)).stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    millions = FLAGS.words / 1e6
    return report.add(
        "one process",
        sentences=lines,
        words=FLAGS.words,
        input_bytes=path.stat().st_size,
        output_bytes=written,
        loading_seconds=round(loaded - started, 1),
        seconds=round(seconds, 2),
        cpu_seconds=round(cpu_seconds, 4),
        cpu_seconds_per_million_words=round(cpu_seconds / millions),
        seconds_per_million_words=round(seconds / millions),
        words_per_second=round(FLAGS.words / seconds),
        process_peak_bytes=peak,
        output_bytes_per_million_words=round(written / millions),
    )


def on_workers(
    report: timing.Report, folder: pathlib.Path, path: pathlib.Path, count: int
) -> None:
    """Labels the work on so many workers."""
    # Not at the top: without workers it is not needed.
    from dlfa_tf.serving.bulk import on_dask

    output = folder / f"workers-{count}"
    output.mkdir()
    size = path.stat().st_size
    parts = files_in_parts.cut([(str(path), size)], -(-size // FLAGS.parts))
    work = Work(
        output=str(output), export=os.path.abspath(FLAGS.export), form="lines",
        batch_size=32, strict=False, parts=len(parts),
    )  # fmt: skip
    with _cluster(folder / f"cluster-{count}", count) as cluster:
        started = time.perf_counter()
        times = [
            (time.perf_counter() - started, lines)
            for lines in on_dask.label_parts(cluster.address, work, parts)
        ]
        peaks = [_peak(process.pid) for process in cluster.processes]
    # In a worker's first parts is the loading of the export.
    loaded = min(2 * count, len(times) - 1)
    lines = sum(lines for _, lines in times)
    timed = sum(lines for _, lines in times[loaded:])
    seconds = times[-1][0] - times[loaded - 1][0]
    report.add(
        f"{count} worker{'s' * (count > 1)}",
        workers=count,
        parts=len(parts),
        seconds_with_loading=round(times[-1][0], 2),
        words_per_second=round(FLAGS.words * timed / lines / seconds),
        scheduler_peak_bytes=peaks[0],
        worker_peak_bytes=max(peaks[1:]),
    )


@contextlib.contextmanager
def _cluster(folder: pathlib.Path, count: int) -> Iterator[DaskProcesses]:
    folder.mkdir()
    cluster = DaskProcesses(folder)
    try:
        cluster.workers(count)
        yield cluster
    finally:
        cluster.stop()


def _peak(pid: int) -> int:
    """Largest resident set of a process so far, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    (line,) = (x for x in status.splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    define_flags()
    app.run(main)
