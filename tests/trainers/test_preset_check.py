"""Tests of `trainers.prepare --check --preset`."""

import pytest

from tests.models.presets import checkpoint_writer
from trainers import prepare


@pytest.fixture
def folder(tmp_path):
    checkpoint_writer.write_hugging_face(tmp_path, "distilbert")
    checkpoint_writer.write_vocabulary(tmp_path, do_lower_case=False)
    return tmp_path


def test_preset_is_said_without_a_task(call, folder, capsys):
    call(prepare, f"--preset={folder}", "--check")
    output = capsys.readouterr().out
    for name, value in {
        "form": "Hugging Face",
        "encoder": "DistilBertBackbone, 0.0 M weights",
        "blocks": "2",
        "activation": "gelu",
        "pooler": "none: a new one, random at first",
        "tokenizer": "DistilBertTokenizer, 8 pieces",
        "cased": "yes",
        "raw text": "yes",
    }.items():
        assert any(
            line.strip("│ ").split("│")[0].strip() == name
            and line.strip("│ ").split("│")[1].strip() == value
            for line in output.splitlines()
            if line.count("│") == 3
        ), (name, output)


def test_vocabulary_that_is_refused_ends_the_program(call, folder, capsys):
    checkpoint_writer.write_vocabulary(folder, do_lower_case=True)
    with pytest.raises(ValueError, match=r"vocab\.txt is an uncased"):
        call(prepare, f"--preset={folder}", "--check")
    assert "refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check"], "--check needs --task or --preset"),
        (["--preset=tiny"], "--task must have a value"),
    ],
)
def test_flags_that_say_too_little_are_refused(call, arguments, message):
    with pytest.raises(Exception, match=message):
        call(prepare, *arguments)
