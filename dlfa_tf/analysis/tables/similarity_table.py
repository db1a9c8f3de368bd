"""The paper's Table 3: cosine similarity of translations, by system."""

from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlfa_tf.analysis import alignment
from dlfa_tf.analysis import published
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.published import SOURCE
from dlfa_tf.analysis.readings import VECTORS
from dlfa_tf.analysis.tables import cells
from dlfa_tf.analysis.tables.table_files import PaperTable

_NOTES = (
    "Ours: cosine of what the head reads of L (position 0, or the mean with "
    "sentence_pooling=mean) of a test item in the source language and of "
    "its translation, mean over the target languages and over items; ± "
    "standard "
    "deviation over seeds (number of seeds). Whether a lower x gives a higher "
    "similarity is the paper's claim to check.",
    "Unrelated: the same of such an item and of the translation of another "
    "one; what vectors have in common whatever the text says raises both, and "
    "only the difference is about meaning.",
    f"Retrieved: how many of 100 items of the source (of the first {VECTORS}) "
    "have their own translation as the nearest one, mean over languages.",
)
_GAIN_NOTES = {
    "items and seeds": (
        "Gain: over our own baseline; [low, high]: 95 % of the draws when test "
        "items and seeds are both drawn anew, the same items for all "
        "languages and systems."
    ),
    "items": (
        "† one seed of this system or of the baseline, so that test items "
        "alone were drawn anew."
    ),
}


def table_3(
    frames: Mapping[str, pd.DataFrame],
    gains: Mapping[str, pd.DataFrame],
    gates: Iterable[str | None] = (),
) -> PaperTable | None:
    """Systems x tasks: mean cosine similarity, the published one beside it.

    By task, `frames` are of `similarity_frame`, `gains` of `cosine_gains`;
    `gates` are None for systems without. A column per language too; None
    without cosines.
    """
    frames = {task: frame for task, frame in frames.items() if len(frame)}
    if not frames:
        return None
    joined = pd.concat(frames.values(), ignore_index=True)
    order = joined.drop_duplicates("label").sort_values(
        "layer", ascending=False, na_position="first", kind="stable"
    )
    index = pd.Index(order["label"], name="system")
    values: dict[str, pd.Series] = {}
    text: dict[str, list[str]] = {}
    notes = list(_NOTES)
    kinds = {x for task in frames for x in gains[task]["interval"]}
    notes += [note for kind, note in _GAIN_NOTES.items() if kind in kinds]
    for task, frame in frames.items():
        numbers = _numbers(task, frame, gains[task], order)
        values |= {f"{task.upper()} {x}": numbers[x] for x in numbers}
        text |= {
            f"{task.upper()} {name}": column
            for name, column in _texts(numbers).items()
        }
        notes += _task_notes(task, frame)
    notes.append(f"Published: {SOURCE}, over all test items.")
    return PaperTable(
        name="table_3",
        title="Table 3: cosine similarity of parallel test items",
        values=pd.DataFrame(values).set_index(index),
        text=pd.DataFrame(text).set_index(index),
        notes=(*notes, *run_index.gate_notes(gates)),
    )


def _numbers(
    task: str, frame: pd.DataFrame, gains: pd.DataFrame, order: pd.DataFrame
) -> pd.DataFrame:
    """A row per system of the table, NaN for those without a model."""
    index = pd.Index(order["label"])
    by_seed = frame.groupby(["label", "seed"])["cosine"].mean()
    by_label = by_seed.groupby("label")
    means = frame.groupby("label")[["unrelated", "retrieved"]].mean()
    of_paper = published.published_similarity()
    numbers = pd.DataFrame(
        {
            "mean": by_label.mean().reindex(index),
            "spread": by_label.std().reindex(index),
            "seeds": by_label.size().reindex(index),
            **gains.reindex(index),
            "unrelated": means["unrelated"].reindex(index),
            "retrieved": means["retrieved"].reindex(index),
        }
    )
    numbers["difference"] = numbers["mean"] - numbers["unrelated"]
    numbers["published"] = [
        of_paper.get((task, system), np.nan) for system in order["system"]
    ]
    wide = frame.pivot_table(
        index="label", columns="language", values="cosine"
    ).reindex(index)
    return numbers.join(wide).reset_index(drop=True)


_WORDED = ("mean", "spread", "seeds", "gain", "low", "high", "interval")


def _texts(numbers: pd.DataFrame) -> dict[str, list[str]]:
    others = [x for x in numbers if x not in _WORDED]
    return {
        "ours": [_ours(row) for _, row in numbers.iterrows()],
        "gain": [_gain(row) for _, row in numbers.iterrows()],
        **{
            x: _formatted(numbers[x], ".1f" if x == "retrieved" else ".4f")
            for x in others
        },
    }


def _formatted(values: Iterable[float], form: str) -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]


def _ours(row: pd.Series) -> str:
    if pd.isna(row["mean"]):
        return "no model"
    return cells.mean_cell(row["mean"], row["spread"], int(row["seeds"]), ".4f")


def _gain(row: pd.Series) -> str:
    return cells.gain_cell(
        row["gain"], row["low"], row["high"], row["interval"], ".4f"
    )


def _task_notes(task: str, frame: pd.DataFrame) -> list[str]:
    frame = frame.assign(difference=frame["cosine"] - frame["unrelated"])
    notes = [
        f"{task.upper()}: {frame['items'].max()} items a language, from the "
        "start of the files."
    ]
    trends = {
        x: alignment.trend_over_layers(frame, x)
        for x in ("cosine", "unrelated", "difference", "retrieved")
    }
    if pd.notna(trends["cosine"]):
        notes.append(
            f"{task.upper()}: rank correlation (Spearman) with x over the "
            "fused systems; -1: every lower block has more: "
            + ", ".join(f"{x} {value:+.2f}" for x, value in trends.items())
            + "."
        )
    return notes
