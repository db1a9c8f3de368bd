"""Scores in the terminal: rows are systems, columns languages and averages."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_results(
    runs: list[dict[str, Any]], asked: Sequence[str] | None = None
) -> None:
    """Prints one row per run, of contents of `results.json`.

    `asked` are the languages that were asked for, as the flag has them; None
    takes what the run was asked for. What is missing is named where all that
    are available were.
    """
    # Not at the top: a wrong flag should not wait for Keras.
    from dlfa_tf.analysis.tables import score_table

    scores = score_table.score_table(runs)
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
    if asked is None:
        asked = config.get("languages", ("available",))
    if first["missing_languages"] and tuple(asked) == ("available",):
        Console().print(
            "No data, left out of the averages: "
            + ", ".join(first["missing_languages"])
        )
    for results in runs:
        _print_notes(results["languages"])


def print_paper_table(paper_table: Any) -> None:
    """Prints a `PaperTable` with its notes."""
    table = Table(title=paper_table.title)
    first, *others = paper_table.header
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    rows = paper_table.cells(("\0", ""))
    for row in rows:
        table.add_row(
            *(
                Text(cell.lstrip("\0"), "bold" if cell[:1] == "\0" else "")
                for cell in row
            )
        )
    width = max(Console().width, 4 + sum(map(_widest, zip(*rows, strict=True))))
    Console(width=max(width, 20 * len(others))).print(table)
    for note in paper_table.notes:
        Console().print(Text(note))


def _widest(column: Sequence[str]) -> int:
    return 3 + max(map(len, column))


def print_task_scores(task: str, results: dict[str, Any]) -> None:
    """Prints the scores of one task, a row per language.

    The results are those of `scoring.prediction_files.score_folders`.
    """
    names = ("score", "precision", "recall", "accuracy", "examples")
    entries = results["languages"]
    shown = [n for n in names if any(n in entry for entry in entries.values())]
    table = Table(title=f"{task}, in percent")
    table.add_column("language")
    for name in shown:
        table.add_column(name, justify="right")
    for language, entry in sorted(entries.items()):
        cells = [
            str(entry[n]) if n == "examples" else f"{entry[n]:.2f}"
            for n in shown
        ]
        table.add_row(language, *cells)
    average = results["averages"]["all"]
    table.add_row("avg", f"{average:.2f}", *[""] * (len(shown) - 1))
    Console().print(table)
    if results["missing_languages"]:
        Console().print(
            "Languages of the benchmark that are not in the average: "
            + ", ".join(results["missing_languages"])
        )
    _print_notes(entries)


def _print_notes(entries: dict[str, dict[str, Any]]) -> None:
    """Prints what has to be known of scores, one line per note."""
    by_note: dict[str, list[str]] = {}
    for language, entry in sorted(entries.items()):
        if entry.get("note"):
            by_note.setdefault(entry["note"], []).append(language)
    for note, languages in by_note.items():
        Console().print(Text(f"Note on {', '.join(languages)}: {note}."))
