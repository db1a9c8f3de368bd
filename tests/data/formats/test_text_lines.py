"""Lines of plain and packed files; every way to be unreadable."""

import bz2
import gzip
import re
import zipfile

import pytest

from dlfa_tf.data.formats import text_lines

TEXT = "\ufeffein Wort\r\nzwei\n"
LINES = [(1, "ein Wort"), (2, "zwei")]


@pytest.fixture
def packed(tmp_path):
    """Files of one text, by how they are packed."""
    data = TEXT.encode()
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.txt.bz2").write_bytes(bz2.compress(data))
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("in/a.txt", data)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("in/a.txt", data)
        archive.writestr("in/a.txt.gz", gzip.compress(data))
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "a.txt", "a.txt.gz", "a.txt.bz2", "one.zip", "one.zip/in/a.txt",
        "two.zip/in/a.txt.gz",
    ],
)  # fmt: skip
def test_packed_files_read_alike(packed, name):
    assert list(text_lines.read_lines(packed / name)) == LINES
    assert text_lines.exists(packed / name)


def test_names_without_packing():
    assert text_lines.name_unpacked("x/a.tsv.gz") == "a.tsv"
    assert text_lines.name_unpacked("x.zip/a.TSV.BZ2") == "a.TSV"
    assert text_lines.name_unpacked("a.conllu") == "a.conllu"


def test_member_that_is_not_there_is_named(packed):
    with pytest.raises(FileNotFoundError, match=r"no member 'b.txt'.*in/a\.tx"):
        list(text_lines.read_lines(packed / "two.zip/b.txt"))
    with pytest.raises(FileNotFoundError, match="holds 2 files; name one"):
        list(text_lines.read_lines(packed / "two.zip"))
    assert not text_lines.exists(packed / "two.zip/b.txt")
    assert not text_lines.exists(packed / "c.txt")


@pytest.mark.parametrize("name", ["a.txt.gz", "a.txt.bz2", "one.zip"])
def test_damaged_files_are_named(packed, name):
    path = packed / name
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}.*damaged"):
        list(text_lines.read_lines(path))


def test_file_that_is_not_there_stays_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(text_lines.read_lines(tmp_path / "a.txt"))


def test_other_encodings_are_named_with_their_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"ein\ncaf\xe9\n")
    with pytest.raises(ValueError, match=r"a\.txt, line 2: not valid UTF-8"):
        list(text_lines.read_lines(path))
    path.write_bytes("ein Wort".encode("utf-16"))
    with pytest.raises(ValueError, match="line 1: .*looks like UTF-16"):
        list(text_lines.read_lines(path))
