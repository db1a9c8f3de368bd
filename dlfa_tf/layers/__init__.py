"""Keras layers of the paper: pooling, branch, AIF (eq. 1), DLFA (eq. 2)."""

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
