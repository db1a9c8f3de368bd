"""Tests of dlfa_tf.adapting.texts."""

import bz2
import gzip
import sys
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet

from dlfa_tf.adapting import texts


@pytest.mark.parametrize(
    "name, language",
    [
        ("wiki-de.txt", "de"),
        ("de.jsonl", "de"),
        ("news.et.txt.gz", "et"),
        ("a_swa.txt", "swa"),
    ],
)
def test_names_of_files_tell_the_language(tmp_path, name, language):
    path = tmp_path / name
    path.touch()
    assert texts.find_texts([str(path)]) == {language: [path]}


def test_folders_and_files_are_found(tmp_path):
    for name in ("b-de.txt", "a-de.jsonl", "notes.md", "x-et.txt"):
        (tmp_path / name).touch()
    other = tmp_path / "more" / "text.txt"
    other.parent.mkdir()
    other.touch()
    found = texts.find_texts([str(tmp_path), f"zh-min-nan:{other}"])
    assert found == {
        "de": [tmp_path / "a-de.jsonl", tmp_path / "b-de.txt"],
        "et": [tmp_path / "x-et.txt"],
        "zh-min-nan": [other],
    }


def test_folders_of_shards_tell_the_language(tmp_path, monkeypatch):
    """As Hugging Face lays data sets out."""
    shards = [f"train-0000{i}-of-00002.parquet" for i in range(2)]
    for name in ("20231101.de", "et", "20231101.ceb", "tmp", "scripts"):
        (tmp_path / name).mkdir()
        for shard in shards:
            (tmp_path / name / shard).touch()
    (tmp_path / "et" / "more-sw.txt").touch()
    found = texts.find_texts([str(tmp_path)])
    assert found == {
        "ceb": [tmp_path / "20231101.ceb" / x for x in shards],
        "de": [tmp_path / "20231101.de" / x for x in shards],
        "et": [tmp_path / "et" / x for x in shards],
        "sw": [tmp_path / "et" / "more-sw.txt"],
    }
    assert set(texts.find_texts([str(tmp_path / "20231101.de")])) == {"de"}
    # A language is not given to what says to be another.
    found = texts.find_texts([f"de:{tmp_path}"])
    assert found == {"de": [tmp_path / "20231101.de" / x for x in shards]}
    monkeypatch.chdir(tmp_path / "20231101.de")
    assert set(texts.find_texts(["."])) == {"de"}
    for name in ("tmp", "scripts"):
        with pytest.raises(ValueError, match="language is not known"):
            texts.find_texts([str(tmp_path / name)])


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("missing.txt", FileNotFoundError, "is not there"),
        ("letters.txt", ValueError, "language is not known"),
        ("xy.doc", ValueError, "format is not read"),
        ("empty", FileNotFoundError, "folder without text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, error, message):
    if name == "empty":
        (tmp_path / name).mkdir()
    elif name != "missing.txt":
        (tmp_path / name).touch()
    with pytest.raises(error, match=message) as caught:
        texts.find_texts([str(tmp_path / name)])
    assert "LANGUAGE:FILE" in str(caught.value)


def test_a_file_given_twice_is_refused(tmp_path):
    path = tmp_path / "de.txt"
    path.touch()
    with pytest.raises(ValueError, match="twice"):
        texts.find_texts([str(path), f"en:{path}"])


@pytest.mark.parametrize("opener", [open, gzip.open, bz2.open])
def test_lines_are_read(tmp_path, opener):
    endings = {gzip.open: ".gz", bz2.open: ".bz2"}
    path = tmp_path / f"de.txt{endings.get(opener, '')}"
    with opener(path, "wb") as file:
        file.write("\ufeffein\u2028Satz\r\n\n   \nnoch \x0b einer".encode())
    (found,) = texts.find_texts([str(path)]).values()
    assert [*texts.read_texts(found)] == ["ein\u2028Satz", "noch \x0b einer"]
    assert [*texts.read_texts(found, limit=1)] == ["ein\u2028Satz"]


def test_member_of_a_zip_file_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("wiki/de.txt", "ein Satz\n")
        archive.writestr("wiki/et.txt", "lause\n")
    path = tmp_path / "a.zip" / "wiki" / "et.txt"
    found = texts.find_texts([str(path)])
    assert [*texts.read_texts(found["et"])] == ["lause"]


def test_tables_and_treebanks_are_read(tmp_path):
    table = tmp_path / "de.csv"
    table.write_text('id,text\n1,"ein, Satz"\n2,\n3,noch einer\n')
    assert [*texts.read_texts([table])] == ["ein, Satz", "noch einer"]
    treebank = tmp_path / "de.conll"
    treebank.write_text("ein DET\nSatz NOUN\n\nnoch ADV\n")
    assert [*texts.read_texts([treebank])] == ["ein Satz", "noch"]


def test_json_lines_are_read(tmp_path):
    path = tmp_path / "de.jsonl"
    path.write_text(
        '{"t": "a"}\n\n{"t": ""}\n{"t": null, "id": 7}\n{"t": "b\\nc"}\n'
    )
    assert [*texts.read_texts([path], text_column="t")] == ["a", "b\nc"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("[1]", "object"),
        ('{"texts": "a"}', "text"),
        ('{"text": [3]}', "text"),
        ("{", "JSON|Expecting"),
    ],
)
def test_line_that_is_no_text_is_named(tmp_path, line, message):
    path = tmp_path / "de.jsonl"
    path.write_text('{"text": "a"}\n' + line + "\n")
    with pytest.raises(ValueError, match=message) as caught:
        list(texts.read_texts([path]))
    assert f"{path}, line 2" in str(caught.value)


def test_files_without_text_are_named(tmp_path):
    path = tmp_path / "de.txt"
    path.write_text(" \n\u3000\n")
    with pytest.raises(ValueError, match=f"no text in a language.*{path}, whi"):
        list(texts.read_texts([path]))


def test_damaged_file_is_named(tmp_path):
    path = tmp_path / "de.txt"
    path.write_bytes(b"good\n\xff\xfe bad\n")
    with pytest.raises(ValueError, match=f"{path}, line 2"):
        list(texts.read_texts([path]))
    path = tmp_path / "de.txt.gz"
    path.write_bytes(gzip.compress(b"text\n" * 1000)[:-20])
    with pytest.raises(ValueError, match=str(path)):
        list(texts.read_texts([path]))


def test_parquet_is_read_or_says_what_is_missing(monkeypatch, tmp_path):
    path = tmp_path / "de.parquet"
    parquet.write_table(pa.table({"text": ["a", "", None, "b"]}), path)
    assert [*texts.read_texts([path])] == ["a", "b"]
    with pytest.raises(ValueError, match="'txt'"):
        list(texts.read_texts([path], text_column="txt"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        list(texts.read_texts([path]))
