"""One run: build, fine-tune, choose on dev of the source, evaluate."""

import contextlib
import pathlib
import time
from typing import Any

import keras

from dlfa_tf import files
from dlfa_tf.models import model_card
from dlfa_tf.runs import auto
from dlfa_tf.runs import environment
from dlfa_tf.runs import load
from dlfa_tf.runs import memory
from dlfa_tf.runs import result_file
from dlfa_tf.runs import resuming
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import workers
from dlfa_tf.runs.run_folder import CONFIG
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.scoring import zero_shot
from dlfa_tf.training import distribution
from dlfa_tf.training import evaluating
from dlfa_tf.training import interruption
from dlfa_tf.training.checkpoints import CHECKPOINTS
from dlfa_tf.training.checkpoints import CheckpointStore
from dlfa_tf.training.engine import Engine
from dlfa_tf.training.fine_tuning import FineTuning
from dlfa_tf.training.inputs import Inputs
from dlfa_tf.training.inputs import SourceInputs
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.types import Say

# Only there while a run is unfinished.
_TRAINED = f"{CHECKPOINTS}/training.json"
_EVALUATED = f"{CHECKPOINTS}/evaluation.json"


def run(
    config: TrainConfig,
    inputs: Inputs | None = None,
    *,
    say: Say = lambda _: None,
    verbose: int = 2,
    resume: bool = False,
) -> dict[str, Any]:
    """Carries out a whole run and writes its folder.

    Test files are opened only after the weights were chosen on the dev
    set of the source languages.

    Args:
        config: `TrainConfig`.
        inputs: `SourceInputs` or `BundleInputs`. Defaults to the former.
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
    inputs = inputs if inputs is not None else SourceInputs()
    asked, config = config, auto.resolved(config, resume)
    inputs.check(config)
    chief = workers.is_chief(config.strategy)
    if chief:
        resuming.check_run_dir(asked, resume, inputs.sha256)
    run_dir = pathlib.Path(config.output_dir)
    if resume and resuming.is_finished(run_dir):
        say(f"{config.output_dir} is finished")
        return run_folder.read_results(run_dir)
    inputs.read(config)
    keras.utils.set_random_seed(config.seed)
    with (
        interruption.stop_on_sigterm() as stop,
        contextlib.ExitStack() as stack,
    ):
        if not (run_dir / _TRAINED).is_file():
            model = _train(
                config, inputs, run_dir, stop, stack, say, verbose, chief
            )
        elif chief:
            stack.enter_context(resuming.held(run_dir))
            say("training is done; going on with the evaluation")
            model = inputs.load(config, run_dir)
        return (
            _finish(config, inputs, model, run_dir, stop, say) if chief else {}
        )


def _train(
    config: TrainConfig,
    inputs: Inputs,
    run_dir: pathlib.Path,
    stop: StopRequest,
    stack: contextlib.ExitStack,
    say: Say,
    verbose: int,
    chief: bool,
) -> Any:
    """Returns the trained model, saved; None on a worker, which saves none."""
    started = time.monotonic()
    strategy = distribution.make_strategy(config.strategy)
    distribution.check_batch_size(config.batch_size, strategy)
    source = "a bundle of" if inputs.sha256 else "preset"
    say(f"building {config.system} on {source} {config.preset}")
    small, prepared = inputs.build(config, strategy)
    if config.pooler == "encoder" and small.backbone.has_new_pooler:
        say("the encoder has no trained pooler: it gets a new one")
    # A full model beside the compact one would take its memory on top of what
    # training needs; Keras' models are freed by this alone. Here, where no
    # frame refers to it any more.
    memory.give_back()
    engine = Engine(
        config,
        small,
        FineTuning(config, small, prepared),
        strategy=strategy,
        is_chief=chief,
        stop=stop,
        say=say,
        verbose=verbose,
    )
    if chief:
        _open(config, inputs, run_dir, stack)
    built = time.monotonic()
    training = engine.run(run_dir)
    if not chief:
        return None
    # The optimizer's memory is needed for the full model.
    del engine
    memory.give_back()
    trained = time.monotonic()
    model = inputs.keep(config, small, prepared, run_dir)
    seconds = {"build": built - started, "train": trained - built}
    files.write_json(
        run_dir / _TRAINED, {"training": training, "seconds": seconds}
    )
    return model


def _open(
    config: TrainConfig,
    inputs: Inputs,
    run_dir: pathlib.Path,
    stack: contextlib.ExitStack,
) -> None:
    """Takes the run folder until `stack` ends; writes the config, once."""
    run_dir.mkdir(parents=True, exist_ok=True)
    stack.enter_context(resuming.held(run_dir))
    if not (run_dir / CONFIG).is_file():
        files.write_json(
            run_dir / CONFIG,
            {
                "config": config.to_json(),
                "environment": environment.describe_environment(),
                **inputs.record(),
            },
        )


def _finish(
    config: TrainConfig,
    inputs: Inputs,
    model: Any,
    run_dir: pathlib.Path,
    stop: StopRequest,
    say: Say,
) -> dict[str, Any]:
    """Evaluates the chosen weights and writes the results."""
    started = time.monotonic()
    saved = files.read_json(run_dir / _TRAINED)
    # A language that is done is not evaluated again when the run goes on.
    done_file = run_dir / _EVALUATED
    done = files.read_json(done_file) if done_file.is_file() else {}

    def keep(language: str, scores: dict[str, Any]) -> None:
        say(evaluating.score_line(language, scores))
        done[language] = scores
        files.write_json(done_file, done)
        stop.check("The languages so far are kept.")

    say(f"evaluating on {', '.join(inputs.files)}")
    evaluation = zero_shot.evaluate_each(
        lambda split, language: inputs.evaluate(model, config, split, language),
        inputs.files,
        inputs.known_languages,
        run_dir=run_dir,
        progress=keep,
        done=dict(done),
        source_languages=config.source_languages,
    )
    seconds = {**saved["seconds"], "evaluate": time.monotonic() - started}
    results = result_file.write_results(
        run_dir,
        system=config.system,
        score=config.task_definition.score,
        config=config.shareable(),
        gate=config.gate_used,
        seconds=seconds,
        environment=files.read_json(run_dir / CONFIG)["environment"],
        **inputs.record(),
        **inputs.describe(model, config),
        **saved["training"],
        **evaluation,
    )
    described = model_card.describe_model(model)
    model_card.write_card(run_dir, described, results, form="run")
    if (run_dir / load.MODEL).is_dir():
        model_card.write_card(
            run_dir / load.MODEL, described, results, form="preset"
        )
    # The run cannot go on any more, and the chosen weights are saved.
    for name in (_EVALUATED, _TRAINED):
        (run_dir / name).unlink(missing_ok=True)
    inputs.finish(run_dir)
    CheckpointStore(run_dir / CHECKPOINTS).delete()
    return results
