"""The errors of a task as files, tables, a picture and a part of the report."""

import pathlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from dlfa_tf import files
from dlfa_tf.analysis import changes
from dlfa_tf.analysis import errors
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.errors import Errors
from dlfa_tf.analysis.figures import drawing
from dlfa_tf.analysis.report import report_page
from dlfa_tf.analysis.report.report_page import Picture
from dlfa_tf.analysis.report.report_page import Section
from dlfa_tf.analysis.tables import table_files
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data import families
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task

# A class of lengths with fewer items in a language is too noisy to average.
_FEWEST_ITEMS = 10
_PANELS_IN_A_ROW = 6


def error_section(
    scores: TaskScores, source: Source, output_dir: pathlib.Path
) -> Section:
    """Analyses errors and writes `errors/`, `tables/` and a picture.

    Examples and picture are of one fused system, the one that dev
    prefers.
    """
    found = errors.find_errors(scores, source)
    task = scores.definition
    folder = output_dir / "errors"
    for name in ("confusion", "by_type", "by_length", "changes"):
        files.write_text(
            folder / f"{task.name}_{name}.csv",
            getattr(found, name).to_csv(index=False),
        )
    tables = [
        _mean_table(found.by_type, scores, "type", "f1", _kind(task)),
        _mean_table(found.by_length, scores, "length", "score", "length"),
    ]
    label = preferred(scores)
    if label is not None and BASELINE in scores.labels:
        tables.append(_changes_table(found, scores))
        items = changes.changed_items(scores, source, label)
        files.write_text(
            folder / f"{task.name}_{label}_items.tsv",
            items.to_csv(index=False, sep="\t"),
        )
        tables.append(_examples_table(items, task, label))
    for table in tables:
        table_files.write_table(table, output_dir / "tables")
    shown = label or scores.labels[0]
    path = output_dir / "figures" / f"confusion_{task.name}.png"
    confusion_figure(found, scores, shown, path)
    picture = Picture(
        path=path,
        caption=f"What {shown} predicts (columns) for each gold label (rows), "
        f"by language: share of the gold label, darker is more. The numbers "
        f"are in errors/{task.name}_confusion.csv.",
    )
    parts = [table_files.to_html(table) for table in tables]
    return Section(
        title=f"{task.name.upper()}: errors",
        parts=[*parts, report_page.figure(picture)],
    )


def _kind(task: Task) -> str:
    """What the types of a task's errors are, in words."""
    if not task.is_tagging:
        return "class"
    return "entity type" if task.score in ("ner_f1", "chunk_f1") else "tag"


def preferred(scores: TaskScores) -> str | None:
    """The fused system with the best dev score, None without one."""
    dev: dict[str, list[float]] = {}
    for run, label in zip(scores.runs, scores.labels, strict=True):
        if run.layer is not None:
            value = run.results.get("dev_score")
            dev.setdefault(label, []).append(
                -1000.0 if value is None else value
            )
    return max(dev, key=lambda x: float(np.mean(dev[x])), default=None)


def _targets(scores: TaskScores) -> list[str]:
    """Target languages; those of the source where there is no other."""
    return list(scores.targets or scores.languages)


def _mean_table(
    frame: pd.DataFrame,
    scores: TaskScores,
    rows: str,
    value: str,
    what: str,
) -> PaperTable:
    """Means over languages: a row per type or length, a column per system."""
    kept = frame[frame["language"].isin(_targets(scores))]
    count = "items" if rows == "length" else "gold"
    least = _FEWEST_ITEMS if rows == "length" else 1
    kept = kept[kept[count] >= least]
    order = list(dict.fromkeys(frame[rows]))
    if rows == "length":
        order.sort(key=_length_order)
    systems = list(dict.fromkeys(scores.labels))
    values = (
        kept.groupby([rows, "label"])[value]
        .mean()
        .unstack("label")
        .reindex(index=[x for x in order if x in set(kept[rows])])
        .reindex(columns=systems)
    )
    text = values.map(lambda x: "" if pd.isna(x) else f"{x:.1f}")
    best = values.eq(values.max(axis=1), axis=0)
    # Nothing is best where all are equal.
    best = best.mul(values.nunique(axis=1) > 1, axis=0)
    languages = kept.groupby(rows)["language"].nunique()
    text.insert(0, "languages", [str(languages[x]) for x in values.index])
    best.insert(0, "languages", False)
    for part in (values, text, best):
        part.index.name, part.columns.name = what, None
    note = (
        "Mean over target languages that have the type, summed "
        "over seeds within a language."
        if rows == "type"
        else "Mean over target languages that have at least "
        f"{_FEWEST_ITEMS} items of such a length, summed over seeds within a "
        "language. The languages of two rows may differ."
    )
    task = scores.definition
    chunks = task.is_tagging and task.score != "token_accuracy"
    measure = "F1 of chunks" if chunks else "F1"
    title = f"{measure} by {what}" if rows == "type" else "Score by length"
    return PaperTable(
        name=f"errors_{scores.task}_{rows}",
        title=f"{scores.task.upper()}: {title}",
        values=values,
        text=text,
        best=best,
        notes=(note, *run_index.gate_notes(run.gate for run in scores.runs)),
    )


