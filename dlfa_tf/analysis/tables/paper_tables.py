"""The paper's Tables 1, 2 and 4 from summaries of our runs, and groups."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dlfa_tf.analysis import published
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.published import SOURCE
from dlfa_tf.analysis.tables import cells
from dlfa_tf.analysis.tables import score_table
from dlfa_tf.analysis.tables.table_files import PaperTable
from dlfa_tf.data import tasks
from dlfa_tf.data.task import Task
from dlfa_tf.data.tasks import TASKS

NO_RUN = "no run"
# Averages of `average_groups`, which are no languages.
_AVERAGES = ("all", "others", "enf", "noenf")
_OURS = (
    "Ours: mean ± standard deviation over seeds (number of seeds), best mean "
    "of a {} marked. Gain: over our own baseline, in points."
)
_PUBLISHED = (
    f"Published: {SOURCE}; another encoder and another training than ours."
)


def table_1(summary: pd.DataFrame) -> PaperTable:
    """Systems x tasks: the average over all languages.

    Args:
        summary: what `summarize` returned, of one or more tasks, one below
            the other.

    Returns:
        `PaperTable`; a system without a run of a task says so.

    Example:
        import pandas as pd

        from dlfa_tf import analysis

        summary = pd.DataFrame(
            {
                "task": "pos",
                "label": ["baseline", "D_9"],
                "system": ["baseline", "D_9"],
                "gate": [None, "feature"],
                "layer": pd.array([None, 9], "Int64"),
                "part": "all",
                "seeds": 1,
                "mean": [80.0, 81.0],
                "spread": float("nan"),
                "gain": [float("nan"), 1.0],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "",
            }
        )
        analysis.table_1(summary).text  # a row per system
    """
    columns = [(task, "all", task.upper()) for task in _tasks(summary)]
    return _by_system(
        summary, columns, "table_1", "Table 1: average over all languages"
    )


def table_2(summary: pd.DataFrame) -> PaperTable | None:
    """Systems x (English and German, all others) of every task.

    Args:
        summary: as for `table_1`.

    Returns:
        `PaperTable`, without tasks that lack either group of languages; None
        when no task is left.

    Example:
        import pandas as pd

        from dlfa_tf import analysis

        summary = pd.DataFrame(
            {
                "task": "pos",
                "label": ["baseline", "D_9"],
                "system": ["baseline", "D_9"],
                "gate": [None, "feature"],
                "layer": pd.array([None, 9], "Int64"),
                "part": "en",
                "seeds": 1,
                "mean": [80.0, 81.0],
                "spread": float("nan"),
                "gain": [float("nan"), 1.0],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "",
            }
        )
        parts = [summary.assign(part=x) for x in ("en", "de", "enf", "noenf")]
        analysis.table_2(pd.concat(parts)).text  # a row per system
    """
    columns = []
    for task in _tasks(summary):
        parts = set(summary.loc[summary["task"] == task, "part"])
        # "enf" of one language alone is not what the paper averages.
        if {"en", "de", "noenf"} <= parts:
            columns += [
                (task, part, f"{task.upper()} {part}")
                for part in ("enf", "noenf")
            ]
    if not columns:
        return None
    table = _by_system(
        summary,
        columns,
        "table_2",
        "Table 2: English and German (enf), all others (noenf)",
    )
    return table


def table_4(
    summary: pd.DataFrame,
    task: Task | str,
    systems: Sequence[str] | None = None,
) -> PaperTable:
    """Languages x systems of one task.

    Args:
        summary: as for `table_1`.
        task: `Task` in it, or the name of one of the paper's.
        systems: names of systems (`label` in the summary). Defaults to all.

    Returns:
        `PaperTable`, a row per language and average.

    Raises:
        ValueError: for a task or a system that is not in the summary.

    Example:
        import pandas as pd

        from dlfa_tf import analysis

        summary = pd.DataFrame(
            {
                "task": "pos",
                "label": ["baseline", "D_9"],
                "system": ["baseline", "D_9"],
                "gate": [None, "feature"],
                "layer": pd.array([None, 9], "Int64"),
                "part": "de",
                "seeds": 1,
                "mean": [80.0, 81.0],
                "spread": float("nan"),
                "gain": [float("nan"), 1.0],
                "low": float("nan"),
                "high": float("nan"),
                "interval": "",
            }
        )
        analysis.table_4(summary, "pos").text  # a row per language
    """
    task = tasks.get_task(task) if isinstance(task, str) else task
    rows = summary[summary["task"] == task.name]
    present = list(dict.fromkeys(rows["label"]))
    chosen = list(systems) if systems is not None else present
    unknown = sorted(set(chosen) - set(present))
    if unknown or not present:
        raise ValueError(
            f"No run of task {task.name!r} and systems {unknown}. Accepted: "
            f"{sorted(set(summary['task']))} and {present}."
        )
    parts = list(dict.fromkeys(rows["part"]))
    of_paper = published.published_scores()
    if not any(
        (task.name, "baseline", part) in of_paper.index
        for part in set(parts) - set(_AVERAGES)
    ):
        # The averages alone are in Table 1.
        of_paper = of_paper[:0]
    return _by_part(_Cells(rows, of_paper), rows, chosen).table(
        f"table_4_{task.name}",
        f"Table 4: {task.score} of {task.name.upper()} by language",
        "language",
        best_of="row",
    )


def group_table(summary: pd.DataFrame, task: Task) -> PaperTable:
    """Groups of languages x systems of one task; the paper has none like it.

    `summary` is what `summarize` returned for groups of languages.
    """
    rows = summary[summary["task"] == task.name]
    labels = list(dict.fromkeys(rows["label"]))
    nothing = published.published_scores()[:0]
    return _by_part(_Cells(rows, nothing), rows, labels).table(
        f"groups_{task.name}",
        f"{task.score} of {task.name.upper()} by script and family, "
        f"without {_sources(rows)} (number of languages)",
        "group",
        best_of="row",
    )


def _by_part(
    cells: "_Cells", rows: pd.DataFrame, labels: Sequence[str]
) -> "_Cells":
    """Fills cells: a row per part, a group of columns per system."""
    parts = part_names(_sources(rows))
    for label in labels:
        system = rows.loc[rows["label"] == label, "system"].iloc[0]
        for part in dict.fromkeys(rows["part"]):
            row = parts.get(part, part)
            cells.add((row, label), (rows["task"].iloc[0], label, part), system)
    return cells


def part_names(sources: str = "en") -> dict[str, str]:
    """What the averages of `average_groups` are called in tables."""
    return {
        **score_table.average_names([sources]),
        "enf": "avg enf",
        "noenf": "avg noenf",
    }


def _sources(rows: pd.DataFrame) -> str:
    """Source languages of the rows of a task."""
    return rows["sources"].iloc[0] if "sources" in rows else "en"


def _tasks(summary: pd.DataFrame) -> list[str]:
    present = sorted(set(summary["task"]))
    return [x for x in TASKS if x in present] + [
        x for x in present if x not in TASKS
    ]


def _by_system(
    summary: pd.DataFrame,
    columns: Sequence[tuple[str, str, str]],
    name: str,
    title: str,
) -> PaperTable:
    cells = _Cells(summary, published.published_scores())
    order = summary.drop_duplicates("label").sort_values(
        "layer", ascending=False, na_position="first", kind="stable"
    )
    for label, system in zip(order["label"], order["system"], strict=True):
        for task, part, header in columns:
            cells.add((label, header), (task, label, part), system)
    return cells.table(name, title, "system", best_of="column")


class _Cells:
    """Collects cells of (row, group of columns), then lays them out."""

    def __init__(self, summary: pd.DataFrame, published: pd.Series) -> None:
        self._summary = summary.set_index(["task", "label", "part"])
        self._published = published
        self._cells: dict[tuple[str, str], dict] = {}

    def add(
        self,
        place: tuple[str, str],
        key: tuple[str, str, str],
        system: str,
    ) -> None:
        """Adds the cell of (task, label, part) at (row, group)."""
        task, _, part = key
        values = {"published": self._published.get((task, system, part), None)}
        if key in self._summary.index:
            values.update(self._summary.loc[key].to_dict())
        self._cells[place] = values

    def table(
        self, name: str, title: str, index: str, best_of: str
    ) -> PaperTable:
        rows = list(dict.fromkeys(row for row, _ in self._cells))
        groups = list(dict.fromkeys(group for _, group in self._cells))
        means = pd.DataFrame(
            [
                [self._cells[row, group].get("mean") for group in groups]
                for row in rows
            ],
            index=rows,
            columns=groups,
            dtype=float,
        )
        axis = 0 if best_of == "column" else 1
        best = means.eq(means.max(axis=axis), axis=1 - axis)
        # With one candidate there is nothing to mark.
        if means.shape[axis] < 2:
            best[:] = False
        values, text, marks = {}, {}, {}
        for group in groups:
            cells = [self._cells[row, group] for row in rows]
            for field, write in _FIELDS.items():
                column = f"{group} {field}"
                shown = [write(cell) for cell in cells]
                if any(shown):
                    text[column] = shown
                    marks[column] = best[group] & (field == "ours")
            for field in ("mean", "spread", "seeds", "gain", "low", "high",
                          "interval", "published"):  # fmt: skip
                values[f"{group} {field}"] = [c.get(field) for c in cells]
        return PaperTable(
            name=name,
            title=title,
            values=pd.DataFrame(values, index=pd.Index(rows, name=index)),
            text=pd.DataFrame(text, index=pd.Index(rows, name=index)),
            best=pd.DataFrame(marks, index=pd.Index(rows, name=index)),
            notes=(
                *_notes(self._cells, best_of),
                *few_shot_notes(self._cells.values()),
                *run_index.gate_notes(
                    x.get("gate") for x in self._cells.values()
                ),
            ),
        )


def few_shot_notes(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """Which labelled examples of target languages systems were trained on."""
    found = dict.fromkeys(x.get("few_shot") for x in cells)
    said = [x for x in found if isinstance(x, str) and x]
    if not said:
        return []
    return [
        "Not zero-shot: systems with target_examples, or all where no name "
        "has them, were trained on labelled examples of target languages, "
        f"too: {'; '.join(said)}."
    ]


def _ours(cell: dict) -> str:
    if "mean" not in cell:
        return NO_RUN
    return cells.mean_cell(cell["mean"], cell["spread"], cell["seeds"], ".2f")


def _gain(cell: dict) -> str:
    if "gain" not in cell:  # no run
        return ""
    return cells.gain_cell(
        cell["gain"], cell["low"], cell["high"], cell["interval"], ".2f"
    )


def _published(cell: dict) -> str:
    return "" if pd.isna(cell["published"]) else f"{cell['published']:.2f}"


_FIELDS: dict[str, Callable[[dict], str]] = {
    "ours": _ours,
    "gain": _gain,
    "published": _published,
}


def _notes(cells: dict, best_of: str) -> list[str]:
    """What is in a table, and what its brackets do not hold."""
    kinds = {cell.get("interval", "") for cell in cells.values()}
    gains = any(pd.notna(cell.get("gain")) for cell in cells.values())
    notes = [_OURS.format(best_of)]
    if any(pd.notna(cell["published"]) for cell in cells.values()):
        notes.append(_PUBLISHED)
    if "items and seeds" in kinds:
        notes.append(
            "[low, high]: 95 % of the draws when test items and seeds are both "
            "drawn anew, the same items for both systems. With two seeds the "
            "truth lies outside more often than that (docs/analysis.md)."
        )
    if "items" in kinds:
        notes.append(
            "† one seed of this system or of the baseline, so that test items "
            "alone were drawn anew. How far another seed would go is not in "
            "these intervals and cannot be told."
        )
    if gains and not kinds - {""}:
        notes.append(
            "No intervals: they need predictions/ of every run and the gold "
            "labels of the test files (`--data_dir`)."
        )
    return notes
