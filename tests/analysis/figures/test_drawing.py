"""Tests of the picture of scores."""

import pytest

from dlfa_tf.analysis.figures.drawing import COLOURS
from dlfa_tf.analysis.figures.drawing import bars_by_language


def results(system, scores, average=50.0):
    return {
        "system": system,
        "score": "pos_f1",
        "languages": {k: {"score": v} for k, v in scores.items()},
        "averages": {"others": average},
        "config": {
            "task": "pos",
            "data_source": "sample",
            "preset": "tiny",
            "seed": 1,
        },
        "train_examples": 7,
    }


BASELINE = results("baseline", {"de": 40.0, "en": 90.0, "zh": 10.0})
FUSED = results("D_9", {"de": 50.0, "en": 91.0, "zh": 0.0})


@pytest.fixture
def figures(monkeypatch):
    """The figures that were drawn, still open for a look at them."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawn = []
    monkeypatch.setattr(plt, "close", drawn.append)
    yield drawn
    monkeypatch.undo()
    plt.close("all")


def size_of(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


@pytest.mark.parametrize("runs", [[BASELINE], [BASELINE, FUSED]], ids=len)
def test_picture_is_written_and_nothing_else(tmp_path, runs):
    path = tmp_path / "new" / "scores.png"
    assert bars_by_language(runs, path) == path
    width, height = size_of(path)
    assert width > height > 100
    assert [p.name for p in path.parent.iterdir()] == ["scores.png"]


def test_every_figure_is_closed(tmp_path):
    import matplotlib.pyplot as plt

    bars_by_language([BASELINE], tmp_path / "scores.png")
    assert plt.get_fignums() == []


def test_bars_stand_for_the_scores_english_first(tmp_path, figures):
    bars_by_language([BASELINE, FUSED], tmp_path / "scores.png")
    (axes,) = figures[0].axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["en", "de", "zh"]
    first, second = axes.containers
    assert [bar.get_height() for bar in first] == [90.0, 40.0, 10.0]
    assert [bar.get_height() for bar in second] == [91.0, 50.0, 0.0]
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        # Side by side, around the tick.
        assert a.get_x() + a.get_width() == pytest.approx(b.get_x())
        assert b.get_x() == pytest.approx(i)
    assert axes.get_ylim() == (0, 100)
    assert axes.get_ylabel() == "pos_f1 (percent)"
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [
        "baseline (mean without en: 50.0)",
        "D_9 (mean without en: 50.0)",
    ]
    title = axes.get_title()
    assert "7 examples in en" in title
    assert "preset tiny" in title
    assert "'sample'" in title


def test_english_alone_has_no_other_mean(tmp_path, figures):
    bars_by_language([results("D_1", {"en": 1.0}, None)], tmp_path / "a.png")
    (text,) = figures[0].axes[0].get_legend().get_texts()
    assert text.get_text() == "D_1"


def test_results_of_an_evaluation_without_training(tmp_path):
    """As trainers.evaluate writes them."""
    only = {k: v for k, v in FUSED.items() if k != "train_examples"}
    only["config"] = {k: v for k, v in FUSED["config"].items() if k != "seed"}
    assert bars_by_language([only], tmp_path / "a.png").is_file()


def test_more_runs_than_colours(tmp_path):
    runs = [results(f"D_{i}", {"en": 1.0}) for i in range(len(COLOURS) + 1)]
    assert bars_by_language(runs, tmp_path / "a.png").is_file()
