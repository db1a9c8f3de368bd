"""One run: build, fine-tune on English, choose on English dev, evaluate."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.data.sources import Source
from dlfa_tf.evaluation.run_folder import CONFIG
from dlfa_tf.evaluation.run_folder import RESULTS
from dlfa_tf.evaluation.run_folder import SCHEMA
from dlfa_tf.evaluation.run_folder import check_output_dir
from dlfa_tf.evaluation.run_folder import write_json
from dlfa_tf.evaluation.zero_shot import evaluate_languages
from dlfa_tf.models.presets import preset_source
from dlfa_tf.training.compact_vocabulary import compact_model
from dlfa_tf.training.compact_vocabulary import write_back
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.config import system_name
from dlfa_tf.training.environment import describe_environment
from dlfa_tf.training.environment import peak_memory_bytes
from dlfa_tf.training.fit import fit
from dlfa_tf.training.model_files import build_model
from dlfa_tf.training.model_files import save_model
from dlfa_tf.training.prepared import RunData
from dlfa_tf.training.prepared import prepare
from dlfa_tf.training.prepared import read_data

Say = Callable[[str], None]
_EVAL_BATCH = 64


def run(
    config: TrainConfig, say: Say = lambda _: None, verbose: int = 2
) -> dict[str, Any]:
    """Carries out a whole run and writes its folder.

    Test files are opened only after the weights were chosen on the English
    dev set.

    Args:
        config: `TrainConfig`.
        say: receives one-line messages about what is going on.
        verbose: int, Keras' verbosity of `fit` (0, 1 or 2).

    Returns:
        The content of `results.json`.

    Raises:
        ValueError, FileNotFoundError, FileExistsError: for settings or data
            that do not fit, before anything is written.
    """
    check_output_dir(config.output_dir)
    data = read_data(config)
    started = time.monotonic()
    keras.utils.set_random_seed(config.seed)
    say(f"building {config.system} on preset {config.preset}")
    model = build_model(config)
    run_dir = pathlib.Path(config.output_dir)
    environment = describe_environment()
    write_json(
        run_dir / CONFIG,
        {"config": config.to_json(), "environment": environment},
    )
    built = time.monotonic()
    training = _train(config, model, data, run_dir, say, verbose)
    trained = time.monotonic()
    save_model(model, run_dir / "model")
    evaluation = _evaluate(
        model, data.source, data.files, config.eval_limit, run_dir, say
    )
    results = {
        "schema": SCHEMA,
        "system": config.system,
        "score": config.task_definition.score,
        "config": _shareable(config),
        "environment": environment,
        "preset_source": preset_source(config.preset),
        "label_piece": getattr(
            model.preprocessor, "resolved_label_piece", None
        ),
        "gate": None if config.fusion_layer is None else config.gate,
        **training,
        **evaluation,
        "seconds": {
            "build": round(built - started, 1),
            "train": round(trained - built, 1),
            "evaluate": round(time.monotonic() - trained, 1),
        },
        "peak_memory_bytes": peak_memory_bytes(),
    }
    write_json(run_dir / RESULTS, results)
    return results


def _shareable(config: TrainConfig) -> dict[str, Any]:
    """Settings without the folders of this machine; config.json has them."""
    values = config.to_json()
    for name in ("output_dir", "data_dir"):
        del values[name]
    return values


def evaluate_model(
    model: Any,
    source: Source,
    files: dict[str, str],
    *,
    model_folder: str,
    limit: int | None,
    run_dir: pathlib.Path,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Scores a loaded model and writes predictions and `results.json`.

    Args:
        model: `DLFATextClassifier` or `DLFATokenClassifier`.
        source: `Source`.
        files: from language to split; see `choose_files`.
        model_folder: str, where the model came from, for the record.
        limit: int or None, examples per language.
        run_dir: folder to write into.
        say: receives one-line messages.

    Returns:
        The content of `results.json`.

    Raises:
        ValueError: when the model's labels are not the task's.
    """
    if tuple(model.labels or ()) != source.task.labels:
        raise ValueError(
            f"The model's labels are not those of task {source.task.name!r}. "
            f"Received: {model.labels}. Accepted: {list(source.task.labels)}."
        )
    started = time.monotonic()
    evaluation = _evaluate(model, source, files, limit, run_dir, say)
    fusion_layer = model.backbone.fusion_layer
    results = {
        "schema": SCHEMA,
        "system": system_name(fusion_layer),
        "score": source.task.score,
        "config": {
            "task": source.task.name,
            "data_source": source.name,
            "preset": model_folder,
            "eval_limit": limit,
        },
        "environment": describe_environment(),
        "label_piece": getattr(
            model.preprocessor, "resolved_label_piece", None
        ),
        "gate": None if fusion_layer is None else model.backbone.gate,
        **evaluation,
        "seconds": {"evaluate": round(time.monotonic() - started, 1)},
        "peak_memory_bytes": peak_memory_bytes(),
    }
    write_json(run_dir / RESULTS, results)
    return results


def _evaluate(
    model: Any,
    source: Source,
    files: dict[str, str],
    limit: int | None,
    run_dir: pathlib.Path,
    say: Say,
) -> dict[str, Any]:
    say(f"evaluating on {', '.join(files)}")
    return evaluate_languages(
        model,
        source,
        files,
        limit=limit,
        batch_size=_EVAL_BATCH,
        run_dir=run_dir,
        progress=lambda lang, s: say(f"  {lang} {s['split']} {s['score']:.2f}"),
    )


def _train(
    config: TrainConfig,
    model: Any,
    data: RunData,
    run_dir: pathlib.Path,
    say: Say,
    verbose: int,
) -> dict[str, Any]:
    """Fine-tunes `model` in place; returns what the results say of it."""
    preprocessor = model.preprocessor
    prepared = prepare(config, data, preprocessor)
    small = model
    if prepared.used_ids is not None:
        small = compact_model(model, prepared.used_ids)
    small.preprocessor = None
    training = fit(config, small, prepared, run_dir, say=say, verbose=verbose)
    if prepared.used_ids is not None:
        write_back(model, small, prepared.used_ids)
    model.preprocessor = preprocessor
    return training
