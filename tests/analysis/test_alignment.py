"""Cosines of unrelated items, retrieval and gains in similarity."""

import numpy as np
import pandas as pd
import pytest

from dlfa_tf.analysis.alignment import cosine_gains
from dlfa_tf.analysis.alignment import retrieval_accuracies
from dlfa_tf.analysis.alignment import trend_over_layers
from dlfa_tf.analysis.alignment import unrelated_cosines
from dlfa_tf.analysis.readings import Readings


def reading(vectors, cosines=None):
    """Readings of English and one more language."""
    vectors = np.array(vectors, "f4")
    if cosines is None:
        cosines = np.zeros((2, 0))
    return Readings(
        languages=("de", "en"),
        cosines=np.array(cosines, "f4"),
        vectors=vectors,
        shares=np.zeros((2, 0), "f4"),
        gates=np.zeros((2, 0), "f4"),
    )


def of_cosines(*german):
    return reading(np.zeros((0, 0, 0)), [german, [1.0] * len(german)])


# English rows are the axes; German rows lie near the first, the third and
# the third.
ENGLISH = np.eye(3)
GERMAN = [[3.0, 0.0, 0.4], [0.0, 0.1, 1.0], [0.0, 0.2, 5.0]]


def test_unrelated_is_the_row_half_the_rows_on():
    # English row 0 with German 1, 1 with 2 and 2 with 0, by hand.
    expected = [
        0.0,
        0.2 / np.hypot(0.2, 5.0),
        0.4 / np.hypot(3.0, 0.4),
    ]
    found = unrelated_cosines(reading([GERMAN, ENGLISH]))
    assert found["de"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert found["en"] == 0.0


def test_unrelated_is_not_the_neighbour_of_four_rows():
    # German rows are the English ones two rows on.
    found = unrelated_cosines(reading([np.eye(4)[[2, 3, 0, 1]], np.eye(4)]))
    assert found == {"de": 1.0, "en": 0.0}


def test_retrieved_is_the_share_of_rows_whose_nearest_is_their_own():
    # Row 0 finds itself; row 1's nearest is German 1; row 2's German 2,
    # whose angle is the smaller one.
    found = retrieval_accuracies(reading([GERMAN, ENGLISH]))
    assert found == {"de": 100.0, "en": 100.0}
    swapped = [GERMAN[0], GERMAN[2], GERMAN[1]]
    found = retrieval_accuracies(reading([swapped, ENGLISH]))
    assert found["de"] == pytest.approx(100.0 / 3)


def test_what_all_vectors_share_raises_cosines_and_no_ranks():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(2, 20, 8))
    vectors[0] = vectors[1] + 0.1 * vectors[0]
    shared = np.concatenate([vectors, np.full((2, 20, 1), 9.0)], axis=-1)
    plain, alike = reading(vectors), reading(shared)
    assert unrelated_cosines(alike)["de"] > unrelated_cosines(plain)["de"] + 0.5
    assert retrieval_accuracies(plain)["de"] == 100.0
    assert retrieval_accuracies(alike)["de"] == 100.0


def test_nothing_parallel_gives_nothing():
    empty = reading(np.zeros((0, 0, 0)))
    assert unrelated_cosines(empty) == {}
    assert retrieval_accuracies(empty) == {}
    assert cosine_gains(["baseline"], {0: empty}).empty


def test_gain_of_equal_items_has_no_width_and_other_seeds_widen_it():
    labels = ["baseline", "D_1", "baseline", "D_1", "D_2"]
    base = of_cosines(0.1, 0.5, 0.9)
    # The same distance on every item: drawing items changes nothing.
    readings = {
        0: base,
        1: of_cosines(0.3, 0.7, 1.1),
        2: base,
        3: of_cosines(0.5, 0.9, 1.3),
        4: of_cosines(0.0, 0.0, 0.0),
    }
    gains = cosine_gains(labels, readings)
    assert list(gains.index) == ["D_1", "D_2"]
    row = gains.loc["D_1"]
    assert row["gain"] == pytest.approx(0.3)
    assert row["interval"] == "items and seeds"
    # Drawn seeds: 0.3 -+ sqrt(2) * 0.1 at their ends.
    assert row["low"] == pytest.approx(0.3 - 0.1 * np.sqrt(2))
    assert row["high"] == pytest.approx(0.3 + 0.1 * np.sqrt(2))
    one = gains.loc["D_2"]
    assert one["interval"] == "items"
    assert one["gain"] == pytest.approx(-0.5)
    assert one["low"] < -0.5 < one["high"]
    only = cosine_gains(labels, {0: base, 1: readings[1]}).loc["D_1"]
    assert [only["low"], only["high"]] == pytest.approx([0.2, 0.2])


def test_without_a_baseline_no_gains():
    assert cosine_gains(["D_1"], {0: of_cosines(0.1, 0.2)}).empty


def test_trend_is_of_fused_systems_and_needs_four():
    frame = pd.DataFrame(
        {
            "label": ["baseline", "D_1", "D_2", "D_3", "D_4", "D_4"],
            "layer": pd.array([None, 1, 2, 3, 4, 4], "Int64"),
            "cosine": [0.0, 0.9, 0.8, 0.6, 0.8, 0.2],
            "unrelated": [0.0, 0.1, 0.2, 0.4, 0.3, 0.5],
        }
    )
    assert trend_over_layers(frame, "cosine") == pytest.approx(-1.0)
    # Means 0.1, 0.2, 0.4, 0.4: ties share a rank.
    assert 0.9 < trend_over_layers(frame, "unrelated") < 1.0
    assert np.isnan(trend_over_layers(frame[frame["label"] != "D_1"], "cosine"))
