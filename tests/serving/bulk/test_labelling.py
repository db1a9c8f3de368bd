"""Tests of bulk inference, part by part in this process."""

import gzip
import json
import os
import pathlib
import shutil

import fsspec
import pytest
import tensorflow as tf

from dlfa_tf.serving.bulk import label_files
from dlfa_tf.serving.bulk.output_folder import PLAN
from dlfa_tf.serving.bulk.parts import PART_BYTES
from dlfa_tf.serving.bulk.parts import cut
from dlfa_tf.serving.bulk.parts import find_files
from dlfa_tf.serving.bulk.parts import read_part

TEXTS = [f"Text {i} " + "wörd " * (i % 5) for i in range(40)] + ["", "x y"]


def lines_of(folder):
    return [
        line
        for path in sorted(pathlib.Path(folder).glob("part-*"))
        for line in path.read_text("utf-8").splitlines()
    ]


@pytest.fixture
def texts(tmp_path):
    """Two files, the second without an end of its last line."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(
        "".join(t + "\n" for t in TEXTS[:20]), encoding="utf-8"
    )
    (folder / "b.txt").write_text("\n".join(TEXTS[20:]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_every_line_belongs_to_one_part(texts, size):
    content = (texts / "b.txt").read_bytes()
    parts = cut([(str(texts / "b.txt"), len(content))], size)
    found = [item for part in parts for item in read_part(part)]
    assert b"".join(line for _, line in found) == content
    for offset, line in found:
        assert content[offset : offset + len(line)] == line


def test_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\nb\n".encode())
    parts = cut([(str(path), 7)], 100)
    assert list(read_part(parts[0])) == [(0, b"a\n"), (5, b"b\n")]


def test_every_line_has_its_line_in_order(texts, toy_tagger, tmp_path):
    output = str(tmp_path / "out")
    pattern = str(texts / "*.txt")
    done = label_files(pattern, output, str(toy_tagger), part_bytes=100)
    assert (done.lines, done.bad, done.kept) == (len(TEXTS), 0, 0)
    assert done.parts > 5
    found = [line.split("\t") for line in lines_of(output)]
    words = [[x.rsplit("/", 1)[0] for x in t.split()] for _, t in found]
    assert words == [text.split() for text in TEXTS]
    # The key: where the line begins in its file.
    offsets = [int(offset) for offset, _ in found]
    assert offsets[0] == offsets[20] == 0
    assert offsets[1] == len(TEXTS[0].encode()) + 1
    assert not list(pathlib.Path(output).glob(".*"))


def test_interrupted_work_is_finished(texts, toy_tagger, tmp_path, monkeypatch):
    output = tmp_path / "out"
    arguments = (str(texts / "*.txt"), str(output), str(toy_tagger))
    label_files(*arguments, part_bytes=300)
    whole = lines_of(output)
    parts = sorted(output.glob("part-*"))
    times = {path: path.stat().st_mtime_ns for path in parts}
    parts[1].unlink()
    # What a run that was killed leaves.
    (output / f".writing-abc-{parts[1].name}").write_text("half a pa")
    done = label_files(*arguments, part_bytes=300)
    assert (done.parts, done.kept) == (len(parts), len(parts) - 1)
    assert sorted(output.iterdir()) == [*parts, output / PLAN]
    assert lines_of(output) == whole
    for path in parts[:1] + parts[2:]:
        assert path.stat().st_mtime_ns == times[path]


def test_other_work_is_not_mixed_in(texts, toy_tagger, tmp_path):
    output = str(tmp_path / "out")
    label_files(str(texts / "a.txt"), output, str(toy_tagger))
    with pytest.raises(FileExistsError, match="files differ"):
        label_files(str(texts / "b.txt"), output, str(toy_tagger))
    with pytest.raises(FileExistsError, match="part_bytes differ"):
        label_files(str(texts / "a.txt"), output, str(toy_tagger), part_bytes=9)


def with_weight(value, export, folder):
    """A copy of a toy export with the same graph and a weight of its own."""
    shutil.copytree(export, folder)
    module = tf.Module()
    module.one = tf.Variable(value)
    saved = folder.with_name(f"{folder.name}-weights")
    tf.saved_model.save(module, str(saved))
    shutil.rmtree(folder / "variables")
    shutil.copytree(saved / "variables", folder / "variables")
    # Another one each time that the same model is exported.
    shutil.copy(saved / "fingerprint.pb", folder)
    return folder


def test_other_weights_are_not_mixed_in(texts, toy_tagger, tmp_path):
    first = with_weight(1.0, toy_tagger, tmp_path / "first")
    same = with_weight(1.0, toy_tagger, tmp_path / "same")
    other = with_weight(2.0, toy_tagger, tmp_path / "other")
    graphs = {(f / "saved_model.pb").read_bytes() for f in (first, same, other)}
    assert len(graphs) == 1
    output = str(tmp_path / "out")
    done = label_files(str(texts / "a.txt"), output, str(first))
    with pytest.raises(FileExistsError, match="export differ"):
        label_files(str(texts / "a.txt"), output, str(other))
    again = label_files(str(texts / "a.txt"), output, str(same))
    assert (again.kept, again.lines) == (done.parts, 0)


def test_bad_lines_are_named_and_have_a_line(toy_classifier, tmp_path):
    path = tmp_path / "pairs.jsonl.gz"
    good = json.dumps({"first": "a", "second": "a", "id": 1})
    with gzip.open(path, "wt") as file:
        file.write(f"{good}\nnonsense\n{good}\n")
    output = tmp_path / "out"
    done = label_files(
        str(path), str(output), str(toy_classifier), form="jsonl"
    )
    assert (done.lines, done.bad, done.parts) == (3, 1, 1)
    found = [json.loads(line) for line in lines_of(output)]
    assert [f.get("label") for f in found] == ["same", None, "same"]
    assert [f["offset"] for f in found] == [0, len(good) + 1, len(good) + 10]
    assert found[0]["id"] == 1
    (report,) = output.glob("bad-*.txt")
    assert f"byte {len(good) + 1}: expected JSON" in report.read_text()


def test_bad_line_stops_strict_work(toy_classifier, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a\tb\nalone\n")
    with pytest.raises(Exception, match="byte 4: expected two texts"):
        label_files(
            str(path), str(tmp_path / "out"), str(toy_classifier), strict=True
        )
    # Nothing half written, which `cat out/part-*` could meet.
    assert [p.name for p in (tmp_path / "out").iterdir()] == [PLAN]


def test_bad_lines_of_kept_parts_count(toy_classifier, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a\tb\nalone\nc\td\n")
    output = tmp_path / "out"
    arguments = (str(path), str(output), str(toy_classifier))
    first = label_files(*arguments, part_bytes=5)
    assert (first.lines, first.bad, first.kept) == (3, 1, 0)
    again = label_files(*arguments, part_bytes=5)
    assert (again.lines, again.bad, again.kept) == (0, 1, first.parts)
    with pytest.raises(ValueError, match=r"1 part\(s\) .*bad-00000-of-00003"):
        label_files(*arguments, part_bytes=5, strict=True)


def test_report_of_a_part_that_is_done_again_is_new(toy_classifier, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a b\n")
    output = tmp_path / "out"
    arguments = (str(path), str(output), str(toy_classifier))
    assert label_files(*arguments).bad == 1
    path.write_text("a\tb\n")
    (part,) = output.glob("part-*")
    part.unlink()
    assert label_files(*arguments, strict=True).bad == 0
    assert not list(output.glob("bad-*"))


def test_pattern_without_files_is_named(toy_tagger, tmp_path):
    with pytest.raises(FileNotFoundError, match="`input` names no file"):
        label_files(str(tmp_path / "*.txt"), str(tmp_path), str(toy_tagger))


def test_empty_file_is_a_part_without_lines(toy_tagger, tmp_path):
    (tmp_path / "a.txt").write_text("")
    output = tmp_path / "out"
    done = label_files(str(tmp_path / "a.txt"), str(output), str(toy_tagger))
    assert (done.parts, done.lines) == (1, 0)
    assert lines_of(output) == []


def test_part_is_some_megabytes():
    assert 2**20 < PART_BYTES < 2**26


def test_work_begun_on_beam_is_finished(texts, toy_tagger, tmp_path):
    """Its plan wrote paths down as they were given, here relative ones."""
    output = tmp_path / "out"
    arguments = (str(texts / "*.txt"), str(output), str(toy_tagger))
    label_files(*arguments, part_bytes=300)
    plan = json.loads((output / PLAN).read_text())
    plan["files"] = [
        [os.path.relpath(path), size] for path, size in plan["files"]
    ]
    (output / PLAN).write_text(json.dumps(plan))
    next(output.glob("part-00001*")).unlink()
    done = label_files(*arguments, part_bytes=300, runner="DirectRunner")
    assert done.parts - done.kept == 1


def test_folder_of_something_else_is_left_alone(texts, toy_tagger, tmp_path):
    with pytest.raises(FileExistsError, match="holds files of something else"):
        label_files(str(texts / "a.txt"), str(texts), str(toy_tagger))
    assert sorted(p.name for p in texts.iterdir()) == ["a.txt", "b.txt"]


def test_files_of_another_file_system_are_read(toy_tagger, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe("/in/a.txt.gz", gzip.compress(b"A b\nc\n"))
    memory.pipe("/in/b.txt", b"D")
    try:
        assert find_files("memory://in/*") == [
            ("memory:///in/a.txt.gz", memory.size("/in/a.txt.gz")),
            ("memory:///in/b.txt", 1),
        ]
        done = label_files("memory://in/*", "memory://out", str(toy_tagger))
        assert (done.parts, done.lines, done.kept) == (2, 3, 0)
        again = label_files("memory://in/*", "memory://out", str(toy_tagger))
        assert (again.lines, again.kept) == (0, 2)
        found = sorted(memory.glob("/out/*"))
        assert [memory.cat(path) for path in found[:2]] == [
            b"0\tA/UP b/LOW\n4\tc/LOW\n",
            b"0\tD/UP\n",
        ]
        assert [path.rpartition("/")[2] for path in found] == [
            "part-00000-of-00002.txt",
            "part-00001-of-00002.txt",
            PLAN,
        ]
    finally:
        memory.rm("/in", recursive=True)
        memory.rm("/out", recursive=True)


@pytest.mark.parametrize("runner", ["FlinkRunner", "locale", "10.0.0.1:8786"])
def test_unknown_runner_is_named(runner, tmp_path):
    with pytest.raises(
        ValueError, match=f"Received: '{runner}'. Accepted: 'lo"
    ):
        label_files("a", str(tmp_path), "b", runner=runner)
