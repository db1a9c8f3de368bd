"""The data of a task as a part of the report: findings, a table, pictures."""

import pathlib

import pandas as pd

from dlfa_tf import files
from dlfa_tf.analysis.figures import data_figures
from dlfa_tf.analysis.report import report_page
from dlfa_tf.analysis.report.report_page import Picture
from dlfa_tf.analysis.report.report_page import Section
from dlfa_tf.analysis.tables import table_files
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data.doctor import Checkup
from dlfa_tf.data.doctor import FileCheck

REPORT = "data_report.html"


def data_section(checkup: Checkup, output_dir: pathlib.Path) -> Section:
    """Writes a table and pictures of what `check_data` found.

    They go to `tables/` and `figures/` of the folder; the section shows them.
    """
    name = checkup.task.name
    parts = [
        report_page.paragraph(summary(checkup)),
        report_page.notes(
            [
                f"{'Wrong' if x.is_wrong else 'Look'} ({x.what}): {x.text}"
                for x in checkup.findings
            ]
        ),
    ]
    if checkup.files:
        table = file_table(checkup)
        table_files.write_table(table, output_dir / "tables")
        parts.append(table_files.to_html(table))
        figures = output_dir / "figures"
        path = data_figures.label_shares(
            checkup, figures / f"data_labels_{name}.png"
        )
        caption = (
            "Share of every label (rows) in every file (columns), darker is "
            "more. Files of one language should look alike."
        )
        parts.append(report_page.figure(Picture(path=path, caption=caption)))
        pieces = data_figures.piece_bars(
            checkup, figures / f"data_pieces_{name}.png"
        )
        if pieces is not None:
            caption = (
                "Pieces per word, and words with a piece that the vocabulary "
                "does not have, by language. Many of either: the encoder "
                "hardly knows the language or its script."
            )
            parts.append(
                report_page.figure(Picture(path=pieces, caption=caption))
            )
    return Section(title=f"{name.upper()}: the data", parts=parts)


def write_data_report(
    checkup: Checkup, output_dir: pathlib.Path
) -> pathlib.Path:
    """Writes the section as a page of its own; returns its path."""
    section = data_section(checkup, output_dir)
    path = output_dir / REPORT
    files.write_text(
        path, report_page.page(f"Data of {checkup.task.name}", [section])
    )
    return path


def summary(checkup: Checkup) -> str:
    """One sentence on all of it."""
    wrong = sum(x.is_wrong for x in checkup.findings)
    others = len(checkup.findings) - wrong
    examples = sum(x.examples for x in checkup.files)
    return (
        f"{len(checkup.files)} files with {examples} items: {wrong} finding(s) "
        f"that make scores wrong, {others} worth a look."
    )


def file_table(checkup: Checkup) -> PaperTable:
    """A row per file, a column for everything that was counted."""
    rows = [_row(x) for x in checkup.files]
    index = pd.Index(
        [f"{x.split}-{x.language}" for x in checkup.files], name="file"
    )
    values = pd.DataFrame([numbers for numbers, _ in rows], index=index)
    text = pd.DataFrame([texts for _, texts in rows], index=index)
    # What is nowhere counted has no column.
    kept = [x for x in values.columns if values[x].notna().any()]
    notes = [
        "Repeated: items that the file has already had. In train: items that "
        "stand in the training data, too. Short: a text of at most one "
        "character. Broken: tags that cannot follow the one before. Script: "
        "letters of the language's own scripts."
    ]
    if "pieces per word" in kept:
        notes.append(
            "Unknown: words with a piece that the vocabulary does not have. "
            "Too long: items with more pieces than a row (pairs are cut, "
            "sentences go on in another row)."
        )
    return PaperTable(
        name=f"data_{checkup.task.name}",
        title=f"{checkup.task.name.upper()}: files",
        values=values[kept],
        text=text[kept],
        notes=tuple(notes),
    )


def _row(file: FileCheck) -> tuple[dict[str, float], dict[str, str]]:
    pieces = file.pieces or {}
    found: dict[str, tuple[float | None, str]] = {
        "items": (file.examples, "{:.0f}"),
        "labels": (sum(n > 0 for n in file.labels.values()), "{:.0f}"),
        "repeated": (file.duplicates, "{:.0f}"),
        "in train": (file.in_train, "{:.0f}"),
        "short": (file.short, "{:.0f}"),
        "broken": (file.broken, "{:.0f}"),
        "script": (file.script_share, "{:.1%}"),
        "pieces per word": (pieces.get("pieces_per_word"), "{:.2f}"),
        "unknown": (pieces.get("unknown_words"), "{:.1%}"),
        "too long": (pieces.get("long_items"), "{:.1%}"),
    }
    return (
        {
            k: float("nan") if v is None else float(v)
            for k, (v, _) in found.items()
        },
        {
            k: "" if v is None else form.format(v)
            for k, (v, form) in found.items()
        },
    )
