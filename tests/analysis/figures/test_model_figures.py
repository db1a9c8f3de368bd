"""Pictures of similarity, gates and vectors."""

import numpy as np
import pytest

from dlfa_tf.analysis.compare import collect_scores
from dlfa_tf.analysis.compare import summarize
from dlfa_tf.analysis.figures.drawing import pyplot
from dlfa_tf.analysis.figures.model_figures import gate_map
from dlfa_tf.analysis.figures.model_figures import principal_components
from dlfa_tf.analysis.figures.model_figures import projection
from dlfa_tf.analysis.figures.model_figures import similarity_by_layer
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.analysis.run_index import load_runs
from dlfa_tf.analysis.similarity import gate_frame
from dlfa_tf.analysis.similarity import similarity_frame

LANGUAGES = ("de", "en", "zh")


@pytest.fixture
def figures(monkeypatch):
    """The figures that were drawn, still open for a look at them."""
    plt = pyplot()
    drawn = []
    monkeypatch.setattr(plt, "close", drawn.append)
    yield drawn
    monkeypatch.undo()
    plt.close("all")


@pytest.fixture
def scores(lab):
    for seed in (1, 2):
        for system in ("baseline", "D_1", "D_3"):
            lab.run("pawsx", system, seed)
    return collect_scores(load_runs(lab.runs).runs)


@pytest.fixture
def readings(scores):
    random = np.random.default_rng(0)
    return {
        i: Readings(
            languages=LANGUAGES,
            cosines=random.random((3, 6)).astype("f4"),
            vectors=random.normal(size=(3, 6, 4)).astype("f4"),
            shares=random.random((3, 5)).astype("f4"),
            gates=random.random((3, 5)).astype("f4"),
        )
        for i in range(len(scores.runs))
    }


def test_similarity_and_retrieval_stand_above_the_score(
    scores, readings, tmp_path, figures
):
    frame = similarity_frame(scores, readings)
    path = tmp_path / "a.png"
    drawn = similarity_by_layer(scores, summarize(scores), frame, path)
    assert drawn == path and path.is_file()
    upper, middle, lower = figures[0].axes
    for axes, column in ((upper, "cosine"), (middle, "retrieved")):
        means = frame.groupby("label")[column].mean()
        lines = [tuple(line.get_ydata()) for line in axes.get_lines()]
        expected = (means["D_1"], means["D_3"])
        assert any(line == pytest.approx(expected) for line in lines)
    assert list(lower.get_xticks()) == [1, 3]
    assert "6 test items" in upper.get_title()
    assert "accuracy" in lower.get_ylabel()
    # One legend for three panels, where it covers nothing.
    assert len(figures[0].legends) == 1
    assert not any(axes.get_legend() for axes in (upper, middle, lower))


def test_gates_by_language_and_position(scores, readings, tmp_path, figures):
    gates = gate_frame(scores, readings)
    path = tmp_path / "a.png"
    assert gate_map(scores, gates, path) == path
    first, second = figures[0].axes[:2]
    assert [x.get_text() for x in first.get_yticklabels()] == ["en", "de", "zh"]
    image = first.get_images()[0].get_array()
    shares = [readings[i].shares for i in scores.rows_of("D_1")]
    np.testing.assert_allclose(
        image, np.mean(shares, axis=0)[[1, 0, 2]], rtol=1e-6
    )
    assert second.get_title().startswith("D_3: mean")
    zero = np.mean(shares, axis=0)[:, 0].mean()
    assert first.get_title().endswith(f"position 0: {zero:.2f}")
    assert "seeds a system: 2" in figures[0].get_suptitle()


def test_vectors_of_baseline_and_system(scores, readings, tmp_path, figures):
    path = tmp_path / "a.png"
    assert projection(scores, readings, "D_3", path) == path
    titles = [axes.get_title() for axes in figures[0].axes]
    assert titles[0].startswith("baseline: ") and titles[1].startswith("D_3: ")
    assert len(figures[0].axes[0].get_lines()) == 3
    assert "6 parallel test items" in figures[0].get_suptitle()
    without = {i: r for i, r in readings.items() if i not in (0, 1)}
    assert projection(scores, without, "D_3", path) is None


def test_components_keep_the_largest_directions():
    vectors = np.zeros((2, 50, 5))
    random = np.random.default_rng(0)
    vectors[..., 3] = 10 * random.normal(size=(2, 50))
    vectors[..., 1] = random.normal(size=(2, 50))
    vectors += 7
    points, explained = principal_components(vectors)
    assert explained == pytest.approx(1)
    centred = vectors[..., 3] - vectors[..., 3].mean()
    np.testing.assert_allclose(
        np.abs(points[..., 0]), np.abs(centred), atol=0.5
    )


def test_equal_vectors_can_be_projected():
    points, explained = principal_components(np.ones((2, 3, 4)))
    assert np.isfinite(points).all() and explained == 0
