"""Which runs may stand beside each other."""

import copy

import pytest

from dlfa_tf.analysis.comparable import check_comparable
from dlfa_tf.analysis.comparable import differences

BASELINE = {
    "system": "baseline",
    "score": "pos_f1",
    "label_piece": "first",
    "train_examples": 5,
    "config": {
        "task": "pos", "preset": "tiny", "seed": 1, "fusion_layer": None,
        "gate": "feature", "norm": "layer", "reduction_ratio": 4,
        "learning_rate": 0.1, "languages": ["all"], "compact_vocabulary": True,
    },
    "languages": {
        "de": {"split": "test", "examples": 9},
        "en": {"split": "test", "examples": 8},
    },
}  # fmt: skip


def changed(system, results=None, config=None):
    copied = copy.deepcopy(BASELINE)
    copied.update(system=system, **(results or {}))
    copied["config"].update(config or {})
    return copied


def test_system_gate_and_seed_may_differ():
    other = changed(
        "D_3",
        config={
            "seed": 2,
            "fusion_layer": 3,
            "gate": "attention",
            "languages": ["de"],
            "compact_vocabulary": False,
        },
    )
    assert differences(BASELINE, other) == {}


@pytest.mark.parametrize(
    ("results", "config", "expected"),
    [
        ({}, {"preset": "big"}, {}),
        ({}, {"epochs": 7}, {"epochs": (None, 7)}),
        ({}, {"learning_rate": 1}, {"learning_rate": (0.1, 1)}),
        ({}, {"of_tomorrow": 7}, {"of_tomorrow": (None, 7)}),
        ({"train_examples": 6}, {}, {"train_examples": (5, 6)}),
        (
            {"bundle": {"sha256": "7f", "weights": {"exact": False}}},
            {},
            {"bundle of rounded weights": (None, "7f")},
        ),
        ({"bundle": {"sha256": "7f", "weights": {"exact": True}}}, {}, {}),
        (
            {"languages": {"de": {"split": "dev", "examples": 7}}},
            {},
            {"split of de": ("test", "dev"), "examples of de": (9, 7)},
        ),
        ({"languages": {"fr": {"split": "dev", "examples": 7}}}, {}, {}),
    ],
    ids=[
        "preset",
        "epochs",
        "rate",
        "unknown",
        "data",
        "rounded",
        "exact",
        "files",
        "language",
    ],
)
def test_other_settings_and_data_are_found(results, config, expected):
    assert differences(BASELINE, changed("D_1", results, config)) == expected


def test_variants_may_be_compared():
    # Their names in a table say what they change.
    first = changed("D_1")
    second = changed("D_2", config={"norm": "batch", "frozen_layers": 6})
    piece = {"label_piece": "first_content"}
    third = changed("baseline", results=piece, config=piece)
    check_comparable([BASELINE, first, second, third], ["a", "b", "c", "d"])


def test_message_names_the_runs_and_both_values():
    other = changed("D_1", config={"clip_norm": 9, "learning_rate": 3})
    with pytest.raises(
        ValueError,
        match="Runs 'x' and 'y' are not comparable.*clip_norm: None and 9; "
        "learning_rate: 0.1 and 3.*Accepted",
    ):
        check_comparable([BASELINE, other], ["x", "y"])
    check_comparable([BASELINE, changed("D_1")], ["x", "y"])
