"""Tests of the settings of a run."""

import json
import pathlib
import subprocess
import sys

import pytest

from dlfa_tf.data.tasks import TASKS
from dlfa_tf.runs.settings import TrainConfig
from dlfa_tf.runs.settings import default_config
from dlfa_tf.runs.settings import read_config
from dlfa_tf.runs.variants import DEFAULTS


def config(**changes):
    values = {
        "task": "pos",
        "output_dir": "out",
        "data_source": "sample",
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 1e-3,
    }
    return TrainConfig(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "poss"}, "`task` is unknown.*'poss'.*Did you mean 'pos'"),
        ({"task": 7}, "`task` is unknown.*Received: 7.*'xnli'"),
        ({"data_source": "file"}, "`data_source`.*Did you mean 'files'"),
        ({"gate": "features"}, "`gate`.*Did you mean 'feature'"),
        ({"norm": "layers"}, "`norm`.*'batch'.*Did you mean 'layer'"),
        ({"label_piece": "last"}, "`label_piece`.*'last'.*first_content"),
        ({"eval_split": "train"}, "`eval_split`.*test_or_dev"),
        ({"precision": "float31"}, "`precision`.*Did you mean 'float32'"),
        ({"epochs": 0}, "`epochs` is too small. Received: 0.*1 or more"),
        ({"batch_size": 0}, "`batch_size` is too small"),
        ({"reduction_ratio": 0}, "`reduction_ratio` is too small"),
        ({"dev_every": 0}, "`dev_every` is too small"),
        ({"train_limit": 0}, "`train_limit` is too small"),
        ({"eval_limit": 0}, "`eval_limit` is too small"),
        ({"fusion_layer": -1}, "`fusion_layer` is too small.*-1.*0 or more"),
        ({"sequence_length": 7}, "`sequence_length` is too small.*8 or more"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"learning_rate": -1e-3}, "`learning_rate`.*Received: -0.001"),
        ({"learning_rate": float("nan")}, "`learning_rate`.*nan"),
        ({"adam_epsilon": 0.0}, "`adam_epsilon` must be positive"),
        ({"clip_norm": float("inf")}, "`clip_norm`.*finite.*inf"),
        ({"dropout": 1.0}, "`dropout` is out of range.*1.0.*below 1"),
        ({"dropout": -0.1}, "`dropout` is out of range"),
        ({"dropout": float("nan")}, "`dropout` is out of range"),
        ({"weight_decay": -0.1}, "`weight_decay` must be finite and not neg"),
        ({"weight_decay": float("nan")}, "`weight_decay` must be finite"),
        ({"weight_decay": 0.01}, "`compact_vocabulary` is exact only without"),
        ({"languages": ()}, "`languages` is empty"),
        ({"branches": "locl"}, "`branches`.*Did you mean 'local'"),
        ({"output_norm": "batch"}, "`output_norm` is unknown.*'layer'"),
        ({"fusion": "means"}, "`fusion` is unknown.*Did you mean 'mean'"),
        ({"fusion": "own:"}, "`fusion` is unknown.*or MODULE:CLASS"),
        ({"fusion": 7}, "`fusion` is unknown. Received: 7"),
        ({"fusion": "own:D"}, "`fusion` has a class whose name means another"),
        ({"fusion": "own:Sum"}, "`fusion_layer` does not fit.*MODULE:CLASS"),
        ({"sentence_pooling": "max"}, "`sentence_pooling` is unknown"),
        ({"pooler": "old"}, "`pooler` is unknown.*'identity'"),
        ({"initial_gate": 1.0}, "`initial_gate` is out of range.*1.0"),
        ({"mix_factor": 0.0}, "`mix_factor` must be positive"),
        ({"new_layer_rate": 0.0}, "`new_layer_rate` must be positive"),
        ({"last_layer": 0}, "`last_layer` is too small"),
        ({"frozen_layers": -1}, "`frozen_layers` is too small"),
        ({"fusion": "mean"}, "`fusion_layer` does not fit.*None with fusion="),
        (
            {"fusion": "scalar_mix", "fusion_layer": 2},
            "`fusion_layer` does not fit `fusion`. Received: 2",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)
def test_bad_value_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)


