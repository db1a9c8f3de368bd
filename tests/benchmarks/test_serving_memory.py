"""A tiny case of the benchmark of a long request's memory."""

import pytest

from benchmarks import serving_memory


@pytest.mark.slow
def test_tiny_model_is_asked_long_texts(lines_of):
    # An export, and a fresh process for each text.
    lines = lines_of(
        serving_memory,
        "--preset=tiny_sentencepiece",
        "--fusion_layer=1",
        "--words=100,20000,60000",
    )
    *texts, growth = lines
    assert [line["case"] for line in texts] == [
        "100 words",
        "20000 words",
        "60000 words",
    ]
    assert all(line["seconds"] > 0 for line in texts)
    first, last = (line["bytes_beyond"] for line in texts[1:])
    assert growth["bytes_per_million_words"] == (last - first) * 25
    # Words and tags alone are tens of bytes each.
    assert 0 < growth["bytes_per_million_words"] < 10e9
