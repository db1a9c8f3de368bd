"""Task files: what they say, and what is said of a wrong one."""

import json
import re

import pytest

from dlfa_tf.data.formats import KINDS
from dlfa_tf.data.task import FORMATS
from dlfa_tf.data.task import SCORES
from dlfa_tf.data.task_file import read_task_file
from dlfa_tf.data.task_file import task_from_values
from dlfa_tf.data.task_file import task_to_values
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tasks import find_task
from dlfa_tf.data.tasks import task_of_config

INTENTS = """\
# Intents of a voice assistant.
name = "intents"
kind = "single"
labels = ["alarm", "music"]
score = "macro_f1"
source_languages = ["en"]
target_languages = ["de", "zh-Hant"]

[files]
train = "{language}/train.csv"
test = ["{language}/test.csv", "{language}/test.jsonl"]

[columns]
text = "utterance"
label = "intent"

[limits]
sequence_length = 32

[training]
epochs = 3
learning_rate = 1e-4
"""
NER = """\
name = "drugs"
kind = "tagging"
labels = ["O", "B-DRUG", "I-DRUG"]
score = "chunk_f1"
scheme = "IOB2"
target_languages = ["de"]
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="intents.toml"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def test_what_a_file_says(write):
    path = write(INTENTS)
    task = find_task(str(path))
    assert (task.name, task.kind, task.score) == (
        "intents",
        "single",
        "macro_f1",
    )
    assert task.labels == ("alarm", "music")
    assert task.languages == ("de", "en", "zh-Hant")
    assert task.files == {
        "train": ("{language}/train.csv",),
        "dev": ("{split}-{language}.tsv",),
        "test": ("{language}/test.csv", "{language}/test.jsonl"),
    }
    assert task.columns == {"text": "utterance", "label": "intent"}
    assert (task.sequence_length, task.epochs) == (32, 3)
    assert task.learning_rate == 1e-4
    assert (task.batch_size, task.parallel) == (32, False)
    assert task.home == str(path.parent)


@pytest.mark.parametrize("text", [INTENTS, NER], ids=["intents", "ner"])
def test_values_are_plain_and_read_back(write, text):
    task = read_task_file(write(text))
    values = json.loads(json.dumps(task_to_values(task)))
    assert task_from_values(values) == task
    assert "home" not in values


@pytest.mark.parametrize("name", TASKS)
def test_tasks_of_the_paper_are_such_definitions(name):
    values = json.loads(json.dumps(task_to_values(TASKS[name])))
    assert task_from_values(values) == TASKS[name]
    assert task_of_config({"task": name}) is TASKS[name]


def test_labels_of_the_training_data(write):
    text = INTENTS.replace('["alarm", "music"]', '"from the training data"')
    task = read_task_file(write(text))
    assert task.labels == ()
    assert task_from_values(task_to_values(task)) == task
    with pytest.raises(ValueError, match="'intents' are those of its train"):
        _ = task.label_names


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('kind = "single"', 'knid = "single"', 3,
         "unknown key. Received: 'knid'.*Did you mean 'kind'"),
        ("[files]", "[flies]", 9, r"unknown key.*Did you mean 'files'"),
        ("train = ", "trian = ", 10,
         r"unknown key of \[files\].*'trian'.*Did you mean 'train'"),
        ("text = ", "txt = ", 14,
         r"unknown key of \[columns\] for kind 'single'.*Did you mean 'text'"),
        ("epochs = 3", "epoch = 3", 21, "Did you mean 'epochs'"),
        ('"single"', '"singel"', 3,
         "`kind` is unknown. Received: 'singel'.*mean 'single'"),
        ('"macro_f1"', '"chunk_f1"', 5,
         "`score` does not fit the kind 'single'. Received: 'chunk_f1'. "
         "Accepted: accuracy, macro_f1, matthews"),
        ('"macro_f1"', '"macrof1"', 5, "Did you mean 'macro_f1'"),
        ('["alarm", "music"]', '["alarm", "alarm"]', 4, "all different"),
        ('["alarm", "music"]', '["alarm"]', 4, "two or more"),
        ('["alarm", "music"]', '["a\\tb", "c"]', 4, "no TAB"),
        ('["alarm", "music"]', '"train"', 4, "from the training data"),
        ('["de", "zh-Hant"]', '["de", "d e"]', 7, "different codes.*'d e'"),
        ('["de", "zh-Hant"]', '"de"', 7, "a list of texts"),
        ('"{language}/train.csv"', '"train.csv"', 10, "needs {language}"),
        ('"{language}/train.csv"', '"{lang}.csv"', 10, "no other braces"),
        ("= 32", "= 2", 18, "a whole number, 8 or more"),
        ("epochs = 3", "epochs = 0.5", 21, "a whole number"),
        ("learning_rate = 1e-4", 'learning_rate = "fast"', 22, "a number"),
        ("learning_rate = 1e-4", "learning_rate = 0", 22, "above 0"),
        ('text = "utterance"\n', "", 13, "names some columns only"),
        ('text = "utterance"', "text = 0", 14, "counted from 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(write, old, new, line, message):
    path = write(INTENTS.replace(old, new, 1))
    with pytest.raises(ValueError) as error:
        find_task(str(path))
    text = str(error.value)
    assert text.startswith(f"{path}, line {line}: "), text
    assert re.search(message, text), text


def test_a_task_without_what_it_needs(write):
    path = write('kind = "pair"\n')
    with pytest.raises(ValueError, match="`name`, `labels`.*missing"):
        find_task(str(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"IOB2"', '"IOB"', "`scheme` is unknown.*mean 'IOB2'"),
        ('scheme = "IOB2"\n', "", "one of IOB2, IOBES, BILOU with chunk_f1"),
        ('"chunk_f1"', '"token_accuracy"', "none with another score"),
        ('"I-DRUG"', '"E-DRUG"', r"not of the scheme IOB2.*\['E-DRUG'\]"),
        ('"B-DRUG"', '"DRUG"', r"not of the scheme.*Accepted: O, and B-TYPE"),
        ('"B-DRUG"', '"B-"', r"not of the scheme"),
    ],
)
def test_scheme_is_named_and_checked(write, old, new, message):
    with pytest.raises(ValueError, match=message):
        find_task(str(write(NER.replace(old, new, 1))))


def test_what_is_no_task_file(write, tmp_path):
    with pytest.raises(ValueError, match=r"no TOML .*line 1"):
        find_task(str(write("name intents\n")))
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"\n')
    with pytest.raises(ValueError, match="not valid UTF-8"):
        find_task(str(tmp_path / "latin.toml"))
    with pytest.raises(FileNotFoundError, match="--new_task"):
        find_task(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", ["pos", "panx"])
def test_names_of_the_paper_are_taken(write, name):
    text = INTENTS.replace('"intents"', f'"{name}"')
    with pytest.raises(ValueError, match="that of one of the paper's tasks"):
        find_task(str(write(text)))


def test_formats_are_those_that_are_read():
    assert FORMATS == tuple(KINDS)


def test_every_score_fits_some_kind():
    assert {kind for kinds in SCORES.values() for kind in kinds} == {
        "single",
        "pair",
        "tagging",
    }
