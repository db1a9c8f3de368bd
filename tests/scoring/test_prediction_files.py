"""Scoring folders in XTREME's form."""

import gzip

import pytest

from dlfa_tf.scoring.prediction_files import score_folders
from dlfa_tf.scoring.prediction_files import write_predictions


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def folders(tmp_path):
    """Predictions and labels of a tagging and of a pair task."""
    predictions, labels = tmp_path / "predictions", tmp_path / "labels"
    write(labels / "udpos" / "test-en.tsv", "NOUN\nNOUN\n\nVERB\n\n")
    write(predictions / "udpos" / "test-en.tsv", "NOUN\nVERB\n\nVERB\n\n")
    write(labels / "udpos" / "test-de.tsv", "NOUN\n")
    write(predictions / "udpos" / "test-de.tsv", "NOUN\n")
    write(labels / "pawsx" / "test-en.tsv", "0\n1\n1\n0\n")
    write(predictions / "pawsx" / "test-en.tsv", "0\n1\n0\n0\n")
    return predictions, labels


def test_scores_of_every_task_and_their_average(folders):
    scores = score_folders(*map(str, folders))
    assert sorted(scores) == ["pawsx", "pos"]
    pos = scores["pos"]["languages"]
    # en: gold chunks NOUN NOUN, VERB; predicted NOUN, VERB, VERB: one right.
    assert pos["en"]["score"] == pytest.approx(200 * 1 / (2 + 3))
    assert pos["en"]["accuracy"] == pytest.approx(200 / 3)
    assert pos["de"]["score"] == 100.0
    assert scores["pos"]["averages"]["all"] == pytest.approx(70.0)
    assert len(scores["pos"]["missing_languages"]) == 31
    assert scores["pawsx"]["languages"]["en"]["score"] == 75.0


def test_labels_are_read_from_data_files_too(folders, tmp_path):
    predictions, _ = folders
    data = tmp_path / "data"
    write(data / "udpos_fused" / "test-en.tsv", "a\tNOUN\nb\tNOUN\n\nc\tVERB\n")
    write(data / "udpos_fused" / "test-de.tsv", "a\tNOUN\n")
    path = data / "pawsx" / "test-en.tsv.gz"
    path.parent.mkdir()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("a\tb\t0\na\tb\t1\na\tb\t1\na\tb\t0\n")
    scores = score_folders(str(predictions), str(data))
    assert scores["pos"]["languages"]["en"]["score"] == pytest.approx(40.0)
    assert scores["pawsx"]["languages"]["en"]["score"] == 75.0


@pytest.mark.parametrize(
    "file, text, message",
    [
        ("udpos/test-en.tsv", "NOUN\n\nVERB\n", "'en'.*Sentence 0.*2 and 1"),
        ("udpos/test-en.tsv", "NOUN\nNOUN\n", "'en'.*sentences.*2 and 1"),
        ("pawsx/test-en.tsv", "0\n1\n", "'pawsx'.*'en'.*4 and 2"),
        ("pawsx/test-en.tsv", "0\n2\n", "line 2: unknown label.*'2'"),
        ("udpos/test-en.tsv", "\n\n", "has no labels"),
        ("udpos/test-qq.tsv", "NOUN\n", "no language 'qq'"),
    ],
    ids=["tags", "sentences", "pairs", "label", "empty", "language"],
)
def test_bad_predictions_are_named(folders, file, text, message):
    predictions, labels = folders
    write(predictions / file, text)
    with pytest.raises(ValueError, match=message):
        score_folders(str(predictions), str(labels))


def test_languages_can_be_chosen(folders):
    predictions, labels = map(str, folders)
    scores = score_folders(predictions, labels, languages=["en"])
    assert {task: list(x["languages"]) for task, x in scores.items()} == {
        "pawsx": ["en"],
        "pos": ["en"],
    }
    assert "de" in scores["pos"]["missing_languages"]
    for asked, missing in ((["de"], "'de'"), (["all"], "'es', 'fr', 'ja'")):
        with pytest.raises(
            FileNotFoundError,
            match=f"pawsx: no test predictions .*{missing}.*: .'en'.",
        ):
            score_folders(predictions, labels, languages=asked)


def test_two_files_of_one_language_are_refused(folders):
    predictions, labels = folders
    with gzip.open(predictions / "pawsx" / "test-en.tsv.gz", "wt") as file:
        file.write("0\n")
    with pytest.raises(ValueError, match="two test files for language 'en'"):
        score_folders(str(predictions), str(labels))


def test_missing_folders_and_files_are_named(folders, tmp_path):
    predictions, labels = folders
    with pytest.raises(FileNotFoundError, match="`labels_dir` does not exist"):
        score_folders(str(predictions), str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="No task folder"):
        score_folders(str(predictions / "udpos"), str(labels))
    (labels / "udpos" / "test-de.tsv").unlink()
    with pytest.raises(
        FileNotFoundError, match="udpos has predictions.*No test file.*'de'"
    ):
        score_folders(str(predictions), str(labels))
    with pytest.raises(FileNotFoundError, match="no file named dev-XX.*Acc"):
        score_folders(str(predictions), str(labels), split="dev")


def test_predicted_labels_stand_one_per_line(tmp_path):
    write_predictions(tmp_path, "test", "de", ["0", "1", "1"])
    path = tmp_path / "predictions" / "test-de.tsv"
    assert path.read_text(encoding="utf-8") == "0\n1\n1\n"


def test_predicted_tags_have_a_blank_line_after_each_sentence(tmp_path):
    write_predictions(tmp_path, "dev", "zh", [["A", "B"], ["C"]])
    path = tmp_path / "predictions" / "dev-zh.tsv"
    assert path.read_text(encoding="utf-8") == "A\nB\n\nC\n\n"
    assert sorted(p.name for p in path.parent.iterdir()) == ["dev-zh.tsv"]
