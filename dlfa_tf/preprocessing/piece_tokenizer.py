"""What the preprocessors ask of a tokenizer, whatever its kind."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras_hub

from dlfa_tf.preprocessing import sentencepiece
from dlfa_tf.preprocessing import wordpiece


@dataclasses.dataclass(frozen=True, kw_only=True)
class PieceTokenizer:
    """Words to piece ids, with the special ids of the vocabulary.

    Attributes:
        tokenize: function from a string tensor `(words,)` to an int32
            RaggedTensor `(words, pieces)`; every word is tokenised alone.
        start_id: int, id at the start of a row ([CLS] or <s>).
        end_id: int, id at the end of a row ([SEP] or </s>).
        pad_id: int, id of padding.
        unk_id: int, id of an unknown piece.
        pair_separator: tuple of ids between the two texts of a pair: one
            [SEP] for BERT, two </s> for XLM-R.
        second_segment: int, segment id of the second text (1 for BERT; XLM-R
            vocabularies have no segments: 0).
        bare_space_id: int or None, id of the piece "▁" that holds nothing but
            the word border (SentencePiece only).
        resources: TensorFlow objects to track in an export.
    """

    tokenize: Callable[[Any], Any]
    start_id: int
    end_id: int
    pad_id: int
    unk_id: int
    pair_separator: tuple[int, ...]
    second_segment: int
    bare_space_id: int | None
    resources: tuple[Any, ...]

    @property
    def special_ids(self) -> list[int]:
        """Ids that rows need whatever their text: padding, ends, unknown."""
        return [self.pad_id, self.start_id, self.end_id, self.unk_id]

    @property
    def default_label_piece(self) -> str:
        """Which piece of a word carries its label by default.

        `"first_content"` for SentencePiece vocabularies, where a word's first
        piece is often a bare "▁" (93.7 % of Japanese words), `"first"` (the
        rule of XTREME) for WordPiece.
        """
        return "first" if self.bare_space_id is None else "first_content"


def check_tokenizer(tokenizer: Any) -> None:
    """Refuses a tokenizer that `build_piece_tokenizer` could not wrap.

    Looks at its kind (TypeError) and case (ValueError) alone: one that comes
    from a saved model has no vocabulary yet. Needs no TensorFlow.
    """
    if isinstance(tokenizer, keras_hub.models.XLMRobertaTokenizer):
        return
    if isinstance(
        tokenizer, keras_hub.tokenizers.WordPieceTokenizer
    ) and hasattr(tokenizer, "cls_token_id"):
        wordpiece.check_cased(tokenizer)
        return
    raise TypeError(
        "`tokenizer` must be a keras-hub XLMRobertaTokenizer or a WordPiece "
        "tokenizer with [CLS] and [SEP] (BertTokenizer, "
        f"DistilBertTokenizer). Received: {type(tokenizer).__name__}. A model "
        "over another vocabulary takes token arrays: `preprocessor=None`."
    )


def build_piece_tokenizer(
    tokenizer: keras_hub.tokenizers.Tokenizer,
) -> PieceTokenizer:
    """Wraps a keras-hub tokenizer into in-graph ops that obey the benchmark.

    It is an `XLMRobertaTokenizer`, or a cased one based on WordPiece with
    [CLS]/[SEP] (`BertTokenizer`, `DistilBertTokenizer`); `check_tokenizer`
    refuses others.
    """
    check_tokenizer(tokenizer)
    if isinstance(tokenizer, keras_hub.models.XLMRobertaTokenizer):
        tokenize, resource = sentencepiece.sentencepiece_function(tokenizer)
        return PieceTokenizer(
            tokenize=tokenize,
            start_id=tokenizer.start_token_id,
            end_id=tokenizer.end_token_id,
            pad_id=tokenizer.pad_token_id,
            unk_id=tokenizer.unk_token_id,
            pair_separator=(tokenizer.end_token_id,) * 2,
            second_segment=0,
            bare_space_id=_bare_space_id(tokenizer),
            resources=(resource,),
        )
    return PieceTokenizer(
        tokenize=wordpiece.wordpiece_function(tokenizer),
        start_id=tokenizer.cls_token_id,
        end_id=tokenizer.sep_token_id,
        pad_id=tokenizer.pad_token_id,
        unk_id=tokenizer.token_to_id("[UNK]"),
        pair_separator=(tokenizer.sep_token_id,),
        second_segment=1,
        bare_space_id=None,
        resources=(),
    )


def _bare_space_id(tokenizer: Any) -> int | None:
    """Id of the piece "▁", or None when the vocabulary has none."""
    bare = tokenizer.token_to_id("▁")
    return None if bare == tokenizer.unk_token_id else bare
