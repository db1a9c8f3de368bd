"""A tiny run of benchmarks.preparing_memory."""

import pytest

from benchmarks import preparing_memory


@pytest.mark.programs
def test_the_sample_repeated(lines_of, tmp_cache):
    lines = lines_of(preparing_memory, "--preset=tiny", "--rows=1100")
    assert [line["case"] for line in lines] == ["first", "from_cache"]
    assert [line["rows"] for line in lines] == [1100, 1100]
    assert lines[0]["pieces"] == lines[1]["pieces"]
    # Its cache goes away with its temporary folder.
    assert list(tmp_cache.iterdir()) == []
