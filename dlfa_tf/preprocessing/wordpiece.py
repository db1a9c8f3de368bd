"""Cased WordPiece by the rules of the reference BERT tokenizer, as graph ops.

keras-hub's `BertTokenizer` differs from the reference in three places that
matter across languages: its word limit is 100 BYTES (Thai and Burmese clauses
become one [UNK] after about 33 characters), Unicode spaces glue words
together, and zero-width characters split them. The vocabulary comes from it;
the rules are here.
"""

from collections.abc import Callable
from typing import Any

from dlfa_tf import lazy
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import text_cleaning

# Hugging Face's limit, which the XTREME scripts ran with (the original BERT
# code has 200).
MAX_WORD_CHARACTERS = 100

# `_is_punctuation` of the reference: all ASCII that is neither letter, digit
# nor space, and Unicode category P.
_PUNCTUATION = r"!-/:-@\[-`{-~\p{P}"
# `_is_chinese_char` of the reference, block by block.
_CJK = "".join(
    f"\\x{{{low:X}}}-\\x{{{high:X}}}"
    for low, high in (
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B820, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    )
)
_WORD_OF_ITS_OWN = f"[{_PUNCTUATION}{_CJK}]"


def check_cased(tokenizer: Any) -> None:
    """Refuses a WordPiece tokenizer that lower-cases or strips accents."""
    if tokenizer.lowercase or tokenizer.strip_accents:
        raise ValueError(
            "`tokenizer` must be cased. Received: lowercase="
            f"{tokenizer.lowercase}, strip_accents={tokenizer.strip_accents}. "
            "Accepted: a cased one. Multilingual presets are: use "
            "`bert_base_multi`, or build the tokenizer with lowercase=False, "
            "or give token arrays (`preprocessor=None`)."
        )


def wordpiece_function(
    tokenizer: Any, max_word_characters: int = MAX_WORD_CHARACTERS
) -> Callable[[Any], Any]:
    """Builds a tokenising function from a WordPiece tokenizer's vocabulary.

    It maps strings `(n,)` to an int32 RaggedTensor `(n, pieces)`. A word of
    more than `max_word_characters` becomes [UNK]; 100 is Hugging Face's
    BertTokenizer's limit. The reference for a cased vocabulary neither
    lower-cases nor strips accents; a tokenizer that does is refused.

    Reference:
        - google-research/bert, tokenization.py, `FullTokenizer`.
    """
    check_cased(tokenizer)
    # Created outside any graph that is being traced, or its model would die
    # with that graph.
    with tf.init_scope():
        pieces = lazy.tf_text.FastWordpieceTokenizer(
            vocab=tokenizer.get_vocabulary(),
            token_out_type=tf.int32,
            # In bytes; a character has at most four. The real limit, in
            # characters, is applied below.
            max_bytes_per_word=4 * max_word_characters,
            no_pretokenization=True,
        )

    def tokenize(texts: Any) -> Any:
        # As the reference does it. Splitting at a pattern in one go
        # (tf_text.regex_split) takes longer.
        basic = tf.strings.split(
            tf.strings.regex_replace(
                text_cleaning.clean_text(texts), _WORD_OF_ITS_OWN, r" \0 "
            )
        )
        length = tf.strings.length(basic.flat_values, unit="UTF8_CHAR")
        words = tf.where(
            length > max_word_characters, "[UNK]", basic.flat_values
        )
        nested = basic.with_flat_values(pieces.tokenize(words))
        return nested.merge_dims(1, 2)

    return tokenize
