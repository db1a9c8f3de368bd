"""A tiny case of the benchmark of bulk inference, without a cluster."""

import pytest

from benchmarks import bulk_scale
from tests.serving import toy_models


@pytest.mark.programs
def test_tiny_export_is_measured(tmp_path, lines_of):
    export = toy_models.save_tagger(tmp_path / "toy" / "1")
    alone, billion, load = lines_of(
        bulk_scale, f"--export={export}", "--words=200", "--workers=",
    )  # fmt: skip
    assert alone["case"] == "one process"
    assert alone["output_bytes"] > alone["input_bytes"] > 200
    assert billion["words"] == round(1e9 * 200 / alone["sentences"])
    assert billion["core_days"] > 0
    assert load["cores_for_1000_per_second"] >= load["cores_for_10_per_second"]


@pytest.mark.parametrize(
    ("load", "seconds", "cores"),
    # 0.6 of a core's time is planned: 24 calls of 25 ms in a second.
    [(1, 0.025, 1), (24, 0.025, 1), (25, 0.025, 2), (1000, 0.025, 42)],
)
def test_cores_are_those_of_a_load(load, seconds, cores):
    assert bulk_scale.replicas(load, seconds) == cores
