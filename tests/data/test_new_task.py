"""A first task file for a folder of data."""

import gzip
import pathlib
import shutil

import pytest

from dlfa_tf.data import tasks
from dlfa_tf.data.new_task import write_new_task
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task_labels import with_labels

EXAMPLES = pathlib.Path(tasks.__file__).parent / "examples"


@pytest.mark.parametrize("name", ["intents", "reviews", "entities"])
def test_examples_are_guessed(name, tmp_path):
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=lambda *_: ["task.toml"])
    path = write_new_task(folder)
    assert path == folder / "task.toml"
    assert path.read_text("utf-8").startswith("# A first guess")
    guess = with_labels(tasks.find_task(str(path)), None)
    real = with_labels(
        tasks.find_task(str(EXAMPLES / name / "task.toml")), None
    )
    assert (guess.name, guess.kind, guess.files) == (
        name,
        real.kind,
        real.files,
    )
    assert guess.languages == real.languages
    assert guess.source_languages == real.source_languages
    assert guess.columns == real.columns
    assert (guess.scheme, set(guess.labels)) == (
        real.scheme,
        # The training data of the example lack one tag of it.
        set(real.labels) - {"I-LOC"},
    )
    for language in real.languages:
        assert Source(task=guess, name="files").load("test", language)
    with pytest.raises(FileExistsError, match="never overwritten"):
        write_new_task(folder)


def test_other_names_and_forms(tmp_path):
    folder = tmp_path / "my data"
    for language in ("de", "pt-BR"):
        (folder / language).mkdir(parents=True)
        for split in ("train", "validation", "test"):
            text = f"Haus {split}\tNOUN\nalt\tADJ\n\nJa\tINTJ\n\n"
            path = folder / language / f"{split}.tsv.gz"
            path.write_bytes(gzip.compress(text.encode()))
    (folder / "README.md").write_text("x")
    task = tasks.find_task(str(write_new_task(folder)))
    assert (task.name, task.kind, task.score) == (
        "my-data",
        "tagging",
        "token_accuracy",
    )
    assert task.files["dev"] == ("{language}/validation.tsv",)
    assert (task.source_languages, task.target_languages) == (
        ("de",),
        ("pt-BR",),
    )
    source = Source(task=with_labels(task, None), name="files")
    assert len(source.load("dev", "pt-BR")) == 2


def test_rows_without_names(tmp_path):
    (tmp_path / "train-en.tsv").write_text("a\tb\t1\nc\td\t0\n")
    (tmp_path / "test-sw.tsv").write_text("a\tb\t1\n")
    task = tasks.find_task(str(write_new_task(tmp_path)))
    assert (task.kind, task.target_languages) == ("pair", ("sw",))
    assert task.columns == {"first": 1, "second": 2, "label": 3}


def test_a_folder_without_training_data(tmp_path):
    (tmp_path / "corpus.csv").write_text("a,b\n")
    with pytest.raises(FileNotFoundError, match="corpus.csv.*train-en.tsv"):
        write_new_task(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_new_task(tmp_path / "none")