@pytest.mark.parametrize("languages", ["all", ["de"]])
def test_languages_other_than_a_tuple_are_refused(languages):
    with pytest.raises(TypeError, match="`languages` must be a tuple"):
        config(languages=languages)


def test_values_at_the_border_are_accepted():
    config(fusion_layer=0, sequence_length=8, dropout=0.0, epochs=1)
    config(weight_decay=0.01, compact_vocabulary=False)
    config(label_piece="first_content", dev_every=1, precision="mixed_bfloat16")


def test_config_is_frozen():
    with pytest.raises(AttributeError):
        config().seed = 2


def test_json_round_trip():
    first = config(fusion_layer=9, languages=("de", "zh"), dev_every=5)
    text = json.dumps(first.to_json())
    assert TrainConfig.from_json(json.loads(text)) == first
    assert json.loads(text)["languages"] == ["de", "zh"]


def test_no_folder_of_this_machine_is_shared():
    config = default_config(
        "pos", output_dir="o", data_dir="/data", preset="/data/presets/mine"
    )
    shared = config.shareable()
    assert shared["preset"] == "mine"
    assert not {"output_dir", "data_dir"} & set(shared)
    assert config.to_json()["preset"] == "/data/presets/mine"


def test_json_with_an_unknown_setting_is_refused():
    values = {**config().to_json(), "gates": "feature"}
    with pytest.raises(
        ValueError, match=r"Unknown settings.*\['gates'\].*gate"
    ):
        TrainConfig.from_json(values)


def test_json_without_languages_means_all_of_them():
    values = config().to_json()
    del values["languages"]
    assert TrainConfig.from_json(values).languages == ("all",)


@pytest.mark.parametrize("task", TASKS)
def test_defaults_are_those_of_the_task(task):
    made = default_config(task, output_dir="out", epochs=None, seed=None)
    assert made.epochs == {"xnli": 5, "pawsx": 5, "ner": 10, "pos": 10}[task]
    assert (made.batch_size, made.learning_rate) == (32, 2e-5)
    assert (made.seed, made.dropout, made.sequence_length) == (1, 0.1, 128)
    assert (made.weight_decay, made.adam_epsilon) == (0.0, 1e-8)
    assert made.clip_norm == 1.0
    assert made.task_definition is TASKS[task]


def test_given_values_replace_the_defaults():
    made = default_config("ner", output_dir="out", epochs=1, fusion_layer=0)
    assert (made.epochs, made.fusion_layer) == (1, 0)
    assert made.system == "D_0"


def test_default_config_of_an_unknown_task_offers_the_nearest():
    with pytest.raises(ValueError, match="'xnl'.*Did you mean 'xnli'"):
        default_config("xnl", output_dir="out")


@pytest.mark.parametrize(
    ("layer", "name"), [(None, "baseline"), (0, "D_0"), (11, "D_11")]
)
def test_system_name_is_the_papers(layer, name):
    assert config(fusion_layer=layer).system == name


def test_only_equation_2_has_a_gate():
    assert config().gate_used is None
    assert config(fusion_layer=2).gate_used == "feature"
    assert config(fusion_layer=2, fusion="mean").gate_used is None
    assert config(fusion="scalar_mix").gate_used is None


def test_every_variant_is_a_setting_with_that_default():
    made = config()
    assert {name: getattr(made, name) for name in DEFAULTS} == DEFAULTS


def write(folder, text):
    (folder / "config.json").write_text(text, encoding="utf-8")
    return str(folder)


def test_read_config_reads_what_a_run_wrote(tmp_path):
    first = config(fusion_layer=3)
    content = {"config": first.to_json(), "environment": {}}
    assert read_config(write(tmp_path, json.dumps(content))) == first


def test_read_config_of_another_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run folder: config.json"):
        read_config(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"config": {}}', '{"config": {"task": 1, "what": 2}}'],
)
def test_read_config_of_a_file_that_no_run_wrote(tmp_path, text):
    with pytest.raises(ValueError, match="config.json: not the settings"):
        read_config(write(tmp_path, text))


def test_settings_need_neither_keras_nor_tensorflow():
    code = (
        "import sys, dlfa_tf.runs.settings\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
