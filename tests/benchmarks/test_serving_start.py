"""A tiny case of the benchmark of starting; the peer needs an environment."""

import pytest

from benchmarks import serving_start
from benchmarks import serving_start_ask


@pytest.mark.slow
def test_tiny_model_is_started(lines_of):
    # Two exports, and a fresh process for each of their four signatures.
    lines = lines_of(
        serving_start,
        "--preset=tiny_sentencepiece",
        "--fusion_layer=1",
        "--repeats=1",
    )
    exports, starts = lines[:2], lines[2:]
    assert all(line["export_seconds"] > 0 for line in exports)
    assert all(line["loop_nodes"] > 100 for line in exports)
    assert [list(line["executed_ops"]) for line in exports] == [
        ["serving_default", "embed"],
        ["serving_default", "embed", "tag_words"],
    ]
    assert all(min(line["executed_ops"].values()) > 100 for line in exports)
    assert [line["case"] for line in starts] == [
        "classifier, serving_default",
        "classifier, embed",
        "tagger, serving_default",
        "tagger, embed",
    ]
    for line in starts:
        assert line["load_seconds"]["median"] > 0
        assert line["answer_seconds"]["repeats"] == 10


def test_ratios_are_of_the_same_repeat():
    ours = [{"load": 1.0, "first": 1.0, "then": [0.1, 0.2, 0.3]}]
    peer = [{"load": 3.0, "first": 1.0, "then": [0.4]}]
    found = serving_start.ratios(ours, peer)
    assert found["start_to_hugging_face_ratio"]["median"] == 0.5
    assert found["answer_to_hugging_face_ratio"]["median"] == 0.5


def test_words_are_asked_as_texts_are():
    arrays = serving_start_ask.as_arrays({"t": ["Käse"], "w": [["a", "の"]]})
    assert arrays["t"].tolist() == ["Käse".encode()]
    assert arrays["w"].tolist() == [[b"a", "の".encode()]]
    assert arrays["w"].dtype == object
