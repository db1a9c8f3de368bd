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

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import Task
from dlfa_tf.data.tasks import get_task

__all__ = [
    "TASKS",
    "PairExample",
    "Source",
    "TaggedSentence",
    "Task",
    "get_task",
]
