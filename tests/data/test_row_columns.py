"""One file of all languages: columns that say whose a row is."""

import dataclasses
import json
import zipfile

import pandas as pd
import pytest

from dlfa_tf.data import doctor
from dlfa_tf.data import inventory
from dlfa_tf.data import task_file
from dlfa_tf.data import tasks
from dlfa_tf.data.new_task import write_new_task
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.readers import TextExample
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task_labels import with_labels
from dlfa_tf.scoring import zero_shot

# Splits as others call them, languages in no order.
ROWS = [
    ("Weck mich, bitte", "de", "alarm", "test"),
    ("wake me", "en", "alarm", "train"),
    ("放一首歌", "zh-Hant", "music", "test"),
    ("یک آهنگ", "fa", "music", "validation"),
    ("play", "en", "music", "Train"),
    ("sing", "en", "music", "validation"),
    ("stop", "en", "alarm", "test"),
    ("Wecker aus", "de", "alarm", "test"),
    ("بیدارم کن", "fa", "alarm", "test"),
]
NAMES = ("utterance", "lang", "intent", "split")
VALUES = {
    "name": "intents",
    "kind": "single",
    "labels": "from the training data",
    "score": "accuracy",
    "target_languages": ["de", "fa", "zh-Hant"],
    "files": {"train": "all.csv"},
    "columns": {
        "text": "utterance", "label": "intent", "language": "lang",
        "split": "split",
    },
}  # fmt: skip
OTHERS = ["en", "fa", "zh-Hant"]
GERMAN = [
    TextExample("Weck mich, bitte", "alarm"),
    TextExample("Wecker aus", "alarm"),
]


def table(rows=ROWS):
    return pd.DataFrame(rows, columns=NAMES)


def source(folder, **changes):
    task = task_file.task_from_values(VALUES | changes)
    task = dataclasses.replace(task, home=str(folder))
    return Source(task=with_labels(task, None), name="files")


def check(found):
    assert found.task.labels == ("alarm", "music")
    assert found.load("test", "de") == GERMAN
    assert found.load("test", "zh-Hant", 3) == [
        TextExample("放一首歌", "music")
    ]
    assert [x.text for x in found.load("train", "en")] == ["wake me", "play"]
    assert found.available("train") == ("en",)
    assert found.available("dev") == ("en", "fa")
    assert found.available("test") == ("de", "en", "fa", "zh-Hant")
    counts = [(s, x, len(e)) for s, x, e in inventory.load_all(found)]
    assert sum(n for *_, n in counts) == len(ROWS)
    # The definition of a run says the same.
    values = json.loads(json.dumps(task_file.task_to_values(found.task)))
    assert task_file.task_from_values(values) == found.task


def test_one_csv_file_has_everything(tmp_path):
    table().to_csv(tmp_path / "all.csv", index=False)
    check(source(tmp_path))


@pytest.mark.parametrize("form", ["tsv.gz", "jsonl", "parquet"])
def test_other_forms_have_everything_too(form, tmp_path):
    path = tmp_path / f"all.{form}"
    if form == "jsonl":
        table().to_json(path, orient="records", lines=True)
    elif form == "parquet":
        table().to_parquet(path)
    else:
        table().to_csv(path, index=False, sep="\t")
    check(source(tmp_path, files={"train": f"all.{form.removesuffix('.gz')}"}))


def test_a_file_for_every_split_in_a_zip_file(tmp_path):
    """Columns by number; labels are looked up in the zip file, too."""
    columns = {"text": 1, "language": 2, "label": 3}
    files = {"train": "{split}.csv", "dev": "dev.csv", "test": "{split}.csv"}
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as packed:
        for split, name in (
            ("train", "train"), ("dev", "validation"), ("test", "test")
        ):  # fmt: skip
            rows = [x for x in ROWS if x[3].lower() == name]
            text = table(rows).to_csv(index=False, header=False)
            packed.writestr(f"{split}.csv", text)
    files = {k: f"data.zip/{v}" for k, v in files.items()}
    check(source(tmp_path, columns=columns, files=files))


def test_a_column_of_splits_beside_a_file_for_every_language(tmp_path):
    columns = {k: v for k, v in VALUES["columns"].items() if k != "language"}
    for language, rows in table().groupby("lang"):
        rows.to_csv(tmp_path / f"{language}.csv", index=False)
    files = {"train": "{language}.csv"}
    check(source(tmp_path, columns=columns, files=files))


