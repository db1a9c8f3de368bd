"""Own runs against the paper's figures, cell by cell."""

from typing import Any

import pandas as pd

from dlfa_tf.analysis import published
from dlfa_tf.analysis.published import SOURCE
from dlfa_tf.analysis.tables import paper_tables
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data.tasks import TASKS

_NAME = "published_comparison"
_ONE_SEED = "one seed"


def published_comparison(summary: pd.DataFrame) -> PaperTable:
    """Every cell that both own runs and the paper have.

    A cell lies within the own spread when the published figure differs from the
    own mean by no more than the standard deviation over seeds; with one seed
    there is no spread.

    Args:
        summary: what `summarize` returned, of one or more tasks.

    Returns:
        `PaperTable`, a row per task, system and part: own mean, its spread and
        number of seeds, the published figure, the difference of the two in
        points, and whether it lies within the own spread.

    Raises:
        ValueError: when no cell is in both.
    """
    of_paper = published.published_scores()
    rows = []
    for cell in summary.to_dict("records"):
        figure = of_paper.get((cell["task"], cell["system"], cell["part"]))
        if figure is not None:
            rows.append(_row(cell, float(figure)))
    if not rows:
        raise ValueError(
            "The paper has no figure for any of these runs. Received: tasks "
            f"{sorted(set(summary['task']))}, systems "
            f"{sorted(set(summary['system']))}. Accepted: "
            f"{', '.join(sorted(set(of_paper.index.get_level_values('task'))))}"
            "; the baseline and D_1 to D_11."
        )
    values = pd.DataFrame(rows).set_index("cell")
    known = values["within"].notna()
    inside = int(values.loc[known, "within"].astype(bool).sum())
    notes = [
        f"Published: {SOURCE}. Within: the published figure lies no further "
        "from the own mean than the standard deviation over seeds. "
        f"{inside} of {int(known.sum())} cells with two or more seeds do.",
        *_fewer_languages(summary),
    ]
    return PaperTable(
        name=_NAME,
        title="Own runs and the published figures",
        values=values,
        text=_text(values),
        notes=tuple(notes),
    )


def _row(cell: dict[Any, Any], figure: float) -> dict[str, Any]:
    part = paper_tables.part_names().get(cell["part"], cell["part"])
    difference = cell["mean"] - figure
    has_spread = pd.notna(cell["spread"])
    return {
        "cell": f"{cell['task']} {cell['label']} {part}",
        "mean": cell["mean"],
        "spread": cell["spread"],
        "seeds": cell["seeds"],
        "published": figure,
        "difference": difference,
        "within": abs(difference) <= cell["spread"] if has_spread else None,
    }


def _text(values: pd.DataFrame) -> pd.DataFrame:
    answers = {True: "yes", False: "no", None: _ONE_SEED}
    return pd.DataFrame(
        {
            "mean": [f"{x:.2f}" for x in values["mean"]],
            "spread": [
                "" if pd.isna(x) else f"{x:.2f}" for x in values["spread"]
            ],
            "seeds": [str(x) for x in values["seeds"]],
            "published": [f"{x:.2f}" for x in values["published"]],
            "difference": [f"{x:+.2f}" for x in values["difference"]],
            "within": [
                answers[None if pd.isna(x) else bool(x)]
                for x in values["within"]
            ],
        },
        index=values.index,
    )


def _fewer_languages(summary: pd.DataFrame) -> list[str]:
    """Says which averages are not over the paper's languages."""
    notes = []
    for task in dict.fromkeys(summary["task"]):
        if task not in TASKS:
            continue
        parts = set(summary.loc[summary["task"] == task, "part"])
        missing = sorted(set(TASKS[task].languages) - parts)
        if missing:
            notes.append(
                f"{task}: own averages lack {', '.join(missing)}, which the "
                "published ones hold."
            )
    return notes
