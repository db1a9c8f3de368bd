"""Words and their tags -> rows of pieces with one label per word."""

from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
import numpy as np

from dlfa_tf import raw_values
from dlfa_tf import words
from dlfa_tf.lazy import tf
from dlfa_tf.options import LABEL_PIECES
from dlfa_tf.options import SEQUENCE_LENGTH
from dlfa_tf.preprocessing import base_preprocessor
from dlfa_tf.preprocessing import raw_labels
from dlfa_tf.preprocessing import rows
from dlfa_tf.preprocessing import text_cleaning
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.preprocessing.base_preprocessor import BasePreprocessor
from dlfa_tf.preprocessing.raw_labels import LabelRule
from dlfa_tf.preprocessing.rows import TaggingRows

_SENTENCES = (
    "a list of strings split at white space, or a list or RaggedTensor of "
    "words; or a `tf.data.Dataset` of batches of them"
)


@keras.saving.register_keras_serializable(package="dlfa_tf")
class TaggingPreprocessor(BasePreprocessor):
    """Turns words into the inputs of an encoder, with one label per word.

    Every word is tokenised alone; one of its pieces carries its label, all
    other positions (further pieces, special pieces, padding) carry -1 and
    count in neither loss nor metric. Nothing is cut: a sentence longer than
    `sequence_length` goes on in a further row at a word border, so there may
    be more rows than sentences; `encode_words` says which row belongs to
    which sentence. A word that gives no piece becomes one unknown piece and
    keeps its label.

    Args:
        tokenizer: keras-hub tokenizer (`XLMRobertaTokenizer`,
            `BertTokenizer`, `DistilBertTokenizer`).
        labels: Optional sequence of tag names; tag i has id i.
        sequence_length: int, pieces per row, special ones included.
            Defaults to `128` (XTREME).
        use_segment_ids: bool, whether the encoder takes `segment_ids`.
            Defaults to `True` (BERT).
        label_piece: `"first"`: the first piece of a word carries its label
            (XTREME's rule, right for WordPiece); `"first_content"`: the first
            piece that is not a bare "▁". Defaults to `None`: `"first"` for
            WordPiece, `"first_content"` for SentencePiece vocabularies, where
            the first piece of most Japanese and Chinese words is a bare "▁".

    Call arguments:
        x: Strings `(batch,)`, split at white space; or words as a
            RaggedTensor `(batch, words)`, or as a list of lists of strings
            (arrays and columns of a data frame count as lists).
        y: Optional tags, one per word: strings `(batch,)` split at white
            space, or strings or ids as a RaggedTensor or a list of lists.
        sample_weight: Optional weights of the words, a float RaggedTensor
            `(batch, words)`. One weight per sentence is not supported.

    Returns:
        dict of `token_ids` int32, `segment_ids` int32 (when used) and
        `padding_mask` bool, each `(rows, time)`; with tags a tuple of the
        dict and int32 ids `(rows, time)`, -1 where there is no label.

    Raises:
        ValueError: when `x` or `y` is none of the accepted structures, or for
            an unknown `label_piece`.
        InvalidArgumentError: when a sentence has more or fewer tags than
            words.

    Example:
        from dlfa_tf.models.presets import load_tokenizer
        from dlfa_tf.preprocessing import TaggingPreprocessor

        preprocessor = TaggingPreprocessor(
            load_tokenizer("tiny"), labels=["NOUN", "VERB"]
        )
        x, y = preprocessor(["dogs bark"], y=["NOUN VERB"])
        preprocessor.word_weights(["NOUN VERB"], [1.0, 3.0])  # [[1.0, 3.0]]

    Reference:
        - Hu et al. 2020, XTREME, third_party/utils_tag.py (label on the first
          piece) and utils_preprocess.py (splitting long sentences).
    """

    ignored_label = IGNORED_LABEL

    def __init__(
        self,
        tokenizer: keras_hub.tokenizers.Tokenizer,
        labels: Sequence[str] | None = None,
        sequence_length: int = SEQUENCE_LENGTH,
        use_segment_ids: bool = True,
        label_piece: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            tokenizer,
            labels=labels,
            sequence_length=sequence_length,
            use_segment_ids=use_segment_ids,
            **kwargs,
        )
        if label_piece is not None and label_piece not in LABEL_PIECES:
            raise ValueError(
                f"`label_piece` is unknown. Received: {label_piece!r}. "
                f"Accepted: {LABEL_PIECES} or None for the default of the "
                "vocabulary."
            )
        self.label_piece = label_piece

    @property
    def resolved_label_piece(self) -> str:
        """`label_piece`, or the vocabulary's default when it is None."""
        return self.label_piece or self.pieces.default_label_piece

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Encodes one batch; see the class."""
        return super().__call__(x, y=y, sample_weight=sample_weight)

    def call(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Encodes one batch; see the class."""
        if not isinstance(sample_weight, (tf.RaggedTensor, type(None))):
            raise ValueError(
                "`sample_weight` is not supported for tagging: a sentence may "
                "become several rows. Received: a sample weight. Accepted: "
                "None, or a RaggedTensor of one weight per word. Positions "
                "without a label are ignored by the loss."
            )
        if isinstance(x, tuple):
            raise ValueError(
                "`x` must be sentences; tags are passed by keyword, "
                f"`preprocessor(x, y=tags)`. Received: a tuple of {len(x)}. "
                "Accepted: a tensor, a RaggedTensor or a list."
            )
        words = self.as_words(x)
        rows = self.encode_words(words)
        features = self.features(rows.token_ids, None)
        if y is None:
            return self.pack(features, None, None)
        tags = self._as_tags(y, words)
        labels = spread_labels(rows.label_mask, self.label_ids(tags))
        labels = base_preprocessor.at_least_one_column(labels, IGNORED_LABEL)
        if sample_weight is not None:
            sample_weight = base_preprocessor.at_least_one_column(
                spread(rows.label_mask, sample_weight, 0.0), 0.0
            )
        return self.pack(features, labels, sample_weight)

    def word_weights(self, y: Any, class_weights: Any) -> Any:
        """Weights of words by their tags.

        Args:
            y: tags of the words, as for a call.
            class_weights: float `(labels,)`, one weight per id.

        Returns:
            float32 RaggedTensor `(batch, words)`, 0 for a word without a tag.
        """
        tags = self.label_ids(split_tags(y))
        # One weight more, for -1.
        table = tf.concat([tf.cast(class_weights, tf.float32), [0.0]], axis=0)
        count = tf.size(table) - 1
        return tags.with_flat_values(
            tf.gather(
                table,
                tf.where(tags.flat_values < 0, count, tags.flat_values),
            )
        )

    def as_words(self, x: Any) -> Any:
        """Reads an input as words.

        Args:
            x: strings `(batch,)`, or words as RaggedTensor or list of lists.

        Returns:
            String RaggedTensor `(batch, words)`, valid UTF-8.
        """
        x = as_ragged_or_dense("x", x)
        _check_structure("x", x)
        if isinstance(x, tf.RaggedTensor):
            return x.with_flat_values(text_cleaning.valid_utf8(x.flat_values))
        if x.shape.rank == 0:
            x = x[None]
        return text_cleaning.split_words(text_cleaning.valid_utf8(x))

    def encode_words(self, words: Any) -> TaggingRows:
        """Ragged rows of words; see `tagging_rows`.

        Args:
            words: String RaggedTensor `(batch, words)`, valid UTF-8.

        Returns:
            `TaggingRows`.
        """
        return rows.tagging_rows(
            words,
            self.pieces,
            self.sequence_length,
            self.resolved_label_piece,
        )

    def _as_tags(self, y: Any, words: Any) -> Any:
        """Reads tags as a RaggedTensor and checks their number."""
        tags = split_tags(y)
        # First this: the lengths of one sentence compare with those of many.
        check = tf.debugging.assert_equal(
            tags.nrows(),
            words.nrows(),
            message="`y` must have the tags of every sentence of `x`: the "
            "numbers of sentences in y (x) and in x (y) differ.",
        )
        check = tf.debugging.assert_equal(
            base_preprocessor.after(check, tags.row_lengths()),
            words.row_lengths(),
            message="Every word needs one tag: the numbers of tags (x) and "
            "of words (y) of the sentences differ.",
        )
        return tags.with_flat_values(
            base_preprocessor.after(check, tags.flat_values)
        )

    def encode_signature(self) -> tuple[Any, Any]:
        """`encode_words` of ragged words."""
        words = tf.RaggedTensorSpec([None, None], tf.string)
        return self.encode_words, [words]

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        config = super().get_config()
        config["label_piece"] = self.label_piece
        return config


