"""A run on a bundle: no data, no preset, and under JAX no TensorFlow."""

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlfa_tf.data.packed_arrays import gold_names
from dlfa_tf.files import write_json
from dlfa_tf.metrics.aggregate import averages
from dlfa_tf.models.compact_model import compact_model
from dlfa_tf.models.compact_model import write_back
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.runs.environment import describe_environment
from dlfa_tf.runs.environment import peak_memory_bytes
from dlfa_tf.runs.load import fusion_arguments
from dlfa_tf.runs.load import save_bundle_weights
from dlfa_tf.runs.resume import held
from dlfa_tf.runs.resume import resolved
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.runs.run_folder import check_output_dir
from dlfa_tf.runs.run_folder import read_results
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring.prediction_files import write_predictions
from dlfa_tf.scoring.zero_shot import evaluate_arrays
from dlfa_tf.sweeps.cells import Cell
from dlfa_tf.sweeps.state import find_status
from dlfa_tf.training.bundle import Bundle
from dlfa_tf.training.bundle_settings import check_settings
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import stop_on_sigterm
from dlfa_tf.training.jax_step import check_policies
from dlfa_tf.training.prepared import Prepared
from dlfa_tf.training.run_log import METRICS
from dlfa_tf.training.schedules import LinearWarmupDecay
from dlfa_tf.training.session import count_steps

Say = Callable[[str], None]
_EVAL_BATCH = 64


def run_bundle(
    config: TrainConfig,
    bundle: Bundle,
    say: Say = lambda _: None,
    verbose: int = 2,
    *,
    resume: bool = False,
    save_weights: bool = True,
) -> dict[str, Any]:
    """Carries out a whole run on a bundle and writes its folder.

    The folder is that of any other run, but for `model/`: the tokenizer and
    most embedding rows are not here. `weights.npz` holds the trained weights;
    see `dlfa_tf.runs.load`.

    Args:
        config: `TrainConfig`, whose `BUNDLE_SETTINGS` are the bundle's.
        bundle: `Bundle`.
        say: receives one-line messages about what is going on.
        verbose: int, Keras' verbosity of `fit` (0, 1 or 2).
        resume: bool, whether to go on in the folder of a run of the same
            settings that was interrupted: after its newest checkpoint on
            TensorFlow, from the start on JAX, which saves none. A finished
            one is left alone.
        save_weights: bool, whether to write `weights.npz` (about 100 MB for
            `e5_small_multi`). Defaults to `True`.

    Returns:
        The content of `results.json`.

    Raises:
        ValueError: when a setting differs from the bundle's, or for a folder
            that the run cannot go on in.
        FileExistsError: when the output folder has content, or when another
            process is at work there.
        TrainingInterrupted: on TensorFlow, when SIGTERM came; the run can be
            resumed.
        NonFiniteTraining: when loss or gradient is not finite.
    """
    asked = config
    config = dataclasses.replace(
        resolved(config, resume), strategy=_one_device(config.strategy)
    )
    check_settings(config, bundle.meta)
    run_dir = pathlib.Path(config.output_dir)
    found = open_run_dir(asked, bundle.sha256, resume)
    if found is not None:
        say(f"{config.output_dir} is finished")
        return found
    with _stop_request() as stop, contextlib.ExitStack() as stack:
        return _carry_out(
            config, bundle, run_dir, stop, stack, say, verbose, save_weights
        )


