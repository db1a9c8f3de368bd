"""A tiny walk of benchmarks.true_size_programs."""

import json

import h5py
import numpy as np
import pytest

from benchmarks import true_size_programs
from dlfa_tf.runs import environment

# A minute or more: twenty processes that import TensorFlow.
WALK = pytest.mark.slow


@pytest.fixture
def data(tmp_path):
    """A folder of POS files of a few sentences."""
    folder = tmp_path / "data" / "udpos"
    folder.mkdir(parents=True)
    text = "the\tDET\ncat\tNOUN\nsees\tVERB\n\na\tDET\ndog\tNOUN\n\n"
    for name in ("train-en", "dev-en", "test-en", "test-de"):
        (folder / f"{name}.tsv").write_text(text * 20)
    return folder.parent


@WALK
def test_whole_walk_with_a_tiny_encoder(data, lines_of, tmp_path):
    lines = lines_of(
        true_size_programs, "--preset=tiny", f"--data_dir={data}",
        f"--work_dir={tmp_path / 'work'}", "--fusion_layer=1",
        "--train_limit=24", "--eval_limit=4",
        # So short a run would end before it is stopped.
        "--parts=check,train,evaluate,export,predict,bundle",
    )  # fmt: skip
    found = {x["case"].removeprefix("pos/D_1/float32/"): x for x in lines}
    assert {
        "check", "train", "evaluate", "export int8", "check of bfloat16",
        "embed of float32, inside", "predict with run",
        "train on bundle, full vocabulary", "evaluate run on bundle",
    } <= set(found)  # fmt: skip
    # Nothing, where this process, which has TensorFlow too, has held more.
    peak = found["train"]["child_peak_memory_bytes"]
    assert peak is None or peak > 10**8
    assert found["train"]["processor_seconds"] > 1
    assert found["export int8"]["wrote_bytes"] > 10**4
    assert found["tag_words of int8, inside"]["first_answer_seconds"] > 0


def test_programs_are_measured_until_one_fails(tmp_path, lines_of, monkeypatch):
    def part(walk):
        walk.take("year", "calendar", "2026", wrote=walk.work / "out.txt")
        walk.take("file", "json.tool", "no_such_file")

    monkeypatch.setattr(true_size_programs, "PARTS", {"one": part})
    lines = []
    monkeypatch.setattr(
        true_size_programs.timing.Report, "add",
        lambda _, case, **values: lines.append((case, values)),
    )  # fmt: skip
    message = r"(?s)file: json\.tool no_such_file ended with 2: .*no_such_file"
    with pytest.raises(ChildProcessError, match=message):
        lines_of(true_size_programs, "--preset=x", "--data_dir=x",
                 f"--work_dir={tmp_path}")  # fmt: skip
    ((case, values),) = lines
    assert case == "pos/baseline/float32/year"
    # Less than what this process has held.
    assert values["child_peak_memory_bytes"] is None
    assert values["wrote_bytes"] > 1000


def test_memory_of_a_program_is_not_that_of_the_process_that_started_it():
    own = environment.peak_memory_bytes()
    assert true_size_programs.child_peak(own // 1024) is None
    assert true_size_programs.child_peak(own // 512) == own // 512 * 1024


def test_weights_that_differ_in_one_number_differ(tmp_path):
    found = []
    for value in (1.0, 1.0, 1.5):
        folder = tmp_path / str(len(found)) / "model"
        folder.mkdir(parents=True)
        with h5py.File(folder / "model.weights.h5", "w") as file:
            file["layer/kernel"] = np.array([[0.0, value]])
            file["layer/step"] = np.array(3)
        found.append(true_size_programs.weights(folder.parent))
    assert found[0] == found[1]
    (changed,) = {x for x in found[0] if found[0][x] != found[2][x]}
    assert changed == "model.weights.h5/layer/kernel"


def test_only_what_two_runs_share_is_compared(tmp_path):
    entry = {"step": 1, "timing": {"x": 2}, "l": [{"seconds": 3, "s": 4}]}
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entry))
    assert true_size_programs.kept(path) == [{"step": 1, "l": [{"s": 4}]}]
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(entry) + "\n" + json.dumps({"step": 2}) + "\n")
    assert true_size_programs.kept(path)[1] == {"step": 2}
