"""A fine-tuned model on languages it never saw labels for."""

import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from dlfa_tf import metrics
from dlfa_tf.data import cache
from dlfa_tf.data import readers
from dlfa_tf.data import sources
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task
from dlfa_tf.options import SOURCE_LANGUAGES
from dlfa_tf.scoring import predict
from dlfa_tf.scoring import prediction_files
from dlfa_tf.scoring import score

# Rows per step, as runs evaluate.
EVAL_BATCH = 64
Forward = Callable[[dict[str, Any]], Any]


def choose_files(
    source: Source, languages: tuple[str, ...], eval_split: str
) -> dict[str, str]:
    """Decides which split of which language to evaluate on.

    Reads no file but the first row of test files, whether it has a label.

    Languages are codes, `("all",)` of the task, or `("available",)`: those
    with a file. `eval_split` is `test`, `dev` or `test_or_dev`. ValueError for
    no language, an unknown one, or one given twice; FileNotFoundError names
    all those that have no file.
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
            f"{sorted(found)}. Accepted: `languages` that are there, by name, "
            "or languages=available to leave the missing ones out of the "
            "average."
            + (" trainers.prepare makes sets." if source.name == "tfds" else "")
            + _unlabelled(source, splits, missing)
        )
    return {language: found[language] for language in sorted(chosen)}


def _unlabelled(source: Source, splits: Iterable[str], chosen: Any) -> str:
    """Says of which languages there are files without labels."""
    found = {x for split in splits for x in source.unlabelled(split)}
    names = [x for x in chosen if x in found]
    if not names:
        return ""
    return (
        f" The test files of {names} have no labels: XTREME's download script "
        f"removes them; {readers.LABELS_COME_FROM}"
    )


def check_files(source: Source, files: dict[str, str]) -> None:
    """Reads files to the end, so that a bad one is found before any work.

    Not for training, which opens test files after the choice of weights; a run
    that ends at a bad one keeps its model and can be resumed.

    Those of TensorFlow Datasets are left out: their preparation wrote every
    row by its schema, and decoding all of them takes minutes.

    ValueError for a malformed file; names file and line.
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
    batch_size: int = EVAL_BATCH,
    forward: Forward | None = None,
) -> tuple[dict[str, Any], list[Any]]:
    """Scores a model on one file, or on the first `limit` examples of it.

    Gives the scores (see `score_labels`) with `split`, `rows`, `tokens` (real
    pieces) and `seconds`; and the predicted label names. For `forward` see
    `predict_logits`.
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
        forward=forward,
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
    """Scores a model on token arrays; options go to `predict_logits`.

    Gives the scores (see `score_labels`) with `rows` and `tokens` (real
    pieces); and the predicted label names.
    """
    logits = predict.predict_logits(model, arrays, **options)
    predicted = predict.label_names(logits, arrays, task.labels)
    scores = score.score_labels(task, gold, predicted)
    scores.update(rows=len(arrays), tokens=len(arrays.token_ids))
    return scores, predicted


def evaluate_each(
    evaluate: Callable[[str, str], tuple[dict[str, Any], list[Any]]],
    files: dict[str, str],
    known_languages: Iterable[str],
    *,
    run_dir: pathlib.Path | None = None,
    progress: Callable[[str, dict], None] | None = None,
    done: dict[str, dict[str, Any]] | None = None,
    source_languages: Sequence[str] = SOURCE_LANGUAGES,
) -> dict[str, Any]:
    """Scores many languages, wherever their examples are.

    Calls `evaluate` with split and language, as `evaluate_file` answers;
    `done` has the scores of languages that need not be evaluated again. Writes
    `predictions/` where there is a `run_dir`. Gives `languages` (scores by
    language), `averages` of the headline score, one of them without the
    `source_languages`, and `missing_languages` (of the task, not evaluated).
    """
    by_language: dict[str, dict[str, Any]] = {}
    for language, split in files.items():
        if done and language in done:
            by_language[language] = done[language]
            continue
        scores, predicted = evaluate(split, language)
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
            {k: v["score"] for k, v in by_language.items()}, source_languages
        ),
        "missing_languages": [
            language
            for language in known_languages
            if language not in by_language
        ],
    }


def evaluate_languages(
    model: Any,
    source: Source,
    files: dict[str, str],
    *,
    limit: int | None = None,
    batch_size: int = EVAL_BATCH,
    forward: Forward | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Scores a model on a file per language; see `evaluate_each`.

    `limit` counts examples per language. For `forward` see `predict_logits`.
    """

    def evaluate(split: str, language: str) -> tuple[dict[str, Any], list[Any]]:
        return evaluate_file(
            model, source, split, language,
            limit=limit, batch_size=batch_size, forward=forward,
        )  # fmt: skip

    return evaluate_each(evaluate, files, source.languages, **options)