def _carry_out(
    config: TrainConfig,
    bundle: Bundle,
    run_dir: pathlib.Path,
    stop: StopRequest,
    stack: contextlib.ExitStack,
    say: Say,
    verbose: int,
    save_weights: bool,
) -> dict[str, Any]:
    """Trains, evaluates and writes the results; `stack` holds the folder."""
    started = time.monotonic()
    keras.utils.set_random_seed(config.seed)
    say(f"building {config.system} on a bundle of {config.preset}")
    model = build_bundle_model(config, bundle)
    prepared = bundle.prepared(config)
    _check_training(config, model, prepared)
    _take_folder(run_dir, stack)
    environment = describe_environment()
    origin = {"sha256": bundle.sha256, "weights": _weights_of(bundle)}
    write_json(
        run_dir / CONFIG,
        {
            "config": config.to_json(),
            "environment": environment,
            "bundle": origin,
        },
    )
    built = time.monotonic()
    training = _train(
        config, model, prepared, run_dir, stop, say, verbose,
        bundle.vocabulary if save_weights else None,
    )  # fmt: skip
    trained = time.monotonic()
    say(f"evaluating on {', '.join(bundle.meta['files'])}")
    evaluation = evaluate_bundle(model, config, bundle, run_dir, say, stop)
    settings = config.to_json()
    for name in ("output_dir", "data_dir"):
        del settings[name]
    results = {
        "schema": SCHEMA,
        "system": config.system,
        "score": config.task_definition.score,
        "config": settings,
        "environment": environment,
        "preset_source": bundle.meta["preset_source"],
        "bundle": origin,
        "label_piece": bundle.meta["label_piece"],
        "gate": config.gate_used,
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
    # The run cannot go on any more.
    CheckpointStore(run_dir / CHECKPOINTS).delete()
    return results


def _one_device(strategy: str) -> str:
    if strategy not in ("auto", "one_device"):
        raise ValueError(
            "A run on a bundle works on one device. Received: strategy="
            f"{strategy!r}. Accepted: one_device, auto."
        )
    return "one_device"


def open_run_dir(
    config: TrainConfig, sha256: str, resume: bool
) -> dict[str, Any] | None:
    """Makes sure that a run may write into its folder; changes nothing there.

    Args:
        config: `TrainConfig`.
        sha256: str, hash of the bundle.
        resume: bool, whether a run of the same settings may be there.

    Returns:
        Results of the run that is finished there, else None.

    Raises:
        FileExistsError: when the folder has content.
        ValueError: when it holds a run with other settings, or under JAX
            one that TensorFlow began.
    """
    if not resume:
        check_output_dir(config.output_dir)
        return None
    run_dir = pathlib.Path(config.output_dir)
    cell = Cell(name=run_dir.name, config=config, bundle_sha256=sha256)
    if find_status(cell).state == "skipped":
        return read_results(run_dir)
    if _on_jax() and (run_dir / CHECKPOINTS).exists():
        raise ValueError(
            f"{str(run_dir)!r} holds checkpoints, with which JAX cannot go on."
            " Received: KERAS_BACKEND=jax. Accepted: KERAS_BACKEND=tensorflow, "
            "which wrote them, or another `output_dir`."
        )
    return None


def _on_jax() -> bool:
    return keras.backend.backend() == "jax"


def _stop_request() -> contextlib.AbstractContextManager[StopRequest]:
    """What SIGTERM does: under JAX, which saves nothing, what it always did."""
    if _on_jax():
        return contextlib.nullcontext(StopRequest())
    return stop_on_sigterm()


def _check_training(
    config: TrainConfig, model: Any, prepared: Prepared
) -> None:
    """Refuses what training would refuse, before anything is written."""
    LinearWarmupDecay(
        config.learning_rate,
        count_steps(config, prepared),
        config.warmup_steps,
    )
    if _on_jax():
        check_policies(model)


def _take_folder(run_dir: pathlib.Path, stack: contextlib.ExitStack) -> None:
    """Keeps others out of the folder until `stack` ends."""
    run_dir.mkdir(parents=True, exist_ok=True)
    stack.enter_context(held(run_dir))
    if _on_jax():
        # A run that goes on starts anew there.
        (run_dir / METRICS).unlink(missing_ok=True)


def build_bundle_model(config: TrainConfig, bundle: Bundle) -> Any:
    """Builds the task model of a config over the rows of a bundle."""
    backbone = DLFABackbone(
        bundle.encoder(config.precision), **fusion_arguments(config)
    )
    pair = config.task_definition.kind == "pair"
    return (DLFATextClassifier if pair else DLFATokenClassifier)(
        backbone, labels=bundle.meta["labels"], dropout=config.dropout
    )


def _train(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    run_dir: pathlib.Path,
    stop: StopRequest,
    say: Say,
    verbose: int,
    vocabulary: np.ndarray | None,
) -> dict[str, Any]:
    """Fine-tunes `model` in place; returns what the results say of it.

    With a `vocabulary`, the ids of the bundle's rows, the weights are saved.
    """
    small = model
    if prepared.used_ids is not None:
        small = compact_model(model, prepared.used_ids)
    if _on_jax():
        from dlfa_tf.training.jax_fit import fit_on_jax

        training = fit_on_jax(config, small, prepared, run_dir, say=say)
    else:
        from dlfa_tf.training.fit import fit

        training = fit(
            config, small, prepared, run_dir, stop=stop, say=say,
            verbose=verbose,
        )  # fmt: skip
    if vocabulary is not None:
        rows = small.backbone.token_embedding.embeddings.shape[0]
        save_bundle_weights(small, vocabulary[:rows], run_dir)
    if prepared.used_ids is not None:
        write_back(model, small, prepared.used_ids)
    return training


def evaluate_bundle(
    model: Any,
    config: TrainConfig,
    bundle: Bundle,
    run_dir: pathlib.Path,
    say: Say = lambda _: None,
    stop: StopRequest | None = None,
) -> dict[str, Any]:
    """Does what `evaluate_languages` does, on the arrays of a bundle.

    `stop` is looked at before every language.
    """
    stop = stop or StopRequest()
    task = config.task_definition
    options: dict[str, Any] = {}
    if _on_jax():
        from dlfa_tf.training.jax_step import compiled_forward

        options["forward"] = compiled_forward(model, _EVAL_BATCH)
    by_language: dict[str, dict[str, Any]] = {}
    for language, split in bundle.meta["files"].items():
        stop.check("Training goes on from its last checkpoint, if it has one.")
        arrays = bundle.arrays[f"{split}-{language}"]
        began = time.monotonic()
        scores, predicted = evaluate_arrays(
            model,
            task,
            arrays,
            gold_names(arrays, task.labels),
            batch_size=_EVAL_BATCH,
            pad_id=bundle.meta["pad_id"],
            use_segment_ids=bundle.meta["use_segment_ids"],
            **options,
        )
        scores.update(split=split, seconds=round(time.monotonic() - began, 2))
        by_language[language] = scores
        write_predictions(run_dir, split, language, predicted)
        say(f"  {language} {split} {scores['score']:.2f}")
    return {
        "languages": by_language,
        "averages": averages({k: v["score"] for k, v in by_language.items()}),
        "missing_languages": [
            language
            for language in bundle.meta["known_languages"]
            if language not in by_language
        ],
    }


def _weights_of(bundle: Bundle) -> dict[str, Any]:
    packed = bundle.meta["packed"]
    return {"format": packed["format"], "exact": packed["exact"]}
