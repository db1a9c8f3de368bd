"""Pictures over the fused block x: scores, and gains by language."""

import pathlib
from collections import Counter
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlfa_tf.analysis.compare import BASELINE
from dlfa_tf.analysis.compare import TaskScores
from dlfa_tf.analysis.figures import drawing
from dlfa_tf.analysis.figures.drawing import COLOURS
from dlfa_tf.data import families

# More cells than this, and numbers in them could not be read.
_MOST_NUMBERS = 500
_MARKS = "osD^v"


def seeds_in_words(scores: TaskScores) -> str:
    """How many seeds and languages stand behind a picture."""
    counts = Counter(scores.labels)
    numbers = sorted(set(counts.values()))
    ends = dict.fromkeys((numbers[0], numbers[-1]))
    seeds = " to ".join(map(str, ends))
    word = "seed" if numbers == [1] else "seeds"
    return f"{seeds} {word} a system, {len(scores.languages)} languages"


def score_by_layer(
    scores: Mapping[str, TaskScores],
    summary: pd.DataFrame,
    path: pathlib.Path,
) -> pathlib.Path:
    """Draws the mean score over languages against x, a panel per task.

    The baseline is a line with a band of one standard deviation over seeds; a
    system is its mean, a bar of the same length, and a dot for every seed.
    """
    plt = drawing.pyplot()
    figure, panels = plt.subplots(
        1,
        len(scores),
        figsize=(max(6.4, 4.4 * len(scores)), 4.2),
        squeeze=False,
        layout="constrained",
    )
    for axes, (task, found) in zip(panels[0], scores.items(), strict=True):
        rows = summary[(summary["task"] == task) & (summary["part"] == "all")]
        draw_systems(
            axes,
            rows,
            {
                label: found.scores[found.rows_of(label)].mean(axis=1)
                for label in found.labels
            },
        )
        axes.set_xticks(sorted(set(rows["layer"].dropna().astype(int))))
        axes.set_xlabel("x, the block fused with the last one")
        axes.set_ylabel(
            f"{found.runs[0].results['score']} (percent), mean over languages"
        )
        axes.set_title(
            drawing.what_was_run(found.runs[0].results, seeds_in_words(found)),
            fontsize=8,
        )
    return drawing.save_figure(figure, path)


def draw_systems(
    axes: Any, rows: pd.DataFrame, seeds: Mapping[str, Collection[float]]
) -> None:
    """Draws the baseline's line and band, and a line per gate over x.

    `rows` has `label`, `gate`, `layer`, `mean` and `spread`, a row per system;
    `seeds` goes from label to the values of its seeds.
    """
    _draw_baseline(axes, rows)
    fused = rows[rows["layer"].notna()]
    for i, (gate, line) in enumerate(fused.groupby("gate")):
        _draw_line(axes, line, f"D_x, gate {gate}", i, seeds)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _draw_baseline(axes: Any, rows: pd.DataFrame) -> None:
    baseline = rows[rows["label"] == BASELINE]
    if baseline.empty:
        return
    mean, spread = baseline.iloc[0][["mean", "spread"]]
    name = "baseline"
    if pd.notna(spread):
        axes.axhspan(
            mean - spread, mean + spread, color="black", alpha=0.12, lw=0
        )
        name += " ± standard deviation over seeds"
    axes.axhline(mean, color="black", ls="--", lw=1.2, label=name)


def _draw_line(
    axes: Any,
    line: pd.DataFrame,
    name: str,
    i: int,
    seeds: Mapping[str, Collection[float]],
) -> None:
    line = line.sort_values("layer")
    # Two gates at one x would hide each other.
    x = line["layer"].astype(float).to_numpy() + 0.12 * i
    if line["spread"].notna().any():
        name += " (bar: standard deviation, dots: seeds)"
    axes.errorbar(
        x,
        line["mean"],
        yerr=line["spread"].fillna(0.0),
        color=COLOURS[i % len(COLOURS)],
        marker=_MARKS[i % len(_MARKS)],
        capsize=3,
        lw=1.4,
        label=name,
    )
    for place, label in zip(x, line["label"], strict=True):
        values = seeds.get(label, ())
        if len(values) > 1:
            axes.plot(
                np.full(len(values), place), list(values), ls="", marker=".",
                ms=4, color="black", zorder=3,
            )  # fmt: skip


