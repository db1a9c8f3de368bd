"""Averages over languages."""

from collections.abc import Collection
from collections.abc import Mapping
from numbers import Real

from dlfa_tf.options import SOURCE_LANGUAGES

# The paper's Table 2 calls English and German "enf", all others "noenf".
ENF_LANGUAGES = ("de", "en")


def macro_average(
    scores: Mapping[str, float], languages: Collection[str] | None = None
) -> float | None:
    """Unweighted mean over languages.

    Args:
        scores: from language to score.
        languages: languages to average over. Defaults to all of `scores`.

    Returns:
        The mean; None when there is nothing to average.

    Raises:
        KeyError: when a language has no score.

    Example:
        >>> from dlfa_tf.metrics import macro_average
        >>> macro_average({"en": 90.0, "de": 80.0, "sw": 40.0}, ["de", "sw"])
        60.0
    """
    _check_scores(scores)
    if isinstance(languages, (str, bytes)):
        raise TypeError(
            "`languages` must be a list of languages. Received: "
            f"{languages!r}. Accepted: {[languages]!r}."
        )
    chosen = scores if languages is None else languages
    missing = sorted(set(chosen) - set(scores))
    if missing:
        raise KeyError(
            f"`languages` has languages without a score. Received: {missing}. "
            f"Accepted: {sorted(scores)}."
        )
    values = [scores[language] for language in chosen]
    return sum(values) / len(values) if values else None


def _check_scores(scores: Mapping[str, float]) -> None:
    """Refuses what is no score of a language: a None, a text, a list."""
    if not isinstance(scores, Mapping):
        raise TypeError(
            "`scores` must be a mapping from language to score. Received: "
            f"{scores!r:.80} of type {type(scores).__name__}."
        )
    for language, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, Real):
            raise TypeError(
                f"`scores` must hold numbers. Received: {score!r:.80} of type "
                f"{type(score).__name__} for {language!r}."
            )


def average_groups(
    languages: Collection[str], sources: Collection[str] = SOURCE_LANGUAGES
) -> dict[str, list[str]]:
    """Which languages each average of the paper's tables is over.

    Args:
        languages: language codes.
        sources: codes of the languages that were trained on. Defaults to
            English.

    Returns:
        dict of `all` (sources included, as XTREME averages), `others` (all
        but the sources), `enf` (English and German) and `noenf` (all others).
    """
    return {
        "all": list(languages),
        "others": [x for x in languages if x not in sources],
        "enf": [x for x in languages if x in ENF_LANGUAGES],
        "noenf": [x for x in languages if x not in ENF_LANGUAGES],
    }


def averages(
    scores: Mapping[str, float], sources: Collection[str] = SOURCE_LANGUAGES
) -> dict[str, float | None]:
    """The averages that the paper's tables show.

    Args:
        scores: from language to score.
        sources: codes of the languages that were trained on. Defaults to
            English.

    Returns:
        dict with the keys of `average_groups`; None where no language is
        left.

    Example:
        >>> from dlfa_tf.metrics import averages
        >>> averages({"en": 90.0, "de": 80.0, "sw": 40.0})["others"]
        60.0
    """
    _check_scores(scores)
    return {
        name: macro_average(scores, group)
        for name, group in average_groups(scores, sources).items()
    }
