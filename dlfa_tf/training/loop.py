"""One run: build, fine-tune on English, choose on English dev, evaluate."""

import contextlib
import gc
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.data.sources import Source
from dlfa_tf.files import read_json
from dlfa_tf.files import write_json
from dlfa_tf.models.compact_model import compact_model
from dlfa_tf.models.compact_model import write_back
from dlfa_tf.models.presets import check_preset_length
from dlfa_tf.models.presets import preset_source
from dlfa_tf.runs.environment import describe_environment
from dlfa_tf.runs.environment import peak_memory_bytes
from dlfa_tf.runs.load import MODEL
from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.load import save_model
from dlfa_tf.runs.names import system_name
from dlfa_tf.runs.resume import check_run_dir
from dlfa_tf.runs.resume import held
from dlfa_tf.runs.resume import resolved
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.runs.run_folder import read_results
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.workers import is_chief
from dlfa_tf.scoring.zero_shot import evaluate_languages
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.distribution import check_batch_size
from dlfa_tf.training.distribution import make_strategy
from dlfa_tf.training.distribution import scope_of
from dlfa_tf.training.fit import fit
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import stop_on_sigterm
from dlfa_tf.training.prepared import Prepared
from dlfa_tf.training.prepared import RunData
from dlfa_tf.training.prepared import prepare
from dlfa_tf.training.prepared import read_data
from dlfa_tf.training.schedules import LinearWarmupDecay
from dlfa_tf.training.session import count_steps

Say = Callable[[str], None]
_EVAL_BATCH = 64
# Only there while a run is unfinished.
_TRAINED = f"{CHECKPOINTS}/training.json"
_EVALUATED = f"{CHECKPOINTS}/evaluation.json"


def run(
    config: TrainConfig,
    say: Say = lambda _: None,
    verbose: int = 2,
    resume: bool = False,
) -> dict[str, Any]:
    """Carries out a whole run and writes its folder.

    Test files are opened only after the weights were chosen on the English
    dev set.

    Args:
        config: `TrainConfig`.
        say: receives one-line messages about what is going on.
        verbose: int, 0 is silent, 1 shows a progress bar, 2 lines.
        resume: bool, whether to go on with a run in `output_dir` that was
            interrupted, if there is one. A finished one is left alone.

    Returns:
        The content of `results.json`; empty for a worker that is not the
        chief.

    Raises:
        ValueError, FileNotFoundError, FileExistsError: for settings or data
            that do not fit, before anything is written.
        TrainingInterrupted: when SIGTERM came; the run can be resumed.
        NonFiniteTraining: when loss or gradient is not finite.
        ConnectionError: when another worker is missing or lost.
    """
    asked, config = config, resolved(config, resume)
    chief = is_chief(config.strategy)
    if chief:
        check_run_dir(asked, resume)
    run_dir = pathlib.Path(config.output_dir)
    if resume and (run_dir / RESULTS).is_file():
        say(f"{config.output_dir} is finished")
        return read_results(run_dir)
    check_preset_length(config.preset, config.sequence_length)
    data = read_data(config)
    started = time.monotonic()
    keras.utils.set_random_seed(config.seed)
    with stop_on_sigterm() as stop, contextlib.ExitStack() as stack:
        if not (run_dir / _TRAINED).is_file():
            strategy = make_strategy(config.strategy)
            check_batch_size(config.batch_size, strategy)
            say(f"building {config.system} on preset {config.preset}")
            small, prepared = build_for_training(config, data, strategy)
            # Refuses a warm-up as long as the run before anything is written.
            LinearWarmupDecay(
                config.learning_rate,
                count_steps(config, prepared),
                config.warmup_steps,
            )
            if chief:
                _open(config, run_dir, stack)
            built = time.monotonic()
            training = fit(config, small, prepared, run_dir, say=say,
                           strategy=strategy, is_chief=chief, stop=stop,
                           verbose=verbose)  # fmt: skip
            if not chief:
                return {}
            seconds = {
                "build": round(built - started, 1),
                "train": round(time.monotonic() - built, 1),
            }
            model = build_model(config)
            write_back(model, small, prepared.used_ids)
            del small
            save_model(model, run_dir / MODEL)
            write_json(
                run_dir / _TRAINED, {"training": training, "seconds": seconds}
            )
        elif not chief:
            return {}
        else:
            stack.enter_context(held(run_dir))
            say("training is done; going on with the evaluation")
            model = load_model(config.output_dir)
        return _finish(config, model, data, run_dir, stop, say)


