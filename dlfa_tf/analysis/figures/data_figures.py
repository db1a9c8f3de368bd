"""Pictures of the data of a task: labels, and what a tokenizer makes of it."""

import pathlib
from collections.abc import Sequence

import numpy as np

from dlfa_tf.analysis.figures import drawing
from dlfa_tf.data import families
from dlfa_tf.data import label_schemes
from dlfa_tf.data.doctor import Checkup
from dlfa_tf.data.doctor import FileCheck

# Order in which splits stand side by side.
_SPLITS = ("train", "dev", "test")


def label_shares(checkup: Checkup, path: pathlib.Path) -> pathlib.Path:
    """Draws the share of every label in every split and language.

    Where tags have a scheme, of those other than `O`, which are most of them.
    """
    plt = drawing.pyplot()
    files = _in_order(checkup.files)
    left_out = "O" if label_schemes.scheme_of(checkup.task) else None
    names = list(dict.fromkeys(k for x in files for k in x.labels))
    names = [name for name in names if name != left_out]
    counts = np.array(
        [[x.labels.get(name, 0) for x in files] for name in names], float
    )
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    figure, axes = plt.subplots(
        figsize=(2.5 + 0.32 * len(files), 1.6 + 0.26 * len(names)),
        layout="constrained",
    )
    image = axes.imshow(shares, cmap="Blues", vmin=0, aspect="auto")
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(files)), [_name(x) for x in files], rotation=90)
    axes.tick_params(labelsize=8, length=2)
    others = f" but {left_out}" if left_out else ""
    figure.colorbar(image, ax=axes, label=f"share of the labels{others}")
    axes.set_title(f"{checkup.task.name}: labels by file", fontsize=10)
    return drawing.save_figure(figure, path)


def piece_bars(checkup: Checkup, path: pathlib.Path) -> pathlib.Path | None:
    """Draws pieces per word and the share of unknown words by language.

    Of test files, or of what else a language has. None without a tokenizer.
    """
    files = _one_per_language(checkup.files)
    if not files:
        return None
    plt = drawing.pyplot()
    figure, (above, below) = plt.subplots(
        2,
        1,
        sharex=True,
        figsize=(max(6.0, 0.45 * len(files) + 2), 5.0),
    )
    places = range(len(files))
    for axes, key, factor, label in (
        (above, "pieces_per_word", 1, "pieces per word"),
        (below, "unknown_words", 100, "words with unknown\npieces (percent)"),
    ):
        values = [factor * (x.pieces or {})[key] for x in files]
        axes.bar(places, values, color=drawing.COLOURS[0])
        axes.set_ylabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    below.set_ylim(0, max(5.0, below.get_ylim()[1]))
    below.set_xticks(places, [_name(x) for x in files], rotation=90)
    above.set_title(
        f"{checkup.task.name}: what the tokenizer makes of each language",
        fontsize=10,
    )
    return drawing.save_figure(figure, path)


def _one_per_language(files: Sequence[FileCheck]) -> list[FileCheck]:
    found: dict[str, FileCheck] = {}
    for split in _SPLITS:
        for file in files:
            if file.split == split and file.pieces is not None:
                found[file.language] = file
    return [found[x] for x in families.by_family(found)]


def _in_order(files: Sequence[FileCheck]) -> list[FileCheck]:
    languages = families.by_family({x.language for x in files})
    return sorted(
        files,
        key=lambda x: (_SPLITS.index(x.split), languages.index(x.language)),
    )


def _name(file: FileCheck) -> str:
    return f"{file.split} {file.language}"
