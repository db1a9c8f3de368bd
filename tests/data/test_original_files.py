"""Files of folders and archives, found without unpacking anything."""

import io
import os
import tarfile
import zipfile

import pytest

from dlfa_tf.data.original_files import find_files
from tools import unprivileged


def tar_bytes(members, mode="w:gz"):
    """An archive of files; a member that is None becomes a link."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.SYMTYPE
                info.linkname = "/etc/passwd"
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def found(root, name="a.txt"):
    return [
        (x.path.removeprefix(str(root)), x.parts, x.data)
        for x in find_files(
            root,
            lambda parts: parts[-1] == name,
            lambda x: x.startswith(("all", "x")),
        )
    ]


def test_files_come_before_archives(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"1")
    (tmp_path / "in" / "b.txt").write_bytes(b"-")
    inner = tar_bytes({"a.txt": b"3", "c": b""})
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("deep/a.txt", b"2")
        archive.writestr("en.tar.gz", inner)
    (tmp_path / "keep.tgz").write_bytes(inner)
    assert found(tmp_path) == [
        ("/in/a.txt", ("in", "a.txt"), b"1"),
        ("/all.zip/deep/a.txt", ("all", "deep", "a.txt"), b"2"),
        ("/all.zip/en.tar.gz/a.txt", ("all", "en", "a.txt"), b"3"),
    ]
    assert found(tmp_path / "keep.tgz") == [("/a.txt", ("keep", "a.txt"), b"3")]


def test_names_and_links_in_archives_lead_nowhere(tmp_path):
    """As a hostile archive has them: only what is read is in memory."""
    members = {"../../a.txt": b"1", "/abs/a.txt": b"2", "link/a.txt": None}
    path = tmp_path / "in" / "x.tar"
    path.parent.mkdir()
    path.write_bytes(tar_bytes(members, "w"))
    assert [data for _, _, data in found(path)] == [b"1", b"2"]
    assert sorted(os.listdir(tmp_path)) == ["in"]
    assert sorted(os.listdir(path.parent)) == ["x.tar"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tar"])
def test_damaged_archives_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive at all")
    with pytest.raises(ValueError, match=rf"{name}: damaged archive"):
        found(tmp_path)


def test_archive_that_ends_early_is_named(tmp_path):
    data = tar_bytes({"a.txt": os.urandom(9000)})
    (tmp_path / "x.tgz").write_bytes(data[:5000])
    with pytest.raises(ValueError, match="x.tgz: damaged archive"):
        found(tmp_path)


def test_folder_that_cannot_be_read_is_not_taken_for_empty(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with unprivileged.unprivileged(), pytest.raises(PermissionError):
        found(tmp_path)


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="`originals_dir` does not exist"
    ):
        found(tmp_path / "no")
