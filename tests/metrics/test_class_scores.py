"""Scores by class agree with scikit-learn's, whole and drawn anew."""

import numpy as np
import pytest

from dlfa_tf.metrics import macro_f1
from dlfa_tf.metrics import matthews
from dlfa_tf.metrics.class_scores import class_counts
from dlfa_tf.metrics.class_scores import macro_f1_of_counts
from dlfa_tf.metrics.class_scores import matthews_of_counts
from dlfa_tf.metrics.resampling import resample_languages
from dlfa_tf.metrics.resampling import resample_scores

SCORES = {
    "macro_f1": (macro_f1, macro_f1_of_counts),
    "matthews": (matthews, matthews_of_counts),
}


def reference(name, gold, predicted):
    from sklearn import metrics

    if name == "macro_f1":
        value = metrics.f1_score(
            gold, predicted, average="macro", zero_division=0
        )
    else:
        value = metrics.matthews_corrcoef(gold, predicted)
    return 100 * value


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("num_classes", [2, 5])
def test_agrees_with_scikit_learn(name, num_classes):
    random = np.random.default_rng(0)
    names = np.array([f"label {i}" for i in range(num_classes)])
    gold = names[random.integers(num_classes - 1, size=60)]
    predicted = np.where(
        random.random(60) < 0.6, gold, names[random.integers(num_classes)]
    )
    score, _ = SCORES[name]
    assert score(list(gold), list(predicted))[name] == pytest.approx(
        reference(name, gold, predicted)
    )


def test_known_answers():
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"])[
        "macro_f1"
    ] == pytest.approx(200 / 3)
    assert matthews(["a", "b"], ["b", "a"])["matthews"] == -100.0
    assert matthews(["a", "a"], ["a", "a"])["matthews"] == 0.0
    assert macro_f1([], [])["macro_f1"] == matthews([], [])["matthews"] == 0.0
    for score in (macro_f1, matthews):
        with pytest.raises(ValueError, match="2 and 1"):
            score(["a", "b"], ["a"])


@pytest.mark.parametrize("name", SCORES)
def test_draws_are_scores_of_drawn_items(name):
    random = np.random.default_rng(1)
    gold = random.integers(3, size=40)
    predicted = np.stack(
        [np.where(random.random(40) < s, gold, 0) for s in (0.9, 0.3)]
    )
    counts = np.stack([class_counts(gold, x, 3) for x in predicted])
    _, of_counts = SCORES[name]
    drawn = resample_scores(counts, 200, np.random.default_rng(2), of_counts)
    items = np.random.default_rng(2).integers(40, size=(200, 40))
    for run in (0, 1):
        expected = reference(name, gold[items[7]], predicted[run][items[7]])
        assert drawn[7, run] == pytest.approx(expected)
    both = resample_languages(
        [counts, counts], ["x", "x"], 5, np.random.default_rng(2), of_counts
    )
    np.testing.assert_array_equal(both[..., 0], both[..., 1])
