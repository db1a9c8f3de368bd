"""Tests of trainers.adapt: flags to settings."""

import pytest

from dlfa_tf.adapting.settings import SETTINGS
from trainers import adapt


def test_help_has_every_setting_and_an_example(start):
    text = start("adapt", "--helpfull").stdout
    for name in SETTINGS:
        assert f"--{name}:" in text or f"--[no]{name}:" in text
    assert "--preset=e5_small_multi" in text


def test_flags_become_settings_and_scores_are_printed(
    call, capsys, monkeypatch
):
    given = []

    def adapting(config, **options):
        given.append((config, options))
        scores = {"accuracy": 12.34, "loss": 2.5}
        return {"languages": {"de": {"before": scores, "after": scores}}}

    monkeypatch.setattr("dlfa_tf.adapting.adapt.adapt", adapting)
    call(
        adapt, "--texts=de:a.txt,b-et.txt", "--output_dir=out", "--steps=7",
        "--dev_every=0", "--text_limit=5", "--whole_words", "--resume",
    )  # fmt: skip
    ((config, options),) = given
    assert config.texts == ("de:a.txt", "b-et.txt")
    assert (config.steps, config.dev_every, config.text_limit) == (7, None, 5)
    assert config.whole_words
    assert options["resume"]
    said = capsys.readouterr().out
    assert "de: guessed right 12.3 % before, 12.3 % after" in said
    assert "Preset: out" in said


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--output_dir=out"], "--texts"),
        (["--texts=a.txt"], "--output_dir"),
        (["--texts=a", "--output_dir=out", "--steps=0"], "--steps"),
    ],
)
def test_wrong_flags_are_told_before_keras_is_imported(
    start_wrong, flags, message
):
    assert message in start_wrong("adapt", *flags)
