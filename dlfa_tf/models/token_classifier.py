"""Tagging: one label per word, from raw strings."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from dlfa_tf.models import raw_inputs
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.masked_accuracy import MaskedAccuracy
from dlfa_tf.models.sentence_vectors import POOLER_NAME
from dlfa_tf.models.task import DLFATask
from dlfa_tf.options import DROPOUT
from dlfa_tf.preprocessing import tagging_preprocessor
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DLFATokenClassifier(DLFATask):
    """Tags words by the fused representation of one of their pieces.

    Every position of L goes through dropout and a dense layer. With a
    preprocessor attached, `fit` and `evaluate` take sentences (strings split
    at white space, or lists of words) and as many tags; `predict` returns one
    row of logits per WORD; `tag` returns the tags. No word is ever cut off:
    long sentences are split and merged again.

    Args:
        backbone: `DLFABackbone`. Its pooler is not used here and is frozen,
            so that every trainable weight has a gradient; a model that shares
            the encoder then finds it frozen too.
        num_classes: int. Defaults to the number of `labels`.
        preprocessor: Optional `TaggingPreprocessor`; without one the model
            takes `token_ids`, `segment_ids`, `padding_mask` and returns
            logits per piece.
        labels: Optional sequence of tag names. Defaults to the
            preprocessor's.
        dropout: float, dropout before the last layer. Defaults to `0.1`
            (mBERT).

    Call arguments:
        inputs: dict of the backbone's inputs, each `(batch, time)`.

    Returns:
        float32 logits `(batch, time, num_classes)`.

    Raises:
        ValueError: when neither `num_classes` nor `labels` is given, or when
            they disagree.

    Example:
        from dlfa_tf.models import DLFATokenClassifier

        model = DLFATokenClassifier.from_preset(
            "tiny", fusion_layer=1, labels=["NOUN", "VERB"])
        model.fit(["dogs bark", "cats sleep"], ["NOUN VERB", "NOUN VERB"],
                  verbose=0)
        model.tag(["birds sing"])  # one tag per word

    Reference:
        - Chen et al. 2022; Hu et al. 2020 (XTREME) for the alignment.
    """

    preprocessor_cls = TaggingPreprocessor
    head_input = "sequence_output"

    def __init__(
        self,
        backbone: DLFABackbone,
        num_classes: int | None = None,
        preprocessor: TaggingPreprocessor | None = None,
        labels: Sequence[str] | None = None,
        dropout: float = DROPOUT,
        **kwargs: Any,
    ) -> None:
        if backbone.pooler != "none":
            backbone.get_layer(POOLER_NAME).trainable = False
        super().__init__(
            backbone,
            num_classes,
            preprocessor,
            labels,
            dropout,
            **kwargs,
        )

    def default_loss(self) -> keras.losses.Loss:
        """Cross entropy on logits; positions with label -1 do not count."""
        return keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=IGNORED_LABEL
        )

    def default_metric(self) -> keras.metrics.Metric:
        """Accuracy; positions with label -1 do not count."""
        return MaskedAccuracy(ignored_label=IGNORED_LABEL)

    def predict(
        self, x: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Predicts one row of logits per word.

        Args:
            x: sentences: strings split at white space, or lists of words; or
                a `tf.data.Dataset` of batches of them, with or without tags.
                Without a preprocessor: the model's inputs.
            batch_size: int, sentences per step. Defaults to `32`.
            **kwargs: further arguments of `keras.Model.predict`, only
                without a preprocessor.

        Returns:
            float32 array `(sentences, max_words, num_classes)`, zero after a
            sentence's last word. Without a preprocessor: logits per piece.

        Raises:
            ValueError: for strings beside lists of words, or for a data set
                of single sentences.
        """
        if self.preprocessor is None:
            return super().predict(x, batch_size=batch_size, **kwargs)
        x = self._raw_inputs(x)
        sentences = list(self._word_logits(x, batch_size or 32))
        width = max((len(words) for words in sentences), default=0)
        logits = np.zeros((len(sentences), width, self.num_classes), np.float32)
        for i, words in enumerate(sentences):
            logits[i, : len(words)] = words
        return logits

    def tag(self, x: Any, batch_size: int = 32) -> list[list[str]]:
        """Returns the tags of the words of sentences.

        Args:
            x: sentences: strings split at white space, or lists of words.
            batch_size: int, sentences per step. Defaults to `32`.

        Returns:
            One list of tag names per sentence, one tag per word.

        Raises:
            ValueError: when the model has no preprocessor or no labels, and
                as for `predict`.
        """
        if self.preprocessor is None or self.labels is None:
            raise ValueError(
                "`tag` needs a model with a preprocessor and with labels. "
                f"Received: preprocessor={self.preprocessor}, "
                f"labels={self.labels}."
            )
        return [
            [self.labels[i] for i in words.argmax(-1)]
            for words in self._word_logits(self._raw_inputs(x), batch_size)
        ]

    def _word_logits(self, x: Any, batch_size: int) -> Iterator[np.ndarray]:
        """Yields `(words, num_classes)` logits, sentence by sentence."""
        if raw_inputs.is_dataset(x):
            for batch in x:
                batch, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
                yield from self._word_logits(batch, batch_size)
            return
        words = self.preprocessor.as_words(x)
        for start in range(0, words.nrows(), batch_size):
            batch = words[start : start + batch_size]
            rows = self.preprocessor.encode_words(batch)
            features = self.preprocessor.features(rows.token_ids, None)
            features = {
                name: keras.ops.convert_to_tensor(value.numpy())
                for name, value in features.items()
            }
            # Past keras-hub's own method, which would preprocess again.
            logits = keras.Model.predict_on_batch(self, features)
            mask = rows.label_mask.to_tensor(False).numpy()
            borders = np.cumsum(batch.row_lengths().numpy())[:-1]
            yield from np.split(np.asarray(logits)[mask], borders)

    def structured_x(self, x: Any) -> Any:
        """Turns lists and arrays of words into a ragged tensor."""
        return self._sliceable("x", x)

    def structured_y(self, y: Any) -> Any:
        """Turns lists and arrays of tags into a ragged tensor."""
        return self._sliceable("y", y)

    def _sliceable(self, name: str, value: Any) -> Any:
        """Reads what is given as the preprocessor does, for `tf.data`."""
        if self.preprocessor is None or not (
            isinstance(value, (list, tuple)) or hasattr(value, "tolist")
        ):
            # Among others: nothing, tensors, data sets.
            return value
        return tagging_preprocessor.as_ragged_or_dense(name, value)