def _length_order(name: str) -> int:
    """Upper limit in a name such as "6 to 10 words"; "over" comes last."""
    numbers = [int(word) for word in name.split() if word.isdigit()]
    return numbers[-1] + (name.startswith("over"))


def _changes_table(errors: Errors, scores: TaskScores) -> PaperTable:
    frame = errors.changes
    systems = list(dict.fromkeys(frame["label"]))
    languages = families.by_family(set(frame["language"]))
    wide = frame.set_index(["language", "label"])
    values, text = {}, {}
    for label in systems:
        cells = wide.xs(label, level="label").loc[languages]
        values[f"{label} fixed"] = cells["fixed"].to_numpy()
        values[f"{label} broken"] = cells["broken"].to_numpy()
        text[f"{label} fixed"] = cells["fixed"].astype(str).to_numpy()
        text[f"{label} broken"] = cells["broken"].astype(str).to_numpy()
        net = cells["fixed"] - cells["broken"]
        text[f"{label} net"] = [f"{x:+d}" for x in net]
    units = wide.groupby("language")["units"].first().loc[languages]
    index = pd.Index(languages, name="language")
    units_of = {"tagging": "words", "pair": "pairs", "single": "texts"}
    unit = units_of[scores.definition.kind]
    return PaperTable(
        name=f"errors_{errors.task}_changes",
        title=f"{errors.task.upper()}: {unit} fixed and broken against the "
        "baseline",
        values=pd.DataFrame({unit: units.to_numpy(), **values}, index=index),
        text=pd.DataFrame(
            {unit: units.astype(str).to_numpy(), **text}, index=index
        ),
        notes=(
            "Fixed: wrong in every seed of the baseline and right in every "
            "seed of the system; broken: the other way round. With one seed "
            "each much of it is chance.",
            *run_index.gate_notes(run.gate for run in scores.runs),
        ),
    )


def _examples_table(items: pd.DataFrame, task: Task, label: str) -> PaperTable:
    """The shortest fixed and the shortest broken item of every language."""
    order = {
        x: i for i, x in enumerate(families.by_family(set(items["language"])))
    }
    shortest = (
        items.assign(
            place=items["language"].map(order), size=items["text"].str.len()
        )
        .sort_values(["place", "change", "size", "item"])
        .groupby(["place", "change"], sort=True)
        .head(1)
        .drop(columns=["place", "size"])
        .set_index("language")
    )
    text = shortest.astype(str).rename(
        columns={"baseline": "baseline said", "system": f"{label} said"}
    )
    # Texts last: the other columns are narrow.
    text = text[[x for x in text.columns if x != "text"] + ["text"]]
    return PaperTable(
        name=f"errors_{task.name}_examples",
        title=f"{task.name.upper()}: examples that {label} fixes and breaks",
        values=shortest,
        text=text,
        prose=("text",),
        notes=(
            f"The shortest of each language; all are in errors/{task.name}_"
            f"{label}_items.tsv. Item: number in the file, from 1.",
        ),
    )


def confusion_figure(
    errors: Errors,
    scores: TaskScores,
    label: str,
    path: pathlib.Path,
) -> pathlib.Path:
    """Draws the confusion matrix of a system in every language."""
    labels = scores.definition.labels
    languages = families.by_family(scores.languages)
    frame = errors.confusion[errors.confusion["label"] == label]
    plt = drawing.pyplot()
    columns = min(_PANELS_IN_A_ROW, len(languages))
    rows = -(-len(languages) // columns)
    side = 2.3 if len(labels) > 8 else 1.9
    figure_, panels = plt.subplots(
        rows,
        columns,
        figsize=(side * columns + 0.8, side * rows + 1.0),
        squeeze=False,
        layout="constrained",
    )
    image = None
    for i, axes in enumerate(panels.flat):
        if i >= len(languages):
            axes.set_axis_off()
            continue
        shares = _shares(frame[frame["language"] == languages[i]], labels)
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_title(languages[i], fontsize=9)
        is_left, is_low = i % columns == 0, i + columns >= len(languages)
        axes.set_yticks(range(len(labels)), labels if is_left else [])
        axes.set_xticks(
            range(len(labels)), labels if is_low else [], rotation=90
        )
        axes.tick_params(labelsize=5 if len(labels) > 8 else 7, length=2)
    figure_.colorbar(image, ax=panels, label="share of the gold label",
                     fraction=0.03)  # fmt: skip
    seeds = len(scores.rows_of(label))
    figure_.suptitle(
        f"{label}: "
        + drawing.what_was_run(
            scores.runs[scores.rows_of(label)[0]].results,
            f"{seeds} seed{'s' if seeds > 1 else ''}",
        ),
        fontsize=9,
        x=0.01,
        ha="left",
    )
    return drawing.save_figure(figure_, path)


def _shares(frame: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    """Confusion counts as shares of each gold label, `(gold, predicted)`."""
    matrix = (
        frame.pivot(index="gold", columns="predicted", values="count")
        .reindex(index=list(labels), columns=list(labels))
        .fillna(0.0)
        .to_numpy(float)
    )
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1.0)
