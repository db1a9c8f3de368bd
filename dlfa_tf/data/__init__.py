"""Tasks, readers and the way from examples to batches."""

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
