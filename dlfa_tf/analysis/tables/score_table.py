"""Results of runs as tables; no score is computed here."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf.analysis import comparable

# Key in `averages` of results.json, and the name in a table.
AVERAGES = (("all", "avg"), ("others", "avg w/o en"))


def score_table(runs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Headline scores: a row per run, a column per language and average.

    In percent, indexed by system; a column says "xx (dev)" where the dev file
    was scored. ValueError when there are no runs, when two are of one system or
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
        row = {
            name if entry["split"] == "test" else f"{name} ({entry['split']})":
            entry["score"]
            for name, entry in sorted(results["languages"].items())
        }  # fmt: skip
        for key, name in AVERAGES:
            # Without English both would be the same.
            if key == "all" or "en" in languages:
                row[name] = results["averages"][key]
        rows[results["system"]] = row
    return pd.DataFrame.from_dict(rows, orient="index")
