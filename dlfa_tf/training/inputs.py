"""What a run trains on: files and a preset, or a bundle that holds both."""

import pathlib
import time
from typing import Any
from typing import Protocol

import keras

from dlfa_tf.data import packed_arrays
from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import compact_model
from dlfa_tf.models import presets
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.runs import load
from dlfa_tf.runs.load import MODEL
from dlfa_tf.runs.load import WEIGHTS
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import zero_shot
from dlfa_tf.scoring.zero_shot import EVAL_BATCH
from dlfa_tf.scoring.zero_shot import Forward
from dlfa_tf.training import bundle_settings
from dlfa_tf.training import distribution
from dlfa_tf.training import preparing
from dlfa_tf.training.bundle import Bundle
from dlfa_tf.training.preparing import Prepared
from dlfa_tf.training.preparing import RunData

# Scores of a file, and the predicted label names.
Evaluation = tuple[dict[str, Any], list[Any]]


class Inputs(Protocol):
    """Where a run gets its model and its arrays from, and how it keeps them.

    Methods are called in this order: `check`, `read`, `build` and `keep`, or
    `load` where training is done; then `evaluate` for each of `files`, and
    `finish`.
    """

    @property
    def sha256(self) -> str | None:
        """Hash of the bundle; None without one."""

    @property
    def files(self) -> dict[str, str]:
        """From language to split, what to evaluate on; known after `read`."""

    @property
    def known_languages(self) -> list[str]:
        """Languages of the task."""

    def check(self, config: TrainConfig) -> None:
        """Refuses settings that do not fit, before anything is read."""

    def read(self, config: TrainConfig) -> None:
        """Reads what training needs; test files are only looked for."""

    def record(self) -> dict[str, Any]:
        """What `config.json` and `results.json` say of the inputs' origin."""

    def describe(self, model: Any, config: TrainConfig) -> dict[str, Any]:
        """What `results.json` says of preset, labels, few-shot examples."""

    def build(self, config: TrainConfig, strategy: Any) -> tuple[Any, Prepared]:
        """Builds the model to train, and what it is trained on."""

    def keep(
        self,
        config: TrainConfig,
        small: Any,
        prepared: Prepared,
        run_dir: pathlib.Path,
    ) -> Any:
        """Saves the trained model, and returns it over all embedding rows."""

    def load(self, config: TrainConfig, run_dir: pathlib.Path) -> Any:
        """Returns what `keep` returned, from what it saved."""

    def evaluate(
        self, model: Any, config: TrainConfig, split: str, language: str
    ) -> Evaluation:
        """Scores a file; returns what `evaluate_file` does."""

    def finish(self, run_dir: pathlib.Path) -> None:
        """Removes what a finished run does not keep."""


class SourceInputs:
    """Files of a task, and an encoder preset; see `Inputs`."""

    sha256 = None
    data: RunData
    _forward: Forward | None = None

    @property
    def files(self) -> dict[str, str]:
        """From language to split."""
        return self.data.files

    @property
    def known_languages(self) -> list[str]:
        """Languages of the task."""
        return list(self.data.source.languages)

    def check(self, config: TrainConfig) -> None:
        """Refuses rows longer than the preset's positions."""
        presets.check_preset_length(config.preset, config.sequence_length)

    def read(self, config: TrainConfig) -> None:
        """Reads train and dev of the source languages."""
        self.data = preparing.read_data(config)

    def record(self) -> dict[str, Any]:
        """Nothing: the settings say it."""
        return {}

    def describe(self, model: Any, config: TrainConfig) -> dict[str, Any]:
        """Source of the preset, its encoder, the piece that carries labels."""
        return {
            "preset_source": presets.preset_source(config.preset),
            "encoder": describe_encoder(model),
            "label_piece": getattr(
                model.preprocessor, "resolved_label_piece", None
            ),
            **({"few_shot": self.data.few_shot} if self.data.few_shot else {}),
        }

    def build(self, config: TrainConfig, strategy: Any) -> tuple[Any, Prepared]:
        """Builds the model to train, and what it is trained on."""
        return build_for_training(config, self.data, strategy)

    def keep(
        self,
        config: TrainConfig,
        small: Any,
        prepared: Prepared,
        run_dir: pathlib.Path,
    ) -> Any:
        """Writes `model/`, a preset folder with the tokenizer."""
        model = load.build_model(config)
        compact_model.write_back(model, small, prepared.used_ids)
        load.save_model(model, run_dir / MODEL)
        return model

    def load(self, config: TrainConfig, run_dir: pathlib.Path) -> Any:
        """Reads `model/`."""
        return load.load_model(str(run_dir))

    def evaluate(
        self, model: Any, config: TrainConfig, split: str, language: str
    ) -> Evaluation:
        """Reads, tokenises and scores a file."""
        self._forward = self._forward or inference(model)
        return zero_shot.evaluate_file(
            model,
            self.data.source,
            split,
            language,
            limit=config.eval_limit,
            forward=self._forward,
        )

    def finish(self, run_dir: pathlib.Path) -> None:
        """Nothing: `model/` stays."""


