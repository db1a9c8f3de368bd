"""Scores on plain lists, exactly as the benchmark defines them.

accuracy, chunk_f1, tag_schemes, class_scores: the scores of the tasks.
aggregate: averages over languages.
bootstrap: how sure a difference of two systems is.
given_labels: what is taken as gold and predicted labels.
chunk_counts, resampling: the same for many runs, fast.
rank_correlation: whether two figures order systems alike.
"""

from dlfa_tf.metrics.accuracy import accuracy
from dlfa_tf.metrics.aggregate import averages
from dlfa_tf.metrics.aggregate import macro_average
from dlfa_tf.metrics.bootstrap import paired_bootstrap
from dlfa_tf.metrics.chunk_f1 import ner_f1
from dlfa_tf.metrics.chunk_f1 import pos_f1
from dlfa_tf.metrics.class_scores import macro_f1
from dlfa_tf.metrics.class_scores import matthews
from dlfa_tf.metrics.tag_schemes import entity_f1

__all__ = [
    "accuracy",
    "averages",
    "entity_f1",
    "macro_average",
    "macro_f1",
    "matthews",
    "ner_f1",
    "paired_bootstrap",
    "pos_f1",
]
