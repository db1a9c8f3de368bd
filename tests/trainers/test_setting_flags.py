"""Tests of the flags of settings."""

import pytest
from absl import flags

from trainers import setting_flags


@pytest.fixture
def made():
    """Defines flags and parses arguments: `made({"seed": {}}, "--seed=3")`."""
    before = set(flags.FLAGS)

    def made(defined, *arguments):
        for name, changes in defined.items():
            setting_flags.define(name, **changes)
        flags.FLAGS(["program", *arguments])
        return flags.FLAGS

    yield made
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)
    flags.FLAGS.unparse_flags()


def test_values_are_those_of_the_flags_there_are(made):
    made(
        {"seed": {}, "languages": {}, "epochs": {}, "gate": {}},
        "--seed=3",
        "--languages=de,zh",
    )
    assert setting_flags.values() == {
        "seed": 3,
        "languages": ("de", "zh"),
        "epochs": None,
        "gate": "feature",
    }


def test_program_says_otherwise(made):
    found = made(
        {
            "epochs": {"help": "Passes", "unset": "few"},
            "fusion_layer": {"default": 9, "unset": ""},
        }
    )
    assert found["epochs"].help == "Passes; default few."
    assert found.fusion_layer == 9
    assert found["fusion_layer"].help.endswith("D_1 its system.")


def test_flag_may_be_required(made):
    with pytest.raises(flags.Error, match="--task must have a value"):
        made({"task": {"required": True}})


@pytest.mark.parametrize(
    "argument",
    ["--learning_rate=-1", "--dropout=1.5", "--train_limit=-1", "--epochs=0"],
)
def test_bounds_are_those_of_the_setting(made, argument):
    name = argument[2:].partition("=")[0]
    with pytest.raises(flags.IllegalFlagValueError, match=argument):
        made({name: {}}, argument)


def test_zero_is_a_value_where_it_means_none(made):
    assert made({"train_limit": {}}, "--train_limit=0").train_limit == 0
