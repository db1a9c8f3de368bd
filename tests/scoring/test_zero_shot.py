"""Tests of the choice of files and of the scores of many languages."""

import keras
import pytest

from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.scoring.zero_shot import choose_files
from dlfa_tf.scoring.zero_shot import evaluate_file
from dlfa_tf.scoring.zero_shot import evaluate_languages
from tests.eager_mode import eagerly

ALL_OF_PAWSX = ("de", "en", "es", "fr", "ja", "ko", "zh")


@pytest.fixture
def source(tmp_path):
    """PAWS-X with some files; their content is never looked at."""
    return make(tmp_path, "test-zh.tsv", "test-de.tsv.gz", "dev-de.tsv",
                "dev-fr.tsv", "test-xx.tsv")  # fmt: skip


def make(folder, *names):
    (folder / "pawsx").mkdir()
    for name in names:
        (folder / "pawsx" / name).touch()
    task = get_task("pawsx")
    return Source(task=task, name="files", data_dir=str(folder))


@pytest.mark.parametrize(
    ("languages", "split", "expected"),
    [
        (("zh", "de"), "test", {"de": "test", "zh": "test"}),
        (("available",), "test", {"de": "test", "zh": "test"}),
        (("available",), "dev", {"de": "dev", "fr": "dev"}),
        (
            ("available",),
            "test_or_dev",
            {"de": "test", "fr": "dev", "zh": "test"},
        ),
        (("fr",), "test_or_dev", {"fr": "dev"}),
    ],
)
def test_files_are_chosen_in_alphabetical_order(
    source, languages, split, expected
):
    chosen = choose_files(source, languages, split)
    assert chosen == expected
    assert list(chosen) == sorted(expected)


def test_all_takes_every_language_of_the_task(tmp_path):
    source = make(tmp_path, *(f"test-{x}.tsv" for x in ALL_OF_PAWSX))
    chosen = choose_files(source, ("all",), "test")
    assert chosen == dict.fromkeys(ALL_OF_PAWSX, "test")


def test_all_names_every_missing_language(source):
    with pytest.raises(FileNotFoundError) as caught:
        choose_files(source, ("all",), "test")
    message = str(caught.value)
    assert "['en', 'es', 'fr', 'ja', 'ko']" in message
    assert "No test file" in message
    assert "['de', 'zh']" in message
    assert "languages=available" in message


def test_asked_for_language_without_a_file(source):
    with pytest.raises(FileNotFoundError, match=r"No test or dev.*\['ja'\]"):
        choose_files(source, ("ja", "de"), "test_or_dev")


def test_nothing_available(tmp_path):
    with pytest.raises(FileNotFoundError, match="the languages of this task"):
        choose_files(make(tmp_path), ("available",), "test")


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (("xx",), "Language 'xx' is not one of task 'pawsx'"),
        (("deu",), "'deu'.*Did you mean 'de'"),
        (("all", "de"), "Language 'all' is not one"),
        (("de", "zh", "de"), "`languages` must not repeat.*'de', 'zh', 'de'"),
        ((), "`languages` is empty"),
    ],
)
def test_wrong_languages_are_refused(source, languages, message):
    with pytest.raises(ValueError, match=message):
        choose_files(source, languages, "test")


@pytest.fixture
def model(seed):
    keras.utils.set_random_seed(seed)
    labels = list(get_task("pawsx").labels)
    with eagerly():
        yield DLFATextClassifier.from_preset("tiny", labels=labels)


def test_languages_are_scored_and_averaged(model, tmp_path):
    source = Source(task=get_task("pawsx"), name="sample")
    heard = []
    results = evaluate_languages(
        model,
        source,
        {"de": "test", "en": "dev"},
        limit=3,
        run_dir=tmp_path,
        progress=lambda language, scores: heard.append((language, scores)),
    )
    by_language = results["languages"]
    assert heard == list(by_language.items())
    assert [scores["split"] for _, scores in heard] == ["test", "dev"]
    for scores in by_language.values():
        assert (scores["examples"], scores["rows"]) == (3, 3)
        assert scores["tokens"] > 3 * 4
        assert scores["seconds"] >= 0
    assert results["averages"]["others"] == by_language["de"]["score"]
    assert results["missing_languages"] == [
        "ar", "el", "es", "fr", "hi", "ru", "zh"
    ]  # fmt: skip
    scores, predicted = evaluate_file(model, source, "test", "de", limit=3)
    assert scores["score"] == by_language["de"]["score"]
    written = (tmp_path / "predictions" / "test-de.tsv").read_text("utf-8")
    assert written == "".join(f"{label}\n" for label in predicted)
    assert (tmp_path / "predictions" / "dev-en.tsv").is_file()


def test_without_a_folder_nothing_is_written(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = Source(task=get_task("pawsx"), name="sample")
    evaluate_languages(model, source, {"de": "test"}, limit=1)
    assert list(tmp_path.iterdir()) == []


def test_sets_that_are_not_prepared(tmp_path):
    source = Source(task=get_task("pos"), name="tfds", data_dir=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"trainers.prepare makes sets"):
        choose_files(source, ("all",), "test")