def gain_map(
    scores: TaskScores, summary: pd.DataFrame, path: pathlib.Path
) -> pathlib.Path | None:
    """Draws the gain over the baseline by language and x as a heat map.

    Languages stand by family, English's own first. A cell whose interval holds
    0 has its number in brackets. None when there are no gains.
    """
    rows = summary[
        (summary["task"] == scores.task)
        & summary["gain"].notna()
        & summary["part"].isin(scores.languages)
    ]
    if rows.empty:
        return None
    languages = families.by_family(scores.languages)
    labels = list(dict.fromkeys(rows["label"]))
    wide = {
        name: rows.pivot(index="part", columns="label", values=name).loc[
            languages, labels
        ]
        for name in ("gain", "low", "high")
    }
    gains = wide["gain"].to_numpy(float)
    plt = drawing.pyplot()
    figure, axes = plt.subplots(
        figsize=(
            max(4.6, 2.6 + 0.8 * len(labels)),
            1.6 + 0.24 * len(languages),
        ),
        layout="constrained",
    )
    most, is_cut = _colour_limit(gains)
    # Blue against red stays apart with every common colour blindness, and
    # in grey the sign can be read from the numbers.
    image = axes.imshow(
        gains, cmap="RdBu", vmin=-most, vmax=most, aspect="auto"
    )
    # Names with a gate in them are long.
    is_long = len(max(labels, key=len)) > 5
    axes.set_xticks(
        range(len(labels)),
        labels,
        rotation=30 if is_long else 0,
        ha="right" if is_long else "center",
    )
    axes.set_yticks(range(len(languages)), _row_names(languages))
    if gains.size <= _MOST_NUMBERS:
        _write_numbers(axes, gains, wide["low"], wide["high"], most)
    figure.colorbar(
        image,
        ax=axes,
        label="gain (points)",
        fraction=0.06,
        extend="both" if is_cut else "neither",
    )
    text = drawing.what_was_run(scores.runs[0].results, seeds_in_words(scores))
    if wide["low"].notna().any(axis=None):
        text += ";\n(in brackets): the 95 % interval holds 0"
    # To the figure's width: the map is often narrower than its title.
    figure.suptitle(text, fontsize=8, x=0.01, ha="left")
    return drawing.save_figure(figure, path)


def _colour_limit(gains: np.ndarray) -> tuple[float, bool]:
    """Gain at which the colours end, and whether one lies beyond.

    A single language that gains or loses many times what the others do would
    leave these without colour; the numbers still tell.
    """
    sizes = np.abs(gains)
    limit = max(2 * float(np.quantile(sizes, 0.95)), 0.1)
    most = float(sizes.max())
    return (limit, True) if most > limit else (max(most, 0.1), False)


def _row_names(languages: list[str]) -> list[str]:
    """Codes; the first of a family has its name before it."""
    names, before = [], ""
    for language in languages:
        own = families.family(language)
        names.append(f"{own}  {language}" if own != before else language)
        before = own
    return names


def _write_numbers(
    axes: Any,
    gains: np.ndarray,
    low: pd.DataFrame,
    high: pd.DataFrame,
    most: float,
) -> None:
    unsure = (low <= 0) & (high >= 0)
    for i, j in np.ndindex(*gains.shape):
        text = f"{gains[i, j]:+.1f}"
        axes.text(
            j,
            i,
            f"({text})" if unsure.iloc[i, j] else text,
            ha="center",
            va="center",
            fontsize=7,
            color="white" if abs(gains[i, j]) > 0.6 * most else "black",
        )
