"""What is saved, in every form, loads in a new process, elsewhere.

`saved_forms.py` says what is saved and what a user writes to load it.
"""

import json
import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

from tests import saved_forms

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Written by `saved_forms.py make` in November 2026, without exports and runs.
ARCHIVE = ROOT / "tests" / "old_files" / "0.1.0-forms.tar.xz"
# One of each kind; the others are loaded by the slow test.
SOME = [
    "tagger .keras",
    "tagger LoRA",
    "tagger int8 preset",
    "classifier weights",
]


def saved_forms_program(command, folder, names, cwd):
    """Runs `saved_forms.py` in a process of its own; its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.saved_forms", command, folder, *names],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def check_loads(folder, names, cwd):
    problems = json.loads(saved_forms_program("load", folder, names, cwd))
    assert problems == {}, "\n".join(problems.values())


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old_forms")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.programs
def test_old_files_load_in_a_new_process(old, tmp_path):
    check_loads(old, SOME, tmp_path)


@pytest.mark.slow  # loads each in a process of its own
def test_all_old_files_load_in_a_new_process(old, tmp_path):
    saved = {
        name
        for name, (file, _) in saved_forms.FORMS.items()
        if (old / file).exists()
    }
    assert len(saved) >= 15
    check_loads(old, sorted(saved), tmp_path)


@pytest.mark.slow  # saves everything there is, exports and runs too
def test_every_form_loads_in_a_new_process_from_a_moved_folder(tmp_path):
    saved_forms_program("make", tmp_path / "made here", [], tmp_path)
    moved = (tmp_path / "made here").rename(tmp_path / "moved there")
    (tmp_path / "elsewhere").mkdir()
    check_loads(moved, [], tmp_path / "elsewhere")
