"""One run: build, fine-tune on English, choose on English dev, evaluate."""

import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.cache import cached_tokens
from dlfa_tf.data.pipelines import train_dataset
from dlfa_tf.data.sources import Examples
from dlfa_tf.data.sources import Source
from dlfa_tf.evaluation.predict import label_names
from dlfa_tf.evaluation.predict import predict_logits
from dlfa_tf.evaluation.run_folder import CONFIG
from dlfa_tf.evaluation.run_folder import RESULTS
from dlfa_tf.evaluation.run_folder import SCHEMA
from dlfa_tf.evaluation.run_folder import check_output_dir
from dlfa_tf.evaluation.run_folder import write_json
from dlfa_tf.evaluation.score import score
from dlfa_tf.evaluation.zero_shot import choose_files
from dlfa_tf.evaluation.zero_shot import evaluate_languages
from dlfa_tf.models.presets import preset_source
from dlfa_tf.training.compact_vocabulary import compact_arrays
from dlfa_tf.training.compact_vocabulary import compact_model
from dlfa_tf.training.compact_vocabulary import used_token_ids
from dlfa_tf.training.compact_vocabulary import write_back
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.config import system_name
from dlfa_tf.training.dev_checkpoint import DevCheckpoint
from dlfa_tf.training.environment import describe_environment
from dlfa_tf.training.environment import peak_memory_bytes
from dlfa_tf.training.model_files import build_model
from dlfa_tf.training.model_files import save_model

Say = Callable[[str], None]
_SOURCE_LANGUAGE = "en"
_EVAL_BATCH = 64
_SUBSET_SEED = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Data:
    """Everything that is read before training."""

    source: Source
    files: dict[str, str]
    train: Examples
    dev: Examples


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
    data = _read_data(config)
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


def _read_data(config: TrainConfig) -> _Data:
    """Reads English train and dev; checks that the other files are there."""
    task = config.task_definition
    source = Source(
        task=task, name=config.data_source, data_dir=config.data_dir
    )
    files = choose_files(source, config.languages, config.eval_split)
    train = source.load("train", _SOURCE_LANGUAGE)
    if config.train_limit is not None and config.train_limit < len(train):
        # Shuffled first: files are often ordered by origin. The same for
        # every seed of a run, which then differ in training alone.
        random = np.random.default_rng(_SUBSET_SEED)
        chosen = random.permutation(len(train))[: config.train_limit]
        train = [train[i] for i in chosen]
    dev = source.load("dev", _SOURCE_LANGUAGE, config.eval_limit)
    return _Data(source=source, files=files, train=train, dev=dev)


def _train(
    config: TrainConfig,
    model: Any,
    data: _Data,
    run_dir: pathlib.Path,
    say: Say,
    verbose: int,
) -> dict[str, Any]:
    """Fine-tunes `model` in place; returns what the results say of it."""
    preprocessor = model.preprocessor
    train = cached_tokens(data.train, preprocessor)
    dev = cached_tokens(data.dev, preprocessor)
    pieces = preprocessor.pieces
    if config.compact_vocabulary:
        special = [
            pieces.pad_id, pieces.start_id, pieces.end_id, pieces.unk_id
        ]  # fmt: skip
        used = used_token_ids(special, train, dev)
        small = compact_model(model, used)
        train_rows = compact_arrays(train, used)
        dev_rows = compact_arrays(dev, used)
        pad_id = int(np.searchsorted(used, pieces.pad_id))
    else:
        small, train_rows, dev_rows = model, train, dev
        pad_id = pieces.pad_id
    best = _fit(config, small, train_rows, dev_rows, data, pad_id, run_dir,
                say, verbose, preprocessor.use_segment_ids)  # fmt: skip
    if config.compact_vocabulary:
        write_back(model, small, used)
    model.preprocessor = preprocessor
    return {
        "train_examples": len(data.train),
        "train_rows": len(train),
        "train_tokens": len(train.token_ids),
        "best_step": best.best_step,
        "total_steps": best.total_steps,
        "dev_score": best.best_score,
        "dev_history": best.history,
    }


def _fit(
    config: TrainConfig,
    model: Any,
    train: TokenArrays,
    dev: TokenArrays,
    data: _Data,
    pad_id: int,
    run_dir: pathlib.Path,
    say: Say,
    verbose: int,
    use_segment_ids: bool,
) -> DevCheckpoint:
    """Compiles and fits; leaves the best weights in the model."""
    dataset, steps = train_dataset(
        train,
        batch_size=config.batch_size,
        seed=config.seed,
        epochs=config.epochs,
        pad_id=pad_id,
        use_segment_ids=use_segment_ids,
    )
    total = steps * config.epochs
    task = data.source.task

    def score_dev() -> float:
        logits = predict_logits(
            model,
            dev,
            batch_size=_EVAL_BATCH,
            pad_id=pad_id,
            use_segment_ids=use_segment_ids,
        )
        predicted = label_names(logits, dev, task.labels)
        value = score(task, data.dev, predicted)["score"]
        say(f"  English dev {task.score} {value:.2f}")
        return value

    model.preprocessor = None
    model.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate=keras.optimizers.schedules.PolynomialDecay(
                config.learning_rate, total, end_learning_rate=0.0
            ),
            weight_decay=config.weight_decay,
            epsilon=config.adam_epsilon,
            global_clipnorm=config.clip_norm,
        )
    )
    checkpoint = DevCheckpoint(
        score_dev,
        steps_per_epoch=steps,
        total_steps=total,
        every=config.dev_every,
        metrics_file=run_dir / "metrics.jsonl",
    )
    say(
        f"training {config.system}: {len(train)} rows, {total} steps of "
        f"{config.batch_size} (the first step compiles and takes longest)"
    )
    model.fit(
        dataset,
        epochs=config.epochs,
        steps_per_epoch=steps,
        callbacks=[checkpoint],
        # The data set brings its own seeded order.
        shuffle=False,
        verbose=verbose,
    )
    checkpoint.restore_best()
    return checkpoint
