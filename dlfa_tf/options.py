"""Options of a fused model: the values accepted, the default first.

Layers, models, preprocessing and the settings of a run take them from here, so
that each stands once. Needs nothing: flags are defined before Keras is loaded.
"""

GATES = ("feature", "attention")
NORMS = ("layer", "batch", "none")
BRANCHES = ("both", "local", "global")
POOLINGS = ("mean", "first")
# Which block is L1 of equation 2.
ORDERS = ("low", "high")
OUTPUT_NORMS = ("none", "layer")
FUSIONS = ("dlfa", "mean", "scalar_mix")
SENTENCE_POOLINGS = ("first", "mean")
POOLERS = ("encoder", "identity", "new", "none")
# The default depends on the vocabulary.
LABEL_PIECES = ("first", "first_content")

ACTIVATION = "relu"
REDUCTION_RATIO = 4
MIX_FACTOR = 1.0
# mBERT's.
DROPOUT = 0.1
# XTREME's, in pieces.
SEQUENCE_LENGTH = 128
# [CLS] and [SEP] and one piece between them is the least that holds a word;
# four special ids and one piece each side the least that holds a pair.
MIN_SEQUENCE_LENGTH = 8
DEFAULT_PRESET = "e5_small_multi"
# Languages to train on where nothing else is said.
SOURCE_LANGUAGES = ("en",)
