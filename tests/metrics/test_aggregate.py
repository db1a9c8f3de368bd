"""Averages over languages, checked with published rows."""

import pytest

from dlfa_tf.metrics.aggregate import averages
from dlfa_tf.metrics.aggregate import macro_average

# mBERT on PAWS-X as XTREME published it; the row's mean is 81.96.
PAWSX = {
    "de": 85.7,
    "en": 94.0,
    "es": 87.4,
    "fr": 87.0,
    "ja": 73.0,
    "ko": 69.6,
    "zh": 77.0,
}


def test_averages_of_a_published_row():
    assert averages(PAWSX) == {
        "all": pytest.approx(573.7 / 7),
        "others": pytest.approx(479.7 / 6),
        "enf": pytest.approx(89.85),
        "noenf": pytest.approx(78.8),
    }


def test_averages_are_unweighted_and_count_english():
    assert macro_average({"en": 90.0, "sw": 30.0, "th": 30.0}) == 50.0


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({}, dict.fromkeys(("all", "others", "enf", "noenf"))),
        ({"en": 7.0}, {"all": 7, "others": None, "enf": 7, "noenf": None}),
        ({"de": 7.0}, {"all": 7, "others": 7, "enf": 7, "noenf": None}),
        ({"zh": 7.0}, {"all": 7, "others": 7, "enf": None, "noenf": 7}),
    ],
    ids=["none", "english", "german", "chinese"],
)
def test_averages_without_some_languages(scores, expected):
    assert averages(scores) == expected


def test_macro_average_over_chosen_languages():
    assert macro_average(PAWSX, ["en", "de"]) == pytest.approx(89.85)
    assert macro_average(PAWSX, []) is None


def test_macro_average_names_languages_without_a_score():
    with pytest.raises(KeyError, match=r"Received: \['sw', 'th'\].*'ja'"):
        macro_average(PAWSX, ["en", "th", "sw"])


def test_averages_without_other_sources():
    found = averages({"de": 1.0, "en": 3.0, "zh": 5.0}, sources=("de", "zh"))
    assert (found["all"], found["others"]) == (3.0, 3.0)
    assert (found["enf"], found["noenf"]) == (2.0, 5.0)
