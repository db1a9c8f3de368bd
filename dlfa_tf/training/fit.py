"""The engine: token arrays and a config -> a trained model."""

import pathlib
from collections.abc import Callable
from typing import Any

from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.training.distribution import check_batch_size
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.prepared import Prepared
from dlfa_tf.training.session import Session


def fit(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    run_dir: pathlib.Path,
    *,
    strategy: Any = None,
    is_chief: bool = True,
    stop: StopRequest | None = None,
    say: Callable[[str], None] = lambda _: None,
    verbose: int = 2,
) -> dict[str, Any]:
    """Fine-tunes a model and leaves the weights that score best on dev in it.

    Goes on from the newest whole checkpoint in `run_dir`, if there is one. On
    one CPU device the result is then the same, bit for bit, as without the
    interruption.

    Args:
        config: `TrainConfig`.
        model: task model without a preprocessor, over the token ids of
            `prepared`, created in the strategy's scope.
        prepared: `Prepared`.
        run_dir: folder for `metrics.jsonl`, `logs/` and `checkpoints/`.
        strategy: `tf.distribute` strategy or None for one device.
        is_chief: bool, whether this process writes files.
        stop: `StopRequest` that is looked at before every step.
        say: receives one-line messages about what is going on.
        verbose: int, 1 shows a progress bar, 2 a line now and then.

    Returns:
        What `results.json` says of training.

    Raises:
        ValueError: when the batch does not divide by the replicas, or when
            the checkpoint is of other data.
        NonFiniteTraining: when loss or gradient is not finite.
        TrainingInterrupted: when `stop` asked for it; a checkpoint is saved.
        ConnectionError: when another worker is lost.
    """
    check_batch_size(config.batch_size, strategy)
    session = Session(
        config,
        model,
        prepared,
        run_dir,
        strategy=strategy,
        is_chief=is_chief,
        stop=stop or StopRequest(),
        say=say,
        verbose=verbose,
    )
    session.restore()
    session.train()
    choice = session.choice
    model.set_weights(choice.weights)
    return {
        "train_examples": prepared.train_examples,
        "train_rows": len(prepared.train),
        "train_tokens": len(prepared.train.token_ids),
        "best_step": choice.best_step,
        "total_steps": session.total_steps,
        "dev_score": choice.best_score,
        "dev_history": choice.history,
    }
