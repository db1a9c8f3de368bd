"""Tests of trainers.bundle_flags, through the programs that have them."""

import json

import pytest
from absl import flags

from dlfa_tf.training.bundle_file import read_bundle_meta
from trainers import prepare
from trainers import sweep
from trainers import train


@pytest.fixture
def bundle(call, eager, tmp_path):
    file = tmp_path / "pos.bundle"
    call(
        prepare,
        "--task=pos",
        "--data_source=sample",
        "--preset=tiny",
        "--train_limit=16",
        "--eval_limit=3",
        "--languages=de",
        f"--bundle={file}",
    )
    return file


def test_from_data_to_a_run(call, bundle, tmp_path):
    _, meta = read_bundle_meta(bundle)
    assert meta["packed"]["format"] == "float16"
    folder = tmp_path / "run"
    arguments = [
        f"--bundle={bundle}",
        f"--output_dir={folder}",
        "--recipe=quick",
        "--batch_size=8",
    ]
    call(train, *arguments, "--nosave_weights")
    results = json.loads((folder / "results.json").read_text())
    config = results["config"]
    # The bundle's own, not the recipe's and not the flags' defaults.
    assert (config["train_limit"], config["eval_limit"]) == (16, 3)
    assert (config["preset"], config["data_source"]) == ("tiny", "sample")
    assert config["epochs"] == 2
    assert not (folder / "weights.npz").exists()
    with pytest.raises(ValueError, match="languages=\\['zh'\\]"):
        call(train, *arguments, "--languages=zh", "--resume")


def test_wrong_flags_are_named(start_wrong):
    message = start_wrong("prepare", "--task=pos", "--bundle=b")
    assert "--bundle needs --preset" in message
    message = start_wrong(
        "train", "--bundle=no-such-file", "--output_dir=o", code=1
    )
    assert "'no-such-file' does not exist" in message


@pytest.mark.parametrize("program", [train, sweep])
def test_weights_of_other_runs_cannot_be_left_out(call, program, tmp_path):
    task = "--tasks=pos" if program is sweep else "--task=pos"
    with pytest.raises(flags.Error, match="--nosave_weights needs --bundle"):
        call(
            program,
            task,
            *(["--systems=baseline"] if program is sweep else []),
            "--data_dir=no/such",
            f"--output_dir={tmp_path}",
            "--nosave_weights",
        )
