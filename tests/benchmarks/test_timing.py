"""What the benchmarks share."""

import json

import pytest

from benchmarks.timing import Report
from benchmarks.timing import median_interval
from benchmarks.timing import ratios
from benchmarks.timing import spread
from benchmarks.timing import time_interleaved


def test_cases_run_in_turn_after_their_warm_up():
    calls = []
    seconds = time_interleaved(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
        repeats=3,
        warmups=2,
    )
    # Two warm-ups, then there and back.
    assert "".join(calls) == "abab" + "abbaab"
    assert list(seconds) == ["a", "b"]
    assert all(len(values) == 3 for values in seconds.values())
    assert all(value >= 0 for values in seconds.values() for value in values)


def test_spread():
    assert spread([3.0, 1.0, 2.0, 9.0]) == {
        "median": 2.5,
        "low": 1.0,
        "high": 9.0,
        "repeats": 4,
    }
    with pytest.raises(ValueError, match="`values` is empty"):
        spread([])


def test_interval_of_a_median_narrows_with_repeats():
    few, many = (
        median_interval([1.0 + (i * 7 % n) / n for i in range(n)])
        for n in (9, 900)
    )
    for found in few, many:
        assert 1.0 <= found["low"] < found["median"] < found["high"] < 2.0
    # The median of n uniform draws has a standard error of 1 / (2 sqrt(n)).
    assert many["high"] - many["low"] == pytest.approx(0.065, rel=0.2)
    assert few["high"] - few["low"] > 3 * (many["high"] - many["low"])
    assert many["repeats"] == 900


def test_ratios_are_taken_repeat_by_repeat():
    assert ratios([2.0, 9.0], [1.0, 3.0])["median"] == 2.5
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])


def test_report_prints_and_writes_its_cases(tmp_path, capsys):
    path = tmp_path / "new" / "lines.jsonl"
    path.parent.mkdir()
    report = Report("demo", str(path))
    record = report.add("first", rows_per_second=2.5, script="ไทย")
    report.add("second")
    report.write()
    lines = [json.loads(x) for x in path.read_text("utf-8").splitlines()]
    assert lines[0] == record
    assert [line["case"] for line in lines] == ["first", "second"]
    assert lines[0]["rows_per_second"] == 2.5
    assert "tensorflow" in lines[0]["environment"]["packages"]
    assert lines[0]["environment"]["cores"] >= 1
    assert lines[0]["peak_memory_bytes"] > 0
    printed = capsys.readouterr().out.splitlines()
    assert json.loads(printed[0])["script"] == "ไทย"
    assert "environment" not in json.loads(printed[0])


def test_report_overwrites_no_file(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="`output_file` exists"):
        Report("demo", str(path))
    assert path.read_text() == "mine"


def test_report_without_a_file(capsys):
    report = Report("demo")
    report.add("only")
    report.write()
    assert len(capsys.readouterr().out.splitlines()) == 1
