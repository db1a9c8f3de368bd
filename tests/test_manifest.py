"""A folder is as it was written, or what differs is named."""

import pytest

from dlfa_tf import manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one.txt").write_text("one")
    (tmp_path / "a" / "b" / "two.txt").write_text("two")
    manifest.write(tmp_path, "tag", without=["a/c"])
    return tmp_path


def test_whole_folder_is_accepted(folder):
    assert manifest.damage(folder) == []
    (folder / "another.txt").write_text("not of the manifest")
    manifest.check(folder)
    (folder / manifest.NAME).unlink()
    (folder / "one.txt").write_text("changed")
    manifest.check(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "one.txt").write_text("One"), "one.txt is not what"),
        (lambda f: (f / "one.txt").write_text("ones"), "has 4 bytes, 3 were"),
        (lambda f: (f / "a/b/two.txt").unlink(), "a/b/two.txt is missing"),
        (lambda f: (f / manifest.NAME).write_text("{"), "cannot be read"),
        (lambda f: (f / manifest.NAME).write_text("[]"), "cannot be read"),
        (manifest.write_unfinished, "was not written to the end"),
    ],
)
def test_what_differs_is_named(folder, change, said):
    change(folder)
    with pytest.raises(ValueError, match=rf"{said}.*it is, delete '.*json'"):
        manifest.check(folder)


def test_folders_that_may_change_are_left_out(tmp_path):
    (tmp_path / "extra").mkdir()
    (tmp_path / "graph").write_text("graph")
    (tmp_path / "extra" / "notes").write_text("notes")
    manifest.write(tmp_path, name="extra/sums.json", without=["extra"])
    (tmp_path / "extra" / "notes").write_text("edited")
    manifest.check(tmp_path, "extra/sums.json")
    (tmp_path / "graph").write_text("Graph")
    with pytest.raises(ValueError, match="graph is not what was written"):
        manifest.check(tmp_path, "extra/sums.json")
