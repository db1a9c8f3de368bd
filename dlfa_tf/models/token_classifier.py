"""Tagging: one label per word, from raw strings."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from dlfa_tf import checks
from dlfa_tf import raw_values
from dlfa_tf.models import keras_arguments
from dlfa_tf.models import loading
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
    ignored_label = IGNORED_LABEL

    def __init__(
        self,
        backbone: DLFABackbone,
        num_classes: int | None = None,
        preprocessor: TaggingPreprocessor | None = None,
        labels: Sequence[str] | None = None,
        dropout: float = DROPOUT,
        **kwargs: Any,
    ) -> None:
        loading.check_parts(backbone, preprocessor, TaggingPreprocessor)
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
            **kwargs: further arguments of `keras.Model.predict`. With a
                preprocessor, `steps` is a number of batches, nothing is
                shown whatever `verbose` is, and `callbacks` are refused.

        Returns:
            float32 array `(sentences, max_words, num_classes)`, zero after a
            sentence's last word. Without a preprocessor: logits per piece.

        Raises:
            ValueError: for strings beside lists of words, or for a data set
                of single sentences.
        """
        if self.preprocessor is None:
            return super().predict(x, batch_size=batch_size, **kwargs)
        given = keras_arguments.check_arguments(
            "predict", {"batch_size": batch_size, **kwargs}
        )
        if given.get("callbacks"):
            raise ValueError(
                "`callbacks` are not supported by `predict` of a tagger with "
                f"a preprocessor. Received: "
                f"{raw_values.shown(given['callbacks'])}. Accepted: None."
            )
        steps = given.get("steps")
        sentences = list(self._sentences(x, given["batch_size"], steps))
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
        batch_size = checks.check_count("batch_size", batch_size)
        if self.preprocessor is None or self.labels is None:
            raise ValueError(
                "`tag` needs a model with a preprocessor and with labels. "
                f"Received: preprocessor={self.preprocessor}, "
                f"labels={self.labels}."
            )
        return [
            [self.labels[i] for i in words.argmax(-1)]
            for words in self._sentences(x, batch_size, None)
        ]

    def _sentences(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> Iterator[np.ndarray]:
        """Yields `(words, num_classes)` logits, sentence by sentence."""
        if raw_inputs.is_dataset(x):
            self._check_dataset_to_predict(x, None, steps)
            for batch in x if steps is None else x.take(steps):
                batch, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
                yield from self._word_logits(batch, batch_size or 32)
            return
        if isinstance(x, (str, bytes)):
            x = [x]
        x = self.structured_x(x)
        size = batch_size or 32
        yield from self._word_logits(x if steps is None else x[: steps * size],
                                     size)  # fmt: skip

    def _word_logits(self, x: Any, batch_size: int) -> Iterator[np.ndarray]:
        """Yields the logits of sentences in memory."""
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

    def structured_x(self, x: Any, name: str = "x") -> Any:
        """Sentences as a list of strings, words as a RaggedTensor.

        Raises:
            ValueError: for strings beside lists of words, and for what is no
                batch.
            TypeError: when an item is no text; the first is named.
        """
        if self.preprocessor is None or raw_inputs.is_dataset(x):
            return x
        raw_inputs.check_no_loader(name, x)
        return tagging_preprocessor.sliceable_words(name, x)

    def structured_y(self, y: Any, name: str = "y") -> Any:
        """Tags as a list of strings, or as a RaggedTensor of names or ids.

        Raises:
            ValueError, TypeError: for what is no tag; the first is named.
        """
        if self.preprocessor is None or y is None:
            return y
        return tagging_preprocessor.sliceable_tags(name, y, self.label_rule)

    def check_labels_fit(
        self, x_name: str, x: Any, y_name: str, y: Any
    ) -> None:
        """Refuses sentences with more or fewer tags than words."""
        super().check_labels_fit(x_name, x, y_name, y)
        words = tagging_preprocessor.word_counts(x)
        tags = tagging_preprocessor.word_counts(y)
        wrong = words != tags
        if wrong.any():
            at = int(wrong.argmax())
            raise ValueError(
                f"Every word needs one tag: `{x_name}` has {words[at]} words "
                f"and `{y_name}` {tags[at]} tags at index {at} "
                f"({int(wrong.sum())} such sentence(s) in all). Accepted: "
                "equally many."
            )

    def checked_sample_weight(self, sample_weight: Any, count: int) -> Any:
        """Refuses weights: a long sentence becomes several rows."""
        raise ValueError(
            "`sample_weight` is not supported for tagging: a sentence may "
            f"become several rows. Received: "
            f"{raw_values.described(sample_weight)}. Accepted: None; the tag "
            "-1 for words that are not to count, or `class_weight`."
        )

    def weigh_classes(
        self, dataset: Any, weights: np.ndarray
    ) -> tuple[Any, dict[int, float] | None]:
        """A data set of raw batches with one weight per word."""
        self.preprocessor.build_pieces()

        def weigh(x: Any, y: Any) -> tuple[Any, Any, Any]:
            return x, y, self.weights_of_labels(y, weights)

        spec = dataset.element_spec
        if len(spec) != 2:
            raise ValueError(
                "`class_weight` excludes weights in the data set. Received: "
                f"elements of {spec}. Accepted: batches `(x, y)`."
            )
        # Not by Keras, which would take the tags of a sentence for one-hot.
        return dataset.map(weigh), None

    def weights_of_labels(self, y: Any, weights: np.ndarray) -> Any:
        """Weights of the words of one batch, ragged `(batch, words)`."""
        return self.preprocessor.word_weights(y, weights)
