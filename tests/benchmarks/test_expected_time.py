"""A tiny run of benchmarks.expected_time."""

import numpy as np
import pytest

from benchmarks import expected_time


def test_operations_of_a_position():
    # Two for each of the 85.1 M weights of the blocks' matrices, and the
    # attention over 128 positions, twice 128 * 768 * 12 products.
    blocks = 2 * 12 * (4 * 768**2 + 2 * 768 * 3072)
    fusion = 2 * 2 * 768 * 192
    assert expected_time.forward_flops(128) == (
        blocks + 2 * 12 * 2 * 128 * 768 + fusion
    )


def test_rows_count_as_wide_as_their_batch():
    positions, flops = expected_time.pass_flops(np.array([4, 8]), 2)
    assert positions == 16
    assert flops == 16 * expected_time.forward_flops(8)


@pytest.mark.programs
def test_published_number_of_examples_is_what_counts(lines_of):
    (line,) = lines_of(
        expected_time, "--preset=tiny", "--tasks=pos", "--tflops=50"
    )
    assert line["examples"] == 21253 and line["examples_here"] < 1000
    assert line["steps"] == 10 * 665 and line["dev_rounds"] == 13
    total = line["train_pflop"] + line["dev_pflop"]
    assert line["minutes"] == pytest.approx(total * 1e15 / 50e12 / 60, abs=0.06)
    # Ten steps a second: 665 seconds, and dev on top.
    assert 11.0 < line["minutes_with_starts"] < 11.5
