"""The paper's Table 3 and the statistics of gates, from readings of models."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pandas as pd

from dlfa_tf.data.sources import Source
from dlfa_tf.evaluation.compare import TaskScores
from dlfa_tf.evaluation.published import SOURCE
from dlfa_tf.evaluation.published import published_similarity
from dlfa_tf.evaluation.readings import Readings
from dlfa_tf.evaluation.readings import has_model
from dlfa_tf.evaluation.readings import read_run
from dlfa_tf.evaluation.table_files import PaperTable

_NOTE = (
    "Cosine of position 0 of L (what the head reads) of an English test item "
    "and of its translation, mean over languages other than English and over "
    "items; ± standard deviation over seeds (number of seeds). Whether a "
    "lower x gives a higher similarity is the paper's claim to check. "
    "Unrelated: the same of an English item and of the translation of another "
    "one; what vectors have in common whatever the text says raises both, and "
    "only the difference is about meaning."
)


def read_runs(
    scores: TaskScores, source: Source, items: int
) -> dict[int, Readings]:
    """Readings of every run that still has its model.

    Args:
        scores: `TaskScores`.
        source: `Source` of the task's data.
        items: int, examples per language.

    Returns:
        dict from the row of a run in `scores` to its `Readings`.
    """
    splits = scores.runs[0].results["languages"]
    examples = {
        language: source.load(splits[language]["split"], language, items)
        for language in scores.languages
    }
    return {
        row: read_run(run, examples)
        for row, run in enumerate(scores.runs)
        if has_model(run)
    }


def similarity_frame(
    scores: TaskScores, readings: Mapping[int, Readings]
) -> pd.DataFrame:
    """Mean cosine with English by run and language, tidy.

    Args:
        scores: `TaskScores` of a task with parallel test sets.
        readings: what `read_runs` returned.

    Returns:
        DataFrame with `task`, `label`, `system`, `layer`, `seed`, `language`
        (English left out), `cosine`, `unrelated` (cosine of English items and
        translations of others) and `items`.
    """
    rows = []
    for at, found in readings.items():
        unrelated = _unrelated(found)
        for language, cosines in zip(
            found.languages, found.cosines, strict=True
        ):
            if language == "en" or not len(cosines):
                continue
            rows.append(
                {
                    "task": scores.task,
                    "label": scores.labels[at],
                    "system": scores.runs[at].system,
                    "layer": scores.runs[at].layer,
                    "seed": scores.runs[at].seed,
                    "language": language,
                    "cosine": float(cosines.mean()),
                    "unrelated": unrelated[language],
                    "items": len(cosines),
                }
            )
    columns = ["task", "label", "system", "layer", "seed", "language",
               "cosine", "unrelated", "items"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"layer": "Int64"})


def _unrelated(found: Readings) -> dict[str, float]:
    """Mean cosine of English rows and of other rows, by language."""
    if not found.vectors.size:
        return {}
    unit = found.vectors / np.linalg.norm(found.vectors, axis=-1, keepdims=True)
    # Half the rows on: neighbours in XNLI share their first text.
    english = np.roll(
        unit[found.languages.index("en")], unit.shape[1] // 2, axis=0
    )
    means = (unit * english).sum(axis=-1).mean(axis=-1)
    return dict(zip(found.languages, map(float, means), strict=True))


def table_3(frames: Sequence[pd.DataFrame]) -> PaperTable | None:
    """Systems x tasks: mean cosine similarity, the published one beside it.

    Args:
        frames: what `similarity_frame` returned, one per task.

    Returns:
        `PaperTable` with a column per language too; None without cosines.
    """
    frames = [frame for frame in frames if not frame.empty]
    if not frames:
        return None
    joined = pd.concat(frames, ignore_index=True)
    order = joined.drop_duplicates("label").sort_values(
        "layer", ascending=False, na_position="first", kind="stable"
    )
    index = pd.Index(order["label"], name="system")
    published = published_similarity()
    values, text, notes = {}, {}, [_NOTE]
    for task, frame in joined.groupby("task", sort=False):
        name = str(task).upper()
        by_seed = frame.groupby(["label", "seed"])["cosine"].mean()
        by_label = by_seed.groupby("label")
        mean, spread = by_label.mean(), by_label.std()
        unrelated = frame.groupby("label")["unrelated"].mean()
        values[f"{name} mean"] = mean.reindex(index).to_numpy()
        values[f"{name} spread"] = spread.reindex(index).to_numpy()
        values[f"{name} unrelated"] = unrelated.reindex(index).to_numpy()
        values[f"{name} published"] = [
            published.get((task, system), np.nan) for system in order["system"]
        ]
        text[f"{name} ours"] = [
            _ours(mean.get(x), spread.get(x), by_label.size().get(x))
            for x in index
        ]
        text[f"{name} unrelated"] = _numbers(values[f"{name} unrelated"])
        text[f"{name} published"] = [
            "" if pd.isna(x) else f"{x:.4f}"
            for x in values[f"{name} published"]
        ]
        wide = frame.pivot_table(
            index="label", columns="language", values="cosine"
        ).reindex(index)
        for language in wide:
            values[f"{name} {language}"] = wide[language].to_numpy()
            text[f"{name} {language}"] = _numbers(wide[language])
        notes.append(
            f"{name}: {frame['items'].max()} items a language, from the start "
            "of the files."
        )
    notes.append(f"Published: {SOURCE}, over all test items.")
    return PaperTable(
        name="table_3",
        title="Table 3: cosine similarity of parallel test items",
        values=pd.DataFrame(values, index=index),
        text=pd.DataFrame(text, index=index),
        notes=tuple(notes),
    )


def _numbers(values: Iterable[float]) -> list[str]:
    return ["" if pd.isna(value) else f"{value:.4f}" for value in values]


def _ours(mean: float | None, spread: float | None, seeds: int | None) -> str:
    if mean is None or seeds is None:
        return "no model"
    if pd.isna(spread):
        return f"{mean:.4f} ({seeds})"
    return f"{mean:.4f} ± {spread:.4f} ({seeds})"


def gate_frame(
    scores: TaskScores, readings: Mapping[int, Readings]
) -> pd.DataFrame:
    """How much of L comes from block x, tidy.

    Args:
        scores: `TaskScores`.
        readings: what `read_runs` returned.

    Returns:
        DataFrame with `task`, `label`, `layer`, `seed`, `language`,
        `position` (0 is the first piece), `share` and `gate`, see `Readings`;
        empty without a fused system.
    """
    parts = []
    for at, found in readings.items():
        if scores.runs[at].layer is None:
            continue
        languages, positions = found.shares.shape
        part = pd.DataFrame(
            {
                "task": scores.task,
                "label": scores.labels[at],
                "layer": scores.runs[at].layer,
                "seed": scores.runs[at].seed,
                "language": np.repeat(found.languages, positions),
                "position": np.tile(np.arange(positions), languages),
                "share": found.shares.ravel(),
                "gate": found.gates.ravel(),
            }
        )
        parts.append(part.dropna())
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
