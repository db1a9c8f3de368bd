"""Averages over languages."""

from collections.abc import Collection
from collections.abc import Mapping

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
    """
    chosen = scores if languages is None else languages
    missing = sorted(set(chosen) - set(scores))
    if missing:
        raise KeyError(
            f"`languages` has languages without a score. Received: {missing}. "
            f"Accepted: {sorted(scores)}."
        )
    values = [scores[language] for language in chosen]
    return sum(values) / len(values) if values else None


def averages(scores: Mapping[str, float]) -> dict[str, float | None]:
    """The averages that the paper's tables show.

    Args:
        scores: from language to score.

    Returns:
        dict of `all` (English included, as XTREME averages), `others` (all
        but English), `enf` (English and German) and `noenf` (all others);
        None where no language is left.
    """
    return {
        "all": macro_average(scores),
        "others": macro_average(scores, [x for x in scores if x != "en"]),
        "enf": macro_average(scores, [x for x in scores if x in ENF_LANGUAGES]),
        "noenf": macro_average(
            scores, [x for x in scores if x not in ENF_LANGUAGES]
        ),
    }
