"""Scores on plain lists, exactly as the benchmark defines them."""

from dlfa_tf.metrics.accuracy import accuracy
from dlfa_tf.metrics.aggregate import averages
from dlfa_tf.metrics.aggregate import macro_average
from dlfa_tf.metrics.bootstrap import paired_bootstrap
from dlfa_tf.metrics.chunk_f1 import ner_f1
from dlfa_tf.metrics.chunk_f1 import pos_f1

__all__ = [
    "accuracy",
    "averages",
    "macro_average",
    "ner_f1",
    "paired_bootstrap",
    "pos_f1",
]
