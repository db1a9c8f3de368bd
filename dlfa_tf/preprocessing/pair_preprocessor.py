"""One or two texts per example -> token_ids, segment_ids, padding_mask."""

from typing import Any

import keras
import numpy as np

from dlfa_tf import raw_values
from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import rows
from dlfa_tf.preprocessing import text_cleaning
from dlfa_tf.preprocessing.base_preprocessor import BasePreprocessor
from dlfa_tf.preprocessing.rows import PairRows

# What TensorFlow reads right, besides its own tensors.
_AS_THEY_ARE = (str, bytes, list, tuple, np.ndarray)


def as_text_dict(x: Any) -> dict[str, Any]:
    """Names the texts of an input: the one place that reads its structure.

    An input is a text batch, a tuple of one or two of them, or a dict with
    `first` and, for pairs, `second`, as it is returned. Any other raises
    ValueError.
    """
    if isinstance(x, dict):
        if set(x) not in ({"first"}, {"first", "second"}):
            raise ValueError(
                "A dict input must have the key `first` and, for pairs, "
                f"`second`. Received: keys {sorted(map(str, x))}."
            )
        return x
    if isinstance(x, tuple):
        if len(x) not in (1, 2):
            raise ValueError(
                "A tuple input must hold one or two batches of texts. "
                f"Received: a tuple of {len(x)}."
            )
        return dict(zip(("first", "second"), x, strict=False))
    return {"first": x}


def _as_tensors(texts: dict[str, Any]) -> dict[str, Any]:
    """Makes string tensors of rank 0 or 1, of equal shape, of texts."""
    tensors = {}
    for name, text in texts.items():
        if not isinstance(text, _AS_THEY_ARE) and not isinstance(
            text, tf.Tensor
        ):
            text = raw_values.as_list(f"x[{name!r}]", text, "strings")
        if isinstance(text, (list, tuple)):
            raw_values.refuse_missing(f"x[{name!r}]", text)
        # An empty list would become floats.
        empty = isinstance(text, list) and not text
        try:
            tensor = tf.convert_to_tensor(text, tf.string if empty else None)
        except (ValueError, TypeError):
            # It says what is wrong, but not where.
            raw_values.texts(f"x[{name!r}]", text, "strings")
            raise
        if tensor.dtype != tf.string:
            raise TypeError(
                f"The {name} texts of `x` must be strings. Received: "
                f"{tensor.dtype.name}."
            )
        if tensor.shape.rank not in (None, 0, 1):
            raise ValueError(
                f"The {name} texts of `x` must be one string or a batch of "
                f"them. Received: shape {tensor.shape}. Accepted: "
                "shapes () and (batch,); a pair as `(first, second)`."
            )
        tensors[name] = tensor
    shapes = [tensor.shape for tensor in tensors.values()]
    if not shapes[0].is_compatible_with(shapes[-1]):
        raise ValueError(
            "The two batches of a pair must be of equal size. Received: "
            f"shapes {shapes[0]} and {shapes[-1]}."
        )
    return tensors


def _one_per_example(ids: Any, texts_shape: Any) -> Any:
    """Refuses one-hot rows, and more or fewer labels than texts.

    A column `(batch, 1)` is read by Keras.
    """
    shape = ids.shape
    if shape.rank is not None and not shape[:1].is_compatible_with(texts_shape):
        raise ValueError(
            "`x` and `y` must be equally long. Received: shapes "
            f"{texts_shape} and {shape}. Accepted: one label per example."
        )
    if shape.rank is not None and shape.rank > 1 and shape[-1] != 1:
        raise ValueError(
            "`y` must have one label per example. Received: shape "
            f"{shape}. Accepted: shape (batch,); of one-hot rows "
            "`y.argmax(-1)`."
        )
    return ids


@keras.saving.register_keras_serializable(package="dlfa_tf")
class PairPreprocessor(BasePreprocessor):
    """Turns texts, or pairs of texts, into the inputs of an encoder.

    A single text becomes `<s> text </s>`, a pair `[CLS] a [SEP] b [SEP]`
    (BERT vocabularies, segments 0 and 1) or `<s> a </s></s> b </s>` (XLM-R
    vocabularies, segment 0 throughout). What is longer than
    `sequence_length` is cut: the longer text of a pair first, piece by piece.

    A pair is ONE input of two batches. keras-hub reads a call with a single
    tuple, `preprocessor((first, second))`, as (inputs, labels); this class
    reads it as a pair, because labels are only ever passed by keyword.

    Args:
        tokenizer: keras-hub tokenizer (`XLMRobertaTokenizer`,
            `BertTokenizer`, `DistilBertTokenizer`).
        labels: Optional sequence of label strings; label i has id i.
        sequence_length: int, pieces per row, special ones included.
            Defaults to `128` (XTREME).
        use_segment_ids: bool, whether the encoder takes `segment_ids`.
            Defaults to `True` (BERT).

    Call arguments:
        x: Strings `(batch,)`; or a pair as a tuple of two such batches; or a
            dict with `first` and `second`.
        y: Optional labels `(batch,)`, strings or ids. By keyword.
        sample_weight: Optional floats `(batch,)`. By keyword.

    Returns:
        dict of `token_ids` int32, `segment_ids` int32 (when used) and
        `padding_mask` bool, each `(batch, time)`, padded to the longest row
        of the batch; with labels a tuple of the dict and int32 ids.

    Raises:
        ValueError: when `x` is none of the accepted structures, or the two
            batches of a pair differ in size.
        TypeError: when the texts are not strings.

    Example:
        from dlfa_tf.models.presets import load_tokenizer
        from dlfa_tf.preprocessing import PairPreprocessor

        preprocessor = PairPreprocessor(load_tokenizer("tiny"))
        preprocessor((["a b", "c"], ["d", "e f"]))["token_ids"]  # (2, time)

    Reference:
        - Hu et al. 2020, XTREME, third_party/utils (pairs, longest first).
    """

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Encodes one batch; see the class."""
        return super().__call__(
            as_text_dict(x), y=y, sample_weight=sample_weight
        )

    def call(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Encodes one batch; see the class."""
        texts = _as_tensors(as_text_dict(x))
        tensors_shape = texts["first"].shape
        scalar = tensors_shape.rank == 0
        if scalar:
            texts = {k: v[None] for k, v in texts.items()}
        rows = self.encode(texts["first"], texts.get("second"))
        features = self.features(rows.token_ids, rows.segment_ids)
        if scalar:
            features = {k: v[0] for k, v in features.items()}
        if y is not None:
            y = _one_per_example(self.label_ids(y), tensors_shape)
        return self.pack(features, y, sample_weight)

    def encode(self, first: Any, second: Any | None) -> PairRows:
        """Ragged rows of string tensors `(batch,)`; see `pair_rows`."""
        first = text_cleaning.valid_utf8(first)
        second = None if second is None else text_cleaning.valid_utf8(second)
        return rows.pair_rows(first, second, self.pieces, self.sequence_length)

    @property
    def compiled_encode_text(self) -> Any:
        """As `compiled_encode`, of a batch of single texts."""
        return self._compile_once("encode_text", self._text_signature)

    def _text_signature(self) -> tuple[Any, Any]:
        def encode_text(text: Any) -> PairRows:
            return self.encode(text, None)

        return encode_text, [tf.TensorSpec([None], tf.string)]

    def encode_signature(self) -> tuple[Any, Any]:
        """`encode` of two string tensors."""
        return self.encode, [tf.TensorSpec([None], tf.string)] * 2
