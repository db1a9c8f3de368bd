"""Results of runs as tables; no score is computed here."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf.analysis import comparable
from dlfa_tf.runs import names


def average_names(sources: Sequence[str]) -> dict[str, str]:
    """From the key of an average in results.json to its name in a table."""
    return {"all": "avg", "others": f"avg w/o {names.in_words(sources)}"}


def score_table(runs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Headline scores: a row per run, a column per language and average.

    In percent, indexed by system; a column says "xx (dev)" where the dev file
    was scored, and "xx (few-shot)" where training saw labels of the language.
    The average without the source languages is left out where none of them was
    scored. ValueError when there are no runs, when two are of one system or
    scored on different languages, or when `check_comparable` refuses them.
    """
    if not runs:
        raise ValueError("`runs` is empty. Accepted: one or more results.")
    comparable.check_comparable(runs, [results["system"] for results in runs])
    languages = sorted(runs[0]["languages"])
    for results in runs[1:]:
        if sorted(results["languages"]) != languages:
            raise ValueError(
                f"Runs {runs[0]['system']!r} and {results['system']!r} were "
                f"not scored on the same languages. Received: {languages} and "
                f"{sorted(results['languages'])}. Accepted: the same in all."
            )
    rows: dict[str, dict[str, float | None]] = {}
    for results in runs:
        if results["system"] in rows:
            raise ValueError(
                f"Two runs of system {results['system']!r}. Accepted: one run "
                "per system; a mean over seeds is not made here."
            )
        config = results["config"]
        few_shot = names.target_counts(config.get("target_examples"))
        sources = names.sources_of(config)
        row = {
            _column(name, entry["split"], name in few_shot): entry["score"]
            for name, entry in sorted(results["languages"].items())
        }
        for key, name in average_names(sources).items():
            if key == "all" or set(sources) & set(languages):
                row[name] = results["averages"][key]
        rows[results["system"]] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _column(language: str, split: str, is_few_shot: bool) -> str:
    said = [split] if split != "test" else []
    said += ["few-shot"] if is_few_shot else []
    return f"{language} ({', '.join(said)})" if said else language
