"""The text cleaning of the reference BERT tokenizer, as graph ops.

keras-hub's `BertTokenizer` leaves this step out: it glues words at Unicode
spaces other than the ASCII ones and splits them at zero-width characters.
The reference (google-research/bert tokenization.py, `_clean_text`) drops
control and format characters and U+FFFD and turns every space into " ".
"""

from typing import Any

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import ragged_parts

# RE2 classes. Tab, line feed and carriage return are control characters (Cc)
# that the reference counts as spaces, so they are replaced first. The
# original code drops Cc and Cf; Hugging Face's, which the XTREME scripts ran
# with, every C* category: private use and unassigned code points as well (and
# surrogates, impossible in UTF-8). Here private use is dropped; unassigned
# code points, for which RE2 has no class, stay, and their word is [UNK].
#
# All of Zs but the ASCII space, which would only be replaced by itself, word by
# word, and the line and paragraph separators.
_SPACE = (
    r"[\t\n\r\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}"
    r"\x{205F}\x{3000}]"
)
_DROPPED = r"[\p{Cc}\p{Cf}\p{Co}\x{FFFD}]"


def clean_text(text: Any) -> Any:
    """Applies the reference cleaning to UTF-8 strings of any shape.

    Spaces of category Zs, line separators, tab, line feed and carriage return
    are replaced by one ASCII space each; control, format and private-use
    characters and U+FFFD are removed.

    Python's reference splits on `str.split()` afterwards, which also treats
    the line and paragraph separators U+2028 and U+2029 as spaces; they become
    a space here too.

    Reference:
        - google-research/bert, tokenization.py, `BasicTokenizer._clean_text`.
    """
    text = tf.strings.regex_replace(text, _SPACE, " ")
    return tf.strings.regex_replace(text, _DROPPED, "")


def valid_utf8(text: Any) -> Any:
    """Replaces every invalid byte sequence in the strings by U+FFFD."""
    return tf.strings.unicode_transcode(
        text, input_encoding="UTF-8", output_encoding="UTF-8", errors="replace"
    )


def split_words(text: Any) -> Any:
    """Splits every text at white space, Unicode spaces included.

    From valid UTF-8 `(batch,)` to a RaggedTensor `(batch, words)` without empty
    words.
    """
    found = tf.raw_ops.StringSplitV2(
        input=tf.strings.regex_replace(text, _SPACE, " "), sep=""
    )
    # tf.strings.split is the same op, with more of them after it.
    ends = ragged_parts.upper_bound(
        found.indices[:, 0], tf.range(found.shape[0])
    )
    return ragged_parts.ragged(
        found.values, tf.concat([tf.constant([0], tf.int64), ends], axis=0)
    )
