"""Encoders with fusion and the task models on top of them."""

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
