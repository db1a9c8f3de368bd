"""What the pair and the tagging preprocessor share."""

import numbers
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
import numpy as np

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf import raw_values
from dlfa_tf.lazy import tf
from dlfa_tf.options import MIN_SEQUENCE_LENGTH
from dlfa_tf.options import SEQUENCE_LENGTH
from dlfa_tf.preprocessing import piece_tokenizer
from dlfa_tf.preprocessing.piece_tokenizer import PieceTokenizer
from dlfa_tf.preprocessing.raw_labels import LabelRule

IGNORED_LABEL = -1
# What TensorFlow reads right, besides its own tensors.
_SCALARS = (str, bytes, numbers.Number, np.ndarray)


class BasePreprocessor(keras_hub.models.Preprocessor):
    """Base of the preprocessors: tokenizer, length limit, labels.

    Args:
        tokenizer: keras-hub tokenizer (`XLMRobertaTokenizer`,
            `BertTokenizer`, `DistilBertTokenizer`).
        labels: Optional sequence of label strings; label i has id i. Without
            them labels must be given as ids.
        sequence_length: int, pieces per row, special ones included.
        use_segment_ids: bool, whether the encoder takes `segment_ids`.
    """

    # Id of what has no label; None where everything has one.
    ignored_label: int | None = None

    def __init__(
        self,
        tokenizer: keras_hub.tokenizers.Tokenizer,
        labels: Sequence[str] | None = None,
        sequence_length: int = SEQUENCE_LENGTH,
        use_segment_ids: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sequence_length = checks.check_count(
            "sequence_length", sequence_length, MIN_SEQUENCE_LENGTH, "pieces"
        )
        if not isinstance(use_segment_ids, bool):
            raise TypeError(
                "`use_segment_ids` must be True or False. Received: "
                f"{use_segment_ids!r:.80}."
            )
        self.tokenizer = tokenizer
        self.labels = None if labels is None else checked_labels(labels)
        self.sequence_length = sequence_length
        self.use_segment_ids = use_segment_ids
        self._pieces: PieceTokenizer | None = None
        self._compiled: dict[str, Any] = {}
        # No weights: Keras need not trace the layer to build it.
        self.built = True

    @property
    def pieces(self) -> PieceTokenizer:
        """The in-graph tokenizer, built on first use.

        Not in the constructor: a tokenizer that comes from a saved model gets
        its vocabulary after construction.
        """
        return self.build_pieces()

    def build_pieces(self) -> PieceTokenizer:
        """Returns `pieces`, which are built if that has not been done.

        To be called before a function is traced, which must not create their
        resources.
        """
        if self._pieces is None:
            self._pieces = piece_tokenizer.build_piece_tokenizer(self.tokenizer)
        return self._pieces

    @property
    def compiled_encode(self) -> Any:
        """The encoding of a batch as one `tf.function`, traced once.

        Takes the raw inputs as tensors and returns ragged rows; for those who
        tokenise many batches, one after the other.
        """
        return self._compile_once("encode", self.encode_signature)

    def _compile_once(
        self, name: str, signature: Callable[[], tuple[Any, Any]]
    ) -> Any:
        """The `tf.function` of a method and its input signature."""
        if name not in self._compiled:
            self.build_pieces()
            self._compiled[name] = tf.function(*signature())
        return self._compiled[name]

    def encode_signature(self) -> tuple[Any, Any]:
        """The method that encodes a batch, and its input signature."""
        raise NotImplementedError

    def save_to_preset(self, preset_dir: str) -> None:
        """Saves the preprocessor in a folder, whose path may begin with `~`."""
        super().save_to_preset(str(files.user_path(preset_dir, "preset_dir")))

    def load_preset_assets(self, preset: str) -> None:
        """Loads the tokenizer's files from a preset folder."""
        super().load_preset_assets(preset)
        self._pieces = None
        self._compiled = {}

    def label_ids(self, y: Any) -> Any:
        """Turns label strings into ids; ids pass through.

        Args:
            y: tensor or RaggedTensor of any shape, strings or whole numbers.

        Returns:
            int32, same shape.

        Raises:
            ValueError: when `y` holds strings and there are no `labels`, or
                ids where the names of labels are numbers that differ from
                ids.
            TypeError: when it holds truth values, None or NaN.
            InvalidArgumentError: when a string is none of the labels, or an
                id is out of range or no whole number.
        """
        if isinstance(y, tf.RaggedTensor):
            return y.with_flat_values(self.label_ids(y.flat_values))
        if not isinstance(y, (*_SCALARS, tf.Tensor)):
            y = raw_values.as_list("y", y, self.label_rule.accepted)
            raw_values.refuse_missing("y", y)
        y = tf.convert_to_tensor(y)
        if y.dtype != tf.string:
            return self._ids_in_range(y)
        if self.labels is None:
            raise ValueError(
                "`y` holds strings, but the preprocessor has no `labels`. "
                "Pass `labels=[...]` on construction, or give ids."
            )
        # Comparing with every label needs no lookup table, which an export
        # would have to track; label sets have at most a few dozen entries.
        found = y[..., None] == tf.constant(self.labels)
        known = tf.reduce_any(found, axis=-1)
        check = tf.debugging.Assert(
            tf.reduce_all(known),
            [
                "Unknown label. Received:",
                tf.boolean_mask(tf.reshape(y, [-1]), tf.reshape(~known, [-1])),
                "Accepted:",
                tf.constant(self.labels),
            ],
            summarize=20,
        )
        return tf.argmax(after(check, found), axis=-1, output_type=tf.int32)

    @property
    def label_rule(self) -> LabelRule:
        """What counts as a label."""
        return LabelRule(
            labels=self.labels,
            num_classes=None if self.labels is None else len(self.labels),
            ignored=self.ignored_label,
        )

    def _ids_in_range(self, y: Any) -> Any:
        """Ids as int32 that are whole, and those of labels, when it runs."""
        rule = self.label_rule
        if not (y.dtype.is_integer or y.dtype.is_floating):
            raise TypeError(
                "`y` must hold names or ids of labels. Received: "
                f"{y.dtype.name}. Accepted: {rule.accepted}."
            )
        if not rule.takes_numbers:
            raise ValueError(
                "`y` has numbers, but the names of labels are numbers too, "
                f"and stand for other ids. Received: {y.dtype.name}. Accepted: "
                f"the names {self.labels} as strings."
            )
        ids = tf.cast(y, tf.int32)
        low = 0 if rule.ignored is None else rule.ignored
        right = tf.logical_and(tf.cast(ids, y.dtype) == y, ids >= low)
        if rule.num_classes is not None:
            right = tf.logical_and(right, ids < rule.num_classes)
        check = tf.debugging.Assert(
            tf.reduce_all(right),
            [
                "`y` has an id that is out of range or no whole number. "
                "Received:",
                tf.boolean_mask(tf.reshape(y, [-1]), ~tf.reshape(right, [-1])),
                f"Accepted: {rule.accepted}.",
            ],
            summarize=20,
        )
        return after(check, ids)

    def features(self, token_ids: Any, segment_ids: Any | None) -> dict:
        """Pads ragged rows to the longest of the batch.

        Args:
            token_ids: int32 RaggedTensor `(rows, pieces)`.
            segment_ids: int32 RaggedTensor like `token_ids`; None for zeros.

        Returns:
            dict of `token_ids` int32, `padding_mask` bool and, when the
            encoder takes them, `segment_ids` int32, each `(rows, time)`.
        """
        # A batch of no rows has one column all the same: models read
        # position 0.
        lengths = token_ids.row_lengths()
        width = width_of(lengths)
        dense = padded(token_ids, self.pieces.pad_id, width)
        mask = tf.range(width) < lengths[:, None]
        features = {"token_ids": dense, "padding_mask": mask}
        if self.use_segment_ids:
            features["segment_ids"] = (
                tf.zeros_like(dense)
                if segment_ids is None
                else padded(segment_ids, 0, width)
            )
        return features

    def pack(self, features: dict, y: Any, sample_weight: Any) -> Any:
        """Returns what Keras expects: x, (x, y) or (x, y, sample_weight)."""
        if tf.executing_eagerly():
            # Outside tf.data the arrays must fit the backend in use.
            convert = keras.ops.convert_to_tensor
            features = {k: convert(v.numpy()) for k, v in features.items()}
            y = None if y is None else convert(y.numpy())
            if sample_weight is not None:
                sample_weight = convert(np.asarray(sample_weight, np.float32))
        return keras.utils.pack_x_y_sample_weight(features, y, sample_weight)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        config = super().get_config()
        config.update(
            {
                "labels": self.labels,
                "sequence_length": self.sequence_length,
                "use_segment_ids": self.use_segment_ids,
            }
        )
        return config


def checked_labels(labels: Any) -> list[str]:
    """Names of labels as a list of strings, none empty or twice.

    TypeError for what is no sequence of strings, ValueError for names that are
    empty or twice.
    """
    try:
        names = raw_values.texts("labels", labels, "a list of names")
    except (ValueError, TypeError) as error:
        raise TypeError(
            f"`labels` must be a sequence of strings. Received: "
            f"{raw_values.shown(labels)}. {error}"
        ) from None
    if not names or len(set(names)) != len(names) or "" in names:
        raise ValueError(
            "`labels` must not be empty or repeat. Received: "
            f"{raw_values.shown(names)}."
        )
    return list(names)


def after(check: Any, value: Any) -> Any:
    """Returns `value`, whose use then makes a graph run an assertion first.

    `check` is what `tf.debugging.Assert` and its like return: an operation, or
    None in eager mode, where the assertion has run.
    """
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(value)


def at_least_one_column(ragged: Any, filler: Any) -> Any:
    """Pads ragged rows to the longest, but to one column at least."""
    return padded(ragged, filler, width_of(ragged.row_lengths()))


def width_of(lengths: Any) -> Any:
    """The largest of the lengths of rows, but 1 at least."""
    # Of no rows the maximum is the smallest number there is.
    return tf.maximum(tf.reduce_max(lengths), 1)


def padded(ragged: Any, filler: Any, width: Any) -> Any:
    """Pads ragged rows to a width that holds the longest."""
    # `to_tensor` takes no shape that is known to the graph alone.
    shape = tf.stack([ragged.nrows(), width])
    dense = tf.raw_ops.RaggedTensorToTensor(
        shape=shape,
        values=ragged.flat_values,
        default_value=tf.constant(filler, ragged.dtype),
        row_partition_tensors=[ragged.row_splits],
        row_partition_types=["ROW_SPLITS"],
    )
    # No rows have no columns there.
    return tf.reshape(dense, shape)
