"""The block that English dev chooses."""

import numpy as np
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.layer_choice import layer_choice
from dlfa_tf.analysis.layer_choice import layer_table
from dlfa_tf.analysis.run_index import load_runs

# system -> (English dev, German, English) by seed.
SCORES = {
    "baseline": {1: (90.0, 50.0, 99.0), 2: (90.0, 52.0, 99.0)},
    "D_1": {1: (91.0, 40.0, 98.0), 2: (89.0, 60.0, 98.0)},
    "D_2": {1: (90.5, 56.0, 97.0), 2: (90.5, 58.0, 97.0)},
    "D_3": {1: (80.0, 30.0, 96.0)},
}


def write(lab, scores=SCORES, languages=("de", "en")):
    for system, seeds in scores.items():
        for seed, (dev, *values) in seeds.items():
            folder = lab.run("pawsx", system, seed, languages, dev_score=dev)

            def change(results, values=values):
                for language, value in zip(languages, values, strict=False):
                    results["languages"][language]["score"] = value

            lab.change(folder, change)
    return collect_scores(load_runs(lab.runs).runs)


def test_choice_oracle_and_regret_by_hand(lab):
    rows = layer_choice(write(lab)).set_index("seed")
    assert list(rows.index) == [1, 2, "mean"]
    first = rows.loc[1]
    assert (first["chosen"], first["oracle"]) == ("D_1", "D_2")
    assert first["regret"] == 16.0
    assert first["gain_of_chosen"] == -10.0
    # dev order D_3 < baseline < D_2 < D_1, target D_3 < D_1 < baseline < D_2:
    # rank differences 0, 1, 1, 2 -> 1 - 6 * 6 / (4 * 15).
    assert first["rank_correlation"] == pytest.approx(0.4)
    second = rows.loc[2]
    assert (second["chosen"], second["oracle"]) == ("D_2", "D_1")
    assert second["regret"] == 2.0 and second["systems"] == 3
    assert np.isnan(second["rank_correlation"])
    mean = rows.loc["mean"]
    # Means of dev: 90, 90, 90.5, 80.
    assert (mean["chosen"], mean["oracle"], mean["regret"]) == ("D_2", "D_2", 0)
    assert mean["target_of_baseline"] == 51.0


def test_table_says_what_is_meant(lab):
    table = layer_table({"pawsx": write(lab)})
    assert list(table.text.index) == [
        "PAWSX seed 1",
        "PAWSX seed 2",
        "PAWSX mean of seeds",
    ]
    row = table.text.loc["PAWSX seed 2"]
    assert row["regret"] == "2.00" and row["rank correlation"] == ""
    assert "labels to know" in table.notes[0]


def test_nothing_to_choose_from(lab):
    scores = write(lab, {"D_1": SCORES["D_1"]})
    assert layer_choice(scores).empty
    assert layer_table({"pawsx": scores}) is None


def test_english_alone_has_no_target(lab):
    scores = write(lab, {"baseline": {1: (9, 9)}, "D_1": {1: (9, 9)}}, ("en",))
    assert layer_choice(scores).empty


def test_runs_without_dev_score_are_no_candidates(lab):
    write(lab)
    for folder in lab.runs.glob("pawsx/D_2/*"):
        lab.change(folder, lambda r: r.update(dev_score=None))
    rows = layer_choice(collect_scores(load_runs(lab.runs).runs))
    assert rows.set_index("seed").loc["mean", "systems"] == 3
