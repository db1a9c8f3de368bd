"""A fine-tuned model on languages it never saw labels for."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

from dlfa_tf import metrics
from dlfa_tf.data import cache
from dlfa_tf.data import sources
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import Task
from dlfa_tf.scoring import predict
from dlfa_tf.scoring import prediction_files
from dlfa_tf.scoring import score


def choose_files(
    source: Source, languages: tuple[str, ...], eval_split: str
) -> dict[str, str]:
    """Decides which file of which language to evaluate on; reads none.

    Args:
        source: `Source`.
        languages: language codes, or `("all",)`, or `("available",)`.
        eval_split: str, `test`, `dev` or `test_or_dev`.

    Returns:
        dict from language to split, languages in alphabetical order.

    Raises:
        ValueError: for no language, for one that the task does not have, or
            for one given twice.
        FileNotFoundError: when a language that was asked for has no file;
            names all of them.
    """
    if not languages:
        raise ValueError("`languages` is empty. Accepted: one or more.")
    if len(set(languages)) != len(languages):
        raise ValueError(
            f"`languages` must not repeat. Received: {list(languages)}."
        )
    splits = ("test", "dev") if eval_split == "test_or_dev" else (eval_split,)
    found: dict[str, str] = {}
    for split in splits:
        for language in source.available(split):
            found.setdefault(language, split)
    if languages == ("available",):
        chosen = tuple(sorted(found))
    elif languages == ("all",):
        chosen = source.languages
    else:
        chosen = languages
        for language in chosen:
            sources.check_language(language, source)
    missing = [language for language in chosen if language not in found]
    if missing or not chosen:
        raise FileNotFoundError(
            f"No {' or '.join(splits)} file in {str(source.folder)!r} for "
            f"the languages {missing or 'of this task'}. Files are there for "
            f"{sorted(found)}. Name the languages to evaluate on, or ask for "
            "languages=available to leave the missing ones out of the average."
            + (" trainers.prepare makes sets." if source.name == "tfds" else "")
        )
    return {language: found[language] for language in sorted(chosen)}


def check_files(source: Source, files: dict[str, str]) -> None:
    """Reads files to the end, so that a bad one is found before any work.

    Not for training, which opens test files after the choice of weights; a
    run that ends at a bad one keeps its model and can be resumed.

    Those of TensorFlow Datasets are left out: their preparation wrote every
    row by its schema, and decoding all of them takes minutes.

    Args:
        source: `Source`.
        files: from language to split; see `choose_files`.

    Raises:
        ValueError: for a malformed file; names file and line.
    """
    if source.name != "tfds":
        for language, split in files.items():
            source.load(split, language)


def evaluate_file(
    model: Any,
    source: Source,
    split: str,
    language: str,
    *,
    limit: int | None = None,
    batch_size: int = 64,
) -> tuple[dict[str, Any], list[Any]]:
    """Scores a model on one file.

    Args:
        model: task model with a preprocessor.
        source: `Source`.
        split: str, `dev` or `test`.
        language: str.
        limit: int or None, examples from the start of the file.
        batch_size: int, rows per step.

    Returns:
        A pair: the scores (see `score`) with `split`, `rows`, `tokens` (real
        pieces) and `seconds`; and the predicted label names.
    """
    examples = source.load(split, language, limit)
    started = time.monotonic()
    preprocessor = model.preprocessor
    scores, predicted = evaluate_arrays(
        model,
        source.task,
        cache.cached_tokens(examples, preprocessor),
        score.gold_labels(source.task, examples),
        batch_size=batch_size,
        pad_id=preprocessor.pieces.pad_id,
        use_segment_ids=preprocessor.use_segment_ids,
    )
    scores.update(split=split, seconds=round(time.monotonic() - started, 2))
    return scores, predicted


def evaluate_arrays(
    model: Any,
    task: Task,
    arrays: TokenArrays,
    gold: list[Any],
    **options: Any,
) -> tuple[dict[str, Any], list[Any]]:
    """Scores a model on token arrays.

    Args:
        model: task model.
        task: `Task`.
        arrays: `TokenArrays`.
        gold: their gold labels; see `gold_labels`.
        **options: further arguments of `predict_logits`.

    Returns:
        A pair: the scores (see `score_labels`) with `rows` and `tokens` (real
        pieces); and the predicted label names.
    """
    logits = predict.predict_logits(model, arrays, **options)
    predicted = predict.label_names(logits, arrays, task.labels)
    scores = score.score_labels(task, gold, predicted)
    scores.update(rows=len(arrays), tokens=len(arrays.token_ids))
    return scores, predicted


def evaluate_languages(
    model: Any,
    source: Source,
    files: dict[str, str],
    *,
    limit: int | None = None,
    batch_size: int = 64,
    run_dir: pathlib.Path | None = None,
    progress: Callable[[str, dict], None] | None = None,
    done: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Scores a model on many languages.

    Args:
        model: task model with a preprocessor.
        source: `Source`.
        files: from language to split; see `choose_files`.
        limit: int or None, examples per language.
        batch_size: int, rows per step.
        run_dir: folder for `predictions/`; None writes none.
        progress: called with language and scores after each language.
        done: scores by language that an earlier call was interrupted after;
            these languages are not evaluated again.

    Returns:
        dict with `languages` (scores by language), `averages` of the headline
        score and `missing_languages` (of the task, not evaluated).
    """
    by_language: dict[str, dict[str, Any]] = {}
    for language, split in files.items():
        if done and language in done:
            by_language[language] = done[language]
            continue
        scores, predicted = evaluate_file(
            model, source, split, language, limit=limit, batch_size=batch_size
        )
        by_language[language] = scores
        if run_dir is not None:
            prediction_files.write_predictions(
                run_dir, split, language, predicted
            )
        if progress is not None:
            progress(language, scores)
    return {
        "languages": by_language,
        "averages": metrics.averages(
            {k: v["score"] for k, v in by_language.items()}
        ),
        "missing_languages": [
            language
            for language in source.languages
            if language not in by_language
        ],
    }
