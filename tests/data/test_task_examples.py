"""Files of a task of the user's: what is read, what is refused."""

import dataclasses
import gzip
import json

import pytest

from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.readers import TextExample
from dlfa_tf.data.sources import Source
from dlfa_tf.data.task import Task
from dlfa_tf.data.task_labels import with_labels

INTENTS = Task(
    name="intents",
    kind="single",
    labels=("alarm", "music"),
    score="accuracy",
    target_languages=("de", "fa"),
    files={
        "train": ("{split}.{language}.csv",),
        "dev": ("{split}.{language}.csv",),
        "test": ("{split}.{language}.csv", "{split}.{language}.jsonl"),
    },
    columns={"text": "utterance", "label": "intent"},
)
CSV = (
    "\ufeffintent,utterance\r\n"
    'alarm,"wake me, please"\r\n'
    'music,"say ""play"" \u2028 now"\r\n'
)
TEXTS = [
    TextExample("wake me, please", "alarm"),
    TextExample('say "play" \u2028 now', "music"),
]


def source(folder, task=INTENTS, **changes):
    return Source(
        task=dataclasses.replace(task, **changes),
        name="files",
        data_dir=str(folder),
    )


def test_csv_with_a_header(tmp_path):
    (tmp_path / "train.en.csv").write_bytes(CSV.encode())
    (tmp_path / "dev.en.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    found = source(tmp_path)
    assert found.load("train", "en") == found.load("dev", "en") == TEXTS
    assert found.load("train", "en", 1) == TEXTS[:1]
    assert found.available("train") == ("en",)
    assert found.available("test") == ()


def test_columns_by_number_without_a_header(tmp_path):
    (tmp_path / "train.en.csv").write_text("x,Weck mich,alarm\n", "utf-8")
    found = source(tmp_path, columns={"text": 2, "label": 3})
    assert found.load("train", "en") == [TextExample("Weck mich", "alarm")]
    found = source(tmp_path, columns={"text": 2, "label": 4})
    with pytest.raises(ValueError, match="line 1: no column 4"):
        found.load("train", "en")


def test_json_lines(tmp_path):
    row = {"intent": "music", "utterance": "یک آهنگ پخش کن", "n": 1, "x": None}
    text = json.dumps(row) + "\n\n" + json.dumps(row, ensure_ascii=False)
    (tmp_path / "test.fa.jsonl").write_text(text + "\n", "utf-8")
    assert (
        source(tmp_path).load("test", "fa")
        == [TextExample("یک آهنگ پخش کن", "music")] * 2
    )


def test_single_texts_in_two_columns(tmp_path):
    (tmp_path / "train-en.tsv").write_text('say "hi"\tmusic\n', "utf-8")
    task = Task(
        name="t", kind="single", labels=("alarm", "music"), score="accuracy",
        target_languages=("de",),
    )  # fmt: skip
    assert source(tmp_path, task).load("train", "en") == [
        TextExample('say "hi"', "music")
    ]


def test_pairs_and_tags(tmp_path):
    (tmp_path / "train-en.csv").write_text('0,"a, b",c\n', "utf-8")
    (tmp_path / "train-en.tsv").write_text(
        "Aspirin\tx\tB-DRUG\nhilft\tx\tO\n\n\nJa\tx\tO\n", "utf-8"
    )
    pairs = Task(
        name="t", kind="pair", labels=("0", "1"), score="accuracy",
        target_languages=("de",), files={"train": ("{split}-{language}.csv",)},
        columns={"first": 2, "second": 3, "label": 1},
    )  # fmt: skip
    assert source(tmp_path, pairs).load("train", "en") == [
        PairExample("a, b", "c", "0")
    ]
    tags = Task(
        name="t", kind="tagging", labels=("O", "B-DRUG", "I-DRUG"),
        score="chunk_f1", scheme="IOB2", target_languages=("de",),
        columns={"word": 1, "tag": 3},
    )  # fmt: skip
    assert source(tmp_path, tags).load("train", "en") == [
        TaggedSentence(("Aspirin", "hilft"), ("B-DRUG", "O")),
        TaggedSentence(("Ja",), ("O",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance,label\na,b\n",
         "line 1: no column 'intent'.*'utterance', 'label'"),
        ("intents,utterance\na,b\n", "Did you mean 'intents'"),
        ("intent,utterance\nalarm\n", "line 2: expected 2 columns"),
        ("intent,utterance\nalarn,x\n",
         "line 2: unknown label. Received: 'alarn'.*Did you mean 'alarm'"),
        ("intent,utterance\nalarm, \n", "line 2: a text is empty"),
        ('intent,utterance\nalarm,"x\n', "line 2: not a row of CSV"),
        ("intent,utterance\n", "no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, text, message):
    (tmp_path / "train.en.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        source(tmp_path).load("train", "en")


def test_two_formats_of_one_split_are_refused(tmp_path):
    for ending in ("csv", "jsonl"):
        (tmp_path / f"test.de.{ending}").write_text("x", "utf-8")
    with pytest.raises(ValueError, match="Two files.*de.csv.*de.jsonl"):
        source(tmp_path).load("test", "de")


def test_a_language_without_a_file(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(
        FileNotFoundError,
        match=r"test.fa.csv or test.fa.jsonl .*begins with: \['notes.txt'\]",
    ):
        source(tmp_path).load("test", "fa")


def test_labels_of_the_training_data(tmp_path):
    (tmp_path / "train.en.csv").write_bytes(CSV.encode())
    (tmp_path / "test.de.csv").write_text(
        "intent,utterance\nweather,Regnet es?\n", "utf-8"
    )
    task = dataclasses.replace(INTENTS, labels=())
    found = with_labels(task, str(tmp_path))
    assert found.labels == ("alarm", "music")
    # A label that only test has.
    with pytest.raises(ValueError, match="de.csv, line 2.*'weather'.*'alarm'"):
        source(tmp_path, found).load("test", "de")
    (tmp_path / "train.en.csv").write_text("intent,utterance\nalarm,x\n")
    with pytest.raises(ValueError, match="Training data of en.*two or more"):
        with_labels(task, str(tmp_path))


def test_the_sample_and_tfds_do_not_have_it(tmp_path):
    for name in ("sample", "tfds"):
        with pytest.raises(ValueError, match="does not have task 'intents'"):
            Source(task=INTENTS, name=name, data_dir=str(tmp_path))


def test_files_are_beside_the_task_file(tmp_path):
    (tmp_path / "train.en.csv").write_bytes(CSV.encode())
    task = dataclasses.replace(INTENTS, home=str(tmp_path))
    assert Source(task=task, name="files").load("train", "en") == TEXTS
