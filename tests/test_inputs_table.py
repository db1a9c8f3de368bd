"""Walks every entry with every kind of value; docs/inputs.md says the same."""

import pytest

from tools import flag_entries
from tools import flag_things
from tools import input_kinds
from tools import inputs_table
from tools import loader_entries


def parts():
    text = inputs_table.FILE.read_text("utf-8")
    values, header, things = text.partition(inputs_table.THINGS_HEADER)
    return values, header + things


@pytest.mark.programs
def test_document_is_up_to_date():
    assert parts()[0] == inputs_table.values_part(), "run `make inputs-table`"


# Over a thousand starts of a program, and models loaded by a hundred of them.
@pytest.mark.slow
def test_document_is_up_to_date_about_files_and_folders():
    assert parts()[1] == inputs_table.things_part(), "run `make inputs-table`"


def test_plain_list_is_taken_everywhere():
    rows = [
        line
        for line in inputs_table.FILE.read_text("utf-8").splitlines()
        if line.startswith("| list | ")
    ]
    # Texts, sentences, labels, tags.
    assert len(rows) == 4
    assert all(set(row.split(" | ")[1:]) <= {"yes", "yes |"} for row in rows)


def test_kinds_have_names_of_their_own():
    for kinds in (
        input_kinds.TEXTS,
        input_kinds.SENTENCES,
        input_kinds.LABELS,
        input_kinds.TAGS,
        input_kinds.ARGUMENTS,
    ):
        names = [kind.name for kind in kinds]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("message", "touched", "found"),
    [
        (None, "new.txt", "yes"),
        ("`model` is 'HOME/run'. Accepted: a run", None, "no"),
        ("`model` is 'HOME/run'. Accepted: a run", "new.txt", r"left \['.*new"),
        (
            "`model` is 'HOME/run'. Accepted: a run",
            "old.txt",
            r"changed \['.*old",
        ),
        (None, "old.txt", r"changed \['.*old"),
        ("no such run. Accepted: a run", None, "without saying why: no such"),
        ("`model` is 'HOME/run'", None, "without saying why: `model`"),
    ],
)
def test_walk_ends_where_a_program_does_what_it_must_not(
    message, touched, found, tmp_path, monkeypatch
):
    def refusal(program, arguments):
        assert arguments[-1] == f"--model={tmp_path}/run"
        if touched:
            (tmp_path / touched).write_text("changed")
        return message and message.replace("HOME", str(tmp_path))

    (tmp_path / "old.txt").touch()
    monkeypatch.setattr(flag_entries, "_refusal", refusal)
    flag = flag_entries.Flag("export", "model", "run")
    arguments = flag, flag_things.KINDS[0], tmp_path
    if found in ("yes", "no"):
        assert flag_entries.word(*arguments) == found
    else:
        with pytest.raises(AssertionError, match=found):
            flag_entries.word(*arguments)
    # What is new is removed before the next word.
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


@pytest.mark.parametrize(
    ("message", "kind", "found"),
    [
        ("'RUN' is no run. Accepted: a run", "str", "no"),
        ("[Errno 13] Permission denied: 'RUN/config.json'", "str", "no"),
        ("No file in 'HOME'. Accepted: a run", "str", "no"),
        ("`path` is 3. Accepted: a folder", "a number", "no"),
        ("`path` is empty. Accepted: a folder", "empty", "no"),
        ("'RUN' is no run", "str", "without saying why"),
        ("`path` is no run. Accepted: a run", "str", "without saying why"),
        ("'HOME/old.txt' is odd. Accepted: a run", "str", "without saying"),
        ("3 is no path. Accepted: a folder", "a number", "without saying"),
        ("`path` is odd. Accepted: a folder", "a number", "without saying"),
    ],
)
def test_walk_ends_where_a_function_does_not_say_why(
    message, kind, found, tmp_path
):
    def call(path, home):
        text = message.replace("RUN", str(tmp_path / "run"))
        raise ValueError(text.replace("HOME", str(tmp_path)))

    (kind,) = (k for k in loader_entries.KINDS if k.name == kind)
    loader = loader_entries.Loader("`load`", "run", call)
    if found == "no":
        assert loader_entries.word(loader, kind, tmp_path) == "no"
    else:
        with pytest.raises(AssertionError, match=found):
            loader_entries.word(loader, kind, tmp_path)
