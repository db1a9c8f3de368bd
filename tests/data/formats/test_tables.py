"""Tables: fields, names, and what is wrong where."""

import pytest

from dlfa_tf.data import formats


@pytest.fixture
def write(tmp_path):
    def writer(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return writer


def rows(path, columns, **options):
    return [tuple(r) for r in formats.read_rows(path, columns, **options)]


def test_csv_as_the_rfc_has_it(write):
    path = write(
        "a.csv",
        'text,label\r\n"Hi, you",a\r\n"two\r\nlines ""here""",b\r\n\r\n'
        "plain ,c\r\n",
    )
    assert rows(path, {"x": "text", "y": "label"}) == [
        (2, {"x": "Hi, you", "y": "a"}),
        (3, {"x": 'two\nlines "here"', "y": "b"}),
        (6, {"x": "plain", "y": "c"}),
    ]
    assert formats.column_names(path) == ["text", "label"]


def test_columns_by_number_need_no_header(write):
    path = write("a.tsv", '1\t"say ""no"""\tb\n2\tok\tc\n')
    assert rows(path, {"text": 2, "label": 3}) == [
        (1, {"text": 'say "no"', "label": "b"}),
        (2, {"text": "ok", "label": "c"}),
    ]
    assert rows(path, {"text": 2}, header=True) == [(2, {"text": "ok"})]
    assert formats.column_names(path, header=False) == ["1", "2", "3"]


def test_json_lines(write):
    path = write("a.jsonl", '{"t": " a ", "stars": 5}\n\n{"t": "b"}\n')
    columns = {"text": "t", "label": "stars"}
    assert rows(path, columns, optional=("label",)) == [
        (1, {"text": "a", "label": "5"}),
        (3, {"text": "b"}),
    ]
    assert formats.column_names(path) == ["t", "stars"]


@pytest.mark.parametrize(
    ("name", "text", "columns", "message"),
    [
        ("a.tsv", "a\tb\nc\n", {"x": 1}, "line 2: expected 2 columns"),
        ("a.tsv", "a\tb\n", {"x": 3}, "no column 3 .*numbers from 1 to 2"),
        ("a.csv", "text,lable\n", {"y": "label"}, "Did you mean 'lable'"),
        ("a.csv", 'a\n"b\n', {"x": "a"}, "line 2: not a row of CSV"),
        ("a.csv", 'a\n"b"c\n', {"x": "a"}, "line 2: not a row of CSV"),
        ("a.csv", "text\n", {"x": "text"}, "the file has no rows"),
        ("a.tsv", "\n\n", {"x": 1}, "the file has no rows"),
        ("a.jsonl", "[1]\n", {"x": "a"}, "line 1: expected a JSON object"),
        ("a.jsonl", '{"a": 1\n', {"x": "a"}, "line 1: not JSON"),
        ("a.jsonl", '{"txt": ""}\n', {"x": "text"}, "Did you mean 'txt'"),
        ("a.jsonl", '{"a": null}\n', {"x": "a"}, "'a' is null"),
        ("a.jsonl", '{"a": 0.5}\n', {"x": "a"}, "no text.*0.5.*float"),
        ("a.jsonl", '{"a": true}\n', {"x": "a"}, "no text.*True.*bool"),
        ("a.xml", "", {"x": 1}, r"ending does not say.*\.tsv, \.csv"),
        ("a.conll", "a O\n", {"x": 1}, "'conll' does not hold"),
    ],
)
def test_what_is_wrong_is_said(write, name, text, columns, message):
    with pytest.raises(ValueError, match=message):
        rows(write(name, text), columns)


def test_name_without_a_header_is_refused(write):
    with pytest.raises(ValueError, match="by name, but the file is read with"):
        rows(write("a.tsv", "a\tb\n"), {"x": "a"}, header=False)


def test_deep_nesting_is_an_error_of_its_line(write):
    path = write("a.jsonl", "[" * 100_000 + "\n")
    with pytest.raises(ValueError, match="line 1: "):
        rows(path, {"x": "a"})
