"""Tests of trainers.demo."""

import json
import subprocess

import pytest
import tensorflow as tf

from dlfa_tf.analysis.figures import drawing
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.export import lint
from tests.serving import toy_models
from trainers import common_flags
from trainers import demo


@pytest.fixture
def show(call, tmp_path):
    """Runs the demo in this process, in folders of the test."""

    def show(*arguments):
        call(
            demo,
            "--preset=tiny",
            "--fusion_layer=2",
            "--epochs=1",
            f"--output_dir={tmp_path / 'runs'}",
            f"--saved_models_dir={tmp_path / 'exports'}",
            *arguments,
        )

    return show


@pytest.fixture
def few_examples(monkeypatch):
    """Lets the sample have five examples of every split and language."""
    from dlfa_tf.data.sources import Source

    load = Source.load
    monkeypatch.setattr(Source, "load", lambda self, *key: load(self, *key)[:5])


@pytest.fixture
def toy_export(monkeypatch):
    """Exports a toy in the place of the model: test_export.py has a real one.

    All the rest is as it is: what is read, where it is written, who asks it.
    """

    def module(model, rows_at_a_time, kept_ids):
        assert model.labels
        made = tf.Module()
        made.one = tf.Variable(1.0)
        return made, toy_models.tagger_functions()

    monkeypatch.setattr(export_module, "_module", module)
    monkeypatch.setattr(lint, "check_export", lambda *_: [])


@pytest.mark.programs
def test_demo_goes_all_the_way_and_then_on_from_there(
    show, eager, few_examples, toy_export, tmp_path, capsys, monkeypatch
):
    show()
    output = capsys.readouterr().out
    folder = tmp_path / "runs"
    for name in ("baseline", "D_2"):
        results = json.loads((folder / name / "results.json").read_text())
        assert results["system"] == name
        assert len(results["languages"]) == 9
        score = f"{results['languages']['zh']['score']:.1f}"
        (row,) = [x for x in output.splitlines() if x.startswith(f"│ {name} ")]
        assert score in row
    picture = (folder / "scores.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    export = tmp_path / "exports" / "demo_pos" / "1"
    assert (export / "saved_model.pb").is_file()
    assert f"SavedModel: {export}" in output
    assert "] 5 of 5: asking the export" in output
    # What is printed last can be copied.
    *_, show_it, analyze_it, _ = output.splitlines()
    assert f"trainers.show --model={folder / 'D_2'} " in show_it
    assert f"--compare={folder / 'baseline'}" in show_it
    assert f"--runs_dir={folder} " in analyze_it
    # The answer of the export, one line per sentence.
    answers = output.split("tensorflow_text):\n")[1].splitlines()
    words = [item.rsplit("/")[0] for item in answers[0].split()]
    assert " ".join(words) == demo._TEXTS["tagging"][0]
    assert {item.rsplit("/")[1] for item in answers[0].split()} == {"UP", "LOW"}
    assert all(len(item.rsplit("/")) == 2 for item in answers[2].split())

    before = {p: p.stat().st_mtime_ns for p in folder.glob("*/*")}

    def answer(command, **options):
        assert command[2:] == [str(export), *demo._TEXTS["tagging"]]
        return subprocess.CompletedProcess(command, 0, "asked again", "")

    monkeypatch.setattr(subprocess, "run", answer)
    show()
    output = capsys.readouterr().out
    assert output.count("is finished") == 2
    assert "asked again" in output
    assert before == {p: p.stat().st_mtime_ns for p in folder.glob("*/*")}
    assert [p.name for p in export.parent.iterdir()] == ["1"]

    with pytest.raises(ValueError, match="baseline'.*other settings.*epochs=2"):
        show("--epochs=2")


# Lines of the log after which Ctrl-C comes, one in each part, in this order.
INTERRUPTED_AT = (
    "building baseline",
    "training baseline",
    "  step ",
    "  de test",
    "building D_2",
    "evaluating on",
    "drawing",
    "Exporting",
    "Asking",
)


def test_demo_goes_on_after_an_interrupt_anywhere(
    show, eager, few_examples, toy_export, tmp_path, capsys, monkeypatch
):
    left = list(INTERRUPTED_AT)

    def interrupt_at(line):
        print(line)
        if left and line.startswith(left[0]):
            del left[0]
            raise KeyboardInterrupt

    draw = drawing.bars_by_language

    def interrupted_drawing(*arguments):
        interrupt_at("drawing")
        return draw(*arguments)

    monkeypatch.setattr(common_flags, "say", interrupt_at)
    monkeypatch.setattr(drawing, "bars_by_language", interrupted_drawing)
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 0, "hi", ""),
    )
    for line in INTERRUPTED_AT:
        with pytest.raises(KeyboardInterrupt):
            show()
        assert line not in left
    assert left == []
    output = capsys.readouterr().out
    assert output.count("the same command goes on") == len(INTERRUPTED_AT)
    show()
    output = capsys.readouterr().out
    assert output.count("is finished") == 2
    assert "\nhi\n" in output
    folder = tmp_path / "runs"
    assert sorted(path.name for path in folder.iterdir()) == [
        "D_2",
        "baseline",
        "scores.png",
    ]
    for name in ("baseline", "D_2"):
        results = json.loads((folder / name / "results.json").read_text())
        assert len(results["languages"]) == 9
        assert not (folder / name / "checkpoints").exists()
    exports = tmp_path / "exports" / "demo_pos"
    assert [path.name for path in exports.iterdir()] == ["1"]


def test_silent_export_is_an_error(show, monkeypatch, tmp_path):
    def fail(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "no such op")

    def finished(folder, layer):
        return {**RESULTS, "system": f"layer {layer}"}

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(demo, "_finished_or_run", finished)
    monkeypatch.setattr(demo, "_export", lambda *_: tmp_path)
    with pytest.raises(ValueError, match="did not answer: no such op"):
        show("--task=xnli")


RESULTS = {
    "score": "accuracy",
    "config": {"task": "xnli", "preset": "tiny", "data_source": "sample"},
    "languages": {"en": {"score": 1.0, "split": "test"}},
    "averages": {"all": 1.0, "others": None},
    "missing_languages": [],
}


def test_wrong_task_is_named_at_once(start_wrong):
    assert "Did you mean 'pos'" in start_wrong("demo", "--task=poss")


def test_help_shows_an_example(start):
    text = start("demo", "--helpfull").stdout
    assert "python -m trainers.demo --task=pos" in text
    assert "--preset: " in text
