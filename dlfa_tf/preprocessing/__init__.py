"""String tensors in, id tensors out; runs in `tf.data` and in a SavedModel."""

from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

__all__ = ["PairPreprocessor", "TaggingPreprocessor"]
