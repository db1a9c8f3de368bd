"""Accuracy of flat and nested labels."""

import numpy as np
import pytest

from dlfa_tf.metrics.accuracy import accuracy


@pytest.mark.parametrize(
    ("gold", "predicted", "percent"),
    [
        pytest.param(["0", "1"], ["0", "0"], 50, id="flat"),
        pytest.param([0, 1, 2, 2], [0, 1, 2, 1], 75, id="ids"),
        pytest.param(["neutral"] * 3, ["neutral"] * 3, 100, id="one_class"),
        pytest.param(["a", "b"], ["b", "a"], 0, id="order_counts"),
        pytest.param(("10",), ("10",), 100, id="a_label_is_no_sequence"),
        pytest.param(("10",), ("11",), 0, id="letters_are_not_compared"),
        pytest.param(
            [["A"], ["B", "C", "D"]], [["A"], ["B"] * 3], 50, id="nest"
        ),
        pytest.param([("A", "B")], [["A", "C"]], 50, id="tuple_and_list"),
        pytest.param([[], ["A"]], [[], ["A"]], 100, id="empty_sentence"),
        pytest.param([], [], 0, id="empty"),
        pytest.param([[]], [[]], 0, id="empty_nested"),
    ],
)
def test_accuracy(gold, predicted, percent):
    assert accuracy(gold, predicted) == {"accuracy": pytest.approx(percent)}


def test_accuracy_of_tags_counts_tokens():
    gold = "CCONJ NOUN X NOUN NOUN SYM SYM SCONJ SCONJ VERB".split()
    predicted = "SCONJ NOUN X NOUN VERB SYM SYM SCONJ SCONJ VERB".split()
    assert accuracy([gold], [predicted])["accuracy"] == pytest.approx(80)
    assert accuracy(gold, predicted)["accuracy"] == pytest.approx(80)


@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_accuracy_of_arrays(shape):
    gold = np.array([0, 1, 2, 0, 1, 2]).reshape(shape)
    predicted = np.array([0, 1, 2, 0, 2, 1]).reshape(shape)
    percent = accuracy(gold, predicted)["accuracy"]
    assert percent == pytest.approx(200 / 3)
    assert type(percent) is float


def test_order_of_sentences_does_not_matter():
    gold, predicted = [["A", "B"], ["C"]], [["A", "A"], ["C"]]
    assert accuracy(gold, predicted) == accuracy(gold[::-1], predicted[::-1])


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"equally long. Received: 2 and 1\."):
        accuracy(["0", "1"], ["0"])


def test_lengths_of_items_must_agree_and_the_item_is_named():
    with pytest.raises(
        ValueError, match=r"Item 1 \(counted from 0\).*Received: 2 and 1\."
    ):
        accuracy([["A"], ["A", "B"]], [["A"], ["A"]])
