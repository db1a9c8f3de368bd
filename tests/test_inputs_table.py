"""Walks every entry with every kind of value; docs/inputs.md says the same."""

import pytest

from tools import flag_entries
from tools import flag_things
from tools import input_kinds
from tools import inputs_table


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
        ("`model` is 'run'. Accepted: a run", None, "no"),
        ("`model` is 'run'. Accepted: a run", "new.txt", r"left \['.*new"),
        ("`model` is 'run'. Accepted: a run", "old.txt", r"changed \['.*old"),
        (None, "old.txt", r"changed \['.*old"),
        ("no such run. Accepted: a run", None, "without saying why: no such"),
        ("`model` is 'run'", None, "without saying why: `model`"),
    ],
)
def test_walk_ends_where_a_program_does_what_it_must_not(
    message, touched, found, tmp_path, monkeypatch
):
    def refusal(program, arguments):
        assert arguments[-1] == f"--model={tmp_path}/run"
        if touched:
            (tmp_path / touched).write_text("changed")
        return message

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
