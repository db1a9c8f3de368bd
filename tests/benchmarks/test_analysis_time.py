"""A tiny run of benchmarks.analysis_time."""

import pytest

from benchmarks import analysis_time


@pytest.mark.programs
def test_tiny_sweep_is_analysed(lines_of):
    lines = lines_of(
        analysis_time,
        "--systems=2",
        "--seeds=2",
        "--languages=2",
        "--sentences=5",
    )
    assert [line["case"] for line in lines] == [
        "scores and intervals",
        "tables, pictures, report",
        "errors",
    ]
    assert all(line["seconds"] > 0 for line in lines)
    assert all(line["cpu_seconds"] > 0 for line in lines)
    assert lines[0]["systems"] == lines[0]["seeds"] == 2
