"""Pictures of results, readable in print and by colour-blind readers."""

import pathlib
from typing import Any

from dlfa_tf import files
from dlfa_tf.runs import names

# Okabe and Ito's palette, distinguishable with every common colour blindness.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7",
    "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip


def bars_by_language(
    runs: list[dict[str, Any]], path: pathlib.Path
) -> pathlib.Path:
    """Draws the score of every system on every language as grouped bars.

    `runs` are contents of `results.json`, on the same languages.
    """
    plt = pyplot()
    first = runs[0]
    sources = names.sources_of(first["config"])
    languages = sorted(first["languages"], key=lambda x: (x not in sources, x))
    width = 0.8 / len(runs)
    figure, axes = plt.subplots(
        figsize=(max(6.0, 0.75 * len(languages) + 2), 4.0)
    )
    for i, results in enumerate(runs):
        scores = [results["languages"][x]["score"] for x in languages]
        left = [
            j + (i - (len(runs) - 1) / 2) * width for j in range(len(scores))
        ]
        average = results["averages"]["others"]
        label = results["system"]
        if average is not None:
            label += f" (mean without {names.in_words(sources)}: {average:.1f})"
        axes.bar(
            left, scores, width, label=label, color=COLOURS[i % len(COLOURS)]
        )
    axes.set_xticks(range(len(languages)), languages)
    axes.set_ylim(0, 100)
    axes.set_ylabel(f"{first['score']} (percent)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(what_was_run(first), fontsize=10)
    # Below the axes: nowhere inside is sure to be free of bars.
    axes.legend(
        frameon=False,
        fontsize=9,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncols=min(len(runs), 3),
    )
    return save_figure(figure, path)


def pyplot() -> Any:
    """matplotlib.pyplot, drawing into files."""
    # Not at the top: matplotlib takes a second to import.
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def save_figure(figure: Any, path: pathlib.Path) -> pathlib.Path:
    """Lays a figure out, writes it aside, renames it and closes it."""
    if figure.get_layout_engine() is None:
        figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.written_aside(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    pyplot().close(figure)
    return path


def what_was_run(results: dict[str, Any], seeds: str | None = None) -> str:
    """Task, data, preset and seeds (None: its own) of a run in a sentence."""
    config = results["config"]
    text = f"{config['task']} on data source '{config['data_source']}'"
    if "train_examples" in results:
        text += f": trained on {results['train_examples']} examples in "
        text += names.in_words(names.sources_of(config))
        if config.get("target_examples"):
            few = ", ".join(config["target_examples"])
            text += f" (not zero-shot: {few})"
    text += f",\npreset {config['preset']}"
    if seeds is not None:
        text += f", {seeds}"
    elif "seed" in config:
        text += f", one seed ({config['seed']})"
    return text
