"""How well a model's vectors put a text and its translation together."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pandas as pd

from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.metrics import rank_correlation
from dlfa_tf.metrics import resampling


def unrelated_cosines(found: Readings) -> dict[str, float]:
    """Mean cosine of an item of the source and the translation of another one.

    By language, over the rows with vectors; empty without vectors.
    """
    if not found.vectors.size:
        return {}
    cosines = _cosines_with_source(found)
    rows = np.arange(cosines.shape[-1])
    # Half the rows on: neighbours in XNLI share their first text.
    others = np.roll(rows, -(len(rows) // 2))
    means = cosines[:, rows, others].mean(axis=-1)
    return dict(zip(found.languages, map(float, means), strict=True))


def retrieval_accuracies(found: Readings) -> dict[str, float]:
    """How often, in percent, the nearest vector is the translation.

    As XTREME's retrieval tasks have it (Tatoeba: nearest neighbour by cosine):
    by language, of the source's rows with vectors; empty without vectors.
    Chance is 100 / rows. What all vectors have in common, which raises every
    cosine, raises no rank.
    """
    if not found.vectors.size:
        return {}
    cosines = _cosines_with_source(found)
    # (languages, rows): the nearest row; equal vectors count as the first.
    nearest = cosines.argmax(axis=-1)
    right = 100.0 * (nearest == np.arange(cosines.shape[-1])).mean(axis=-1)
    return dict(zip(found.languages, map(float, right), strict=True))


def _cosines_with_source(found: Readings) -> np.ndarray:
    """Cosines `(languages, rows of the source, rows)`."""
    unit = found.vectors / np.linalg.norm(found.vectors, axis=-1, keepdims=True)
    source = unit[found.languages.index(found.source)]
    return np.einsum("ed,lrd->ler", source, unit)


def cosine_gains(
    labels: Sequence[str],
    readings: Mapping[int, Readings],
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Cosines of translations less the baseline's, and how sure that is.

    A draw takes rows with replacement, the same for all runs and languages,
    because a row is one text and its translations; then seeds, as for scores.

    `labels` names the system of every run, `readings` goes by the number of
    the run. A row per system but the baseline, with the columns of
    `gain_interval`; empty without a baseline or without parallel items.
    """
    rows: dict[str, list[np.ndarray]] = {}
    for at, found in readings.items():
        others = [i for i, x in enumerate(found.languages) if x != found.source]
        if found.cosines.size and others:
            values = found.cosines[others].astype(np.float64).mean(axis=0)
            rows.setdefault(labels[at], []).append(values)
    columns = ["gain", "low", "high", "interval"]
    if BASELINE not in rows:
        return pd.DataFrame(columns=columns)
    random = np.random.default_rng(seed)
    items = len(rows[BASELINE][0])
    # How often each row was drawn: (num_samples, items).
    weights = random.multinomial(items, np.full(items, 1 / items), num_samples)
    draws = {
        label: weights @ np.stack(values, axis=-1) / items
        for label, values in rows.items()
    }
    result = {}
    for label in rows:
        if label == BASELINE:
            continue
        result[label] = {
            "gain": np.mean(rows[label]) - np.mean(rows[BASELINE]),
            **resampling.gain_interval(
                draws[BASELINE],
                draws[label],
                confidence=confidence,
                seed=seed,
            ),
        }
    return pd.DataFrame.from_dict(result, orient="index", columns=columns)


def trend_over_layers(similarity: pd.DataFrame, column: str) -> float:
    """Whether a figure rises or falls with the fused block.

    Spearman's rank correlation of x and the mean of a column of
    `similarity_frame`, over the fused systems of a task; -1 says that every
    lower block has more. NaN with fewer than four of them.
    """
    means = similarity.dropna(subset="layer").groupby("label")[
        ["layer", column]
    ]
    means = means.mean().astype(float)
    return rank_correlation.rank_correlation(means["layer"], means[column])