def split_tags(y: Any) -> Any:
    """Reads tags as a RaggedTensor `(batch, words)` of names or ids."""
    tags = as_ragged_or_dense("y", y)
    _check_structure("y", tags)
    if isinstance(tags, tf.RaggedTensor):
        return tags
    if tags.shape.rank == 0:
        tags = tags[None]
    return text_cleaning.split_words(text_cleaning.valid_utf8(tags))


def spread_labels(label_mask: Any, labels: Any) -> Any:
    """Puts one label per word where the mask is True, -1 elsewhere.

    Mask and result are RaggedTensors `(rows, pieces)`; `labels` is an int32
    RaggedTensor `(batch, words)`, words in the same order.
    """
    return spread(label_mask, labels, IGNORED_LABEL)


def spread(label_mask: Any, values: Any, filler: Any) -> Any:
    """As `spread_labels`, with other values and another filler."""
    mask = label_mask.flat_values
    found = tf.tensor_scatter_nd_update(
        tf.fill(tf.shape(mask), filler),
        tf.where(mask),
        values.flat_values,
    )
    return label_mask.with_flat_values(found)


def sliceable_words(name: str, x: Any) -> Any:
    """Sentences in memory, looked at, in a form that `tf.data` slices.

    Args:
        name: str, name of the argument, for the message.
        x: sentences, as `TaggingPreprocessor` takes them.

    Returns:
        list of str, or a string RaggedTensor `(batch, words)`; a tensor as it
        was given.

    Raises:
        ValueError, TypeError: for what are no sentences; the first is named.
    """
    if isinstance(x, (tf.Tensor, tf.RaggedTensor)):
        _check_structure(name, x)
        return as_ragged_or_dense(name, x)
    found = raw_values.sentences(name, x, _SENTENCES)
    if found and not isinstance(found[0], str):
        return as_ragged_or_dense("x", found)
    return found


