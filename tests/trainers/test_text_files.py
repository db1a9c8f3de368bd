"""Tests of reading and writing text files by their ending."""

import bz2
import gzip
import zipfile

import pytest

from trainers.text_files import create_text
from trainers.text_files import open_lines

CONTENT = b"a\r\n\xff\nlast"
FORMS = {
    "a.txt": bytes,
    "a.tsv.gz": gzip.compress,
    "a.bz2": bz2.compress,
    "a.txt.GZ": gzip.compress,
}


@pytest.mark.parametrize("name", FORMS)
def test_lines_are_those_of_the_text(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FORMS[name](CONTENT))
    with open_lines(str(path)) as lines:
        assert list(lines) == [b"a\r\n", b"\xff\n", b"last"]


def test_members_of_zip_files_are_read_as_data_are(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.txt", CONTENT)
    for name in ("a.zip", "a.zip/in/a.txt"):
        with open_lines(str(tmp_path / name)) as lines:
            assert list(lines) == [b"a\r\n", b"\xff\n", b"last"]
    with pytest.raises(ValueError, match=r"A \.zip file is read, and not"):
        with create_text(str(tmp_path / "b.zip")):
            pass


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(CONTENT), r"gzip under another name; \.gz at its end"),
        (bz2.compress(CONTENT), "bzip2 under another name"),
        ("a\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_other_files_are_refused_before_any_line(tmp_path, content, what):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=f"a.txt is no UTF-8 .* like {what}"):
        with open_lines(str(tmp_path / "a.txt")) as lines:
            next(lines)


def test_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\n\ufeffb\n".encode())
    with open_lines(str(path)) as lines:
        assert list(lines) == [b"a\n", "\ufeffb\n".encode()]


@pytest.mark.parametrize("damage", ["cut", "other"])
@pytest.mark.parametrize("name", ["a.tsv.gz", "a.bz2"])
def test_damaged_file_is_named(tmp_path, name, damage):
    path = tmp_path / name
    content = FORMS[name](CONTENT)[:-5] if damage == "cut" else CONTENT
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: damaged after line ") as e:
        with open_lines(str(path)) as lines:
            list(lines)
    assert "Accepted: plain text, gzip (.gz), bzip2 (.bz2)" in str(e.value)


def test_missing_file_is_named_when_it_is_opened(tmp_path):
    with pytest.raises(FileNotFoundError, match="no.gz"):
        with open_lines(str(tmp_path / "no.gz")):
            pass


@pytest.mark.parametrize("name", FORMS)
def test_ending_says_how_output_is_written(tmp_path, name):
    readers = {"a.txt": bytes, "a.tsv.gz": gzip.decompress}
    readers["a.bz2"] = bz2.decompress
    readers["a.txt.GZ"] = gzip.decompress
    with create_text(str(tmp_path / name)) as file:
        file.write("Ü\n")
        assert not (tmp_path / name).exists()
    content = (tmp_path / name).read_bytes()
    assert readers[name](content) == "Ü\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_output_that_breaks_off_is_not_left(tmp_path):
    with pytest.raises(RuntimeError, match="no more"):
        with create_text(str(tmp_path / "a.gz")) as file:
            file.write("half")
            raise RuntimeError("no more")
    assert list(tmp_path.iterdir()) == []