class BundleInputs:
    """One file with all that runs of a task need; see `Inputs`.

    The tokenizer and most embedding rows are not here. In place of `model/`,
    `weights.npz` holds the trained weights; see `dlfa_tf.runs.load`.

    Args:
        bundle: `Bundle`.
        save_weights: bool, whether a finished run keeps `weights.npz` (about
            100 MB for `e5_small_multi`). Defaults to `True`.
    """

    def __init__(self, bundle: Bundle, save_weights: bool = True) -> None:
        self.bundle = bundle
        self.save_weights = save_weights
        self.sha256 = bundle.sha256
        self._forward: Forward | None = None

    @property
    def files(self) -> dict[str, str]:
        """From language to split."""
        return self.bundle.meta["files"]

    @property
    def known_languages(self) -> list[str]:
        """Languages of the task."""
        return self.bundle.meta["known_languages"]

    def check(self, config: TrainConfig) -> None:
        """Refuses settings other than those the bundle was made with."""
        bundle_settings.check_settings(config, self.bundle.meta)

    def read(self, config: TrainConfig) -> None:
        """Nothing: the bundle is in memory."""

    def record(self) -> dict[str, Any]:
        """Hash of the bundle, and whether its weights are the preset's."""
        packed = self.bundle.meta["packed"]
        weights = {"format": packed["format"], "exact": packed["exact"]}
        return {"bundle": {"sha256": self.sha256, "weights": weights}}

    def describe(self, model: Any, config: TrainConfig) -> dict[str, Any]:
        """What the bundle says of its preset and its labels; its encoder."""
        names = ("preset_source", "label_piece", "few_shot")
        meta = self.bundle.meta
        return {
            **{name: meta[name] for name in names if name in meta},
            "encoder": describe_encoder(model),
        }

    def build(self, config: TrainConfig, strategy: Any) -> tuple[Any, Prepared]:
        """Builds the model to train, and what it is trained on."""
        with distribution.scope_of(
            None if config.compact_vocabulary else strategy
        ):
            model = build_bundle_model(config, self.bundle)
        return _compacted(model, self.bundle.prepared(config), strategy)

    def keep(
        self,
        config: TrainConfig,
        small: Any,
        prepared: Prepared,
        run_dir: pathlib.Path,
    ) -> Any:
        """Writes `weights.npz`."""
        rows = small.backbone.token_embedding.embeddings.shape[0]
        load.save_bundle_weights(small, self.bundle.vocabulary[:rows], run_dir)
        model = build_bundle_model(config, self.bundle)
        compact_model.write_back(model, small, prepared.used_ids)
        return model

    def load(self, config: TrainConfig, run_dir: pathlib.Path) -> Any:
        """Reads `weights.npz`."""
        _, weights = load.read_bundle_weights(run_dir)
        small, prepared = self.build(config, None)
        small.set_weights(weights)
        model = build_bundle_model(config, self.bundle)
        compact_model.write_back(model, small, prepared.used_ids)
        return model

    def evaluate(
        self, model: Any, config: TrainConfig, split: str, language: str
    ) -> Evaluation:
        """Scores arrays of the bundle."""
        self._forward = self._forward or inference(model)
        meta = self.bundle.meta
        task = config.task_definition
        arrays = self.bundle.arrays[f"{split}-{language}"]
        began = time.monotonic()
        scores, predicted = zero_shot.evaluate_arrays(
            model,
            task,
            arrays,
            packed_arrays.gold_names(arrays, task.labels),
            batch_size=EVAL_BATCH,
            pad_id=meta["pad_id"],
            use_segment_ids=meta["use_segment_ids"],
            forward=self._forward,
        )
        scores.update(split=split, seconds=round(time.monotonic() - began, 2))
        return scores, predicted

    def finish(self, run_dir: pathlib.Path) -> None:
        """Removes the weights that were not asked for."""
        if not self.save_weights:
            (run_dir / WEIGHTS).unlink(missing_ok=True)


def describe_encoder(model: Any) -> dict[str, Any]:
    """What `results.json` says of the encoder beside its preset."""
    backbone = model.backbone
    return {
        "activation": checkpoint_encoders.activation_name(backbone.encoder),
        "new_pooler": backbone.has_new_pooler,
    }


def build_for_training(
    config: TrainConfig, data: RunData, strategy: Any
) -> tuple[Any, Prepared]:
    """See `SourceInputs.build`."""
    with distribution.scope_of(None if config.compact_vocabulary else strategy):
        model = load.build_model(config)
    prepared = preparing.prepare(config, data, model.preprocessor)
    model.preprocessor = None
    return _compacted(model, prepared, strategy)


def _compacted(
    model: Any, prepared: Prepared, strategy: Any
) -> tuple[Any, Prepared]:
    if prepared.used_ids is not None:
        with distribution.scope_of(strategy):
            model = compact_model.compact_model(model, prepared.used_ids)
    return model, prepared


def build_bundle_model(config: TrainConfig, bundle: Bundle) -> Any:
    """Builds the task model of a config over the rows of a bundle."""
    backbone = DLFABackbone(
        bundle.encoder(config.precision), **load.fusion_arguments(config)
    )
    task = config.task_definition
    arguments = {"labels": bundle.meta["labels"], "dropout": config.dropout}
    if task.is_tagging:
        return DLFATokenClassifier(backbone, **arguments)
    return DLFATextClassifier(backbone, num_texts=task.num_texts, **arguments)


def inference(model: Any) -> Forward | None:
    """Function from features to logits where Keras' own is not the best.

    Keras compiles for every shape under JAX: minutes for all lengths.
    """
    if keras.backend.backend() != "jax":
        return None
    from dlfa_tf.training import step_jax

    return step_jax.compiled_forward(model, EVAL_BATCH)
