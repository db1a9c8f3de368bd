"""Classification of texts and pairs of texts."""

from collections.abc import Sequence
from typing import Any

import keras

from dlfa_tf.models import raw_inputs
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.task import DLFATask
from dlfa_tf.options import DROPOUT
from dlfa_tf.preprocessing import pair_preprocessor
from dlfa_tf.preprocessing import raw_labels
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor

_TEXTS = (
    "a list of strings, a tuple of two such lists for pairs, or a dict with "
    "`first` and `second`; or a `tf.data.Dataset` of batches of them"
)


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DLFATextClassifier(DLFATask):
    """Classifies texts or pairs of texts by the fused representation.

    Position 0 of L goes through the pooler of the backbone (dense, tanh),
    dropout and a dense layer, as the mBERT baseline does with the last block.
    With a preprocessor attached, `fit`, `evaluate` and `predict` take raw
    strings: one batch of texts, or a pair as a tuple `(first, second)`.

    Args:
        backbone: `DLFABackbone`.
        num_classes: int. Defaults to the number of `labels`.
        preprocessor: Optional `PairPreprocessor`; without one the model
            takes `token_ids`, `segment_ids`, `padding_mask`.
        labels: Optional sequence of label names. Defaults to the
            preprocessor's.
        dropout: float, dropout before the last layer. Defaults to `0.1`
            (mBERT).
        num_texts: int or None, texts of an example: 1, 2 for pairs, or None
            where nobody knows; `fit` on raw strings says it. Programs,
            exports and servers take what the model was trained on, because
            a text has other pieces than a pair with an empty second one.
            Defaults to `None`.

    Call arguments:
        inputs: dict of the backbone's inputs, each `(batch, time)`.

    Returns:
        float32 logits `(batch, num_classes)`.

    Raises:
        ValueError: when neither `num_classes` nor `labels` is given, when
            they disagree, or for another number of texts.

    Example:
        from dlfa_tf.models import DLFATextClassifier

        model = DLFATextClassifier.from_preset(
            "tiny", fusion_layer=1, labels=["no", "yes"])
        model.fit((["a b", "c d"], ["a b", "e f"]), ["yes", "no"], verbose=0)
        model.predict((["a b"], ["c d"]), verbose=0).shape  # (1, 2)
        model.evaluate((["a b"], ["c d"]), ["no"], verbose=0)  # loss, accuracy

        model.save_weights("pairs.weights.h5")
        model.load_weights("pairs.weights.h5")

    Reference:
        - Chen et al. 2022; Devlin et al. 2019 for the pooler.
    """

    preprocessor_cls = PairPreprocessor
    head_input = "pooled_output"

    def __init__(
        self,
        backbone: DLFABackbone,
        num_classes: int | None = None,
        preprocessor: PairPreprocessor | None = None,
        labels: Sequence[str] | None = None,
        dropout: float = DROPOUT,
        num_texts: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_texts not in (None, 1, 2):
            raise ValueError(
                f"`num_texts` must be 1, 2 or None. Received: {num_texts!r}."
            )
        super().__init__(
            backbone,
            num_classes,
            preprocessor,
            labels,
            dropout,
            **kwargs,
        )
        self.num_texts = num_texts

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Trains, and remembers whether on texts or on pairs; see the base."""
        if self.preprocessor is not None:
            self.num_texts = _number_of_texts(x) or self.num_texts
        return super().fit(x, *args, **kwargs)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "num_texts": self.num_texts}

    def default_loss(self) -> keras.losses.Loss:
        """Cross entropy on logits."""
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def default_metric(self) -> keras.metrics.Metric:
        """Accuracy."""
        return keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    def structured_x(self, x: Any, name: str = "x") -> Any:
        """Names the texts of a bare pair, so that no one takes it for (x, y).

        keras-hub would silently drop the second text. Data sets pass through,
        and so do token arrays of a model without a preprocessor.

        Raises:
            ValueError: for a list of lists, which may be a pair of batches
                or a batch of pairs, and for what is no batch.
            TypeError: when an item is no text; the first is named.
        """
        if self.preprocessor is None or raw_inputs.is_dataset(x):
            return x
        raw_inputs.check_no_loader(name, x)
        if not isinstance(x, (tuple, dict)):
            return raw_inputs.text_batch(name, x, _TEXTS)
        found = {
            key: raw_inputs.text_batch(f"{name}[{key!r}]", value, _TEXTS)
            for key, value in pair_preprocessor.as_text_dict(x).items()
        }
        sizes = [raw_inputs.count_examples(value) for value in found.values()]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"The two texts of a pair must be equally many in `{name}`. "
                f"Received: {sizes[0]} first and {sizes[1]} second texts."
            )
        return found

    def structured_y(self, y: Any, name: str = "y") -> Any:
        """Labels as a list of names, or as an int32 array of ids.

        Raises:
            ValueError, TypeError: for what is no label; the first is named.
        """
        if self.preprocessor is None or y is None:
            return y
        return raw_labels.check_labels(name, y, self.label_rule)


def _number_of_texts(x: Any) -> int | None:
    """Texts of an example in what `fit` takes; None where it cannot be told."""
    if raw_inputs.is_dataset(x):
        spec = getattr(x, "element_spec", None)
        # Labels come with it.
        x = spec[0] if isinstance(spec, tuple) else None
    if x is None:
        return None
    count = len(x) if isinstance(x, (tuple, dict)) else 1
    # What has more is refused when it is read.
    return count if count in (1, 2) else None
