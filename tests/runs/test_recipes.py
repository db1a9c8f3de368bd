"""Tests of the named settings."""

import pytest

from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import get_task
from dlfa_tf.runs.recipes import RECIPES
from dlfa_tf.runs.recipes import recipe_values
from dlfa_tf.runs.settings import default_config


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("task", TASKS)
def test_every_recipe_makes_a_config_of_every_task(name, task):
    config = default_config(task, name, output_dir="o", data_source="sample")
    assert config.recipe == name
    assert (config.batch_size, config.clip_norm) == (32, 1.0)
    assert (config.weight_decay, config.adam_epsilon) == (0.0, 1e-8)
    warms_up = name == "e5_small" and task in ("xnli", "pawsx")
    assert config.warmup_steps == (60 if warms_up else 0)


@pytest.mark.parametrize(
    ("task", "epochs", "every"),
    [("xnli", 5, 100), ("pawsx", 5, 200), ("ner", 10, 1000), ("pos", 10, 500)],
)
def test_xtreme_is_what_its_scripts_say(task, epochs, every):
    values = recipe_values("xtreme", get_task(task))
    assert values == {
        "epochs": epochs,
        "batch_size": 32,
        "learning_rate": 2e-5,
        "dev_every": every,
    }


def test_two_epochs_are_for_pairs():
    epochs = {
        task.name: recipe_values("paper2epoch", task)["epochs"]
        for task in TASKS.values()
    }
    assert epochs == {"xnli": 2, "pawsx": 2, "ner": 10, "pos": 10}


def test_flags_override_and_zero_takes_a_limit_away():
    config = default_config(
        "pos",
        "quick",
        output_dir="o",
        data_source="sample",
        train_limit=0,
        dev_every=0,
        epochs=None,
        learning_rate=1.0,
    )
    assert (config.train_limit, config.dev_every) == (None, None)
    assert (config.epochs, config.learning_rate) == (2, 1.0)
    assert config.eval_limit == 400


def test_unknown_recipe_offers_the_nearest():
    with pytest.raises(ValueError, match="'xtrem'.*Did you mean 'xtreme'"):
        recipe_values("xtrem", get_task("pos"))


def test_a_recipe_cannot_be_changed_by_its_reader():
    recipe_values("xtreme", get_task("pos"))["epochs"] = 0
    assert recipe_values("xtreme", get_task("pos"))["epochs"] == 10
