"""Own runs against the paper's figures, cell by cell."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf.analysis import published
from dlfa_tf.analysis.published import SOURCE
from dlfa_tf.analysis.published import TRAIN_EXAMPLES
from dlfa_tf.analysis.run_index import Run
from dlfa_tf.analysis.tables import paper_tables
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data.tasks import TASKS

_NAME = "published_comparison"
_ONE_SEED = "one seed"
# Settings of training that a run may have changed, in words.
_SETTINGS = {
    "epochs": "epochs",
    "batch_size": "rows per step",
    "learning_rate": "learning rate",
    "sequence_length": "pieces per row",
}


def published_comparison(
    summary: pd.DataFrame, runs: Sequence[Run] = ()
) -> PaperTable:
    """Every cell that both own runs and the paper have.

    A cell lies within the own spread when the published figure differs from the
    own mean by no more than the standard deviation over seeds; with one seed
    there is no spread.

    Args:
        summary: what `summarize` returned, of one or more tasks.
        runs: those that it is of; the notes say then how they were made
            otherwise than the published figures. Defaults to none.

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
        *_made_otherwise(runs),
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


def _made_otherwise(runs: Sequence[Run]) -> list[str]:
    """Says of each task which encoder, data and settings its runs had."""
    notes = []
    # Those of one task have all of this in common.
    for task, run in {run.task: run for run in runs}.items():
        if task not in TASKS:
            continue
        config = run.results["config"]
        notes.append(
            f"{task}: own encoder: {config['preset']}; the paper's is "
            "multilingual BERT."
        )
        own, theirs = [], []
        for text, value, wanted in _compared(task, run.results):
            if value is not None and value != wanted:
                own.append(f"{value} {text}")
                theirs.append(str(wanted))
        if own:
            notes.append(
                f"{task}: own runs have {', '.join(own)}; XTREME's settings "
                f"are {', '.join(theirs)}."
            )
    return notes


def _compared(
    task: str, results: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """What is counted in words, of a run, and of the published figures."""
    config = results["config"]
    count = results.get("train_examples")
    found: list[tuple[str, Any, Any]] = [
        ("training examples", count, TRAIN_EXAMPLES[task])
    ]
    for name, text in _SETTINGS.items():
        found.append((text, config.get(name), getattr(TASKS[task], name)))
    limit = config.get("eval_limit")
    found.append(("test examples per language at most", limit, "all"))
    return found
