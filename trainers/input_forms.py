"""In which form the input of `predict` is: told by a flag, name and content.

Text goes through a labeller without an error whatever it is, so what plainly is
something else than sentences is refused rather than tagged.
"""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from dlfa_tf import words
from dlfa_tf.data.formats import text_lines

FORMS = ("auto", "lines", "jsonl", "tsv", "conll", "conllu")
# What the first lines are looked at for, and how many.
PEEKED = 20

_ENDINGS = {
    "jsonl": (".jsonl", ".ndjson"),
    "tsv": (".tsv",),
    "conll": (".conll", ".iob", ".iob2", ".bio"),
    "conllu": (".conllu",),
}
# Files that hold no lines of text, by their ending.
_OTHER_FILES = (
    ".csv", ".docx", ".htm", ".html", ".json", ".parquet", ".pdf", ".xls",
    ".xlsx", ".xml", ".yaml", ".yml",
)  # fmt: skip
_TAGGER_FORMS = (
    "lines (a sentence per line), jsonl (an object per line), tsv (a word per "
    "line, TABs between columns), conll (the same, or with spaces), conllu"
)
_CLASSIFIER_FORMS = (
    "lines and tsv (the texts of a line with a TAB between them), jsonl (an "
    "object per line)"
)
_CONLLU_COLUMNS = 10


def find_form(
    asked: str, name: str, kind: str, first_lines: Sequence[bytes] = ()
) -> str:
    """The form of the input, one of `FORMS` but `auto`.

    A classifier reads `lines` or `jsonl`. `first_lines` are those the input
    begins with, if they can be had. ValueError, with the forms that exist, for
    a form that the kind of model does not read, and in `auto` for what is of
    no form.
    """
    form = asked if asked != "auto" else _form_of_name(name, kind, first_lines)
    if kind != "tagger" and form == "tsv":
        # Two texts with a TAB between them are a classifier's lines anyway.
        form = "lines"
    if kind != "tagger" and form not in ("lines", "jsonl"):
        raise ValueError(
            f"A word per line is for taggers. Received: {name!r}, form "
            f"{form!r}, for a classifier. Accepted: {_accepted(kind)}."
        )
    if asked == "auto" and form == "lines":
        _check_text(name, kind, first_lines)
    return form


def _form_of_name(name: str, kind: str, first_lines: Sequence[bytes]) -> str:
    ending = pathlib.PurePath(text_lines.name_unpacked(name)).suffix.lower()
    for form, endings in _ENDINGS.items():
        if ending in endings:
            return form
    if ending == ".json" and isinstance(_first_json(first_lines), dict):
        return "jsonl"
    if ending in _OTHER_FILES:
        raise _no_text(name, kind, f"A file that ends in {ending}")
    return "lines"


def _check_text(name: str, kind: str, first_lines: Sequence[bytes]) -> None:
    """Refuses lines that are JSON, or words in columns."""
    found = _first_json(first_lines)
    if isinstance(found, dict):
        raise _no_text(name, kind, "JSON objects", "jsonl")
    if isinstance(found, list):
        raise _no_text(name, kind, "A JSON list")
    if kind != "tagger":
        return
    texts = [
        words.without_line_end(line).decode("utf-8", "replace")
        for line in first_lines
    ]
    rows = [
        text.split("\t")
        for text in texts
        if not words.is_blank(text) and not text.startswith("#")
    ]
    if not rows or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return
    if len(rows[0]) == _CONLLU_COLUMNS:
        raise _no_text(name, kind, "CoNLL-U", "conllu")
    if all(len(words.split_words(row[0])) == 1 for row in rows):
        raise _no_text(name, kind, "A word per line, in columns", "tsv")


def _first_json(first_lines: Sequence[bytes]) -> Any:
    """The first line as JSON; a list where one begins; None for text."""
    texts = [line.decode("utf-8", "replace") for line in first_lines]
    text = next((x for x in texts if not words.is_blank(x)), "")
    text = words.strip_space(words.without_mark(text))
    if text == "[":
        return []
    # Numbers and words in quotes are text.
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _no_text(
    name: str, kind: str, found: str, form: str | None = None
) -> ValueError:
    advice = f"; --input_format={form} reads it as such" if form else ""
    source = "standard input" if name == "-" else repr(name)
    return ValueError(
        f"{found} in place of lines of text{advice}. Received: {source}. "
        f"Accepted, by ending or by --input_format: {_accepted(kind)}. "
        "--input_format=lines reads it as text all the same."
    )


def _accepted(kind: str) -> str:
    return _TAGGER_FORMS if kind == "tagger" else _CLASSIFIER_FORMS
