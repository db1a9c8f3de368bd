"""Keras layers of the paper.

masked_pooling: mean over time that ignores padding.
attention_branch: the bottleneck branch of AIF.
aif: attentional information fusion, equation 1.
dlfa: double layers feature aggregation, equation 2.
scalar_mix: learned mean of all hidden states, for comparison.
argument_checks: checks that need Keras.
"""

from dlfa_tf.layers.aif import AIF
from dlfa_tf.layers.attention_branch import AttentionBranch
from dlfa_tf.layers.dlfa import DLFA
from dlfa_tf.layers.masked_pooling import MaskedAveragePooling
from dlfa_tf.layers.scalar_mix import ScalarMix

__all__ = [
    "AIF",
    "DLFA",
    "AttentionBranch",
    "MaskedAveragePooling",
    "ScalarMix",
]
