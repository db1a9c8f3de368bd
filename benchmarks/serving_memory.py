r"""Memory of one long request to a tagger, and how it grows with its words.

A tagger of e5-small's shape is exported and asked for the tags of one text of
each number of --words, every one in a fresh process: seconds, and the most
memory that the process has held beyond what it held once a short text was
answered. The last line is the growth between the two longest, per million
words: the group of rows that is encoded at a time, which does not grow, is not
in it.

Example:
    python -m benchmarks.serving_memory --words=1000,10000,100000
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent import futures

import numpy as np
from absl import app
from absl import flags

from benchmarks import process_memory
from benchmarks import serving_latency
from benchmarks import timing
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export.served_graph import ServedGraph

FLAGS = flags.FLAGS
_TEXT = serving_latency.cases(1)["batch 1, short"][0][0]
_MILLION = 1_000_000
_LOOK_SECONDS = 0.005


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_output_flag()
    flags.DEFINE_string("preset", "e5_small_multi", "Encoder.")
    flags.DEFINE_integer("fusion_layer", 9, "Block to fuse.")
    flags.DEFINE_list(
        "words", ["1000", "10000", "100000"], "Words of each text, ascending."
    )
    # The mode of the fresh processes.
    flags.DEFINE_string("ask", None, "An export's folder; asks it --words.")


def ask(folder: str, words: int) -> dict[str, float]:
    """Seconds and bytes of one text of so many words, in this process."""
    graph = ServedGraph(folder)
    text = serving_latency.text_of(_TEXT, words)

    def run(text: str) -> int:
        texts = np.array([text.encode()], object)
        answer = graph.run("serving_default", {"text": texts})
        return int(answer["length"][0])

    run(_TEXT)
    before = process_memory.resident_bytes()
    started = time.perf_counter()
    # The peak so far is that of loading, which is higher: what is held while
    # the request runs has to be looked at meanwhile.
    with futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(run, text)
        peak = before
        while not asked.done():
            peak = max(peak, process_memory.resident_bytes())
            time.sleep(_LOOK_SECONDS)
    seconds = time.perf_counter() - started
    if asked.result() != words:
        raise ValueError(
            f"The answer has {asked.result()} words. Accepted: {words}."
        )
    return {"seconds": seconds, "bytes_beyond": peak - before}


def main(_: Sequence[str] = ()) -> None:
    """Exports, asks in fresh processes, writes the report."""
    if FLAGS.ask:
        sys.stdout.write(json.dumps(ask(FLAGS.ask, int(FLAGS.words[0]))))
        return
    report = timing.Report("serving_memory", FLAGS.output_file)
    found: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as name:
        model = DLFATokenClassifier.from_preset(
            FLAGS.preset, fusion_layer=FLAGS.fusion_layer, labels=["a", "b"]
        )
        path = export_saved_model(model, pathlib.Path(name))
        command = [sys.executable, "-m", "benchmarks.serving_memory"]
        for words in map(int, FLAGS.words):
            done = subprocess.run(
                [*command, f"--ask={path}", f"--words={words}"],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            line = json.loads(done.stdout.splitlines()[-1])
            found.append((words, line["bytes_beyond"]))
            report.add(f"{words} words", **line)
    if len(found) > 1:
        (fewer, low), (more, high) = found[-2:]
        slope = (high - low) / (more - fewer)
        report.add("growth", bytes_per_million_words=slope * _MILLION)
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
