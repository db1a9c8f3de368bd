"""The engine: token arrays and a config -> a trained model."""

import pathlib
from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.data.pipelines import train_dataset
from dlfa_tf.evaluation.predict import label_names
from dlfa_tf.evaluation.predict import predict_logits
from dlfa_tf.evaluation.score import score_labels
from dlfa_tf.training.config import TrainConfig
from dlfa_tf.training.dev_checkpoint import DevCheckpoint
from dlfa_tf.training.prepared import Prepared

_EVAL_BATCH = 64


def fit(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    run_dir: pathlib.Path,
    *,
    say: Callable[[str], None] = lambda _: None,
    verbose: int = 2,
) -> dict[str, Any]:
    """Fine-tunes a model and leaves the weights that score best on dev in it.

    Args:
        config: `TrainConfig`.
        model: task model without a preprocessor, over the token ids of
            `prepared`.
        prepared: `Prepared`.
        run_dir: folder to write `metrics.jsonl` into.
        say: receives one-line messages about what is going on.
        verbose: int, Keras' verbosity of `fit` (0, 1 or 2).

    Returns:
        What `results.json` says of training.
    """
    train = prepared.train
    dataset, steps = train_dataset(
        train,
        batch_size=config.batch_size,
        seed=config.seed,
        epochs=config.epochs,
        pad_id=prepared.pad_id,
        use_segment_ids=prepared.use_segment_ids,
    )
    total = steps * config.epochs
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
        lambda: score_dev(config, model, prepared, say),
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
    return {
        "train_examples": prepared.train_examples,
        "train_rows": len(train),
        "train_tokens": len(train.token_ids),
        "best_step": checkpoint.best_step,
        "total_steps": total,
        "dev_score": checkpoint.best_score,
        "dev_history": checkpoint.history,
    }


def score_dev(
    config: TrainConfig,
    model: Any,
    prepared: Prepared,
    say: Callable[[str], None],
) -> float:
    """Headline score on English dev of the weights as they are, in percent."""
    task = config.task_definition
    logits = predict_logits(
        model,
        prepared.dev,
        batch_size=_EVAL_BATCH,
        pad_id=prepared.pad_id,
        use_segment_ids=prepared.use_segment_ids,
    )
    predicted = label_names(logits, prepared.dev, task.labels)
    value = score_labels(task, prepared.dev_gold, predicted)["score"]
    say(f"  English dev {task.score} {value:.2f}")
    return value
