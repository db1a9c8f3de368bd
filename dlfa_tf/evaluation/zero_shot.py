"""A fine-tuned model on languages it never saw labels for."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

from dlfa_tf.data.cache import cached_tokens
from dlfa_tf.data.sources import Source
from dlfa_tf.data.sources import check_language
from dlfa_tf.evaluation.predict import label_names
from dlfa_tf.evaluation.predict import predict_logits
from dlfa_tf.evaluation.run_folder import write_predictions
from dlfa_tf.evaluation.score import score
from dlfa_tf.metrics.aggregate import averages


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
            check_language(language, source)
    missing = [language for language in chosen if language not in found]
    if missing or not chosen:
        raise FileNotFoundError(
            f"No {' or '.join(splits)} file in {str(source.folder)!r} for "
            f"the languages {missing or 'of this task'}. Files are there for "
            f"{sorted(found)}. Name the languages to evaluate on, or ask for "
            "languages=available to leave the missing ones out of the average."
        )
    return {language: found[language] for language in sorted(chosen)}


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
    arrays = cached_tokens(examples, preprocessor)
    logits = predict_logits(
        model,
        arrays,
        batch_size=batch_size,
        pad_id=preprocessor.pieces.pad_id,
        use_segment_ids=preprocessor.use_segment_ids,
    )
    predicted = label_names(logits, arrays, source.task.labels)
    scores = score(source.task, examples, predicted)
    scores.update(
        split=split,
        rows=len(arrays),
        tokens=len(arrays.token_ids),
        seconds=round(time.monotonic() - started, 2),
    )
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

    Returns:
        dict with `languages` (scores by language), `averages` of the headline
        score and `missing_languages` (of the task, not evaluated).
    """
    by_language = {}
    for language, split in files.items():
        scores, predicted = evaluate_file(
            model, source, split, language, limit=limit, batch_size=batch_size
        )
        by_language[language] = scores
        if run_dir is not None:
            write_predictions(run_dir, split, language, predicted)
        if progress is not None:
            progress(language, scores)
    return {
        "languages": by_language,
        "averages": averages({k: v["score"] for k, v in by_language.items()}),
        "missing_languages": [
            language
            for language in source.languages
            if language not in by_language
        ],
    }
