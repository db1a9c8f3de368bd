"""A tiny run of benchmarks.tokenizing."""

import pytest

from benchmarks import tokenizing


@pytest.mark.programs
def test_both_sides_make_the_same_pieces(lines_of, monkeypatch):
    # Threads are set before TensorFlow starts, which it has here.
    monkeypatch.setattr(tokenizing, "use_one_thread", lambda: None)
    lines = lines_of(
        tokenizing,
        "--preset=tiny_sentencepiece",
        "--texts_per_language=3",
        "--repeats=1",
        "--unknown_characters=100,200",
    )
    *lines, short, long = lines
    for line, number in ((short, 100), (long, 200)):
        assert line["case"] == f"{number} unknown characters"
        assert line["tensorflow_text_seconds"]["median"] > 0
        assert line["cut_seconds"]["median"] > 0
    assert [line["case"] for line in lines] == ["wordpiece", "sentencepiece"]
    for line in lines:
        assert line["texts"] == 27
        assert line["pieces"] == line["pieces_hugging_face"] > 100
        assert line["speed_ratio"]["repeats"] == 1
