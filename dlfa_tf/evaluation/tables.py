"""Results of runs as tables; no score is computed here."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

# Key in `averages` of results.json, and the name in a table.
AVERAGES = (("all", "avg"), ("others", "avg w/o en"))


def score_table(runs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Headline scores: a row per run, a column per language and average.

    Args:
        runs: contents of `results.json`, on the same task, score, preset and
            files.

    Returns:
        DataFrame of floats in percent, indexed by system. A column says
        "xx (dev)" where the dev file was scored.

    Raises:
        ValueError: when there are no runs, when two are of one system, or
            when they were not made on the same task, data, preset, recipe,
            languages and splits.
    """
    if not runs:
        raise ValueError("`runs` is empty. Accepted: one or more results.")
    reference = _comparable(runs[0])
    for results in runs[1:]:
        other = _comparable(results)
        different = [k for k in reference if other[k] != reference[k]]
        if different:
            raise ValueError(
                f"Runs {runs[0]['system']!r} and {results['system']!r} are "
                "not comparable: they differ in "
                + "; ".join(
                    f"{k}: {reference[k]!r} and {other[k]!r}" for k in different
                )
                + ". Accepted: runs that differ in the system and seed only."
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
            row[name] = results["averages"][key]
        rows[results["system"]] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def markdown_table(table: pd.DataFrame, digits: int = 1) -> str:
    """A table as Markdown, one line per language: long tables read downwards.

    pandas' own `to_markdown` needs a further package (tabulate).

    Args:
        table: what `score_table` returned.
        digits: int, digits after the point.

    Returns:
        Markdown text; "-" where there is no value.
    """
    lines = ["| language | " + " | ".join(map(str, table.index)) + " |"]
    lines.append("|---|" + "---:|" * len(table.index))
    for name, values in table.items():
        cells = [
            "-" if pd.isna(value) else f"{value:.{digits}f}" for value in values
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _comparable(results: dict[str, Any]) -> dict[str, Any]:
    """What must be equal for two runs to stand in one table."""
    config = results["config"]
    return {
        "task": config["task"],
        "score": results["score"],
        "data_source": config["data_source"],
        "train_limit": config.get("train_limit"),
        "eval_limit": config.get("eval_limit"),
        "preset": config.get("preset"),
        "label_piece": results.get("label_piece"),
        "files": {k: v["split"] for k, v in results["languages"].items()},
        "recipe": [
            config.get(name)
            for name in (
                "epochs",
                "batch_size",
                "learning_rate",
                "sequence_length",
                "precision",
            )
        ],
    }
