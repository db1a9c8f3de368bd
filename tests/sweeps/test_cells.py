"""Tests of dlfa_tf.sweeps.cells."""

import pytest

from dlfa_tf.runs.settings import default_config
from dlfa_tf.sweeps.cells import System
from dlfa_tf.sweeps.cells import parse_seeds
from dlfa_tf.sweeps.cells import parse_systems
from dlfa_tf.sweeps.cells import plan_cells
from dlfa_tf.sweeps.cells import shard_cells


@pytest.mark.parametrize(
    ("names", "systems"),
    [
        (["baseline", "D_1..D_3"], [(None,), (1,), (2,), (3,)]),
        (["D_9", "baseline", "D_8..D_9"], [(9,), (None,), (8,)]),
        (["D_0"], [(0,)]),
        (
            ["mean_8..mean_9", "scalar_mix"],
            [(8, "mean"), (9, "mean"), (None, "scalar_mix")],
        ),
        (
            ["a.b:Sum_8..Sum_9", "a.b:Sum_1..a.b:Sum_1", "c:My_2_3"],
            [(8, "a.b:Sum"), (9, "a.b:Sum"), (1, "a.b:Sum"), (3, "c:My_2")],
        ),
    ],
)
def test_parse_systems(names, systems):
    assert parse_systems(names) == [System(*system) for system in systems]


@pytest.mark.parametrize(
    "name",
    [
        "D9",
        "baselin",
        "D_1..3",
        "D_-1",
        "",
        "d_1",
        "D_1..mean_2",
        "mean",
        "Sum_1",
        "a:Sum",
        "a:Sum_1..b:Sum_2",
    ],
)
def test_parse_systems_names_what_is_wrong(name):
    with pytest.raises(ValueError, match=f"Received: '{name}'. Accepted: bas"):
        parse_systems(["baseline", name])


def test_layers_that_would_share_a_folder_are_refused():
    with pytest.raises(ValueError, match="both be called Sum_1.*a:Sum and b:S"):
        parse_systems(["a:Sum_1", "b:Sum_1"])


def test_parse_seeds():
    assert parse_seeds(["3", "1..4"]) == [3, 1, 2, 4]
    with pytest.raises(ValueError, match="Received: 'one'"):
        parse_seeds(["one"])


@pytest.mark.parametrize("parse", [parse_systems, parse_seeds])
def test_empty_and_backward_ranges_are_refused(parse):
    with pytest.raises(ValueError, match="is empty"):
        parse([])
    text = "D_3..D_1" if parse is parse_systems else "3..1"
    with pytest.raises(ValueError, match=f"backwards. Received: '{text}'"):
        parse([text])


def plan(**changes):
    arguments = {
        "output_dir": "out",
        "tasks": ["pos", "xnli"],
        "systems": parse_systems(["baseline", "D_9"]),
        "gates": ["feature", "attention"],
        "seeds": [1, 2],
    }
    return plan_cells(default_config, **{**arguments, **changes})


def test_other_fusions_have_folders_and_no_gate():
    cells = plan(
        tasks=["pos"],
        systems=parse_systems(["mean_9", "scalar_mix"]),
        seeds=[1],
    )
    assert [cell.name for cell in cells] == [
        "pos/mean_9/seed-1",
        "pos/scalar_mix/seed-1",
    ]
    assert [cell.config.fusion for cell in cells] == ["mean", "scalar_mix"]


def test_every_run_has_its_folder_and_its_settings():
    cells = plan()
    assert [cell.name for cell in cells[:6]] == [
        "pos/baseline/seed-1",
        "pos/D_9/seed-1",
        "pos/D_9-attention/seed-1",
        "xnli/baseline/seed-1",
        "xnli/D_9/seed-1",
        "xnli/D_9-attention/seed-1",
    ]
    assert len(cells) == 12
    config = cells[8].config
    assert (config.task, config.fusion_layer) == ("pos", 9)
    assert (config.gate, config.seed) == ("attention", 2)
    assert config.output_dir == "out/pos/D_9-attention/seed-2"
    assert str(cells[8].log_file) == "out/pos/D_9-attention/seed-2.log"
    # The task's own recipe.
    assert (config.epochs, cells[3].config.epochs) == (10, 5)


def test_name_of_a_folder_does_not_hang_on_the_other_gates():
    names = {cell.name for cell in plan()}
    assert {cell.name for cell in plan(gates=["attention"])} < names
    assert {cell.name for cell in plan(gates=["feature"])} < names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ["poss"]}, "Did you mean 'pos'"),
        ({"gates": ["featur"]}, "`gate` is unknown"),
        ({"tasks": []}, "`tasks` is empty"),
        ({"gates": []}, "`gates` is empty"),
    ],
)
def test_wrong_plans_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        plan(**changes)


def test_shards_divide_the_runs():
    cells = plan()
    parts = [shard_cells(cells, i, 5) for i in range(5)]
    names = sorted(cell.name for part in parts for cell in part)
    assert names == sorted(cell.name for cell in cells)
    assert {len(part) for part in parts} == {2, 3}
    assert shard_cells(cells, 0, 1) == cells


@pytest.mark.parametrize(
    ("index", "count", "message"),
    [
        (2, 2, "Accepted: 0 to 1"),
        (-1, 2, "`shard_index`"),
        (0, 13, "13 for 12"),
    ],
)
def test_wrong_shards_are_refused(index, count, message):
    with pytest.raises(ValueError, match=message):
        shard_cells(plan(), index, count)
