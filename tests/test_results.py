"""What the documents say of runs against the committed scores of these runs."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.compare import summarize
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.analysis.run_index import score_frame
from dlfa_tf.runs.settings import default_config

ROOT = Path(__file__).resolve().parents[1]
# Parts of the languages that a table has columns for, the first with gains.
ALL = ("all", "enf", "noenf")
GROUP = ("others", "en")
# Document, heading of the section with the table, folder with the scores.
SECTIONS = [
    ("results_pos.md", "POS: six systems, 6,000 sentences", "pos_6000", ALL),
    ("results_pos.md", "POS: all 21,253 sentences", "pos_21253", ALL),
    ("results_pos.md", "POS: what was tried", "pos_variants", GROUP),
    ("results_pos.md", "POS: training length", "pos_long", GROUP),
    ("results_ner.md", "NER: six systems, 6,000 sentences", "ner_6000", ALL),
    ("results_adapting.md", "Adapting: POS", "adapting/pos", GROUP),
    ("results_adapting.md", "Adapting: NER", "adapting/ner", GROUP),
    ("results_xnli.md", "XNLI: five systems, 20,000 pairs", "xnli_20000", ALL),
    ("results_xnli.md", "XNLI: what was tried", "xnli_variants", GROUP),
    (
        "results_pawsx.md",
        "PAWS-X: five systems, all 8,575 pairs",
        "pawsx_8575",
        ALL,
    ),
    ("results_pawsx.md", "PAWS-X: the other thousand", "pawsx_second", ALL),
]


def section(text: str, heading: str) -> str:
    """Text below a heading, up to the next one of its level."""
    match = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S
    )
    assert match, f"no section {heading!r}"
    return match[1]


def rows_of(text: str) -> dict[str, str]:
    """First cell -> rest of the row, of the first table; without emphasis."""
    table = text[text.index("\n\n|") :].lstrip().split("\n\n", 1)[0]
    rows = {}
    for line in table.splitlines():
        first, rest = re.sub(r"[*`]", "", line).strip("|").split("|", 1)
        rows[first.strip()] = f"|{rest}|"
    return rows


def missing_cells(
    text: str, summary: pd.DataFrame, columns: tuple[str, ...]
) -> list[str]:
    """Cells that the first table of a text should have and has not."""
    rows, missing = rows_of(text), []
    for label, parts in summary.groupby("label"):
        values = parts.set_index("part")
        cells = []
        for part in columns:
            cell = values.loc[part]
            spread = f" ± {cell['spread']:.2f}" if cell["seeds"] > 1 else ""
            cells.append(f"| {cell['mean']:.2f}{spread} ({cell['seeds']}) |")
        if label != "baseline":
            cells.append(f"| {values.loc[columns[0], 'gain']:+.2f} ")
        row = rows.get(label, "")
        missing += [f"{label}: {cell}" for cell in cells if cell not in row]
    return missing


@pytest.mark.parametrize(("document", "heading", "folder", "columns"), SECTIONS)
def test_table_is_that_of_the_committed_scores(
    document, heading, folder, columns
):
    text = (ROOT / "docs" / document).read_text("utf-8")
    index = load_runs(ROOT / "docs" / "results" / folder)
    assert index.left_out == ()
    summary = summarize(collect_scores(index.runs))
    assert missing_cells(section(text, heading), summary, columns) == []


@pytest.mark.parametrize(
    ("task", "folder"),
    [
        ("pos", "pos_6000"),
        ("ner", "ner_6000"),
        ("xnli", "xnli_20000"),
        ("pawsx", "pawsx_8575"),
    ],
)
def test_e5_small_is_what_the_committed_scores_were_made_with(task, folder):
    results = (
        ROOT / f"docs/results/{folder}/{task}/baseline/seed-1/results.json"
    )
    ran = json.loads(results.read_text("utf-8"))["config"]
    config = default_config(task, "e5_small", output_dir="o", data_dir="d")
    free = ("languages", "eval_limit", "eval_split", "precision", "output_dir")
    free += ("data_dir", "recipe", "strategy")
    assert {
        name: value
        for name, value in config.to_json().items()
        if name not in free and ran.get(name, value) != value
    } == {}


@pytest.mark.parametrize(
    ("document", "heading", "folder"),
    [row[:3] for row in SECTIONS if row[3] is ALL],
)
def test_languages_are_those_of_the_committed_scores(document, heading, folder):
    text = section((ROOT / "docs" / document).read_text("utf-8"), heading)
    rows = rows_of(text[text.index("\n\n| language |") :])
    systems = rows.pop("language").strip("| ").split(" | ")
    frame = score_frame(load_runs(ROOT / "docs" / "results" / folder))
    means = frame.groupby(["language", "label"])["score"].mean().unstack()
    assert set(rows) - {"---"} == set(means.index)
    for language, values in means.iterrows():
        expected = " | ".join(f"{values[system]:.1f}" for system in systems)
        assert rows[language] == f"| {expected} |"


@pytest.mark.parametrize(
    ("document", "heading", "path"),
    [
        (
            "results_xnli.md",
            "XNLI: similarity of translations",
            "xnli_20000/xnli_similarity.csv",
        ),
        (
            "results_pawsx.md",
            "PAWS-X: similarity of translations",
            "pawsx_8575/pawsx_similarity.csv",
        ),
    ],
)
def test_similarities_are_those_of_the_committed_file(document, heading, path):
    rows = rows_of(section((ROOT / "docs" / document).read_text(), heading))
    frame = pd.read_csv(ROOT / "docs" / "results" / path)
    columns = ["cosine", "unrelated", "retrieved"]
    runs = frame.groupby(["label", "seed"])[columns].mean()
    spreads = runs["cosine"].groupby("label").std()
    base = runs.loc["baseline", "cosine"].mean()
    assert set(rows) - {"---", "system"} == set(frame["label"])
    for label, found in runs.groupby("label").mean().iterrows():
        cosine, unrelated, retrieved = found[columns]
        seeds = len(runs.loc[label])
        gain = "" if label == "baseline" else f"{cosine - base:+.4f} ["
        assert rows[label].startswith(
            f"| {cosine:.4f} ± {spreads[label]:.4f} ({seeds}) | {gain}"
        )
        assert rows[label].endswith(
            f"| {unrelated:.4f} | {cosine - unrelated:.4f} | {retrieved:.1f} |"
        )


def test_wrong_and_missing_figures_are_found():
    columns = ("label", "part", "mean", "spread", "seeds", "gain")
    rows = [("baseline", x, 70, 1.5, 2, None) for x in ALL]
    rows += [("D_1", x, 71.25, None, 1, 1.25) for x in ALL]
    summary = pd.DataFrame(rows, columns=columns)
    base = "70.00 ± 1.50 (2)"
    text = f"""

| system | F1 | gain | | |
|---|---:|---:|---:|---:|
| baseline | {base} | | {base} | {base} |
| D_1 | 71.25 (1) | **+1.25** [0, 2] | 71.25 (1) | 71.25 (1) |

More.
"""
    assert missing_cells(text, summary, ALL) == []
    assert missing_cells(text.replace("+1.25", "+1.35"), summary, ALL) == [
        "D_1: | +1.25 "
    ]
    assert (
        len(missing_cells(text.replace("± 1.50", "± 1.4"), summary, ALL)) == 3
    )
    assert len(missing_cells(text.replace("D_1", "D_2"), summary, ALL)) == 4
