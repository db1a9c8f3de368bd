"""Tests of dlfa_tf.adapting.settings."""

import pytest

from dlfa_tf.adapting.settings import AdaptConfig


def make(**changes):
    return AdaptConfig(**{"texts": ("de.txt",), "output_dir": "x", **changes})


@pytest.mark.parametrize(
    "name, value",
    [
        ("steps", 0),
        ("mask_rate", 1.0),
        ("mask_rate", 0.0),
        ("sampling_exponent", -0.1),
        ("sequence_length", 3),
        ("texts", ()),
        ("precision", "float8"),
        ("warmup_share", 1.0),
    ],
)
def test_values_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        make(**{name: value})


def test_weight_decay_does_not_fit_free_rows_of_a_compact_vocabulary():
    with pytest.raises(ValueError, match="compact_vocabulary"):
        make(weight_decay=0.01, frozen_embeddings=False)
    make(weight_decay=0.01)
    make(weight_decay=0.01, frozen_embeddings=False, compact_vocabulary=False)


def test_no_folder_of_this_machine_is_shared():
    config = make(
        texts=("de:/somewhere/a.txt", "/data/b-et.txt"), preset="/data/mine"
    )
    assert config.shareable()["preset"] == "mine"
    assert config.shareable()["texts"] == ["a.txt", "b-et.txt"]
    assert "output_dir" not in config.shareable()
    assert make(steps=50).warmup_steps == 5
