"""Ops that the released model server has kernels for.

The server of the line 2.20 is built from TensorFlow's own sources and links
the library `ops_lib` of TensorFlow Text 2.20.0. An op from anywhere else is
found missing at the first request, long after the server called the model
available.
"""

from dlfa_tf.lazy import tf

# What TensorFlow Text's `ops_lib` registers at 2.20.0; a test compares it with
# the installed package.
TEXT_OPS = frozenset(
    """
    CaseFoldUTF8 ConstrainedSequence FastBertNormalize
    FastWordpieceTokenizeWithOffsets FindSourceOffsets MaxSpanningTree
    NormalizeUTF8 NormalizeUTF8WithOffsetsMap PhraseTokenize
    RegexSplitWithOffsets RougeL SentenceFragments SentenceFragmentsV2
    SentencepieceDetokenizeOp SentencepieceIdToStringOp SentencepieceOp
    SentencepieceStringToIdOp SentencepieceTokenizeOp
    SentencepieceTokenizeWithOffsetsOp SentencepieceVocabSizeOp
    SplitMergeTokenizeWithOffsets TFText>BoiseTagsToOffsets
    TFText>ByteSplitByOffsets TFText>ByteSplitWithOffsets
    TFText>FastSentencepieceDetokenize TFText>FastSentencepieceTokenize
    TFText>FastWordpieceDetokenize TFText>NgramsStringJoin
    TFText>OffsetsToBoiseTags TFText>PhraseDetokenize
    TFText>RoundRobinGenerateMasks TFText>RoundRobinTrim TFText>Utf8Binarize
    TFText>WhitespaceTokenizeWithOffsetsV2 TokenizerFromLogits
    UnicodeScriptTokenizeWithOffsets WhitespaceTokenizeWithOffsets
    WordpieceTokenizeWithOffsets
    """.split()
)


def served_ops() -> frozenset[str]:
    """Names of the ops of TensorFlow itself and of `ops_lib`."""
    # What is listed here was generated with TensorFlow, whatever other
    # libraries this process has loaded since.
    core = (name for name in dir(tf.raw_ops) if not name.startswith("_"))
    return TEXT_OPS.union(core)
