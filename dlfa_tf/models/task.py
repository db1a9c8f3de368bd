"""What the text and the token classifier share."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
import numpy as np

from dlfa_tf import checks
from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf import raw_values
from dlfa_tf.lazy import tf
from dlfa_tf.models import array_inputs
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models import fusing
from dlfa_tf.models import keras_arguments
from dlfa_tf.models import large_weights
from dlfa_tf.models import loading
from dlfa_tf.models import model_card
from dlfa_tf.models import raw_inputs
from dlfa_tf.models import saved_folder
from dlfa_tf.models import weight_sums
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.presets import by_name
from dlfa_tf.preprocessing import raw_labels
from dlfa_tf.preprocessing.raw_labels import LabelRule

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
    # Id of what has no label; None where everything has one.
    ignored_label: int | None = None

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
        loading.check_parts(backbone, preprocessor, self.preprocessor_cls)
        dropout = checks.check_fraction("dropout", dropout)
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
        each run, but only after TensorFlow has optimised both, which takes
        longer.

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

    @property
    def label_rule(self) -> LabelRule:
        """What counts as a label of this model."""
        return LabelRule(
            labels=self.labels,
            num_classes=self.num_classes,
            ignored=self.ignored_label,
        )

    def preprocess_samples(
        self, x: Any, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Applies the preprocessor; labels are passed by keyword."""
        if self.preprocessor is None:
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        packed = self.preprocessor(x, y=y, sample_weight=sample_weight)
        if y is None or self.preprocessor.labels or tf.executing_eagerly():
            return packed
        # The preprocessor does not know how many there are.
        return array_inputs.with_ids_in_range(packed, self.label_rule)

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

        Everything is looked at before the first step; docs/inputs.md lists
        what each argument takes.

        Args:
            x: inputs of the task (see the class), or a `tf.data.Dataset` of
                batches `(x, y)`.
            y: labels: names, or ids from 0.
            batch_size: int, examples per step. Defaults to `32`.
            sample_weight: weights of the examples, for classifiers.
            shuffle: bool, whether to shuffle raw strings anew every epoch, as
                Keras does with arrays (keras-hub's tasks do not). Defaults to
                `True`.
            validation_data: tuple or list `(x, y)`, or a data set.
            **kwargs: further arguments of `keras.Model.fit`, among them
                `validation_split`: the share of the examples, taken from the
                end before shuffling, to evaluate on; `validation_batch_size`,
                which defaults to `batch_size`; `class_weight`: a dict from
                names or ids of labels to weights, where a class left out
                weighs 1, or a list of one weight per class; and
                `steps_per_epoch`, after which strings go on in the next epoch
                where this one ended.

        Returns:
            The `History`.

        Raises:
            ValueError: for inputs or labels that the task does not take, the
                first of which is named, when `validation_split` leaves one
                part empty, or for a data set of single examples.
            TypeError: for an unknown argument, and for values of wrong types.
        """
        given = keras_arguments.check_arguments(
            "fit",
            {
                "batch_size": batch_size,
                "shuffle": shuffle,
                "validation_data": validation_data,
                **kwargs,
            },
        )
        weights = self._checked_class_weight(
            given.pop("class_weight", None), sample_weight
        )
        if self.preprocessor is None:
            return self._fit_arrays(x, y, sample_weight, weights, given)
        return self._fit_raw(x, y, sample_weight, weights, given)

    def _checked_class_weight(
        self, class_weight: Any, sample_weight: Any
    ) -> np.ndarray | None:
        """Weights of all classes by id, or None."""
        if class_weight is None:
            return None
        if sample_weight is not None:
            raise ValueError(
                "`class_weight` and `sample_weight` exclude each other. "
                "Received: both. Accepted: one of them; weights of examples "
                "may be multiplied by those of their classes."
            )
        return raw_labels.class_weight_table(class_weight, self.label_rule)

    def _fit_raw(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        weights: np.ndarray | None,
        given: dict[str, Any],
    ) -> Any:
        """`fit` on texts, with checked arguments."""
        batch_size = given.pop("batch_size", None)
        # keras-hub would take 32 whatever is asked for.
        val_batch_size = (
            given.pop("validation_batch_size", None) or batch_size or 32
        )
        split = given.pop("validation_split", None)
        shuffle = given.pop("shuffle", True)
        steps = given.get("steps_per_epoch")
        validation_data = given.pop("validation_data", None)
        if validation_data is not None:
            validation_data = self._validation_batches(
                validation_data, val_batch_size, given.get("validation_steps")
            )
        if raw_inputs.is_dataset(x):
            others = {"y": y, "sample_weight": sample_weight,
                      "batch_size": batch_size,
                      "validation_split": split or None}  # fmt: skip
            raw_inputs.check_dataset(
                "x", x, others=others, with_labels=True,
                steps=("steps_per_epoch", steps),
            )  # fmt: skip
        else:
            x = self._raw_examples("x", "y", x, y, sample_weight)
            if split and validation_data is None:
                x, held_out = raw_inputs.split_dataset(x, split)
                validation_data = held_out.batch(val_batch_size)
            if shuffle:
                x = x.shuffle(x.cardinality())
            x = x.batch(batch_size or 32)
            if steps is not None:
                x = x.repeat()
        if weights is not None:
            x, given["class_weight"] = self.weigh_classes(x, weights)
        self._build_optimizer()
        return super().fit(
            x,
            None,
            batch_size=None,
            sample_weight=None,
            shuffle=False,
            validation_data=validation_data,
            **given,
        )

    def _validation_batches(
        self, value: Any, batch_size: int, steps: int | None
    ) -> Any:
        """`validation_data` as a data set of batches."""
        if raw_inputs.is_dataset(value):
            raw_inputs.check_dataset(
                "validation_data", value, others={}, with_labels=True,
                steps=("validation_steps", steps),
            )  # fmt: skip
            return value
        names = ("validation_data[0]", "validation_data[1]")
        raw_inputs.check_no_loader("validation_data", value)
        found = raw_inputs.unpack_validation_data(value)
        return self._raw_examples(*names, *found).batch(batch_size)

    def _raw_examples(
        self, x_name: str, y_name: str, x: Any, y: Any, sample_weight: Any
    ) -> Any:
        """A data set of single examples of texts in memory."""
        return raw_inputs.examples_dataset(
            *self._checked_examples(x_name, y_name, x, y, sample_weight)
        )

    def _checked_examples(
        self, x_name: str, y_name: str, x: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Any, Any]:
        """Texts, labels and weights in memory, all looked at."""
        x = self.structured_x(x, x_name)
        count = raw_inputs.count_examples(x)
        raw_inputs.check_any(x_name, count)
        raw_inputs.check_given(y_name, y)
        y = self.structured_y(y, y_name)
        self.check_labels_fit(x_name, x, y_name, y)
        if sample_weight is not None:
            sample_weight = self.checked_sample_weight(sample_weight, count)
        return x, y, sample_weight

    def _fit_arrays(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        weights: np.ndarray | None,
        given: dict[str, Any],
    ) -> Any:
        """`fit` on token arrays, with checked arguments."""
        held_out = given.pop("validation_data", None)
        if isinstance(held_out, (tuple, list)):
            held_out = self._checked_arrays(
                "validation_data[0]",
                "validation_data[1]",
                *raw_inputs.unpack_validation_data(held_out),
            )
        elif held_out is not None:
            held_out, _, _ = self._checked_arrays(
                "validation_data", "y", held_out, None, None
            )
        x, y, sample_weight = self._checked_arrays(
            "x", "y", x, y, sample_weight
        )
        if weights is not None:
            x, sample_weight, given["class_weight"] = self._weigh_arrays(
                x, y, weights
            )
        self._build_optimizer()
        # keras-hub's method does nothing more than preprocess, but asks for
        # TensorFlow or Grain.
        return keras.Model.fit(
            self,
            x,
            y,
            sample_weight=sample_weight,
            validation_data=held_out,
            **given,
        )

    def _checked_arrays(
        self, x_name: str, y_name: str, x: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Any, Any]:
        """Token arrays, ids and weights, looked at as far as they are there."""
        by_id = array_inputs.takes_ids(self.loss)
        if self._check_arrays_in_memory(x_name, x):
            if by_id:
                y = array_inputs.check_ids(y_name, y, self.label_rule)
        elif by_id and raw_inputs.is_dataset(x):
            x = array_inputs.check_ids_of_dataset(x, self.label_rule)
        return x, y, sample_weight

    def _weigh_arrays(
        self, x: Any, y: Any, weights: np.ndarray
    ) -> tuple[Any, Any, dict[int, float] | None]:
        """Inputs with weights of classes, as Keras can take them."""
        if y is not None and array_inputs.takes_ids(self.loss):
            return x, array_inputs.class_weights(y, weights), None
        if self.ignored_label is None:
            return x, None, dict(enumerate(map(float, weights)))
        # Keras would take the labels of a sentence for one-hot rows.
        raise ValueError(
            "`class_weight` needs the ids of all words of a tagger without a "
            f"preprocessor. Received: {raw_values.described(x)}. Accepted: "
            "arrays `x` and `y`, and a loss on ids."
        )

    def _build_optimizer(self) -> None:
        """Creates the optimizer's variables ahead of the first step.

        Keras creates them while TensorFlow traces the step, which makes
        TensorFlow trace it a second time.
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
        if kwargs.get("_use_cached_eval_dataset"):
            # Keras' own call at the end of an epoch.
            return keras.Model.evaluate(self, x, y, **kwargs)
        given = keras_arguments.check_arguments("evaluate", kwargs)
        sample_weight = given.pop("sample_weight", None)
        if self.preprocessor is None:
            x, y, sample_weight = self._checked_arrays(
                "x", "y", x, y, sample_weight
            )
            return keras.Model.evaluate(
                self, x, y, sample_weight=sample_weight, **given
            )
        batch_size = given.pop("batch_size", None)
        if raw_inputs.is_dataset(x):
            raw_inputs.check_dataset(
                "x",
                x,
                others={"y": y, "sample_weight": sample_weight,
                        "batch_size": batch_size},
                with_labels=True,
                steps=("steps", given.get("steps")),
            )  # fmt: skip
        else:
            x = self._raw_examples("x", "y", x, y, sample_weight)
            x = x.batch(batch_size or 32)
        return super().evaluate(x, **given)

    def predict(self, x: Any = None, **kwargs: Any) -> Any:
        """Predicts logits; `x` as for `fit`.

        Args:
            x: inputs of the task (see the class), or a `tf.data.Dataset` of
                batches of them.
            **kwargs: further arguments of `keras.Model.predict`.

        Returns:
            float32 array of logits.
        """
        given = keras_arguments.check_arguments("predict", kwargs)
        if self.preprocessor is None:
            self._check_arrays_in_memory("x", x)
            return keras.Model.predict(self, x, **given)
        batch_size = given.pop("batch_size", None)
        if raw_inputs.is_dataset(x):
            self._check_dataset_to_predict(x, batch_size, given.get("steps"))
            return super().predict(x, **given)
        x = self.structured_x(x)
        if not raw_inputs.count_examples(x):
            # Keras stumbles over no batch at all.
            return np.zeros((0, self.num_classes), np.float32)
        dataset = raw_inputs.examples_dataset(x, None)
        return super().predict(dataset.batch(batch_size or 32), **given)

    def _check_arrays_in_memory(self, name: str, x: Any) -> bool:
        """Looks at token arrays; False for loaders and data sets."""
        if array_inputs.is_in_memory(x) or x is None or isinstance(x, str):
            array_inputs.check_inputs(name, x, list(self.input))
            return True
        return False

    def _check_dataset_to_predict(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> None:
        raw_inputs.check_dataset(
            "x",
            x,
            others={"batch_size": batch_size},
            with_labels=False,
            steps=("steps", steps),
        )

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch; arguments as for `fit`."""
        weights = self._checked_class_weight(class_weight, sample_weight)
        x, y, sample_weight = self._checked_batch(x, y, sample_weight)
        if weights is not None:
            if self.preprocessor is None:
                sample_weight = array_inputs.class_weights(y, weights)
            else:
                sample_weight = self.weights_of_labels(y, weights)
        return super().train_on_batch(
            x, y, sample_weight=sample_weight, return_dict=return_dict
        )

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates one batch; arguments as for `fit`."""
        x, y, sample_weight = self._checked_batch(x, y, sample_weight)
        return super().test_on_batch(
            x, y, sample_weight=sample_weight, return_dict=return_dict
        )

    def predict_on_batch(self, x: Any, **kwargs: Any) -> Any:
        """Predicts logits of one batch; see `predict`."""
        if self.preprocessor is not None:
            x = self.structured_x(x)
        return super().predict_on_batch(x, **kwargs)

    def _checked_batch(
        self, x: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Any, Any]:
        if self.preprocessor is None:
            return self._checked_arrays("x", "y", x, y, sample_weight)
        return self._checked_examples("x", "y", x, y, sample_weight)

    def structured_x(self, x: Any, name: str = "x") -> Any:
        """Brings raw inputs into the form that `tf.data` slices.

        Args:
            x: what the user gave; data sets pass through.
            name: str, name of the argument, for messages.
        """
        raise NotImplementedError

    def structured_y(self, y: Any, name: str = "y") -> Any:
        """Brings raw labels into the form that `tf.data` slices."""
        raise NotImplementedError

    def check_labels_fit(
        self, x_name: str, x: Any, y_name: str, y: Any
    ) -> None:
        """Refuses labels that are more or fewer than the inputs."""
        raw_labels.check_equally_long(
            x_name,
            raw_inputs.count_examples(x),
            y_name,
            raw_inputs.count_examples(y),
        )

    def checked_sample_weight(self, sample_weight: Any, count: int) -> Any:
        """Weights of so many examples."""
        return raw_labels.check_sample_weight(sample_weight, count)

    def weigh_classes(
        self, dataset: Any, weights: np.ndarray
    ) -> tuple[Any, dict[int, float] | None]:
        """A data set of raw batches, and what Keras is to weigh."""
        return dataset, dict(enumerate(map(float, weights)))

    def weights_of_labels(self, y: Any, weights: np.ndarray) -> Any:
        """Weights of the labels of one batch, as the preprocessor has them."""
        return weights[np.asarray(self.preprocessor.label_ids(y))]

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

        `dlfa_manifest.json` in it holds the sizes and check sums of the files,
        by which `from_preset` finds damage; `README.md` says what the model
        is, and one of your own stays.

        Args:
            preset_dir: str, the folder. Files of other names in it stay.
            **kwargs: further arguments of keras-hub's method.

        Raises:
            ValueError: when the fusion is a layer that is not registered.
            OSError: when the folder cannot be written; what was in it stays.
        """
        fusing.check_registered(self.backbone.fusion)
        with saved_folder.written(preset_dir, self) as folder:
            super().save_to_preset(str(folder), **kwargs)
        model_card.write_card(
            files.user_path(preset_dir, "preset_dir"),
            model_card.describe_model(self),
            form="preset",
        )

    def save_task_weights(self, filepath: str) -> None:
        """Saves the weights of the head, without the optimizer's state.

        keras-hub would store the state of all weights, the encoder's too, in
        the preset, and warn of it when the preset is loaded.
        """
        with weight_sums.written(filepath) as temporary:
            keras.saving.save_weights(
                self,
                filepath=str(temporary),
                objects_to_skip=self._all_but_head(),
            )

    def load_task_weights(self, filepath: str) -> None:
        """Loads what `save_task_weights` saved.

        ValueError when the file is damaged.
        """
        filepath = str(files.user_path(filepath, "filepath"))
        weight_sums.check(filepath)
        keras.saving.load_weights(
            self, filepath, objects_to_skip=self._all_but_head()
        )

    def save_weights(self, filepath: Any, **kwargs: Any) -> None:
        """Saves all weights as Keras does, with a check sum in the file.

        Args:
            filepath: file to write, whose name ends in `.weights.h5`.
            **kwargs: further arguments of `keras.Model.save_weights`.
        """
        filepath = files.user_path(filepath, "filepath")
        if kwargs.get("max_shard_size") or not kwargs.get("overwrite", True):
            # Several files, and a question to the user, are Keras' own.
            super().save_weights(filepath, **kwargs)
            return
        with weight_sums.written(filepath) as temporary:
            super().save_weights(str(temporary), **kwargs)

    def load_weights(self, filepath: Any, **kwargs: Any) -> None:
        """Loads what `save_weights` saved.

        Args:
            filepath: file to read.
            **kwargs: further arguments of `keras.Model.load_weights`.

        Raises:
            ValueError: when the file is damaged, or of another model.
        """
        filepath = files.user_path(filepath, "filepath")
        # Shards, whose list is JSON, and `.keras` files are Keras' own.
        if filepath.suffix not in (".json", ".keras"):
            weight_sums.check(filepath)
        super().load_weights(filepath, **kwargs)

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
            ValueError: when the folder is damaged, when it holds a model of
                another task or a backbone alone, when an argument would change
                a saved model, when `sequence_length` exceeds the encoder's
                positions, or when the preset's WordPiece vocabulary is not
                cased.
            TypeError: for an unknown argument, or a preset with another kind
                of vocabulary.
        """
        preset = by_name.preset_name(preset)
        if not loading.is_saved_task(preset):
            return loading.task_from_encoder(cls, preset, load_weights, kwargs)
        with manifest.checked(pathlib.Path(loading.local_preset(preset))):
            return cls._from_saved(preset, load_weights, kwargs)

    @classmethod
    def _from_saved(
        cls, preset: str, load_weights: bool, kwargs: dict[str, Any]
    ) -> Any:
        """Loads what `save_to_preset` wrote, of this class or one below it."""
        saved = loading.saved_task_class(preset)
        if not issubclass(saved, cls):
            raise ValueError(
                f"The model saved in {preset!r} is a {saved.__name__}, not a "
                f"{cls.__name__}. Accepted: {saved.__name__}.from_preset."
            )
        loading.check_saved_task_arguments(kwargs)
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = loading.saved_mixed_policy(preset)
        with large_weights.about_to_be_set(load_weights):
            return super(DLFATask, saved).from_preset(
                loading.local_preset(preset),
                load_weights=load_weights,
                **kwargs,
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
