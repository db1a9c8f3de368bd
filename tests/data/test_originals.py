"""Files as their makers ship them -> labelled folders of the tasks."""

import dataclasses
import io
import os
import pathlib
import shutil
import tarfile

import pytest

from dlfa_tf.data.originals import convert_originals
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS

LANGUAGES = ("de", "en")


def small(name):
    return dataclasses.replace(TASKS[name], target_languages=LANGUAGES)


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join("\t".join(r) + "\r\n" for r in rows).encode())


@pytest.fixture
def raw(tmp_path):
    """Folder with the originals of the three tasks in two languages."""
    raw = tmp_path / "raw"
    write(
        raw / "XNLI-MT-1.0" / "multinli" / "multinli.train.en.tsv",
        ("premise", "hypo", "label"),
        (' He said "go', "a b ", "contradictory"),
    )
    for split in ("dev", "test"):
        write(
            raw / "XNLI-1.0" / f"xnli.{split}.tsv",
            ("language", "gold_label", "parse", "sentence1", "sentence2", "x"),
            ("de", "neutral", "(", f"{split} 1", "zwei", "y"),
            ("en", "entailment", "(", f"{split} 1", "two\u2028", "y"),
            ("de", "contradiction", "(", f"{split} 2", "drei", "y"),
        )
    pairs = (
        ("id", "sentence1", "sentence2", "label"),
        ("1", '"a', "NS", "0"),
        ("2", "b", "c", "1"),
    )
    for language in LANGUAGES:
        for name in ("dev_2k", "test_2k"):
            write(raw / "x-final" / language / f"{name}.tsv", *pairs)
        path = raw / "panx_dataset" / f"{language}.tar.gz"
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, "w:gz") as tar:
            for split in ("train", "dev", "test"):
                text = f"{language}:Bonn\tB-LOC\n{language}::\tO\n\n"
                data = (text + f"{language}:{split}\tO\n\n").encode()
                member = tarfile.TarInfo(split)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    write(raw / "x-final" / "en" / "train.tsv", *pairs)
    return raw


def read(task, folder, split, language):
    source = Source(task=task, name="files", data_dir=str(folder))
    return source.load(split, language)


def test_xnli(raw, tmp_path):
    said = []
    convert_originals(small("xnli"), raw, tmp_path, said.append)
    assert len(said) == 5
    assert read(small("xnli"), tmp_path, "train", "en") == [
        PairExample('He said "go', "a b", "contradiction")
    ]
    assert read(small("xnli"), tmp_path, "test", "de") == [
        PairExample("test 1", "zwei", "neutral"),
        PairExample("test 2", "drei", "contradiction"),
    ]
    assert read(small("xnli"), tmp_path, "dev", "en") == [
        PairExample("dev 1", "two", "entailment")
    ]


def test_pawsx(raw, tmp_path):
    convert_originals(small("pawsx"), raw, tmp_path)
    for split, language in (("train", "en"), ("dev", "de"), ("test", "de")):
        assert read(small("pawsx"), tmp_path, split, language) == [
            PairExample('"a', "NS", "0"),
            PairExample("b", "c", "1"),
        ]
    assert not (tmp_path / "pawsx" / "train-de.tsv").exists()


def test_panx(raw, tmp_path):
    convert_originals(small("ner"), raw, tmp_path)
    for split in ("train", "dev", "test"):
        assert read(small("ner"), tmp_path, split, "de") == [
            TaggedSentence(("Bonn", ":"), ("B-LOC", "O")),
            TaggedSentence((split,), ("O",)),
        ]


def test_files_that_are_there_stay(raw, tmp_path):
    (tmp_path / "pawsx").mkdir()
    for name in ("dev-de.tsv", "test-en.tsv.gz"):
        (tmp_path / "pawsx" / name).write_text("mine")
    said = []
    convert_originals(small("pawsx"), raw, tmp_path, said.append)
    assert (tmp_path / "pawsx" / "dev-de.tsv").read_text() == "mine"
    assert not (tmp_path / "pawsx" / "test-en.tsv").exists()
    assert sum("is there already" in x for x in said) == 2
    assert len(said) == 5


@pytest.mark.parametrize(
    ("task", "missing"),
    [
        ("xnli", "XNLI-1.0/xnli.test.tsv"),
        ("pawsx", "x-final/en/train.tsv"),
        ("ner", "panx_dataset/en.tar.gz"),
    ],
)
def test_missing_original_is_named(raw, tmp_path, task, missing):
    (raw / missing).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=f"missing.*{missing}.*`originals_dir`. Received: '{raw}'. Acc",
    ):
        convert_originals(small(task), raw, tmp_path)


def test_archive_without_a_split_is_refused(raw, tmp_path):
    with tarfile.open(raw / "panx_dataset" / "en.tar.gz", "w:gz"):
        pass
    with pytest.raises(FileNotFoundError, match="'train'.*LANG.tar.gz"):
        convert_originals(small("ner"), raw, tmp_path)


