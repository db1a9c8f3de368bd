"""Tests of dlfa_tf.sweeps.sweep, on runs that only pretend."""

import fcntl
import json
import os
import signal
import sys
import threading
import time

import pytest

from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.runs.settings import default_config
from dlfa_tf.sweeps.cells import parse_systems
from dlfa_tf.sweeps.cells import plan_cells
from dlfa_tf.sweeps.state import find_status
from dlfa_tf.sweeps.sweep import Sweep
from dlfa_tf.sweeps.sweep import thread_limits

# Writes the results that its first argument holds into the folder of the
# second one; what the run does before that comes third.
FINISH = """
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
exec(sys.argv[3])
(folder / "results.json").write_text(sys.argv[1])
"""


@pytest.fixture
def statuses(tmp_path):
    cells = plan_cells(
        default_config,
        output_dir=str(tmp_path),
        tasks=["pos"],
        systems=parse_systems(["baseline", "D_1..D_2"]),
        gates=["feature"],
        seeds=[1],
    )
    return [find_status(cell) for cell in cells]


def pretend(actions=None):
    """Command lines by system; what a run does is Python source."""

    def command(cell):
        config = cell.config.to_json()
        results = {
            "schema": SCHEMA,
            "config": config,
            "averages": {"all": 1.0, "others": 1.0},
            "seconds": {"train": 1.0},
        }
        action = (actions or {}).get(cell.config.system, "pass")
        return [
            sys.executable, "-I", "-S", "-c", FINISH, json.dumps(results),
            str(cell.folder), action,
        ]  # fmt: skip

    return command


def run(statuses, actions=None, **options):
    sweep = Sweep(statuses, pretend(actions), poll_seconds=0.02, **options)
    sweep.run()
    return sweep


def states(statuses):
    return [status.state for status in statuses]


def test_failures_are_recorded_and_the_others_go_on(statuses):
    changed = []
    run(
        statuses,
        {
            "baseline": "print('one'); print('Error: no'); sys.exit(3)",
            "D_1": "os.kill(os.getpid(), signal.SIGKILL)",
        },
        on_change=lambda status: changed.append(status.state),
    )
    assert states(statuses) == ["failed", "failed", "finished"]
    assert statuses[0].log_tail == ["one", "Error: no"]
    assert [s.exit_code for s in statuses] == [3, -9, 0]
    assert "out of memory" in statuses[1].reason
    assert statuses[2].averages == {"all": 1.0, "others": 1.0}
    assert changed == [
        "running", "failed", "running", "failed", "running", "finished",
    ]  # fmt: skip


def test_second_sweep_does_only_what_is_left(statuses):
    run(statuses, {"D_1": "sys.exit(1)"})
    again = [find_status(status.cell) for status in statuses]
    assert states(again) == ["skipped", "new", "skipped"]
    run(again, {"baseline": "sys.exit(9)"})
    assert states(again) == ["skipped", "finished", "skipped"]


def test_success_without_results_is_a_failure(statuses):
    run(statuses[:1], {"baseline": "sys.exit(0)"})
    assert statuses[0].state == "failed"


@pytest.mark.parametrize("max_parallel", [1, 2])
def test_no_more_runs_at_a_time_than_asked_for(statuses, max_parallel):
    counts = []
    run(
        statuses,
        dict.fromkeys(["baseline", "D_1", "D_2"], "time.sleep(0.2)"),
        max_parallel=max_parallel,
        on_poll=lambda: counts.append(states(statuses).count("running")),
    )
    assert max(counts) == max_parallel
    assert states(statuses) == ["finished"] * 3


def test_environment_reaches_the_runs(statuses):
    run(
        statuses[:1],
        {"baseline": "assert os.environ['NPROC'] == '7'"},
        environment={"NPROC": "7"},
    )
    assert statuses[0].state == "finished"


def test_cores_are_divided():
    assert thread_limits(1) == {}
    cores = len(os.sched_getaffinity(0))
    assert thread_limits(2)["OMP_NUM_THREADS"] == str(max(1, cores // 2))
    assert thread_limits(10 * cores)["TF_NUM_INTRAOP_THREADS"] == "1"


def send_once_running(statuses, number, times=1):
    """Sends this process signals as soon as the first run has begun."""

    def send():
        ready = statuses[0].cell.folder / "ready"
        while not ready.exists():
            time.sleep(0.01)
        for _ in range(times):
            os.kill(os.getpid(), number)
            time.sleep(0.3)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


SAVE = """
def save(*_):
    (folder / "saved").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
(folder / "ready").touch()
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_lets_runs_save_and_starts_no_more(statuses, number):
    thread = send_once_running(statuses, number)
    before = signal.getsignal(number)
    sweep = run(statuses, {"baseline": SAVE})
    thread.join()
    assert sweep.stopped_by == number
    assert states(statuses) == ["interrupted", "new", "new"]
    assert statuses[0].exit_code == 75
    assert (statuses[0].cell.folder / "saved").exists()
    assert signal.getsignal(number) is before


def test_second_signal_kills(statuses):
    thread = send_once_running(statuses, signal.SIGINT, times=2)
    stubborn = SAVE.replace("sys.exit(75)", "pass").replace(
        "time.sleep(60)", "[time.sleep(1) for _ in range(60)]"
    )
    run(statuses, {"baseline": stubborn})
    thread.join()
    assert statuses[0].exit_code == -9


def test_error_in_a_callback_leaves_no_run_behind(statuses):
    def fail():
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        run(statuses, {"baseline": "time.sleep(60)"}, on_poll=fail)
    assert statuses[0].state == "interrupted"
    lock = statuses[0].cell.lock_file
    with lock.open("a") as stream:  # held as long as the run lives
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_run_that_others_are_at_work_on_is_left_to_them(statuses):
    lock = statuses[1].cell.lock_file
    lock.parent.mkdir(parents=True)
    with lock.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        run(statuses)
    assert states(statuses) == ["finished", "elsewhere", "finished"]
    assert not statuses[1].cell.folder.exists()


def test_run_that_others_finished_meanwhile_is_skipped(statuses):
    others = [find_status(status.cell) for status in statuses]
    run(others)
    run(statuses, dict.fromkeys(["baseline", "D_1", "D_2"], "sys.exit(1)"))
    assert states(statuses) == ["skipped"] * 3
