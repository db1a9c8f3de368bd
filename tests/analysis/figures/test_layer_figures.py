"""Pictures over the fused block."""

import numpy as np
import pytest

from dlfa_tf.analysis.analysis import analyze
from dlfa_tf.analysis.figures.drawing import pyplot
from dlfa_tf.analysis.figures.layer_figures import _colour_limit
from dlfa_tf.analysis.figures.layer_figures import gain_map
from dlfa_tf.analysis.figures.layer_figures import score_by_layer
from dlfa_tf.analysis.run_index import load_runs


@pytest.fixture
def figures(monkeypatch):
    """The figures that were drawn, still open for a look at them."""
    plt = pyplot()
    drawn = []
    monkeypatch.setattr(plt, "close", drawn.append)
    yield drawn
    monkeypatch.undo()
    plt.close("all")


def analyze_lab(lab, with_data=False):
    data_dir = str(lab.data) if with_data else None
    return analyze(load_runs(lab.runs), data_dir, num_samples=100)


def test_curve_stands_for_means_and_seeds(lab, tmp_path, figures):
    for seed in (1, 2):
        for system in ("baseline", "D_3", "D_1"):
            lab.run("pawsx", system, seed)
        lab.run("pawsx", "D_1", seed, gate="attention")
    lab.run("pos", "D_1")
    found = analyze_lab(lab)
    path = tmp_path / "new" / "curve.png"
    assert score_by_layer(found.scores, found.summary, path) == path
    assert path.read_bytes()[:4] == b"\x89PNG"
    first, second = figures[0].axes
    rows = found.summary.query("task == 'pawsx' and part == 'all'")
    means = rows.set_index("label")["mean"]
    legend = [text.get_text() for text in first.get_legend().get_texts()]
    assert legend[0].startswith("baseline ± standard")
    assert any("gate attention" in text for text in legend)
    lines = {tuple(line.get_ydata()) for line in first.get_lines()}
    assert (means["D_1 (feature)"], means["D_3 (feature)"]) in lines
    assert list(first.get_xticks()) == [1, 3]
    assert "2 seeds a system, 3 languages" in first.get_title()
    assert "1 seed a system" in second.get_title()
    assert "trained on 7 examples in en" in second.get_title()


@pytest.mark.parametrize(
    ("gains", "limit"),
    [([1.0] * 39 + [-30.0], (2.0, True)), ([0.5, -1.0, 1.5], (1.5, False))],
    ids=["outlier", "even"],
)
def test_one_language_cannot_take_the_colour_from_the_others(gains, limit):
    assert _colour_limit(np.array([gains])) == limit


def test_map_shows_gains_by_family(lab, tmp_path, figures):
    lab.run("pos", "baseline", languages=("zh", "de", "en", "fr"))
    lab.run("pos", "D_10", languages=("zh", "de", "en", "fr"), errors=0.1)
    lab.run("pos", "D_2", languages=("zh", "de", "en", "fr"))
    found = analyze_lab(lab, with_data=True)
    path = tmp_path / "map.png"
    assert gain_map(found.scores["pos"], found.summary, path) == path
    axes = figures[0].axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["Germanic  en", "de", "Romance  fr", "Sino-Tibetan  zh"]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == ["D_2", "D_10"]
    image = axes.get_images()[0].get_array()
    gains = found.summary.set_index(["label", "part"])["gain"]
    assert image[3, 1] == pytest.approx(gains["D_10", "zh"])
    texts = [text.get_text() for text in axes.texts]
    assert f"{gains['D_10', 'en']:+.1f}" in texts
    # Two systems that are equally good: the interval holds 0.
    unsure = found.summary.query("label == 'D_2' and low <= 0 <= high")
    assert sum(text.startswith("(") for text in texts) >= len(
        set(unsure["part"]) & {"zh", "de", "en", "fr"}
    )
    assert "interval holds 0" in figures[0].get_suptitle()


def test_no_baseline_no_map(lab, tmp_path):
    lab.run("pos", "D_1")
    found = analyze_lab(lab)
    path = tmp_path / "map.png"
    assert gain_map(found.scores["pos"], found.summary, path) is None
    assert not path.exists()
