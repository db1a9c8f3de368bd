"""Paired bootstrap of a difference."""

import numpy as np
import pytest

from dlfa_tf.metrics import accuracy
from dlfa_tf.metrics import ner_f1
from dlfa_tf.metrics import paired_bootstrap
from dlfa_tf.metrics import pos_f1
from dlfa_tf.metrics.bootstrap import item_counts

TAGS = {"pos_f1": ["NOUN", "VERB", "SYM"], "ner_f1": ["O", "B-PER", "I-PER"]}


def draw_tags(metric, seed, sentences=20):
    random = np.random.default_rng(seed)
    return [
        random.choice(TAGS[metric], size=n).tolist()
        for n in np.random.default_rng(0).integers(1, 9, size=sentences)
    ]


@pytest.mark.parametrize(
    "metric, function", [("pos_f1", pos_f1), ("ner_f1", ner_f1)]
)
def test_item_counts_add_up_to_the_score(metric, function):
    gold, predicted = draw_tags(metric, 1), draw_tags(metric, 2)
    right, expected, found = item_counts(metric, gold, predicted).sum(axis=0)
    score = 200 * right / (expected + found)
    assert score == pytest.approx(function(gold, predicted)["f1"], abs=1e-12)


def test_item_counts_of_accuracy_add_up_to_the_score():
    gold, predicted = list("01101"), list("01011")
    right, expected, found = item_counts("accuracy", gold, predicted).sum(0)
    assert 200 * right / (expected + found) == 60.0
    assert accuracy(gold, predicted)["accuracy"] == 60.0


def test_equal_systems_differ_by_nothing():
    gold, predicted = draw_tags("pos_f1", 1), draw_tags("pos_f1", 2)
    assert paired_bootstrap(gold, predicted, predicted, "pos_f1") == {
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
        "p_value": 1.0,
    }


def test_clearly_better_system_has_an_interval_above_zero():
    gold = ["1"] * 200
    worse = ["0"] * 80 + ["1"] * 120
    better = ["0"] * 20 + ["1"] * 180
    result = paired_bootstrap(gold, worse, better, "accuracy")
    assert result["difference"] == pytest.approx(30.0)
    assert 20 < result["low"] < 30 < result["high"] < 40
    assert result["p_value"] == 0.001


def test_interval_has_the_width_of_the_normal_approximation():
    # One system always right, the other right on half of n items: the
    # difference is a proportion with standard error sqrt(0.25 / n).
    n = 400
    result = paired_bootstrap(
        ["1"] * n, ["0", "1"] * (n // 2), ["1"] * n, "accuracy"
    )
    expected = 2 * 1.96 * 100 * np.sqrt(0.25 / n)
    # 1000 draws give a quantile to within about 5 %.
    assert result["high"] - result["low"] == pytest.approx(expected, rel=0.15)


def test_languages_are_averaged_without_weights():
    gold = {"en": ["1"] * 10, "de": ["1"] * 1000}
    first = {"en": ["0"] * 10, "de": ["1"] * 1000}
    result = paired_bootstrap(gold, first, gold, "accuracy", num_samples=20)
    assert result["difference"] == pytest.approx(50.0)
    assert result["low"] == result["high"] == pytest.approx(50.0)


def test_translations_are_drawn_together():
    # The same 200 texts, right and wrong alike in four languages: no more is
    # known of the systems than from one language.
    gold, a, b = (
        dict.fromkeys(("de", "en", "fr", "zh"), tags)
        for tags in (["1"] * 200, ["0", "1"] * 100, ["1"] * 200)
    )
    one = paired_bootstrap(gold["en"], a["en"], b["en"], "accuracy")
    together = paired_bootstrap(gold, a, b, "accuracy", parallel=True)
    assert together == pytest.approx(one)
    apart = paired_bootstrap(gold, a, b, "accuracy")
    assert apart["difference"] == together["difference"]
    widths = [x["high"] - x["low"] for x in (together, apart)]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)


def test_same_seed_gives_the_same_interval_and_another_one_does_not():
    gold, a, b = (draw_tags("pos_f1", seed) for seed in (1, 2, 3))
    run = [
        paired_bootstrap(gold, a, b, "pos_f1", num_samples=50, seed=seed)
        for seed in (4, 4, 5)
    ]
    assert run[0] == run[1] != run[2]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([], [], [], "accuracy"), "has no items"),
        ((["1"], ["1"], ["1"], "f2"), "`metric` is not a known name.*'f2'"),
        ((["1"], ["1", "0"], ["1"], "accuracy"), "equally long.*1 and 2"),
        (
            ({"en": ["1"]}, {"de": ["1"]}, {"en": ["1"]}, "accuracy"),
            "same lang",
        ),
    ],
    ids=["empty", "metric", "length", "languages"],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(*arguments)


def test_translations_must_be_equally_many():
    gold = {"en": ["1"], "de": ["1", "0"]}
    with pytest.raises(ValueError, match=r"Translations.*\[2, 1\] items"):
        paired_bootstrap(gold, gold, gold, "accuracy", parallel=True)


@pytest.mark.parametrize("values", [{"confidence": 1.0}, {"num_samples": 0}])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="is out of range|is too small"):
        paired_bootstrap(["1"], ["1"], ["1"], "accuracy", **values)
