"""Table 3 and gates from readings."""

import numpy as np
import pytest

from dlfa_tf.evaluation.compare import collect_scores
from dlfa_tf.evaluation.readings import Readings
from dlfa_tf.evaluation.runs import load_runs
from dlfa_tf.evaluation.similarity import gate_frame
from dlfa_tf.evaluation.similarity import similarity_frame
from dlfa_tf.evaluation.similarity import table_3


def reading(german, chinese, share=0.4):
    return Readings(
        languages=("de", "en", "zh"),
        cosines=np.array([german, [1.0, 1.0], chinese], "f4"),
        # Cosines of English row 0 with row 1 of the others, and of 1 with 0:
        # de 1 and -1, zh 0.8 and 1.
        vectors=np.array(
            [[[0, 2], [-3, 0]], [[1, 0], [0, 1]], [[3, 4], [2, 0]]], "f4"
        ),
        shares=np.full((3, 2), share, "f4"),
        gates=np.array([[0.1, 0.2], [0.3, np.nan], [0.5, 0.6]], "f4"),
    )


@pytest.fixture
def scores(lab):
    for seed in (1, 2):
        lab.run("pawsx", "D_6", seed)
    lab.run("pawsx", "baseline")
    return collect_scores(load_runs(lab.runs).runs)


def readings_of(scores):
    kept = {
        ("D_6", 1): reading([0.8, 0.9], [0.6, 0.5]),
        ("D_6", 2): reading([0.4, 0.5], [0.2, 0.1]),
        ("baseline", 1): reading([0.2, 0.3], [0.2, 0.1], np.nan),
    }
    return {i: kept[run.system, run.seed] for i, run in enumerate(scores.runs)}


def test_table_3_by_hand(scores):
    frame = similarity_frame(scores, readings_of(scores))
    assert set(frame["language"]) == {"de", "zh"}
    table = table_3([frame])
    # Seed 1: (0.85 + 0.55) / 2, seed 2: (0.45 + 0.15) / 2.
    row = table.text.loc["D_6"]
    assert row["PAWSX ours"] == f"0.5000 ± {0.4 / np.sqrt(2):.4f} (2)"
    # de (1 - 1) / 2, zh (0.8 + 1) / 2.
    assert row["PAWSX unrelated"] == "0.4500"
    assert row["PAWSX published"] == "0.9461"
    assert row["PAWSX de"] == "0.6500" and row["PAWSX zh"] == "0.3500"
    assert table.text.loc["baseline", "PAWSX ours"] == "0.2000 (1)"
    assert table.text.loc["baseline", "PAWSX published"] == ""
    assert table.values.loc["D_6", "PAWSX mean"] == pytest.approx(0.5)
    assert "2 items a language" in " ".join(table.notes)


def test_system_without_a_model_in_a_task_says_so(scores, lab):
    lab.run("xnli", "D_6")
    xnli = collect_scores(load_runs(lab.runs).of_task("xnli"))
    frames = [
        similarity_frame(scores, readings_of(scores)),
        similarity_frame(xnli, {0: reading([0.5, 0.5], [0.5, 0.5])}),
    ]
    table = table_3(frames)
    assert table.text.loc["baseline", "XNLI ours"] == "no model"
    assert table.text.loc["D_6", "XNLI ours"] == "0.5000 (1)"


def test_nothing_parallel_no_table(scores):
    empty = Readings(
        languages=("de", "en", "zh"),
        cosines=np.zeros((3, 0), "f4"),
        vectors=np.zeros((0, 0, 0), "f4"),
        shares=np.zeros((3, 2), "f4"),
        gates=np.zeros((3, 2), "f4"),
    )
    assert table_3([similarity_frame(scores, {0: empty})]) is None
    assert table_3([similarity_frame(scores, {})]) is None


def test_gates_are_tidy_and_of_fused_systems(scores):
    frame = gate_frame(scores, readings_of(scores))
    assert set(frame["label"]) == {"D_6"}
    # Two seeds, three languages, two positions, less one that nobody has.
    assert len(frame) == 2 * (3 * 2 - 1)
    row = frame.query("language == 'zh' and position == 1").iloc[0]
    assert row["gate"] == pytest.approx(0.6)
    assert row["share"] == pytest.approx(0.4)
    base = {i: r for i, r in readings_of(scores).items() if i == 0}
    assert gate_frame(scores, base).empty


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
