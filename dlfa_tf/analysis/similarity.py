"""Similarity of translations and gates as tidy frames, from readings."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlfa_tf.analysis import alignment
from dlfa_tf.analysis import readings
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.data.sources import Source


def read_runs(
    scores: TaskScores, source: Source, items: int
) -> dict[int, Readings]:
    """Readings of every run that still has its model, by its row in `scores`.

    `items` counts examples per language.
    """
    splits = scores.runs[0].results["languages"]
    examples = {
        language: source.load(splits[language]["split"], language, items)
        for language in scores.languages
    }
    return {
        row: readings.read_run(run, examples)
        for row, run in enumerate(scores.runs)
        if readings.has_model(run)
    }


def similarity_frame(
    scores: TaskScores, readings: Mapping[int, Readings]
) -> pd.DataFrame:
    """Mean cosine with the source by run and language, tidy.

    For a task with parallel test sets. Columns `task`, `label`, `system`,
    `layer`, `seed`, `language` (the source left out), `cosine`, `unrelated`
    (cosine of the source's items and translations of others), `retrieved`
    (percentage of the source's items whose nearest item is their translation)
    and `items`.
    """
    rows = []
    for at, found in readings.items():
        unrelated = alignment.unrelated_cosines(found)
        retrieved = alignment.retrieval_accuracies(found)
        for language, cosines in zip(
            found.languages, found.cosines, strict=True
        ):
            if language == found.source or not len(cosines):
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
                    "retrieved": retrieved[language],
                    "items": len(cosines),
                }
            )
    columns = ["task", "label", "system", "layer", "seed", "language",
               "cosine", "unrelated", "retrieved", "items"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"layer": "Int64"})


def gate_frame(
    scores: TaskScores, readings: Mapping[int, Readings]
) -> pd.DataFrame:
    """How much of L comes from block x, tidy; empty without a fused system.

    Columns `task`, `label`, `layer`, `seed`, `language`, `position` (0 is the
    first piece), `share` and `gate`, see `Readings`.
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
