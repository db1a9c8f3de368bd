"""A fresh process for benchmarks.serving_start.

Usage: python -m benchmarks.serving_start_ask FOLDER SIGNATURE INPUTS REPEATS,
where INPUTS is a JSON object from an input's name to a list of texts, or of
lists of words. Writes
one JSON object: the seconds to load the export, to the first answer, and of
every answer after it, and the memory in bytes that the process has more at the
end than before it loaded the export.
"""

import json
import sys
import time

import numpy as np

from benchmarks import process_memory
from dlfa_tf.lazy import tf
from dlfa_tf.serving.export.served_graph import ServedGraph


def as_arrays(inputs: dict[str, list]) -> dict[str, np.ndarray]:
    """Arrays of UTF-8, as a session takes them."""
    return {
        key: np.char.encode(np.array(texts), "utf-8").astype(object)
        for key, texts in inputs.items()
    }


def main(folder: str, signature: str, inputs: str, repeats: str) -> None:
    """Loads, asks, writes what that took."""
    arrays = as_arrays(json.loads(inputs))
    # What is imported on first use is no part of loading an export.
    tf.constant(0)
    memory = process_memory.resident_bytes()
    started = time.perf_counter()
    graph = ServedGraph(folder)
    loaded = time.perf_counter()
    seconds = []
    for _ in range(int(repeats) + 1):
        before = time.perf_counter()
        graph.run(signature, arrays)
        seconds.append(time.perf_counter() - before)
    first, *then = seconds
    report = {
        "load": loaded - started,
        "first": first,
        "then": then,
        "memory": process_memory.resident_bytes() - memory,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
