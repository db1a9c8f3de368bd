"""Similarity and gates from readings."""

import numpy as np
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.analysis.similarity import gate_frame
from dlfa_tf.analysis.similarity import similarity_frame


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


def test_similarity_is_tidy_and_without_english(scores):
    frame = similarity_frame(scores, readings_of(scores))
    assert set(frame["language"]) == {"de", "zh"}
    assert set(frame["items"]) == {2}
    row = frame.query("label == 'D_6' and seed == 2 and language == 'zh'")
    assert row["cosine"].item() == pytest.approx(0.15)
    # (0.8 + 1) / 2.
    assert row["unrelated"].item() == pytest.approx(0.9)
    # The nearest of English row 0 is row 1, that of row 1 is row 0.
    assert row["retrieved"].item() == 0.0


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
