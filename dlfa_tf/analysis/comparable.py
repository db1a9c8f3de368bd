"""Which runs may stand in one table."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf.runs import names
from dlfa_tf.runs.settings import SETTINGS

# Settings that may differ: what a table compares, what decides no score (but
# for rounding), and the name of a recipe, whose settings are compared.
_FREE = frozenset(
    name for name, x in SETTINGS.items() if x.in_tables != "refused"
)


def settings(results: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run that must be equal for two runs to be compared.

    From the content of `results.json`; a setting that this version does not
    know is among them.
    """
    config = results["config"]
    values = {k: v for k, v in config.items() if k not in _FREE}
    # Results of older versions do not say it.
    values["source_languages"] = list(names.sources_of(config))
    values["score"] = results["score"]
    values["train_examples"] = _source_examples(results)
    values["bundle of rounded weights"] = _rounded_bundle(results)
    return values


def _source_examples(results: Mapping[str, Any]) -> int | None:
    """Training examples but for few-shot ones, which tables name."""
    count = results.get("train_examples")
    few_shot = results.get("few_shot", {})
    return count and count - sum(len(x["rows"]) for x in few_shot.values())


def _rounded_bundle(results: Mapping[str, Any]) -> str | None:
    """Hash of a bundle that did not give the preset's very weights."""
    bundle = results.get("bundle")
    if bundle is None or bundle["weights"].get("exact"):
        return None
    return bundle["sha256"]


def differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Settings in which two results differ, with both values.

    A language that both were scored on must have the same split and number of
    examples in both. A language that one lacks is no difference.
    """
    a, b = settings(first), settings(second)
    found = {
        name: (a.get(name), b.get(name))
        for name in sorted(set(a) | set(b))
        if a.get(name) != b.get(name)
    }
    languages = set(first["languages"]) & set(second["languages"])
    for language in sorted(languages):
        for name in ("split", "examples"):
            pair = tuple(
                results["languages"][language].get(name)
                for results in (first, second)
            )
            if pair[0] != pair[1]:
                found[f"{name} of {language}"] = (pair[0], pair[1])
    return found


def check_comparable(
    runs: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> None:
    """Refuses runs that were made otherwise than the first of their kind.

    The ValueError calls the first two that differ by their `names`, such as
    folders, and says in what.
    """
    for name, results in zip(names, runs, strict=True):
        found = differences(runs[0], results)
        if found:
            raise ValueError(
                f"Runs {names[0]!r} and {name!r} are not comparable: they "
                "differ in "
                + "; ".join(
                    f"{key}: {a!r} and {b!r}" for key, (a, b) in found.items()
                )
                + ". Accepted in one table: runs that differ in the system, "
                "its options, the gate, the seed, the languages, and where "
                "and how fast they ran."
            )
