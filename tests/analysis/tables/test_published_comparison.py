"""Own runs against the paper's figures."""

import dataclasses

import pandas as pd
import pytest

from dlfa_tf.analysis import compare
from dlfa_tf.analysis import run_index
from dlfa_tf.analysis.tables.published_comparison import published_comparison
from dlfa_tf.analysis.tables.table_files import to_markdown

# Settings of PAWS-X in XTREME's scripts.
XTREME = {"epochs": 5, "batch_size": 32, "learning_rate": 2e-5}


def cell(task, system, part, mean, spread, seeds=3, label=None):
    return {
        "task": task, "label": label or system, "system": system, "part": part,
        "mean": mean, "spread": spread, "seeds": seeds,
    }  # fmt: skip


def test_cells_are_set_against_the_papers():
    # The paper: PAWS-X D_6 84.37 over all, 76.1 in Korean; POS D_10 71.81.
    summary = pd.DataFrame(
        [
            cell("pawsx", "D_6", "all", 84.00, 0.40),
            cell("pawsx", "D_6", "ko", 75.00, 0.40),
            cell("pawsx", "D_6", "ja", 75.00, 0.40),
            cell(
                "pos", "D_10", "all", 72.31, float("nan"), 1, "D_10-attention"
            ),
        ]
    )
    table = published_comparison(summary)
    assert list(table.text.index) == [
        "pawsx D_6 avg", "pawsx D_6 ko", "pos D_10-attention avg"
    ]  # fmt: skip
    assert table.text.loc["pawsx D_6 avg"].to_dict() == {
        "mean": "84.00",
        "spread": "0.40",
        "seeds": "3",
        "published": "84.37",
        "difference": "-0.37",
        "within": "yes",
    }
    korean = table.text.loc["pawsx D_6 ko"]
    assert korean[["difference", "within"]].tolist() == ["-1.10", "no"]
    last = table.text.loc["pos D_10-attention avg"]
    assert last[["spread", "difference", "within"]].tolist() == [
        "", "+0.50", "one seed",
    ]  # fmt: skip
    assert "1 of 2 cells with two or more seeds do" in table.notes[0]
    assert any("pawsx: own averages lack de, en, es" in x for x in table.notes)
    assert "| pawsx D_6 ko | 75.00 |" in to_markdown(table)


def test_runs_as_they_are_written(lab):
    for seed in (1, 2):
        lab.run("pawsx", "baseline", seed, languages=("de", "en", "zh"))
        lab.run("pawsx", "D_6", seed, languages=("de", "en", "zh"))
    scores = compare.collect_scores(run_index.load_runs(str(lab.runs)).runs)
    table = published_comparison(compare.summarize(scores))
    # Averages, English with German, the others, and three languages each.
    assert len(table.values) == 12
    row = table.values.loc["pawsx baseline zh"]
    own = scores.scores[scores.rows_of("baseline"), 2]
    assert row["mean"] == pytest.approx(own.mean())
    assert row["spread"] == pytest.approx(own.std(ddof=1))
    assert (row["published"], row["seeds"]) == (77.0, 2)
    assert row["within"] == (abs(own.mean() - 77.0) <= own.std(ddof=1))


def test_notes_say_how_runs_were_made_otherwise(lab):
    lab.run("pos", "baseline", 1, preset="e5_small_multi", epochs=3,
            learning_rate=3e-4, eval_limit=400)  # fmt: skip
    lab.run("pawsx", "baseline", 1, preset="mbert", **XTREME)
    runs = [
        dataclasses.replace(run, results={**run.results, "train_examples": n})
        for run, n in zip(
            run_index.load_runs(str(lab.runs)).runs, (49401, 6000), strict=True
        )
    ]
    summary = pd.concat(
        [compare.summarize(compare.collect_scores([run])) for run in runs]
    )
    notes = published_comparison(summary, runs).notes
    assert [x for x in notes if "own encoder" in x or "own runs have" in x] == [
        "pawsx: own encoder: mbert; the paper's is multilingual BERT.",
        "pos: own encoder: e5_small_multi; the paper's is multilingual BERT.",
        "pos: own runs have 6000 training examples, 3 epochs, 0.0003 learning "
        "rate, 400 test examples per language at most; XTREME's settings are "
        "21253, 10, 2e-05, all.",
    ]  # fmt: skip


def test_runs_that_the_paper_does_not_have_are_refused():
    summary = pd.DataFrame([cell("pos", "mean_9", "all", 70.0, 0.1)])
    with pytest.raises(ValueError, match=r"no figure.*\['mean_9'\]"):
        published_comparison(summary)
