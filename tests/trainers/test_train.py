"""Tests of trainers.train."""

import dataclasses
import json

import pytest
from absl import flags

from dlfa_tf.data.tasks import TASKS
from dlfa_tf.runs.recipes import RECIPES
from dlfa_tf.runs.recipes import recipe_values
from dlfa_tf.runs.setting import REQUIRED
from dlfa_tf.runs.settings import SETTINGS
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.settings import default_config
from trainers import train

pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


@pytest.mark.programs
def test_a_run_as_a_user_starts_it(start, tmp_path):
    """Compiled, unlike the other runs of these tests."""
    folder = tmp_path / "run"
    done = start(
        "train",
        "--task=pos",
        "--data_source=sample",
        "--preset=tiny",
        "--fusion_layer=2",
        "--gate=attention",
        "--epochs=1",
        "--batch_size=16",
        "--learning_rate=0.01",
        "--train_limit=40",
        "--eval_limit=5",
        "--languages=zh",
        "--seed=7",
        f"--output_dir={folder}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((folder / "results.json").read_text("utf-8"))
    config = results["config"]
    assert config["task"] == "pos"
    assert config["gate"] == results["gate"] == "attention"
    assert config["learning_rate"] == 0.01
    assert config["languages"] == ["zh"]
    assert config["seed"] == 7
    # The task's own, as no flag says otherwise.
    assert (config["sequence_length"], config["clip_norm"]) == (128, 1.0)
    assert (results["system"], results["total_steps"]) == ("D_2", 3)
    assert "3 steps of 16" in done.stdout
    title = "pos: pos_f1 in percent, preset tiny"
    assert title in " ".join(done.stdout.split())
    score = results["languages"]["zh"]["score"]
    assert f"zh test {score:.2f}" in done.stdout
    assert f"Results: {folder}/results.json" in done.stdout


@pytest.fixture
def configs(monkeypatch):
    """Configs that training was called with; nothing is trained."""
    seen = []

    def run(config, inputs, say, verbose, resume):
        seen.append(config)
        return {
            "system": "baseline",
            "score": "accuracy",
            "config": config.to_json(),
            "languages": {"en": {"score": 1.0, "split": "test"}},
            "averages": {"all": 1.0, "others": None},
            "missing_languages": [],
        }

    monkeypatch.setattr("dlfa_tf.training.run.run", run)
    return seen


def test_defaults_are_the_tasks(call, configs, tmp_path):
    call(train, "--task=xnli", "--data_dir=d", f"--output_dir={tmp_path}")
    (config,) = configs
    assert (config.epochs, config.batch_size) == (5, 32)
    assert config.learning_rate == 2e-5
    assert config.preset == "e5_small_multi"
    assert config.fusion_layer is None
    assert config.languages == ("all",)
    assert (config.recipe, config.dev_every) == ("xtreme", 100)
    assert (config.data_source, config.data_dir) == ("files", "d")


def other_value(declared):
    """A value that is not the default, as a config has it."""
    if declared.kind is bool:
        return not declared.default
    if declared.name == "target_examples":
        return ("zh:100", "sw:7")
    if declared.kind is tuple:
        return ("fr", "de")
    if declared.choices:
        # The last of a fusion is no name.
        return next(x for x in declared.choices if x != declared.default)
    if declared.kind is str:
        return "other"
    if declared.below is not None:
        return 0.25
    used = declared.default is None or declared.default is REQUIRED
    return declared.kind((declared.low or 0) if used else declared.default) + 1


def test_every_flag_of_a_setting_reaches_the_config(call, configs):
    wanted = {
        name: other_value(x) for name, x in SETTINGS.items() if x.has_flag
    }
    without = {"definition"}
    assert len(wanted) + len(without) == len(dataclasses.fields(TrainConfig))
    for name, value in wanted.items():
        assert value != SETTINGS[name].default, name
    text = {
        k: ",".join(v) if isinstance(v, tuple) else v for k, v in wanted.items()
    }
    call(train, *(f"--{k}={v}" for k, v in text.items()))
    (config,) = configs
    assert {name: getattr(config, name) for name in wanted} == wanted


def test_what_no_flag_says_is_the_default_or_the_recipes(
    call, configs, tmp_path
):
    call(train, "--task=pos", "--data_dir=d", f"--output_dir={tmp_path}")
    expected = default_config("pos", output_dir=str(tmp_path), data_dir="d")
    assert configs == [expected]


def test_zero_lifts_what_a_recipe_limits(call, configs, tmp_path):
    call(
        train,
        "--task=xnli",
        "--data_source=sample",
        "--recipe=quick",
        "--eval_limit=0",
        "--train_limit=0",
        "--dev_every=0",
        f"--output_dir={tmp_path}",
    )
    (config,) = configs
    assert config.epochs == 2
    assert config.eval_limit is config.train_limit is config.dev_every is None


@pytest.mark.parametrize("text", ["9", "D_9"])
def test_fusion_layer_is_a_block_or_its_system(call, configs, tmp_path, text):
    call(
        train,
        "--task=xnli",
        "--data_source=sample",
        f"--fusion_layer={text}",
        f"--output_dir={tmp_path}",
    )
    assert configs[0].fusion_layer == 9


def test_gate_without_a_block_is_refused(call, configs, tmp_path):
    """The baseline would be trained by who forgot the block."""
    arguments = ("--task=pos", "--data_dir=d", f"--output_dir={tmp_path}")
    options = ("--initial_gate=0.1", "--gate=feature")
    with pytest.raises(
        flags.IllegalFlagValueError,
        match="Received: --gate, --initial_gate. Accepted: --fusion_layer=9",
    ):
        call(train, *arguments, *options)
    call(train, *arguments, *options, "--fusion_layer=9")
    # As a sweep starts its baseline.
    call(train, *arguments, *options, "--fusion=dlfa")
    assert [config.system for config in configs] == ["D_9", "baseline"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_has_its_flag(call, configs, tmp_path, recipe):
    call(
        train,
        "--task=xnli",
        "--data_dir=d",
        f"--recipe={recipe}",
        f"--output_dir={tmp_path}",
    )
    values = recipe_values(recipe, TASKS["xnli"])
    got = configs[0].to_json()
    assert {k: got[k] or 0 for k in values} == values


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--task=poss"], ["--task=poss", "'poss'", "Did you mean 'pos'?"]),
        (["--task=pos", "--gate=featur"], ["--gate", "Did you mean 'feature'"]),
        (["--task=pos", "--fusion=men"], ["MODULE:CLASS", "mean 'mean'"]),
        (["--task=pos", "--fusion_layr=9"], ["fusion_layr", "fusion_layer"]),
        (["--task=pos", "--fusion_layer=-1"], ["--fusion_layer=-1"]),
        (
            ["--task=pos", "--fusion_layer=mean_9"],
            ["--fusion_layer=mean_9", "not a block. Accepted: the number of"],
        ),
        (["--task=panx"], ["Did you mean 'ner'?"]),
        (["--task=UD"], ["Did you mean 'pos'?"]),
        (["--task=pos", "--epochs=two"], ["--epochs=two"]),
        (["--data_dir=d"], ["--task"]),
    ],
    ids=[
        "task",
        "gate",
        "fusion",
        "name",
        "bound",
        "block",
        "panx",
        "ud",
        "type",
        "required",
    ],  # fmt: skip
)
def test_wrong_flags_are_named_at_once(start_wrong, arguments, parts):
    message = start_wrong("train", "--output_dir=o", *arguments)
    for part in parts:
        assert part in message
    assert "--help" in message


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--learning_rate=0", "`learning_rate` must be positive"),
        ("--clip_norm=0", "`clip_norm` must be positive"),
    ],
)
def test_wrong_settings_are_named_at_once(start_wrong, argument, part):
    message = start_wrong(
        "train", "--output_dir=o", "--task=pos", argument, code=1
    )
    assert message.startswith("Error: ")
    assert part in message
    assert "\n" not in message


