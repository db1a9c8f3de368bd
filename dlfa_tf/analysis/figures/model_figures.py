"""Pictures of what models hold: similarity, gates, sentence vectors."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.figures import drawing
from dlfa_tf.analysis.figures import layer_figures
from dlfa_tf.analysis.figures.drawing import COLOURS
from dlfa_tf.analysis.readings import VECTORS
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.data import families

_PANELS_IN_A_ROW = 4
_MARKS = "osD^v"
# Columns of `similarity_frame` that are drawn, and what they are called.
_MEASURES = {
    "cosine": "cosine with the source",
    "retrieved": "translations found (percent)",
}


def similarity_by_layer(
    scores: TaskScores,
    summary: pd.DataFrame,
    similarity: pd.DataFrame,
    path: pathlib.Path,
) -> pathlib.Path:
    """Draws similarity, retrieval and score against x, one above the other.

    `similarity` is what `similarity_frame` returned for the task.
    """
    plt = drawing.pyplot()
    figure, panels = plt.subplots(
        3, 1, figsize=(6.4, 8.0), sharex=True, layout="constrained"
    )
    rows = summary[summary["part"] == "others"]
    rows = rows[rows["task"] == scores.task]
    for axes, (column, name) in zip(panels, _MEASURES.items(), strict=False):
        runs = similarity.groupby(["label", "seed"])[column].mean()
        means = runs.groupby("label").agg(["mean", "std"])
        similar = rows.assign(
            mean=rows["label"].map(means["mean"]),
            spread=rows["label"].map(means["std"]),
        ).dropna(subset="mean")
        layer_figures.draw_systems(
            axes,
            similar,
            {label: group for label, group in runs.groupby("label")},
        )
        axes.set_ylabel(name)
    at = [scores.languages.index(x) for x in scores.targets]
    layer_figures.draw_systems(
        panels[-1],
        rows,
        {
            label: scores.scores[np.ix_(scores.rows_of(label), at)].mean(axis=1)
            for label in scores.labels
        },
    )
    handles = panels[0].get_legend().legend_handles
    names = [x.get_text() for x in panels[0].get_legend().get_texts()]
    for axes in panels:
        axes.get_legend().remove()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=1,
        frameon=False,
        fontsize=8,
    )
    panels[-1].set_ylabel(f"{scores.runs[0].results['score']} (percent)")
    panels[-1].set_xlabel("x, the block fused with the last one")
    panels[-1].set_xticks(sorted(set(rows["layer"].dropna().astype(int))))
    items = similarity["items"].max()
    panels[0].set_title(
        drawing.what_was_run(
            scores.runs[0].results, layer_figures.seeds_in_words(scores)
        )
        + f";\nsimilarity of the first {items} test items, "
        f"{min(items, VECTORS)} of them to find the translation in; "
        f"means without {'+'.join(scores.source_languages)}",
        fontsize=8,
    )
    return drawing.save_figure(figure, path)


def gate_map(
    scores: TaskScores, gates: pd.DataFrame, path: pathlib.Path
) -> pathlib.Path:
    """Draws how much of L comes from block x, by language and position.

    `gates` is what `gate_frame` returned, not empty.
    """
    labels = list(dict.fromkeys(gates["label"]))
    languages = families.by_family(set(gates["language"]))
    plt = drawing.pyplot()
    columns = min(_PANELS_IN_A_ROW, len(labels))
    rows = -(-len(labels) // columns)
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(3.4 * columns + 1.4, (1.2 + 0.16 * len(languages)) * rows),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    low, high = gates["share"].min(), gates["share"].max()
    image = None
    for axes, label in zip(panels.flat, labels, strict=False):
        wide = (
            gates[gates["label"] == label]
            .pivot_table(index="language", columns="position", values="share")
            .reindex(languages)
        )
        image = axes.imshow(
            wide, cmap="cividis", vmin=low, vmax=high, aspect="auto"
        )
        axes.set_title(
            f"{label}: mean {np.nanmean(wide):.2f}, "
            f"position 0: {np.nanmean(wide[0]):.2f}",
            fontsize=9,
        )
        axes.set_yticks(range(len(languages)), languages, fontsize=7)
        axes.set_xlabel("position (pieces; 0 is what a classifier reads)",
                        fontsize=7)  # fmt: skip
    for axes in panels.flat[len(labels) :]:
        axes.set_axis_off()
    figure.colorbar(image, ax=panels, label="share of L from block x")
    figure.suptitle(
        drawing.what_was_run(scores.runs[0].results, _seeds(gates)),
        fontsize=8,
        x=0.01,
        ha="left",
    )
    return drawing.save_figure(figure, path)


def _seeds(gates: pd.DataFrame) -> str:
    counts = gates.groupby("label")["seed"].nunique()
    ends = dict.fromkeys((counts.min(), counts.max()))
    return f"seeds a system: {' to '.join(map(str, ends))}"


def projection(
    scores: TaskScores,
    readings: Mapping[int, Readings],
    label: str,
    path: pathlib.Path,
) -> pathlib.Path | None:
    """Draws sentence vectors of parallel rows: baseline against a system.

    Each panel shows the first two principal components of what the head reads
    of L over all languages, of the first seed. None where a model is missing
    or the data are not parallel.
    """
    chosen = []
    for name in (BASELINE, label):
        found = [x for x in scores.rows_of(name) if x in readings]
        if not found or not readings[found[0]].vectors.size:
            return None
        chosen.append((name, readings[found[0]]))
    plt = drawing.pyplot()
    figure, panels = plt.subplots(
        1, 2, figsize=(10.0, 5.2), layout="constrained"
    )
    for axes, (name, reading) in zip(panels, chosen, strict=True):
        points, explained = principal_components(reading.vectors)
        languages = families.by_family(reading.languages)
        for i, language in enumerate(languages):
            at = points[reading.languages.index(language)]
            axes.plot(
                at[:, 0],
                at[:, 1],
                ls="",
                marker=_MARKS[i // len(COLOURS) % len(_MARKS)],
                ms=4,
                alpha=0.7,
                color=COLOURS[i % len(COLOURS)],
                label=language,
            )
        axes.set_title(
            f"{name}: {explained:.0%} of the variance shown", fontsize=9
        )
        axes.set_xticks([])
        axes.set_yticks([])
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", frameon=False)
    rows = chosen[0][1].vectors.shape[1]
    figure.suptitle(
        drawing.what_was_run(scores.runs[0].results, "first seed")
        + f"; {rows} parallel test items a language",
        fontsize=8,
        x=0.01,
        ha="left",
    )
    return drawing.save_figure(figure, path)


def principal_components(vectors: np.ndarray) -> tuple[np.ndarray, Any]:
    """First two principal components, and their share of the variance.

    From float `(languages, rows, dim)` to float `(languages, rows, 2)`.
    """
    languages, rows, dim = vectors.shape
    flat = vectors.reshape(-1, dim).astype(np.float64)
    flat = flat - flat.mean(axis=0)
    _, sizes, axes = np.linalg.svd(flat, full_matrices=False)
    variances = sizes**2
    total = max(variances.sum(), np.finfo(float).tiny)
    points = (flat @ axes[:2].T).reshape(languages, rows, -1)
    return points, variances[:2].sum() / total
