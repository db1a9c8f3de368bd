"""Tasks, readers and the way from examples to batches.

tasks: the four tasks: labels, languages, published settings.
families: names, families and scripts of the languages.
sources: `Source`: files, TensorFlow Datasets or the sample.
readers, tfds: the examples of a file, or of a prepared set.
originals, tfds_archives: data as their makers ship them, prepared.
inventory: what a source holds.
label_ids: labels alone, of many files, fast.
arrays: `TokenArrays`, tokenised examples.
cache, packed_arrays: these on disk, and in little room.
compact_vocabulary: these over the embedding rows in use.
pipelines: batches of them.
"""

import importlib
from typing import Any

# Imported on first use: flags need the tasks, not the readers.
_PUBLIC = {
    "TASKS": "tasks",
    "PairExample": "readers",
    "Source": "sources",
    "TaggedSentence": "readers",
    "Task": "tasks",
    "get_task": "tasks",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module = importlib.import_module(f"dlfa_tf.data.{_PUBLIC[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'dlfa_tf.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
