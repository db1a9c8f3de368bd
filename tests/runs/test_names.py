"""Tests of the names of systems and of their folders."""

import pytest

from dlfa_tf.runs.names import system_folder
from dlfa_tf.runs.names import system_name


@pytest.mark.parametrize(
    ("layer", "fusion", "name"),
    [
        (None, "dlfa", "baseline"),
        (0, "dlfa", "D_0"),
        (11, "dlfa", "D_11"),
        (9, "mean", "mean_9"),
        (None, "scalar_mix", "scalar_mix"),
        (3, "GatedSum", "GatedSum_3"),
        (3, "my_package.fusions:GatedSum", "GatedSum_3"),
    ],
)
def test_system_name_is_the_papers_or_that_of_the_fusion(layer, fusion, name):
    assert system_name(layer, fusion) == name


@pytest.mark.parametrize(
    ("gate", "variant", "folder"),
    [
        (None, "", "D_9"),
        ("feature", "", "D_9"),
        ("attention", "", "D_9-attention"),
        (
            "attention",
            "branches=local, new_layer_rate=10.0",
            "D_9-attention-branches-local-new_layer_rate-10.0",
        ),
    ],
    ids=["none", "default", "gate", "variant"],
)
def test_folder_of_a_system_has_gate_and_variant(gate, variant, folder):
    assert system_folder("D_9", gate, variant) == folder
