"""Tests of the choice of weights on the English dev set."""

import pytest

from dlfa_tf.training.dev_choice import DevChoice


def chosen(scores):
    choice, copies = DevChoice(), []
    for step, score in enumerate(scores, 1):
        choice.add(step, score, lambda step=step: copies.append(step) or [step])
    return choice, copies


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([50.0, 50.0, 40.0], 1),
        ([50.0, 51.0, 40.0], 2),
        ([0.0, 0.0], 1),
        ([1.0, 2.0, 3.0], 3),
    ],
    ids=["equal is no better", "better", "zero", "last"],
)
def test_only_a_strictly_better_score_replaces_the_best(scores, best):
    choice, _ = chosen(scores)
    assert (choice.best_step, choice.best_score) == (best, scores[best - 1])
    assert choice.weights == [best]


def test_weights_are_copied_for_a_best_score_only():
    _, copies = chosen([5.0, 4.0, 6.0, 6.0])
    assert copies == [1, 3]


def test_goes_on_from_its_plain_values():
    choice, _ = chosen([5.0, 7.0])
    again = DevChoice(**choice.to_json(), weights=choice.weights)
    assert again == choice
    entry = again.add(3, 6.0, lambda: pytest.fail("copied"))
    assert entry == {"step": 3, "dev_score": 6.0}
    assert [e["step"] for e in again.history] == [1, 2, 3]
    assert again.best_step == 2
