"""Scores in the terminal: rows are systems, columns languages and averages."""

from typing import Any

from rich.console import Console
from rich.table import Table

_AVERAGES = (("all", "avg"), ("others", "avg w/o en"))


def print_results(runs: list[dict[str, Any]]) -> None:
    """Prints one row per run.

    Args:
        runs: contents of `results.json`, on the same languages.
    """
    first = runs[0]
    languages = sorted(first["languages"])
    config = first["config"]
    table = Table(
        title=f"{config['task']}: {first['score']} in percent, preset "
        f"{config['preset']}, data source {config['data_source']}"
    )
    table.add_column("system")
    for language in languages:
        split = first["languages"][language]["split"]
        name = language if split == "test" else f"{language} ({split})"
        table.add_column(name, justify="right")
    for _, name in _AVERAGES:
        table.add_column(name, justify="right", style="bold")
    for results in runs:
        scores = [results["languages"][x]["score"] for x in languages]
        scores += [results["averages"][key] for key, _ in _AVERAGES]
        table.add_row(results["system"], *[_number(s) for s in scores])
    # Wide enough for all languages even where there is no terminal.
    console = Console()
    width = max(console.width, 24 + 8 * (len(languages) + len(_AVERAGES)))
    Console(width=width).print(table)
    missing = first["missing_languages"]
    if missing:
        Console().print(
            "Left out of the averages as asked, no data: " + ", ".join(missing)
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
