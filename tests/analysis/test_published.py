"""The paper's figures as they are kept."""

import pytest

from dlfa_tf.analysis.published import published_scores
from dlfa_tf.analysis.published import published_similarity


def test_best_gains_are_those_that_the_paper_states():
    scores = published_scores()
    for task, system, gain in (
        ("xnli", "D_11", 1.51),
        ("pawsx", "D_6", 2.43),
        ("ner", "D_8", 1.17),
        ("pos", "D_10", 1.53),
    ):
        column = scores.loc[task, :, "all"]
        assert len(column) == 12
        assert column.drop("baseline").idxmax() == system
        assert column[system] - column["baseline"] == pytest.approx(gain)


def test_table_2_follows_from_table_4():
    scores = published_scores()
    row = scores.loc["pawsx", "baseline"]
    assert row["enf"] == pytest.approx((row["en"] + row["de"]) / 2)


def test_lower_blocks_are_more_similar():
    similarity = published_similarity()
    assert similarity["xnli", "D_8"] > similarity["xnli", "D_11"]
    assert similarity["pawsx", "D_6"] > similarity["pawsx", "D_10"]
