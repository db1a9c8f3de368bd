"""Tests of dlfa_tf.sweeps.block_numbers."""

import json

import pytest

from dlfa_tf.models.presets.tiny import tiny_encoder
from dlfa_tf.runs.settings import default_config
from dlfa_tf.sweeps.block_numbers import check_block_numbers
from dlfa_tf.sweeps.block_numbers import known_num_blocks
from dlfa_tf.sweeps.cells import Cell


def cell(name="run", **settings):
    settings = {"preset": "tiny", **settings}
    return Cell(name=name, config=default_config("pos", output_dir=name,
                                                 **settings))  # fmt: skip


def test_tiny_has_as_many_blocks_as_the_table_says():
    assert known_num_blocks("tiny") == tiny_encoder(9).num_layers
    assert known_num_blocks("tiny_sentencepiece") == 3


def test_names_of_the_table_are_presets():
    from dlfa_tf.models.presets import by_name
    from dlfa_tf.sweeps.block_numbers import _NUM_BLOCKS

    names = {*by_name.PRESETS, *by_name._builtin_presets()}
    assert set(_NUM_BLOCKS) <= names
    assert set(by_name.PRESETS) <= set(_NUM_BLOCKS)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        (json.dumps({"config": {"num_layers": 4}}), 4),
        (json.dumps({"config": {"num_layers": "4"}}), None),
        (json.dumps({"config": {}}), None),
        (json.dumps(["config"]), None),
        ("{", None),
        (None, None),
    ],
)
def test_folder_says_how_many_blocks_it_has(tmp_path, text, blocks):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    assert known_num_blocks(str(tmp_path)) == blocks


@pytest.mark.parametrize("preset", ["hf://a/b", "no_such_preset", ""])
def test_others_are_not_known(preset):
    assert known_num_blocks(preset) is None
    check_block_numbers([cell(preset=preset, fusion_layer=99)])


def test_right_numbers_are_accepted():
    check_block_numbers(
        [
            cell(),
            cell(fusion_layer=2),
            cell(fusion_layer=0, last_layer=1),
            cell(last_layer=3, frozen_layers=3),
            cell(fusion="scalar_mix"),
            cell(preset="e5_small_multi", fusion_layer=11),
        ]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"fusion_layer": 3},
        {"fusion_layer": 2, "last_layer": 2},
        {"fusion_layer": 7, "fusion": "mean"},
        {"last_layer": 4},
        {"frozen_layers": 4},
        {"preset": "e5_small_multi", "fusion_layer": 12},
    ],
    ids=str,
)
def test_wrong_numbers_are_named(settings):
    with pytest.raises(
        ValueError,
        match="1 of 2 runs ask for blocks .* not have: wrong. Received: wrong "
        r"with .* of \d+ blocks. Accepted: .*Nothing was started",
    ):
        check_block_numbers([cell("right"), cell("wrong", **settings)])
