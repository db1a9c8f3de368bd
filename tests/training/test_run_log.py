"""Tests of metrics.jsonl and its copy for TensorBoard."""

import json
import os

import pytest

from dlfa_tf.training.run_log import RunLog


def lines(folder):
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def scalars(folder):
    """(tag, step, value) of every scalar, as TensorBoard reads them."""
    import tensorflow as tf

    found = []
    for path in sorted((folder / "logs").iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.append((value.tag, event.step, number))
    return found


def test_entries_are_in_both(tmp_path):
    log = RunLog(tmp_path)
    log.write({"step": 1, "epoch": 0.5, "loss": 2.0, "timing": {"s": 0.5}})
    log.write({"step": 2, "gate": {"mean": 0.25}})
    log.close()
    assert [x["step"] for x in lines(tmp_path)] == [1, 2]
    assert scalars(tmp_path) == [
        ("loss", 1, 2.0), ("timing/s", 1, 0.5), ("gate/mean", 2, 0.25)
    ]  # fmt: skip


def test_going_on_leaves_no_step_twice(tmp_path):
    log = RunLog(tmp_path)
    log.write({"step": 1, "loss": 1.0})
    position = log.position
    log.write({"step": 2, "loss": 2.0})
    log.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')  # killed here
    log = RunLog(tmp_path, position)
    log.write({"step": 2, "loss": 2.5})
    log.close()
    expected = [("loss", 1, 1.0), ("loss", 2, 2.5)]
    assert scalars(tmp_path) == expected
    assert lines(tmp_path) == [{"step": s, "loss": x} for _, s, x in expected]


@pytest.mark.parametrize("left", ["", '{"st', "\0\0\0"])
def test_log_shorter_than_the_checkpoint_keeps_whole_lines(tmp_path, left):
    """As a power failure leaves it, or the NUL bytes of an earlier resume."""
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n' + left, encoding="utf-8")
    log = RunLog(tmp_path, position=100)
    assert log.position == len('{"step": 1}\n')
    log.write({"step": 2})
    log.close()
    assert lines(tmp_path) == [{"step": 1}, {"step": 2}]


def test_sync_flushes_what_was_written(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(
        "os.fsync", lambda handle: flushed.append(os.fstat(handle).st_size)
    )
    log = RunLog(tmp_path)
    log.sync()
    assert flushed == []
    log.write({"step": 1})
    log.sync()
    assert flushed == [log.position]
    log.close()


def test_start_anew_keeps_nothing_of_before(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 9}\n', encoding="utf-8")
    log = RunLog(tmp_path)
    assert log.position == 0
    log.close()
    assert lines(tmp_path) == []


def test_no_folder_writes_nothing():
    log = RunLog(None)
    log.write({"step": 1})
    assert log.position == 0
    log.close()