def test_sentences_with_a_language(tmp_path):
    rows = [
        {"lang": "en", "words": [], "tags": []},
        {"lang": "el", "words": ["Λένα", "τρέχει"], "tags": ["B", "O"]},
        {"lang": "en", "words": ["Lena"], "tags": ["B"]},
        {"lang": "el", "words": ["Ναι"], "tags": ["O"]},
    ]
    text = "\n".join(json.dumps(x) for x in rows) + "\n"
    (tmp_path / "train.jsonl").write_text(text)
    changes = {
        "kind": "tagging", "score": "token_accuracy", "labels": ["B", "O"],
        "target_languages": ["el"], "columns": {"language": "lang"},
        "files": {"train": "{split}.jsonl"},
    }  # fmt: skip
    found = source(tmp_path, **changes)
    assert found.load("train", "el") == [
        TaggedSentence(("Λένα", "τρέχει"), ("B", "O")),
        TaggedSentence(("Ναι",), ("O",)),
    ]
    assert found.load("train", "en") == [TaggedSentence(("Lena",), ("B",))]
    (tmp_path / "train.tsv").write_text("lang\tword\ttag\nen\tLena\tB\n")
    found = source(tmp_path, **changes | {"files": {"train": "train.tsv"}})
    with pytest.raises(ValueError, match="language need.*'tsv'.*jsonl"):
        found.load("train", "en")


def test_rows_of_nobody_are_refused(tmp_path):
    path = tmp_path / "all.csv"
    table([*ROWS, ("?", "zh_Hant", "music", "test")]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="line 11.*'zh_Hant'.*'lang'.*zh-Hant"):
        source(tmp_path)
    table([*ROWS, ("?", "de", "music", "tset")]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="line 11.*'tset'.*Did you.*test"):
        source(tmp_path)


def test_the_doctor_says_it_once(tmp_path):
    path = tmp_path / "all.csv"
    table([*ROWS, ("?", "", "music", "test")]).to_csv(path, index=False)
    found = source(tmp_path, labels=["alarm", "music"])
    wrong = [x for x in doctor.check_data(found).findings if x.what == "file"]
    assert len(wrong) == 1
    assert "line 11: a language that is none of the task's" in wrong[0].text


def test_a_language_without_a_row(tmp_path):
    table().to_csv(tmp_path / "all.csv", index=False)
    found = source(tmp_path, target_languages=["de", "fa", "sw", "zh-Hant"])
    with pytest.raises(FileNotFoundError, match="No test rows.*'sw'.*'de'"):
        found.load("test", "sw")
    with pytest.raises(FileNotFoundError, match=r"\['sw'\].*available"):
        zero_shot.choose_files(found, ("all",), "test")
    assert inventory.missing_languages(found)["test and dev"] == ["sw"]
    # None of the source language: nothing to take labels from.
    with pytest.raises(FileNotFoundError, match="No train rows.*'de'"):
        source(tmp_path, source_languages=["de"], target_languages=OTHERS)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"files": {"train": "x.{language}.csv"}}, "{language}.*twice.*'lang'"),
        ({"files": {"train": "{split}.csv"}}, "{split}.*twice.*'split'"),
        ({"files": {"train": "all.{code}.csv"}}, "no other braces"),
        (
            {"columns": {"text": "utterance", "label": "intent"}},
            "needs {language}.*`language` in",
        ),
        ({"columns": {"text": "a", "language": "lang"}}, "some columns only"),
        (
            {"columns": {"languages": "lang", "text": 1, "label": 2}},
            "'languages'.*language.*Did you mean",
        ),
        ({"columns": {"language": 0}}, "`language` is of the wrong kind"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        task_file.task_from_values(VALUES | changes)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_first_task_file_is_guessed(form, tmp_path):
    folder = tmp_path / "intents"
    folder.mkdir()
    if form == "csv":
        table().to_csv(folder / "corpus.csv.gz", index=False)
    else:
        for split, rows in table().groupby(table().split.str.lower()):
            path = folder / f"{split}.jsonl"
            rows.to_json(path, orient="records", lines=True)
    task = tasks.find_task(str(write_new_task(folder)))
    assert task.languages == ("de", "en", "fa", "zh-Hant")
    assert task.source_languages == ("en",)
    assert task.columns == {
        k: v
        for k, v in VALUES["columns"].items()
        if k != "split" or form == "csv"
    }
    check(Source(task=with_labels(task, None), name="files"))


def test_sentences_are_guessed(tmp_path):
    row = {"tags": ["B-PER"], "locale": "en", "words": ["Lena"]}
    rows = [row, row | {"locale": "el"}, row | {"tags": ["O"]}]
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "train.jsonl").write_text(text)
    task = tasks.find_task(str(write_new_task(tmp_path)))
    assert (task.kind, task.scheme) == ("tagging", "IOB2")
    assert task.columns == {"language": "locale"}
    found = Source(task=with_labels(task, None), name="files")
    assert [len(found.load("train", x)) for x in ("el", "en")] == [1, 2]