def _open(
    config: TrainConfig, run_dir: pathlib.Path, stack: contextlib.ExitStack
) -> None:
    """Takes the run folder and writes the config, once."""
    run_dir.mkdir(parents=True, exist_ok=True)
    stack.enter_context(held(run_dir))
    if not (run_dir / CONFIG).is_file():
        write_json(
            run_dir / CONFIG,
            {
                "config": config.to_json(),
                "environment": describe_environment(),
            },
        )


def build_for_training(
    config: TrainConfig, data: RunData, strategy: Any
) -> tuple[Any, Prepared]:
    """Builds the model to train, and what it is trained on.

    With a compact vocabulary the full model is given free again: both at once
    would take its memory on top of what training needs.
    """
    with scope_of(None if config.compact_vocabulary else strategy):
        model = build_model(config)
    prepared = prepare(config, data, model.preprocessor)
    if prepared.used_ids is not None:
        with scope_of(strategy):
            model = compact_model(model, prepared.used_ids)
    model.preprocessor = None
    gc.collect()
    return model, prepared


def _finish(
    config: TrainConfig,
    model: Any,
    data: RunData,
    run_dir: pathlib.Path,
    stop: StopRequest,
    say: Say,
) -> dict[str, Any]:
    """Evaluates the chosen weights and writes the results."""
    started = time.monotonic()
    saved = read_json(run_dir / _TRAINED)
    # A language that is done is not evaluated again when the run goes on.
    done_file = run_dir / _EVALUATED
    done = read_json(done_file) if done_file.is_file() else {}

    def keep(language: str, scores: dict[str, Any]) -> None:
        done[language] = scores
        write_json(done_file, done)
        stop.check("The languages so far are kept.")

    evaluation = _evaluate(
        model, data.source, data.files, config.eval_limit, run_dir, say,
        keep=keep, done=dict(done),
    )  # fmt: skip
    results = {
        "schema": SCHEMA,
        "system": config.system,
        "score": config.task_definition.score,
        "config": _shareable(config),
        "environment": read_json(run_dir / CONFIG)["environment"],
        "preset_source": preset_source(config.preset),
        "label_piece": getattr(
            model.preprocessor, "resolved_label_piece", None
        ),
        "gate": config.gate_used,
        **saved["training"],
        **evaluation,
        "seconds": {
            **saved["seconds"],
            "evaluate": round(time.monotonic() - started, 1),
        },
        "peak_memory_bytes": peak_memory_bytes(),
    }
    write_json(run_dir / RESULTS, results)
    # The run cannot go on any more, and model/ has the chosen weights.
    for path in (done_file, run_dir / _TRAINED):
        path.unlink(missing_ok=True)
    CheckpointStore(run_dir / CHECKPOINTS).delete()
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
    backbone = model.backbone
    fusion = backbone.fusion
    if not isinstance(fusion, str):
        fusion = type(fusion).__name__
    results = {
        "schema": SCHEMA,
        "system": system_name(backbone.fusion_layer, fusion),
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
        "gate": backbone.gate_used,
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
    keep: Callable[[str, dict[str, Any]], None] = lambda *_: None,
    done: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    say(f"evaluating on {', '.join(files)}")

    def progress(language: str, scores: dict[str, Any]) -> None:
        say(f"  {language} {scores['split']} {scores['score']:.2f}")
        keep(language, scores)

    return evaluate_languages(
        model,
        source,
        files,
        limit=limit,
        batch_size=_EVAL_BATCH,
        run_dir=run_dir,
        progress=progress,
        done=done,
    )
