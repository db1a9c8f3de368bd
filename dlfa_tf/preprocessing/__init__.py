"""String tensors in, id tensors out; runs in `tf.data` and in a SavedModel.

pair_preprocessor: one or two texts per example.
tagging_preprocessor: words and their tags.
base_preprocessor: what the two share.
rows: ragged rows of pieces, and tensors of them.
ragged_parts: the arithmetic behind them.
piece_tokenizer: what is asked of a tokenizer, whatever its kind.
sentencepiece, wordpiece, text_cleaning: its graph ops.
"""

from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

__all__ = ["PairPreprocessor", "TaggingPreprocessor"]