def test_languages_that_are_not_there_are_named(raw, tmp_path):
    (raw / "panx_dataset" / "de.tar.gz").unlink()
    said = []
    convert_originals(small("ner"), raw, tmp_path, said.append)
    assert said[-1] == "No originals in de."
    assert len(said) == 4


@pytest.mark.parametrize("name", ["xnli", "pawsx", "ner"])
def test_archives_need_no_unpacking(raw, tmp_path, name):
    task = small(name)
    convert_originals(task, raw, tmp_path / "a")
    for folder, kind in {
        "XNLI-1.0": "zip", "XNLI-MT-1.0": "zip", "x-final": "gztar",
        "panx_dataset": "tar",
    }.items():  # fmt: skip
        shutil.make_archive(str(raw / folder), kind, raw, folder)
        shutil.rmtree(raw / folder)
    convert_originals(task, raw, tmp_path / "b")
    written = sorted((tmp_path / "a" / task.folder).iterdir())
    assert len(written) in (5, 6)
    for path in written:
        other = tmp_path / "b" / task.folder / path.name
        assert path.read_bytes() == other.read_bytes()


def test_panx_as_xtreme_unpacks_it(raw, tmp_path):
    """Files called `de-train`, and prefixes that are no language code."""
    write(raw / "panx" / "en-train", ("zh-min-nan::x", "O"), ("en:", "O"))
    write(raw / "panx" / "en-dev", ("en:a", "O"))
    write(raw / "panx" / "en-test", ("en:b:c", "O"))
    convert_originals(small("ner"), raw / "panx", tmp_path)
    (sentence,) = read(small("ner"), tmp_path, "train", "en")
    assert sentence.words == (":x",)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("id", "first", "label")], "line 1: expected the columns"),
        (
            [("id", "sentence1", "sentence2", "label"), ("1", "a", "b")],
            "line 2: expected 4 columns separated by TAB. Received: 3",
        ),
    ],
    ids=["header", "row"],
)
def test_other_columns_are_refused_and_nothing_is_left(
    raw, tmp_path, rows, message
):
    write(raw / "x-final" / "de" / "test_2k.tsv", *rows)
    with pytest.raises(ValueError, match=f"test_2k.tsv, {message}"):
        convert_originals(small("pawsx"), raw, tmp_path)
    names = {path.name for path in (tmp_path / "pawsx").iterdir()}
    assert names == {"dev-de.tsv"}


def test_pos_comes_of_treebanks(tmp_path):
    line = "{}\t{}\t_\t{}\t_\t_\t{}\t_\t_\t_\n"
    bank = tmp_path / "raw" / "ud-treebanks-v2.5" / "UD_English-EWT"
    bank.mkdir(parents=True)
    text = line.format("1-2", "cannot", "_", "_")
    text += line.format(1, "can", "AUX", 0) + line.format(2, "not", "PART", 1)
    for split in ("train", "dev", "test"):
        (bank / f"en_ewt-ud-{split}.conllu").write_text(f"{text}\n{text}\n")
    convert_originals(small("pos"), tmp_path / "raw", tmp_path)
    assert (
        read(small("pos"), tmp_path, "test", "en")
        == [TaggedSentence(("cannot",), ("AUX",))] * 2
    )


def test_other_tasks_are_not_offered(tmp_path):
    task = dataclasses.replace(TASKS["pos"], name="mine")
    with pytest.raises(ValueError, match="'mine' cannot be.*xnli, pawsx, ner"):
        convert_originals(task, tmp_path, tmp_path)


LAYOUTS = {
    "xnli": ["xnli1"],
    "pawsx": ["pawsx_orig", "pawsx_orig/x-final.tar.gz"],
    "ner": [
        "wikiann_rahimi/panx_dataset", "wikiann_rahimi/panx_dataset.tar",
        "wikiann_rahimi/AmazonPhotos.zip", "wikiann_rahimi/extracted",
        "xtreme_download/download",
    ],
    "pos": ["ud", "ud/ud-treebanks-v2.5.tgz"],
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_samples_of_real_layouts_equal_what_is_in_them(name, tmp_path):
    """Beside the benchmark files, where there are such samples."""
    folder = os.environ.get("DLFA_TF_BENCHMARK_DATA")
    layouts = pathlib.Path(folder or "none").parent / "layouts"
    if not folder or not layouts.is_dir():
        pytest.skip("no layouts/ beside DLFA_TF_BENCHMARK_DATA")
    task = TASKS[name]
    for number, layout in enumerate(LAYOUTS[name]):
        target = tmp_path / str(number)
        convert_originals(task, layouts / layout, target)
        gold = layouts / "gold" / task.folder
        names = sorted(path.name for path in gold.iterdir())
        written = target / task.folder
        assert sorted(path.name for path in written.iterdir()) == names
        for file in names:
            assert (written / file).read_bytes() == (gold / file).read_bytes()