def test_own_layer_is_imported_and_checked_before_the_run(
    call, configs, monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(tmp_path)
    source = (
        "import keras\n"
        '@keras.saving.register_keras_serializable(package="own_of_train")\n'
        "class Sum(keras.layers.Layer):\n"
        "    def call(self, low, high, padding_mask=None):\n"
        "        return low + high\n"
        "class Other(Sum):\n"
        "    pass\n"
    )
    (tmp_path / "own_of_train.py").write_text(source)
    arguments = ("--task=pos", "--data_dir=d", "--fusion_layer=9")
    folder = f"--output_dir={tmp_path / 'run'}"
    call(train, *arguments, "--fusion=own_of_train:Sum", folder)
    (config,) = configs
    assert (config.fusion, config.system) == ("own_of_train:Sum", "Sum_9")
    with pytest.raises(ValueError, match="Other is not registered"):
        call(train, *arguments, "--fusion=own_of_train:Other", folder)
    with pytest.raises(ImportError, match="'no_such_module' cannot be imp"):
        call(train, *arguments, "--fusion=no_such_module:Sum", folder)
    assert len(configs) == 1


def test_help_shows_an_example(start):
    text = start("train", "--helpfull").stdout
    assert "python -m trainers.train --task=pos --data_source=sample" in text
    for name in ("task", "fusion_layer", "languages", "seed", "output_dir"):
        assert f"--{name}: " in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([], ValueError, "`data_dir` is needed"),
        (["--data_dir=no/such"], FileNotFoundError, "'no/such/udpos_fused'"),
        (
            ["--data_source=sample", "--languages=de,gr"],
            ValueError,
            "Language 'gr' is not one of task 'pos'",
        ),
    ],
    ids=["no data_dir", "no folder", "unknown language"],
)
def test_wrong_data_is_refused(call, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        call(train, "--task=pos", f"--output_dir={tmp_path}", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_output_folder_with_content_is_refused(call, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="never overwritten"):
        call(
            train,
            "--task=pos",
            "--data_source=sample",
            f"--output_dir={tmp_path}",
        )
