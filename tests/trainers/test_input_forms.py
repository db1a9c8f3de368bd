"""Forms of input: by flag, name and content; refusals name what exists."""

import pytest

from trainers.input_forms import find_form


@pytest.mark.parametrize(
    ("name", "tagger", "classifier"),
    [
        ("-", "lines", "lines"),
        ("a.txt", "lines", "lines"),
        ("a.en", "lines", "lines"),
        ("a.jsonl.gz", "jsonl", "jsonl"),
        ("A.TSV.bz2", "tsv", "lines"),
        ("a.conll", "conll", None),
        ("a.iob2", "conll", None),
        ("a.conllu", "conllu", None),
        ("a.csv", None, None),
        ("a.parquet", None, None),
        ("a.json", None, None),
    ],
)
def test_form_by_name(name, tagger, classifier):
    for kind, form in (("tagger", tagger), ("classifier", classifier)):
        if form is None:
            with pytest.raises(ValueError, match=r"Accepted.*lines.*jsonl"):
                find_form("auto", name, kind)
        else:
            assert find_form("auto", name, kind) == form


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("a.txt", [b"the\tDET\n", b"dog\tNOUN\n", b"\n"], "format=tsv reads"),
        ("-", [b"the\tDET\n"], "standard input.*or by --input_format"),
        ("a.txt", [b"# a = b\n", b"1\t" * 9 + b"_\n"], "format=conllu reads"),
        ("a.txt", [b'\xef\xbb\xbf{"text": "a"}\n'], "format=jsonl reads"),
        ("list.json", [b"[\n", b" {\n"], "ends in .json in place of lines"),
        ("a.txt", [b"\n", b"[\n"], "A JSON list in place of lines of text"),
        ("a.txt", [b'["a", "b"]\n'], "A JSON list in place of lines of text"),
    ],
)
def test_content_that_is_no_text_is_refused(name, lines, message):
    with pytest.raises(ValueError, match=message):
        find_form("auto", name, "tagger", lines)
    assert find_form("lines", name, "tagger", lines) == "lines"


@pytest.mark.parametrize(
    "lines",
    [
        [b"the dog\tand the cat\n"],
        [b"a\tb\n", b"a sentence\n"],
        [b"[sic] he said\n"],
        [b"{a} set\n"],
        [b"7\n", b'"no"\n'],
        [b"\n", b"\n"],
        [b"\xff\xfe\n"],
        [],
    ],
)
def test_text_is_text(lines):
    assert find_form("auto", "a.txt", "tagger", lines) == "lines"


def test_pairs_may_look_like_columns():
    assert find_form("auto", "a.txt", "classifier", [b"a\tb\n"]) == "lines"


def test_objects_in_a_json_file_are_read():
    first = [b'{"text": "a"}\n']
    assert find_form("auto", "a.json", "tagger", first) == "jsonl"


def test_form_that_a_classifier_does_not_read_is_refused():
    with pytest.raises(ValueError, match="form 'conll', for a classifier"):
        find_form("conll", "a.txt", "classifier")
