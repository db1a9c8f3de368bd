"""Tests of trainers.completion."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from trainers import completion
from trainers import console

ROOT = Path(__file__).parents[2]


def test_every_command_is_a_program():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["scripts"] == {
        f"dlfa-{name}": f"trainers.console:{name}" for name in console.PROGRAMS
    }
    for name in console.PROGRAMS:
        assert callable(getattr(console, name))


def script(call, capsys, shell):
    call(completion, f"--shell={shell}")
    return capsys.readouterr().out


def test_bash_completes_flags_and_values(call, capsys, tmp_path):
    if not shutil.which("bash"):
        pytest.skip("no bash")
    path = tmp_path / "completion.bash"
    path.write_text(script(call, capsys, "bash"), "utf-8")
    (tmp_path / "model-dir").mkdir()

    def complete(line):
        code = (
            f'source {path}; COMP_LINE="$1"; COMP_POINT=${{#COMP_LINE}}; '
            '_dlfa "${1%% *}"; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", code, "bash", line],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert complete("dlfa-train --fusion_l") == ["--fusion_layer="]
    assert complete("dlfa-train --seed=1 --res") == ["--resume"]
    assert complete("dlfa-train --data_source=s") == ["sample"]
    assert set(complete("dlfa-train --task=")) == {
        "ner", "pawsx", "pos", "xnli"
    }  # fmt: skip
    assert complete("/usr/bin/dlfa-show --model=mod") == ["model-dir"]
    assert "--systems=" in complete("dlfa-sweep --")
    assert complete("dlfa-sweep --fusion_layer") == []


def test_zsh_takes_the_script(call, capsys, tmp_path):
    text = script(call, capsys, "zsh")
    assert text.startswith("#compdef dlfa-adapt")
    assert "'--data_source=-[" in text
    assert "(files tfds sample)" in text
    if not shutil.which("zsh"):
        pytest.skip("no zsh to read the script with")
    path = tmp_path / "_dlfa"
    path.write_text(text, "utf-8")
    subprocess.run(["zsh", "-n", path], check=True)
