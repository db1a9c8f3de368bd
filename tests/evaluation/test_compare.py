"""Comparing two runs from their prediction files."""

import json

import pytest

from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.evaluation.compare import compare_runs
from dlfa_tf.evaluation.run_folder import SCHEMA


def make_run(folder, system, german):
    """A run folder with predictions for English and German."""
    (folder / "predictions").mkdir(parents=True)
    results = {
        "schema": SCHEMA,
        "system": system,
        "score": "accuracy",
        "config": {"task": "pawsx", "data_source": "files", "preset": "x"},
        "languages": {x: {"score": 0.0, "split": "test"} for x in ("de", "en")},
        "averages": {"all": 0.0, "others": 0.0},
    }
    (folder / "results.json").write_text(json.dumps(results))
    for language, labels in (("en", "0" * 40), ("de", german)):
        (folder / "predictions" / f"test-{language}.tsv").write_text(
            "\n".join(labels) + "\n"
        )
    return folder


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "data" / "pawsx"
    folder.mkdir(parents=True)
    for language in ("de", "en"):
        rows = "".join(f"a\tb\t{i % 2}\n" for i in range(40))
        (folder / f"test-{language}.tsv").write_text(rows)
    return Source(
        task=get_task("pawsx"), name="files", data_dir=str(tmp_path / "data")
    )


def test_difference_is_that_of_the_other_languages(tmp_path, source):
    worse = make_run(tmp_path / "a", "baseline", "0" * 40)
    better = make_run(tmp_path / "b", "D_9", "01" * 20)
    result = compare_runs(worse, better, source)
    assert result["difference"] == pytest.approx(50.0)
    assert 30 < result["low"] < 50 < result["high"] < 70


def test_runs_that_differ_or_lack_languages_are_refused(tmp_path, source):
    first = make_run(tmp_path / "a", "baseline", "0" * 40)
    second = make_run(tmp_path / "b", "D_9", "0" * 40)
    with pytest.raises(ValueError, match="No language is left"):
        compare_runs(first, second, source, without=("de", "en"))
    with pytest.raises(ValueError, match="Two runs of system"):
        compare_runs(first, first, source)
    (second / "predictions" / "test-de.tsv").unlink()
    with pytest.raises(FileNotFoundError, match="No test file.*'de'"):
        compare_runs(first, second, source)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
