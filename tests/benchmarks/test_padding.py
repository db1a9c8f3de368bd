"""A tiny run of benchmarks.padding."""

import numpy as np
import pytest

from benchmarks import padding


def test_padding_share():
    lengths = np.array([4, 3, 33])
    assert padding.padding_share(lengths, [np.array([0])]) == 0
    # Two rows of 4, one of 40 positions, 40 pieces.
    batches = [np.array([0, 1]), np.array([2])]
    assert padding.padding_share(lengths, batches) == 1 - 40 / 48


@pytest.mark.programs
def test_the_sample(lines_of):
    lines = lines_of(padding, "--preset=tiny", "--tasks=ner,xnli", "--epochs=1")
    assert [line["case"] for line in lines] == ["ner", "xnli"]
    for line in lines:
        assert 0 < line["padding_percent"] < line["shuffled_padding_percent"]
        assert line["data"] == "sample"
        assert line["pieces"] > line["rows"] > 100
