"""Tests of dlfa_tf.shareable."""

import pytest

from dlfa_tf.shareable import without_paths


def test_absolute_paths_are_shortened():
    value = {
        "preset": "/opt/presets/own",
        "source": "preset folder /opt/presets/own",
        "list": ["a/b", 1, None, "/x"],
    }
    assert without_paths(value) == {
        "preset": "own",
        "source": "preset folder own",
        "list": ["a/b", 1, None, "x"],
    }


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("/opt/u/my presets/x", "x"),
        ("preset folder /opt/u/my presets/x", "preset folder x"),
        ("a:/opt/u/p", "a:p"),
        ("--d=/opt/u/p --e='/opt/v/q'", "--d=p --e='q'"),
        ("/opt/a, /opt/b or https://host/c/d", "a, b or https://host/c/d"),
        ("/opt/a: 1/2 done", "a: 1/2 done"),
        ("//server/share/", "share"),
    ],
)
def test_paths_in_texts_are_shortened(text, short):
    assert without_paths(text) == short
    assert without_paths(short) == short


@pytest.mark.parametrize(
    "text",
    ["https://host/a/b", "hf://org/name", "kaggle://keras/bert/x", "/", "a / b",
     "a/b c/d", "../a", "2026/01/02 10:00", "0.5 +/- 0.1", "</s>"],
)  # fmt: skip
def test_what_is_no_absolute_path_stays(text):
    assert without_paths(text) == text
