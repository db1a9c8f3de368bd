"""Counts of what a source holds."""

import re

import pytest

from dlfa_tf.data.inventory import Counts
from dlfa_tf.data.inventory import count
from dlfa_tf.data.inventory import load_all
from dlfa_tf.data.inventory import missing_languages
from dlfa_tf.data.inventory import nothing_there
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.scoring import zero_shot


def test_count_of_pairs():
    examples = [PairExample("a", "b", x) for x in ("1", "0", "1")]
    assert count("dev", "de", examples, ("0", "1", "2")) == Counts(
        split="dev",
        language="de",
        examples=3,
        words=None,
        labels={"0": 1, "1": 2, "2": 0},
    )


def test_count_of_sentences():
    examples = [
        TaggedSentence(("a", "b"), ("O", "B-LOC")),
        TaggedSentence(("c",), ("O",)),
    ]
    counts = count("test", "de", examples, ("O", "B-LOC"))
    assert (counts.examples, counts.words) == (2, 3)
    assert counts.labels == {"O": 2, "B-LOC": 1}


def test_all_of_the_sample_in_order():
    source = Source(task=TASKS["pawsx"], name="sample")
    loaded = [(s, lang, len(e)) for s, lang, e in load_all(source)]
    assert [x[:2] for x in loaded[:3]] == [
        ("train", "en"),
        ("dev", "en"),
        ("test", "ar"),
    ]
    assert [x[2] for x in loaded] == [
        len(source.load(split, language)) for split, language, _ in loaded
    ]
    assert missing_languages(source) == {
        "train": [],
        "dev": [],
        "test": [],
        "test and dev": [],
    }


def test_missing_languages(tmp_path):
    folder = tmp_path / "pawsx"
    folder.mkdir()
    for name in ("test-de", "dev-fr", "test-fr", "dev-ja"):
        (folder / f"{name}.tsv").write_text("a\tb\t0\n")
    source = Source(task=TASKS["pawsx"], name="files", data_dir=str(tmp_path))
    assert missing_languages(source) == {
        "train": ["en"],
        "dev": ["en"],
        "test": ["ja"],
        "test and dev": ["en", "es", "ko", "zh"],
    }


def test_test_files_without_labels_are_no_data(tmp_path):
    """XTREME's download as it is, with what its training scripts leave."""
    folder = tmp_path / "udpos"
    (folder / "udpos_processed_maxlen128" / "de").mkdir(parents=True)
    (folder / "udpos_processed_maxlen128" / "de" / "test.m").write_text("a\tX")
    # A pickle, which must not be opened.
    (folder / "cached_test_de_m_128").write_bytes(b"\x80\x04\x95.")
    for name, text in {
        "train-en": "a\tNOUN\n", "dev-de": "a\tX\n", "test-de": "a\nb\n\nc\n",
    }.items():  # fmt: skip
        (folder / f"{name}.tsv").write_text(text)
    source = Source(task=TASKS["pos"], name="files", data_dir=str(tmp_path))
    assert [x[:2] for x in load_all(source)] == [("train", "en"), ("dev", "de")]
    assert source.unlabelled("test") == ("de",)
    assert "de" in missing_languages(source)["test"]
    with pytest.raises(ValueError, match="test file without labels"):
        source.load("test", "de")
    files = zero_shot.choose_files(source, ("de",), "test_or_dev")
    assert files == {"de": "dev"}
    with pytest.raises(
        FileNotFoundError, match=r"\['de'\] have no labels.*--originals_dir"
    ):
        zero_shot.choose_files(source, ("de",), "test")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("test-de.tsv", "a\tb\n", r"without labels only, of \['de'\]"),
        (
            "train-en.csv",
            "a,b\n",
            r"train-en\.tsv, .*with: \['train-en\.csv'\]",
        ),
    ],
)
def test_nothing_is_said_to_be_there(tmp_path, name, text, message):
    (tmp_path / "pawsx").mkdir()
    (tmp_path / "pawsx" / name).write_text(text)
    source = Source(task=TASKS["pawsx"], name="files", data_dir=str(tmp_path))
    assert list(load_all(source)) == []
    assert re.search(message, nothing_there(source))


def _stated(folder, task):
    """Counts that the README of the benchmark files states, by file name."""
    text = (folder / "README.md").read_text("utf-8")
    pattern = (
        rf"^\| {task.folder}/((?:train|dev|test)-\w\w)\.tsv\S* "
        r"\| (\d+) \| (.*) \|$"
    )
    stated = {}
    for name, examples, rest in re.findall(pattern, text, re.MULTILINE):
        words = re.match(r"(\d+) \|", rest)
        labels = dict(re.findall(r"([\w-]+):(\d+)", rest))
        stated[name] = (
            int(examples),
            int(words[1]) if words else None,
            # The treebanks in that column of POS are no labels.
            {k: int(v) for k, v in labels.items() if k in task.labels},
        )
    return stated


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_counts_of_the_benchmark_files_are_those_stated(shared_data_dir, name):
    task = TASKS[name]
    source = Source(task=task, name="files", data_dir=str(shared_data_dir))
    counted = {}
    for split, language, examples in load_all(source):
        found = count(split, language, examples, task.labels)
        stated_labels = {
            "ner": [x for x in task.labels if x.startswith("B-")],
            "pos": [],
        }.get(name, task.labels)
        counted[f"{split}-{language}"] = (
            found.examples,
            found.words,
            {label: found.labels[label] for label in stated_labels},
        )
    stated = _stated(shared_data_dir, task)
    assert len(stated) > 10
    assert counted == stated