def sliceable_tags(name: str, y: Any, rule: LabelRule) -> Any:
    """As `sliceable_words`, of tags: list of str, or a RaggedTensor."""
    tags = raw_labels.check_tags(name, y, rule)
    if tags.as_strings:
        return tags.values
    # Without any word they may as well be ids.
    flat = tf.constant(tags.values, None if len(tags.values) else tf.int32)
    return tf.RaggedTensor.from_row_lengths(flat, tags.lengths)


def word_counts(value: Any) -> np.ndarray:
    """Number of words of each sentence.

    Args:
        value: list of str, string Tensor `(batch,)`, or a RaggedTensor.

    Returns:
        int `(batch,)`.
    """
    if isinstance(value, tf.RaggedTensor):
        return value.row_lengths().numpy()
    if isinstance(value, list):
        split = words.split_function(value)
        return np.array([len(split(text)) for text in value], np.int64)
    text = text_cleaning.valid_utf8(value)
    return text_cleaning.split_words(text).row_lengths().numpy()


def as_ragged_or_dense(name: str, value: Any) -> Any:
    """A list of lists becomes ragged; tensors and flat lists stay dense.

    Arrays and columns of a data frame count as lists. A mix of strings and
    lists raises ValueError, in which the value is called `name`.
    """
    if isinstance(value, tf.RaggedTensor):
        # Row splits of 32 bits do not mix with those made here.
        return value.with_row_splits_dtype(tf.int64)
    if isinstance(value, tf.Tensor):
        return value
    value = _as_list(value)
    if not isinstance(value, (list, tuple)):
        if isinstance(value, (str, bytes)):
            return tf.convert_to_tensor(value)
        value = raw_values.as_list(name, value, _SENTENCES)
    items = [_as_list(item) for item in value]
    raw_values.refuse_missing(name, items)
    others = [item for item in items if not isinstance(item, (list, tuple))]
    if others and len(others) < len(items):
        # Read as lists, strings would fall into letters.
        raise ValueError(
            f"`{name}` must not mix strings and lists. Received: "
            f"{others[0]!r} beside a list. Accepted: strings split at white "
            "space, or lists with one entry per word."
        )
    if others or not items:
        # An empty list would become floats.
        return tf.convert_to_tensor(items, None if items else tf.string)
    flat = [entry for row in items for entry in row]
    raw_values.refuse_missing(name, flat)
    # As above; tags may be ids.
    empty = tf.string if name == "x" else tf.int32
    try:
        values = tf.constant(flat, None if flat else empty)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{name}` must hold lists with one entry per word. Received: "
            f"{raw_values.shown(items)}. Accepted: lists of strings, of tags "
            "or of ids, not of more lists or of a mix."
        ) from error
    return tf.RaggedTensor.from_row_lengths(values, [len(row) for row in items])


def _as_list(value: Any) -> Any:
    """Arrays and columns of a data frame as lists, all else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _check_structure(name: str, value: Any) -> None:
    """Refuses what is neither a batch of texts nor ragged words or tags."""
    ragged = isinstance(value, tf.RaggedTensor)
    if ragged:
        # Tags may be ids.
        right = value.shape.rank == 2
        right = right and (name == "y" or value.dtype == tf.string)
    else:
        right = value.shape.rank in (None, 0, 1) and value.dtype == tf.string
    if not right:
        raise ValueError(
            f"`{name}` has a wrong structure. Received: "
            f"{'ragged' if ragged else 'dense'} {value.dtype.name} of shape "
            f"{value.shape}. Accepted: strings (batch,) split at white space, "
            "or one entry per word as a RaggedTensor or a list of lists."
        )
