"""The part of the report that needs models."""

import shutil

import numpy as np
import pytest

from dlfa_tf.analysis import similarity
from dlfa_tf.analysis.analysis import analyze
from dlfa_tf.analysis.readings import Readings
from dlfa_tf.analysis.report import model_report
from dlfa_tf.analysis.report.report_page import page
from dlfa_tf.analysis.run_index import load_runs


@pytest.fixture
def found(lab):
    for system in ("baseline", "D_1"):
        lab.run("pawsx", system)
    # Reading models needs no predictions.
    shutil.rmtree(lab.run("pawsx", "D_2") / "predictions")
    lab.run("pos", "D_1")
    return analyze(load_runs(lab.runs), str(lab.data), num_samples=100)


def read_runs(scores, source, items):
    """Readings of every run but those of taggers, without a model."""
    random = np.random.default_rng(0)
    if scores.task == "pos":
        return {}
    return {
        i: Readings(
            languages=scores.languages,
            cosines=random.random((3, items)).astype("f4"),
            vectors=random.normal(size=(3, items, 4)).astype("f4"),
            shares=random.random((3, 5)).astype("f4"),
            gates=random.random((3, 5)).astype("f4"),
        )
        for i in range(len(scores.runs))
    }


def test_section_has_table_3_pictures_and_what_is_missing(
    found, tmp_path, monkeypatch
):
    monkeypatch.setattr(similarity, "read_runs", read_runs)
    section = model_report.model_section(found, tmp_path / "out", 7)
    text = page("x", [section])
    assert "Table 3" in text and "7 items a language" in text
    assert text.count("<img") == 3
    assert "Gate of every D_x: feature." in text
    assert text.count("No model/ in") == 1 and "pos/D_1/seed-1" in text
    files = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*.*")
    }
    assert files == {
        *(f"tables/table_3.{suffix}" for suffix in ("md", "csv", "tex")),
        "models/pawsx_similarity.csv",
        "models/pawsx_gates.csv",
        "figures/similarity_pawsx.png",
        "figures/vectors_pawsx.png",
        "figures/gates_pawsx.png",
    }


def test_no_model_at_all_is_refused(found, tmp_path):
    with pytest.raises(FileNotFoundError, match="No run can be read.*model/"):
        model_report.model_section(found, tmp_path / "out", 7)


def test_missing_data_are_not_blamed_on_models(lab, tmp_path):
    lab.run("pos", "D_1")
    found = analyze(load_runs(lab.runs))
    with pytest.raises(FileNotFoundError, match="Received: pos: no data"):
        model_report.model_section(found, tmp_path / "out", 7)
