"""Tests of trainers.sweep_view."""

import io
import json

import pytest
from rich.console import Console

from dlfa_tf.runs.settings import default_config
from dlfa_tf.sweeps.cells import parse_systems
from dlfa_tf.sweeps.cells import plan_cells
from dlfa_tf.sweeps.state import CellStatus
from trainers.sweep_view import SweepView


@pytest.fixture
def statuses(tmp_path):
    cells = plan_cells(
        default_config,
        output_dir=str(tmp_path),
        tasks=["pos"],
        systems=parse_systems(["baseline", "D_1"]),
        gates=["feature"],
        seeds=[1],
    )
    return [CellStatus(cell=cell, state="new") for cell in cells]


def finish(status):
    status.state, status.fraction, status.seconds = "finished", 1.0, 7384.0
    status.averages = {"all": 61.25, "others": None}


def test_lines_without_a_terminal(statuses, tmp_path, capsys):
    file = tmp_path / "sweep.json"
    first, second = statuses
    with SweepView(statuses, 1, file, is_live=False) as view:
        first.state = "running"
        view.changed(first)
        finish(first)
        view.changed(first)
        assert json.loads(file.read_text())["remaining_seconds"] == 7384
        second.state, second.exit_code = "failed", -9
        view.changed(second)
    output = capsys.readouterr().out
    lines = output.splitlines()
    assert lines[0] == "2 runs: 2 new; time left unknown"
    assert lines[1].startswith("pos/baseline/seed-1: running. 2 runs: 1 runn")
    assert lines[2] == (
        "pos/baseline/seed-1: finished, average 61.25 in 2:03:04. "
        "2 runs: 1 finished, 1 new; time left about 2:03:04"
    )
    assert "failed (ended by SIGKILL, out of memory?); see " in lines[3]
    assert str(second.cell.log_file) in lines[3]
    # The table at the end.
    assert "100 %" in output
    summary = json.loads(file.read_text())
    assert summary["counts"] == {"finished": 1, "failed": 1}
    assert summary["runs"][1]["exit_code"] == -9


def test_without_a_terminal_time_left_is_said_now_and_then(
    statuses, tmp_path, capsys, monkeypatch
):
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    file = tmp_path / "sweep.json"
    first = statuses[0]
    with SweepView(statuses, 1, file, is_live=False) as view:
        first.state = "running"
        view.changed(first)
        capsys.readouterr()
        view.refresh()
        assert capsys.readouterr().out == ""
        first.fraction, first.seconds = 0.25, 30.0
        view.refresh()
        assert capsys.readouterr().out == (
            "2 runs: 1 running, 1 new; time left about 3:30\n"
        )
        assert json.loads(file.read_text())["remaining_seconds"] == 210
        first.seconds, now = 60.0, 1599.0
        view.refresh()
        assert capsys.readouterr().out == ""
        now = 1600.0
        view.refresh()
        assert "time left about 7:00" in capsys.readouterr().out


def test_live_table_in_a_terminal(statuses, tmp_path):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    file = tmp_path / "sweep.json"
    with SweepView(statuses, 1, file, True, console) as view:
        statuses[0].state = "running"
        statuses[0].fraction, statuses[0].seconds = 0.25, 61.0
        view.changed(statuses[0])
        view.refresh()
        drawn = screen.getvalue()
        assert "25 %" in drawn
        assert "1:01" in drawn
        assert "time left about 7:07" in drawn  # 4 * 61 - 61 + 4 * 61 s
        finish(statuses[0])
    assert "61.2" in screen.getvalue()
    assert json.loads(file.read_text())["counts"]["finished"] == 1
