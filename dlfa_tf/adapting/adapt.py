"""One adaptation: text, steps, measuring, a preset with its card."""

import contextlib
import dataclasses
import pathlib
import time
from typing import Any

import keras
import numpy as np

from dlfa_tf import files
from dlfa_tf.adapting import card
from dlfa_tf.adapting import masked_lm
from dlfa_tf.adapting import preparing
from dlfa_tf.adapting import texts
from dlfa_tf.adapting.masked_lm import MaskedLM
from dlfa_tf.adapting.masked_word_training import MaskedWordTraining
from dlfa_tf.adapting.preparing import Rows
from dlfa_tf.adapting.settings import NOT_OF_THE_RESULT
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.models import compact_model
from dlfa_tf.models import presets
from dlfa_tf.runs import auto
from dlfa_tf.runs import environment
from dlfa_tf.runs import memory
from dlfa_tf.runs import resuming
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import setting
from dlfa_tf.runs import workers
from dlfa_tf.training import distribution
from dlfa_tf.training import inputs
from dlfa_tf.training import interruption
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.engine import Engine
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.types import Say

# In the folder of the new preset: what was done, and the log of it.
RECORD = presets.ADAPTATION
LOG_FOLDER = "adaptation"
SCHEMA = 1
_SETTINGS = "settings.json"
_BEFORE = "before.json"


def adapt(
    config: AdaptConfig,
    *,
    say: Say = lambda _: None,
    verbose: int = 2,
    resume: bool = False,
) -> dict[str, Any]:
    """Goes on with the training of an encoder by guessing hidden pieces.

    Writes a preset that every program takes, with the head that guesses, the
    log and a card.

    Args:
        config: `AdaptConfig`.
        say: receives one-line messages about what is going on.
        verbose: int, 0 is silent, 1 shows a progress bar, 2 lines.
        resume: bool, whether to go on with an adaptation in `output_dir`
            that was interrupted, if there is one. A finished one is left
            alone.

    Returns:
        The content of `adaptation.json`; empty for a worker that is not the
        chief.

    Raises:
        ValueError, FileNotFoundError, FileExistsError: for settings or texts
            that do not fit, before anything is written.
        TrainingInterrupted: when SIGTERM came; the adaptation can be resumed.
        NonFiniteTraining: when loss or gradient is not finite.
    """
    folder = files.user_path(config.output_dir, "output_dir")
    config = _resolved(config, folder)
    presets.check_preset_length(config.preset, config.sequence_length)
    found = texts.find_texts(config.texts)
    chief = workers.is_chief(config.strategy)
    if chief:
        _check_folder(folder, config, resume)
    if resume and (folder / RECORD).is_file():
        say(f"{config.output_dir} is finished")
        return files.read_json(folder / RECORD)
    rows = preparing.read_rows(config, found, say)
    keras.utils.set_random_seed(config.seed)
    with (
        interruption.stop_on_sigterm() as stop,
        contextlib.ExitStack() as stack,
    ):
        if chief:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(resuming.held(folder))
            files.write_json(folder / LOG_FOLDER / _SETTINGS, config.to_json())
        return _run(config, folder, rows, (stop, say, verbose, chief))


def _resolved(config: AdaptConfig, folder: pathlib.Path) -> AdaptConfig:
    """Decides what `auto` means, here or in what is to be gone on with."""
    begun = folder / LOG_FOLDER / _SETTINGS
    begun_in = files.read_json(begun)["precision"] if begun.is_file() else None
    return dataclasses.replace(
        config,
        precision=auto.resolve_precision(config.precision, begun_in),
        strategy=workers.resolve_strategy(config.strategy),
    )


def _check_folder(
    folder: pathlib.Path, config: AdaptConfig, resume: bool
) -> None:
    """Refuses a folder that this adaptation may not write into."""
    settings = folder / LOG_FOLDER / _SETTINGS
    if not settings.is_file():
        run_folder.check_output_dir(
            str(folder), but=files.is_unfinished if resume else lambda _: False
        )
        return
    if not resume:
        raise FileExistsError(
            f"`output_dir` holds an adaptation. Received: {str(folder)!r}. "
            "Accepted: a new or an empty folder, or --resume to go on with it."
        )
    setting.check_same(
        files.read_json(settings),
        config.to_json(),
        NOT_OF_THE_RESULT,
        str(folder),
        "an adaptation",
        f"{LOG_FOLDER}/{_SETTINGS}",
    )


def _run(
    config: AdaptConfig,
    folder: pathlib.Path,
    rows: Rows,
    control: tuple[StopRequest, Say, int, bool],
) -> dict[str, Any]:
    stop, say, verbose, chief = control
    began = time.monotonic()
    strategy = distribution.make_strategy(config.strategy)
    distribution.check_batch_size(config.batch_size, strategy)
    say(f"building the encoder of {config.preset}")
    small, objective, has_head = preparing.build(config, rows, strategy)
    memory.give_back()
    engine = Engine(
        # A head that was trained before is no new layer.
        dataclasses.replace(config, new_layer_rate=1.0) if has_head else config,
        small,
        objective,
        strategy=strategy,
        is_chief=chief,
        stop=stop,
        say=say,
        verbose=verbose,
    )
    log_folder = folder / LOG_FOLDER
    before = _before(log_folder, objective, engine, chief)
    training = engine.run(log_folder)
    if not chief:
        return {}
    del engine
    memory.give_back()
    after = objective.measured
    if training["best_step"] != training["total_steps"]:
        # Of the last step; the weights are those of the best one.
        forward = inputs.inference(small) or small.predict_on_batch
        after = objective.measure(forward)
    record = {
        "schema": SCHEMA,
        "preset_source": presets.preset_source(config.preset),
        "config": config.shareable(),
        "environment": environment.describe_environment(),
        "head": "went on with the preset's" if has_head else "new",
        "languages": {
            name: {"before": before[name], "after": after[name]}
            for name in after
        },
        "seconds": round(time.monotonic() - began, 1),
        "peak_memory_bytes": environment.peak_memory_bytes(),
        **training,
    }
    used = objective.text.used_ids
    _save(config, folder, rows.tokenizer, small, used, record)
    CheckpointStore(log_folder / CHECKPOINTS).delete()
    (log_folder / _BEFORE).unlink(missing_ok=True)
    return record


def _before(
    log_folder: pathlib.Path,
    objective: MaskedWordTraining,
    engine: Engine,
    chief: bool,
) -> dict[str, Any]:
    """What the model guesses before the first step."""
    path = log_folder / _BEFORE
    if path.is_file():
        return files.read_json(path)
    if not chief:
        return {}
    before = objective.measure(engine.step.forward)
    files.write_json(path, before)
    return before


def _save(
    config: AdaptConfig,
    folder: pathlib.Path,
    tokenizer: Any,
    small: MaskedLM,
    used: np.ndarray | None,
    record: dict[str, Any],
) -> None:
    """Writes the preset; `config.json`, by which it is known, comes last."""
    model, _ = preparing.build_model(config)
    compact_model.write_back(model, small, used)
    last = ("config.json", RECORD)
    with files.filled_aside(folder, last=last) as aside:
        model.backbone.encoder.save_to_preset(str(aside))
        tokenizer.save_to_preset(str(aside))
        masked_lm.save_head(model, aside)
        files.write_text(aside / "README.md", card.text(record))
        files.write_json(aside / RECORD, record)
