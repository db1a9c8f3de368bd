"""Scores in the terminal: rows are systems, columns languages and averages."""

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table


def print_results(runs: list[dict[str, Any]]) -> None:
    """Prints one row per run.

    Args:
        runs: contents of `results.json`; see `score_table`.
    """
    # Not at the top: a wrong flag should not wait for Keras.
    from dlfa_tf.evaluation.tables import score_table

    scores = score_table(runs)
    first = runs[0]
    config = first["config"]
    table = Table(
        title=f"{config['task']}: {first['score']} in percent, preset "
        f"{config['preset']}, data source {config['data_source']}"
    )
    table.add_column("system")
    for name in scores.columns:
        table.add_column(
            name, justify="right", style="bold" if "avg" in name else ""
        )
    for system, values in scores.iterrows():
        cells = ["-" if pd.isna(v) else f"{v:.1f}" for v in values]
        table.add_row(str(system), *cells)
    # Wide enough for all languages even where there is no terminal.
    width = max(Console().width, 24 + 8 * len(scores.columns))
    Console(width=width).print(table)
    if first["missing_languages"]:
        Console().print(
            "No data, left out of the averages: "
            + ", ".join(first["missing_languages"])
        )
