"""Encoders with fusion and the task models on top of them.

dlfa_backbone: `DLFABackbone`, an encoder with a fused block.
encoder_blocks: what is read out of an encoder.
fusing: the ways to fuse blocks, by name.
sentence_vectors: one vector for a sequence: pooling and pooler.
lora: what low-rank adaptation leaves to train.
task: what the task models share.
text_classifier, token_classifier: the task models.
loading: task models from presets and folders.
raw_inputs: what users hand to `fit`.
masked_accuracy: `MaskedAccuracy`.
compact_model: a model over some of the embedding rows.
presets: encoders and tokenizers by name.
"""

from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.masked_accuracy import MaskedAccuracy
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier

__all__ = [
    "DLFABackbone",
    "DLFATextClassifier",
    "DLFATokenClassifier",
    "MaskedAccuracy",
]
