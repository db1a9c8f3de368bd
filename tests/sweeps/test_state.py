"""Tests of dlfa_tf.sweeps.state."""

import dataclasses
import json

import pytest

from dlfa_tf.files import write_json
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.runs.settings import default_config
from dlfa_tf.sweeps.cells import Cell
from dlfa_tf.sweeps.state import CellStatus
from dlfa_tf.sweeps.state import find_status
from dlfa_tf.sweeps.state import read_tail
from dlfa_tf.sweeps.state import remaining_seconds


@pytest.fixture
def cell(tmp_path):
    config = default_config(
        "pos", output_dir=str(tmp_path / "seed-1"), data_dir="here"
    )
    return Cell(name="pos/baseline/seed-1", config=config)


def finish(cell, **changes):
    settings = cell.config.to_json()
    del settings["output_dir"], settings["data_dir"]
    results = {
        "schema": SCHEMA,
        "config": {**settings, **changes},
        "averages": {"all": 60.0, "others": 50.0},
        "seconds": {"build": 1.5, "train": 10.0},
    }
    write_json(cell.folder / "results.json", results)


def begin(cell, **changes):
    config = {**cell.config.to_json(), **changes}
    write_json(cell.folder / "config.json", {"config": config})


def test_new_run(cell):
    assert find_status(cell).state == "new"
    cell.folder.mkdir()
    assert find_status(cell).state == "new"
    # Killed while it wrote its first file, or just writing it.
    (cell.folder / ".config.json.12.tmp").touch()
    assert find_status(cell).state == "new"
    assert any(cell.folder.iterdir())


def test_finished_run_is_skipped_with_its_scores(cell):
    begin(cell)
    finish(cell)
    status = find_status(cell)
    assert (status.state, status.fraction) == ("skipped", 1.0)
    assert status.averages == {"all": 60.0, "others": 50.0}
    assert status.seconds == 11.5


def test_begun_run_is_unfinished_wherever_its_data_lie(cell):
    begin(cell, data_dir="there", output_dir="elsewhere")
    assert find_status(cell).state == "unfinished"


@pytest.mark.parametrize("make", [begin, finish])
def test_other_settings_are_named(cell, make):
    make(cell, epochs=7, gate="attention")
    with pytest.raises(ValueError, match="never overwritten") as error:
        find_status(cell)
    assert "epochs=10 (the run has 7)" in str(error.value)
    assert "gate='feature' (the run has 'attention')" in str(error.value)
    assert "data_dir" not in str(error.value)


def test_settings_younger_than_the_run_had_their_default(cell):
    config = cell.config.to_json()
    del config["compact_vocabulary"]
    write_json(cell.folder / "config.json", {"config": config})
    assert find_status(cell).state == "unfinished"
    other = dataclasses.replace(cell.config, compact_vocabulary=False)
    with pytest.raises(ValueError, match="compact_vocabulary=False"):
        find_status(dataclasses.replace(cell, config=other))


def test_run_on_another_bundle_is_named(cell):
    begin(cell)
    other = dataclasses.replace(cell, bundle_sha256="abc")
    with pytest.raises(ValueError, match="bundle='abc'.*the run has None"):
        find_status(other)


def test_files_of_others_are_refused(cell):
    cell.folder.mkdir()
    (cell.folder / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="mine.txt.*holds no run"):
        find_status(cell)


def test_fraction_comes_from_the_last_step(cell):
    status = CellStatus(cell=cell, state="running")
    status.read_fraction()
    assert status.fraction is None
    cell.folder.mkdir()
    lines = [{"step": i, "epoch": i / 100} for i in range(501)]
    lines.append({"step": 500, "dev_score": 3.0})
    text = "\n".join(json.dumps(line) for line in lines)
    # The last line is being written.
    (cell.folder / "metrics.jsonl").write_text(text + '\n{"step"')
    status.read_fraction()
    assert status.fraction == 0.5


def test_tail_of_a_long_log(tmp_path):
    log = tmp_path / "x.log"
    assert read_tail(log) == []
    log.write_text("".join(f"line {i}\n\n" for i in range(9000)) + "Error: é\n")
    tail = read_tail(log)
    assert tail[-2:] == ["line 8999", "Error: é"]
    assert len(tail) == 8


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1, "exit code 1"), (-9, "SIGKILL, out of memory?"), (-15, "SIGTERM")],
)
def test_reason_of_a_failure(cell, code, reason):
    status = CellStatus(cell=cell, state="failed", exit_code=code)
    assert status.reason.endswith(reason)
    assert status.to_json()["reason"] == status.reason
    assert CellStatus(cell=cell, state="finished", exit_code=0).reason is None


def statuses(cell, *values):
    return [
        CellStatus(cell=cell, state=state, seconds=seconds, fraction=fraction)
        for state, seconds, fraction in values
    ]


def test_time_left(cell):
    new = ("new", 0.0, None)
    assert remaining_seconds(statuses(cell, new), 1) is None
    done = ("finished", 100.0, 1.0)
    assert remaining_seconds(statuses(cell, done, new, new, new), 1) == 300
    assert remaining_seconds(statuses(cell, done, new, new, new), 3) == 100
    running = ("running", 30.0, 0.25)
    assert remaining_seconds(statuses(cell, running, new), 1) == 90 + 120
    # The first step takes as long as hundreds after it.
    begun = ("running", 60.0, 0.0005)
    assert remaining_seconds(statuses(cell, begun, new), 1) is None
    assert remaining_seconds(statuses(cell, begun, running), 2) == 90
    # No sooner than the longest run ends.
    assert remaining_seconds(statuses(cell, running, new), 8) == 120
    assert (
        remaining_seconds(statuses(cell, done, ("failed", 1.0, None)), 1) == 0
    )


def test_time_left_goes_by_task(cell):
    other = dataclasses.replace(
        cell, config=dataclasses.replace(cell.config, task="ner")
    )
    found = statuses(cell, ("skipped", 10.0, 1.0), ("new", 0.0, None))
    found += statuses(other, ("finished", 100.0, 1.0), ("new", 0.0, None))
    assert remaining_seconds(found, 1) == 110
