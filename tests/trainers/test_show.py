"""Tests of trainers.show."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from tests.serving import toy_models
from trainers import show

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.programs
def test_page_of_a_run_as_a_user_starts_it(pos_run):
    command = [sys.executable, "-m", "trainers.show", f"--model={pos_run}"]
    command += [f"--compare={pos_run}", "--port=0"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            matches = (re.match(r"http://(\S+)/", line) for line in lines)
            found = next(match for match in matches if match)
            connection = http.client.HTTPConnection(found[1], timeout=60)
            connection.request("GET", "/about")
            about = json.load(connection.getresponse())
            assert [m["system"] for m in about["models"]] == ["D_1", "D_1"]
            examples = dict(about["examples"])
            assert "de" in examples
            connection.request(
                "POST",
                "/answer",
                json.dumps({"texts": examples["ar"]}),
                {"Content-Type": "application/json"},
            )
            first, second = json.load(connection.getresponse())["answers"]
            assert first == second
            words = [word["text"] for word in first["words"]]
            assert words == examples["ar"][0].split()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_export_is_opened_and_examples_are_of_its_kind(
    monkeypatch, tmp_path, call
):
    toy_models.save_classifier(tmp_path / "toy" / "1")
    shown = []

    class Server:
        def __init__(self, answerers, port, examples):
            shown.extend([answerers, port, examples])
            self.url = "http://127.0.0.1:5/"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def serve_forever(self):
            raise KeyboardInterrupt

    from dlfa_tf.serving.show import page_server

    opened = []
    monkeypatch.setattr(page_server, "PageServer", Server)
    monkeypatch.setattr(show.webbrowser, "open", opened.append)
    call(show, f"--model={tmp_path / 'toy'}", "--port=5", "--browser")
    ((answers,), port, examples) = shown
    assert answers.about["kind"] == "classifier"
    assert port == 5
    assert all(len(texts) == 2 for _, texts in examples)
    assert opened == ["http://127.0.0.1:5/"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model"),
        (["--model=x", "--port=70000"], "--port"),
    ],
)
def test_wrong_flags_are_refused(start_wrong, arguments, message):
    assert message in start_wrong("show", *arguments)
