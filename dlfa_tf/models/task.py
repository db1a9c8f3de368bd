"""What the text and the token classifier share."""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from dlfa_tf.lazy import tf
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models import fusing
from dlfa_tf.models import loading
from dlfa_tf.models import raw_inputs
from dlfa_tf.models.dlfa_backbone import DLFABackbone

DROPOUT_NAME = "output_dropout"
LOGITS_NAME = "logits"
# Layers of a backbone that Keras can quantise.
_QUANTISED = (
    keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding
)  # fmt: skip


class DLFATask(keras_hub.models.Task):
    """Base of the task models: head, compile defaults, saving, loading.

    Args:
        backbone: `DLFABackbone`.
        features: KerasTensor that the head reads.
        num_classes: int or None, number of classes.
        preprocessor: preprocessor of the task or None.
        labels: label names or None.
        dropout: float, dropout before the last layer.
        name: str or None, name of the model.
        compile: bool, whether to compile with the defaults at once.

    Raises:
        ValueError: when labels and classes disagree, or when the preprocessor
            makes longer rows than the encoder has positions.
    """

    backbone_cls = DLFABackbone
    # Output of the backbone that the head reads.
    head_input: str

    def __init__(
        self,
        backbone: DLFABackbone,
        num_classes: int | None,
        preprocessor: Any,
        labels: Sequence[str] | None,
        dropout: float,
        name: str | None = None,
        compile: bool = True,
    ) -> None:
        labels = loading.resolve_labels(labels, preprocessor)
        num_classes = loading.resolve_num_classes(num_classes, labels)
        sequence_length = getattr(preprocessor, "sequence_length", None)
        if sequence_length is not None:
            encoder_blocks.check_sequence_length(
                sequence_length, backbone.max_positions
            )
        features = backbone(backbone.input)[self.head_input]
        # As precise as the backbone's output, whatever the global policy.
        x = keras.layers.Dropout(
            dropout, dtype=features.dtype, name=DROPOUT_NAME
        )(features)
        logits = keras.layers.Dense(
            num_classes,
            # BERT's initialiser of new layers.
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            dtype="float32",
            name=LOGITS_NAME,
        )(x)
        # keras-hub's tasks set these two first: its base class reads them.
        self.backbone = backbone
        self.preprocessor = preprocessor
        super().__init__(
            inputs=backbone.input,
            outputs=logits,
            name=name,
            compile=compile,
        )
        self.num_classes = num_classes
        self.labels = labels
        self.dropout = dropout

    def with_sentence_vector(self) -> keras.Model:
        """Builds a model of the same layers with one more output.

        The head is applied to the outputs of the backbone's own graph. To call
        the backbone, as this model does, and once more for the vector would
        put the encoder into the graph twice: one of the two is pruned before
        each run, but only after TensorFlow has optimised both, ten times as
        long.

        Returns:
            Model from the backbone's inputs to the logits and the sentence
            vector `(batch, dim)` that a classification head reads.
        """
        backbone = self.backbone
        return keras.Model(
            backbone.input, [self.head_output(), backbone.sentence_vector]
        )

    def head_output(self) -> Any:
        """Symbolic logits, as this model's, on the backbone's own graph.

        For models with further outputs of that graph.
        """
        x = self.backbone.output[self.head_input]
        return self.get_layer(LOGITS_NAME)(self.get_layer(DROPOUT_NAME)(x))

    def default_loss(self) -> keras.losses.Loss:
        """Loss of `compile(loss="auto")`."""
        raise NotImplementedError

    def default_metric(self) -> keras.metrics.Metric:
        """Metric of `compile(metrics="auto")`."""
        raise NotImplementedError

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        *,
        metrics: Any = "auto",
        **kwargs: Any,
    ) -> None:
        """Compiles the model, by default for fine-tuning as the benchmark does.

        Args:
            optimizer: any Keras optimizer. `"auto"`: AdamW, learning rate
                2e-5, no weight decay, epsilon 1e-8, clipped by the global
                norm 1 (XTREME's scripts; Keras' own defaults differ).
            loss: any Keras loss. `"auto"`: cross entropy on logits, the mean
                over the positions that have a label.
            metrics: list of Keras metrics. `"auto"`: accuracy over the
                positions that have a label.
            **kwargs: further arguments of `keras.Model.compile`.
                `jit_compile` (XLA) defaults to `False` on TensorFlow.
        """
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = keras.optimizers.AdamW(
                learning_rate=2e-5,
                weight_decay=0.0,
                epsilon=1e-8,
                global_clipnorm=1.0,
            )
        if isinstance(loss, str) and loss == "auto":
            loss = self.default_loss()
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [self.default_metric()]
        if keras.backend.backend() == "tensorflow":
            # Keras' "auto" is XLA where there is a GPU. It compiles anew for
            # every shape, and a batch is as wide as its longest row.
            kwargs.setdefault("jit_compile", False)
        super().compile(
            optimizer=optimizer, loss=loss, metrics=metrics, **kwargs
        )

    def get_compile_config(self) -> dict:
        """Returns what the model was compiled with."""
        config = super().get_compile_config()
        if config and self.optimizer is not None:
            config["optimizer_built"] = self.optimizer.built
        return config

    def compile_from_config(self, config: dict) -> None:
        """Compiles as the saved model was, so that training can go on.

        Keras skips this for models with a `compile` of their own.
        """
        config = keras.saving.deserialize_keras_object(config)
        # Keras warns when it finds no state for an optimizer that has one.
        has_state = config.pop("optimizer_built", False)
        self.compile(**config)
        if has_state:
            self.optimizer.build(self.trainable_variables)

    def preprocess_samples(
        self, x: Any, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Applies the preprocessor; labels are passed by keyword."""
        if self.preprocessor is None:
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return self.preprocessor(x, y=y, sample_weight=sample_weight)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        shuffle: bool = True,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on raw strings, on a data set, or on prepared arrays.

        Args:
            x: inputs of the task (see the class), or a `tf.data.Dataset` of
                batches `(x, y)`.
            y: labels.
            batch_size: int, examples per step. Defaults to `32`.
            sample_weight: weights of the examples.
            shuffle: bool, whether to shuffle raw strings anew every epoch, as
                Keras does with arrays (keras-hub's tasks do not). Defaults to
                `True`.
            validation_data: tuple or list `(x, y)`, or a data set.
            **kwargs: further arguments of `keras.Model.fit`, among them
                `validation_split`: the share of the examples, taken from the
                end before shuffling, to evaluate on; and
                `validation_batch_size`, which defaults to `batch_size`.

        Returns:
            The `History`.

        Raises:
            ValueError: when `validation_split` leaves one part empty, or for
                a data set of single examples.
        """
        self._build_optimizer()
        if self.preprocessor is None:
            # keras-hub's method does nothing more than preprocess, but asks
            # for TensorFlow or Grain.
            return keras.Model.fit(
                self,
                x,
                y,
                batch_size=batch_size,
                sample_weight=sample_weight,
                shuffle=shuffle,
                validation_data=validation_data,
                **kwargs,
            )
        x, y = self._raw_inputs(x), self.structured_y(y)
        # keras-hub would take 32 whatever is asked for.
        val_batch_size = (
            kwargs.pop("validation_batch_size", None) or batch_size or 32
        )
        if isinstance(validation_data, (tuple, list)):
            val_x, val_y, *rest = validation_data
            validation_data = raw_inputs.examples_dataset(
                self.structured_x(val_x), self.structured_y(val_y), *rest
            ).batch(val_batch_size)
        elif validation_data is not None:
            validation_data = self._raw_inputs(validation_data)
        if y is not None and not raw_inputs.is_dataset(x):
            x = raw_inputs.examples_dataset(x, y, sample_weight)
            batch_size, y, sample_weight = batch_size or 32, None, None
            split = kwargs.pop("validation_split", None)
            if split and validation_data is None:
                x, held_out = raw_inputs.split_dataset(x, split)
                validation_data = held_out.batch(val_batch_size)
            if shuffle:
                x = x.shuffle(x.cardinality())
            x, batch_size, shuffle = x.batch(batch_size), None, False
        return super().fit(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            shuffle=shuffle,
            validation_data=validation_data,
            **kwargs,
        )

    def _build_optimizer(self) -> None:
        """Creates the optimizer's variables ahead of the first step.

        Keras creates them while TensorFlow traces the step, which makes
        TensorFlow trace it a second time: half a minute for twelve blocks.
        """
        if self.optimizer is None or self.optimizer.built:
            return
        strategy = getattr(self, "distribute_strategy", None)
        scope = (
            contextlib.nullcontext() if strategy is None else strategy.scope()
        )
        with scope:
            self.optimizer.build(self.trainable_variables)

    def evaluate(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """Evaluates loss and metrics; arguments as for `fit`."""
        if self.preprocessor is None or kwargs.get("_use_cached_eval_dataset"):
            # The latter is Keras' own call at the end of an epoch.
            return keras.Model.evaluate(self, x, y, **kwargs)
        return super().evaluate(
            self._raw_inputs(x), self.structured_y(y), **kwargs
        )

    def predict(self, x: Any = None, **kwargs: Any) -> Any:
        """Predicts logits; `x` as for `fit`.

        Args:
            x: inputs of the task (see the class), or a `tf.data.Dataset` of
                batches of them.
            **kwargs: further arguments of `keras.Model.predict`.

        Returns:
            float32 array of logits.
        """
        if self.preprocessor is None:
            return keras.Model.predict(self, x, **kwargs)
        return super().predict(self._raw_inputs(x), **kwargs)

    def _raw_inputs(self, x: Any) -> Any:
        """Refuses what preprocessing cannot take, then brings `x` in form."""
        if isinstance(x, tf.data.Dataset):
            raw_inputs.check_batched(x)
        return self.structured_x(x)

    def structured_x(self, x: Any) -> Any:
        """Brings raw inputs into the form that `tf.data` slices."""
        return x

    def structured_y(self, y: Any) -> Any:
        """Brings raw labels into the form that `tf.data` slices."""
        return raw_inputs.as_batch(y)

    def quantize(
        self,
        mode: Any = None,
        config: Any = None,
        filters: Any = None,
        **kwargs: Any,
    ) -> None:
        """Stores the weights of dense layers and embeddings in less room.

        Meant for inference: what is quantised is not trained any more. The
        head stays as it is.

        Args:
            mode: str, `"int8"`; Keras' other modes have not been tried here.
            config: quantisation config of Keras instead of `mode`.
            filters: which layers to quantise; see `keras.Model.quantize`.
                Defaults to the dense layers and embeddings of the backbone.
            **kwargs: further arguments of `keras.Model.quantize`.

        Raises:
            ValueError: for a mode other than `"int8"`.
        """
        mode = mode or getattr(config, "mode", None)
        if mode != "int8":
            raise ValueError(
                f"`mode` is not supported. Received: {mode!r}. Accepted: "
                "'int8'."
            )
        if filters is None:
            # Keras warns of each layer that it cannot quantise, and stumbles
            # over the tokenizer.
            inside = {id(x) for x in self.backbone._flatten_layers()}

            def filters(layer: Any) -> bool:
                return id(layer) in inside and isinstance(layer, _QUANTISED)

        super().quantize(mode, config=config, filters=filters, **kwargs)

    def save_to_preset(self, preset_dir: str, **kwargs: Any) -> None:
        """Saves the model as a folder that `from_preset` reads.

        Args:
            preset_dir: str, the folder.
            **kwargs: further arguments of keras-hub's method.

        Raises:
            ValueError: when the fusion is a layer that is not registered.
        """
        fusing.check_registered(self.backbone.fusion)
        super().save_to_preset(preset_dir, **kwargs)

    def save_task_weights(self, filepath: str) -> None:
        """Saves the weights of the head, without the optimizer's state.

        keras-hub would store the state of all weights, the encoder's too, in
        the preset, and warn of it when the preset is loaded.
        """
        keras.saving.save_weights(
            self, filepath=filepath, objects_to_skip=self._all_but_head()
        )

    def load_task_weights(self, filepath: str) -> None:
        """Loads what `save_task_weights` saved."""
        keras.saving.load_weights(
            self, filepath, objects_to_skip=self._all_but_head()
        )

    def _all_but_head(self) -> list[Any]:
        return [*self.backbone._flatten_layers(), self.optimizer]

    @classmethod
    def from_preset(
        cls, preset: str, load_weights: bool = True, **kwargs: Any
    ) -> Any:
        """Builds the model from an encoder preset, or loads a saved one.

        Args:
            preset: str, `e5_small_multi`, `bert_base_multi`, any keras-hub
                encoder preset, an `hf://` or `kaggle://` handle, a local
                preset folder, or a folder written by `save_to_preset`. Raw
                text needs an XLM-R or a cased WordPiece vocabulary; for
                token arrays over any other pass `preprocessor=None`.
            load_weights: bool. Defaults to `True`.
            **kwargs: `labels` or `num_classes`; `fusion_layer`, `gate` and
                the other options of `DLFABackbone`; `sequence_length` and,
                for tagging, `label_piece`; `dropout`; `dtype`. A saved model
                keeps its own but for the last two.

        Returns:
            The task model.

        Raises:
            ValueError: when the folder holds a model of another task or a
                backbone alone, when an argument would change a saved model,
                when `sequence_length` exceeds the encoder's positions, or
                when the preset's WordPiece vocabulary is not cased.
            TypeError: for an unknown argument, or a preset with another kind
                of vocabulary.
        """
        if not loading.is_saved_task(preset):
            return loading.task_from_encoder(cls, preset, load_weights, kwargs)
        saved = loading.saved_task_class(preset)
        if not issubclass(saved, cls):
            raise ValueError(
                f"The model saved in {preset!r} is a {saved.__name__}, not a "
                f"{cls.__name__}. Accepted: {saved.__name__}.from_preset."
            )
        loading.check_saved_task_arguments(kwargs)
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = loading.saved_mixed_policy(preset)
        return super(DLFATask, saved).from_preset(
            loading.local_preset(preset), load_weights=load_weights, **kwargs
        )

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        config = super().get_config()
        config.update(
            {
                "num_classes": self.num_classes,
                "labels": self.labels,
                "dropout": self.dropout,
                "compile": self.compiled,
            }
        )
        return config
