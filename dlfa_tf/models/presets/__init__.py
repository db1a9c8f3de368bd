"""Encoders by name: where they come from and how they are read.

by_name: what a name stands for: encoder, tokenizer, source.
hub: presets that come over the network.
e5_small_multi: the embedded default encoder.
e5_file, q4_blocks: the file that it is converted from.
packed_encoder: an encoder in little room, for bundles.
tiny: encoders with random weights, for tests.
"""

from dlfa_tf.models.presets.by_name import ADAPTATION
from dlfa_tf.models.presets.by_name import DEFAULT_PRESET
from dlfa_tf.models.presets.by_name import PRESETS
from dlfa_tf.models.presets.by_name import check_preset_length
from dlfa_tf.models.presets.by_name import load_encoder
from dlfa_tf.models.presets.by_name import load_tokenizer
from dlfa_tf.models.presets.by_name import preset_source

__all__ = [
    "ADAPTATION",
    "DEFAULT_PRESET",
    "PRESETS",
    "check_preset_length",
    "load_encoder",
    "load_tokenizer",
    "preset_source",
]
