"""A tiny case of the benchmark, so that it does not rot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from absl import app

from benchmarks import training_step

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_pair_of_cases_is_measured(tmp_path):
    path = tmp_path / "lines.jsonl"
    subprocess.run(
        [
            sys.executable, "-m", "benchmarks.training_step", "--tasks=pos",
            "--switches=without_bucketing", "--preset=tiny", "--repeats=2",
            "--steps=2", "--batch_size=4", "--fusion_layer=1",
            "--train_limit=64", f"--output_file={path}",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )  # fmt: skip
    lines = [json.loads(x) for x in path.read_text("utf-8").splitlines()]
    assert [line["case"] for line in lines] == [
        "pos/without_bucketing/default",
        "pos/without_bucketing/without_bucketing",
    ]
    default, without = lines
    assert default["padding_percent"] < without["padding_percent"]
    assert default["speed_ratio"]["median"] == 1.0
    for line in lines:
        assert line["step_seconds"]["low"] > 0
        assert line["worker_peak_memory_bytes"] > 10**8


def test_unknown_switch_is_named(lines_of):
    with pytest.raises(app.UsageError, match="(?s)'fast'.*without_bucketing"):
        lines_of(training_step, "--switches=fast")
