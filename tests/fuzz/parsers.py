"""What reads files and answers of others, by name; for Hypothesis and Atheris.

Each takes bytes, and ends well or with an error of ours: ValueError or OSError
of the files' readers, which names the file; ServingError of the client.
"""

import json
import pathlib
import tempfile
from collections.abc import Callable

from dlfa_tf.adapting import texts as adapting_texts
from dlfa_tf.data import readers
from dlfa_tf.data import task_file
from dlfa_tf.data.formats import columns
from dlfa_tf.data.formats import conllu
from dlfa_tf.data.formats import reading
from dlfa_tf.data.formats import tables
from dlfa_tf.runs import run_folder
from dlfa_tf.runs import settings
from dlfa_tf.scoring import prediction_files
from dlfa_tf.serving import Client
from dlfa_tf.serving import ServingError
from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.bulk import word_lines
from dlfa_tf.serving.client.rest_transport import RestTransport
from dlfa_tf.serving.export import metadata_file

FILE_ERRORS = (ValueError, OSError)
LABELS = ("NOUN", "VERB", "no", "yes")

Parser = Callable[[bytes], object]


def _file(name: str, read: Callable[[pathlib.Path], object]) -> Parser:
    """A parser of a file of this name; its errors name it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fuzz"))

    def parse(data: bytes) -> object:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        try:
            return read(path)
        except FILE_ERRORS as error:
            assert str(folder) in str(error), f"no name of a file: {error}"
            return None

    return parse


def _prediction_folder(path: pathlib.Path) -> object:
    """One file against gold labels."""
    base = path.parents[1]
    gold = base / "gold" / "udpos" / "test-de.tsv"
    if not gold.exists():
        gold.parent.mkdir(parents=True)
        gold.write_text("der\tDET\nFluss\tNOUN\n\n")
    return prediction_files.score_folders(str(base), str(gold.parents[1]))


class _Answer(RestTransport):
    """A server that says one thing."""

    def __init__(self, content: bytes) -> None:
        super().__init__("http://127.0.0.1:1")
        self.content = content

    def _exchange(self, *_: object) -> tuple[int, bytes]:
        return 200, self.content


def _rest(ask: Callable[[Client], object]) -> Parser:
    def parse(data: bytes) -> object:
        client = Client("http://127.0.0.1:1", "pos", timeout=0.05)
        client._transport = _Answer(data)
        try:
            return ask(client)
        except ServingError:
            return None

    return parse


def _line(kind: str, form: str) -> Parser:
    def parse(data: bytes) -> object:
        try:
            return lines.read_line(data, kind, form)
        except ValueError:
            return None  # `predict` says which line

    return parse


class _Echo:
    """A labeller that gives every word the same tag."""

    def tag_words(self, sentences):
        return [[lines.TaggedWord(w, "X", 1.0) for w in s] for s in sentences]


def _words(data: bytes) -> object:
    found = data.splitlines(keepends=True)
    batch = list(word_lines.sentences(found))
    return word_lines.label_word_lines(_Echo(), batch, lambda *_: None)


_LABELS = {"first": "first", "second": "second", "label": "label"}

PARSERS: dict[str, Parser] = {
    "pairs": _file("dev-en.tsv", lambda p: readers.read_pairs(p, LABELS)),
    "tagged": _file("dev-en.tsv", lambda p: readers.read_tagged(p, LABELS)),
    "tagged gzip": _file(
        "dev-en.tsv.gz", lambda p: readers.read_tagged(p, LABELS)
    ),
    "labels": _file(
        "dev-en.tsv", lambda p: readers.read_label_file(p, LABELS, "tagging")
    ),
    "CoNLL": _file("a.conll", lambda p: list(columns.column_sentences(p))),
    "CoNLL-U": _file("a.conllu", lambda p: list(conllu.read_trees(p))),
    "sentences": _file("a.conllu", lambda p: list(reading.read_sentences(p))),
    "sentences of JSON": _file(
        "a.jsonl", lambda p: list(reading.read_sentences(p))
    ),
    "sentences of Parquet": _file(
        "a.parquet", lambda p: list(reading.read_sentences(p))
    ),
    "rows of CSV": _file(
        "a.csv", lambda p: list(reading.read_rows(p, _LABELS))
    ),
    "rows of TSV": _file(
        "a.tsv", lambda p: list(reading.read_rows(p, _LABELS))
    ),
    "rows of JSON": _file(
        "a.jsonl", lambda p: list(reading.read_rows(p, _LABELS))
    ),
    "rows of a zip": _file(
        "a.csv.zip", lambda p: list(reading.read_rows(p, _LABELS))
    ),
    "CSV": _file("a.csv", lambda p: list(tables.csv_rows(p))),
    "texts of JSON": _file(
        "a.jsonl",
        lambda p: list(adapting_texts._read(p, "text")),
    ),
    "texts of gzip": _file(
        "a.txt.gz", lambda p: list(adapting_texts._read(p, "text"))
    ),
    "predictions": _file("udpos/test-de.tsv", _prediction_folder),
    "task file": _file("a.toml", task_file.read_task_file),
    "config.json": _file(
        "config.json", lambda p: settings.read_config(str(p.parent))
    ),
    "results.json": _file(
        "results.json", lambda p: run_folder.read_results(p.parent)
    ),
    "dlfa_tf.json": _file(
        "assets.extra/dlfa_tf.json",
        lambda p: metadata_file.read_metadata(p.parents[1]),
    ),
    "line": _line("classifier", "lines"),
    "JSON line": _line("tagger", "jsonl"),
    "JSON line of a pair": _line("classifier", "jsonl"),
    "word per line": _words,
    "REST tag": _rest(lambda c: c.tag(["a b", "c"])),
    "REST tag_words": _rest(lambda c: c.tag_words([["a"], []])),
    "REST classify": _rest(lambda c: c.classify(["a"], ["b"])),
    "REST embed": _rest(lambda c: c.embed(["a"])),
    "REST status": _rest(lambda c: c.status()),
    "REST signatures": _rest(lambda c: c.signatures()),
}


def _json(**values: object) -> bytes:
    return json.dumps(values).encode()


# What a parser is fed with, beside noise: something right.
SEEDS: dict[str, bytes] = {
    "pairs": b'a cat\ta dog\tno\n"x"\ty\tyes\n',
    "tagged": b"Der\tNOUN\nFluss\tVERB\n\nIst\tVERB\n",
    "labels": b"NOUN\nVERB\n\nVERB\n",
    "CoNLL": b"-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nsays VB O O\n",
    "CoNLL-U": (
        b"# text = vom\n1-2\tvom\t_\t_\t_\t_\t_\t_\t_\t_\n"
        b"1\tvon\tvon\tADP\t_\t_\t3\tcase\t_\t_\n"
        b"2\tdem\tder\tDET\t_\t_\t3\tdet\t_\t_\n"
        b"3\tTag\tTag\tNOUN\t_\t_\t0\troot\t_\t_\n\n"
    ),
    "CSV": b'first,second,label\n"a, ""b""",c,no\nx,"y\nz",yes\n',
    "JSON": (
        b'{"words": ["a", "b"], "tags": ["NOUN", "VERB"], "text": "a b", '
        b'"first": "a", "second": "b", "label": "no"}\n'
    ),
    "predictions": b"DET\nNOUN\n\n",
    "task": (
        pathlib.Path(task_file.__file__).parent
        / "task_definitions"
        / "pos.toml"
    ).read_bytes(),
    "config": json.dumps(
        {"schema": 1, "config": {"task": "pos", "seed": 1}, "kind": "tagger"}
    ).encode(),
    "TSV": b"first\tsecond\tlabel\na\tb\tno\n",
    "pair": b"a cat\ta dog",
    "REST tagger": _json(
        outputs={
            "words": [["a", "b"], ["c", ""]],
            "tags": [["NOUN", "VERB"], ["NOUN", ""]],
            "scores": [[0.5, 0.25], [0.1, 0.0]],
            "length": [2, 1],
        }
    ),
    "REST words": _json(
        outputs={
            "words": [["a"], [""]],
            "tags": [["NOUN"], [""]],
            "scores": [[0.5], [0.0]],
            "length": [1, 0],
        }
    ),
    "REST classifier": _json(
        outputs={"label": ["no"], "probabilities": [[0.5, 0.5]]}
    ),
    "REST vector": _json(outputs=[[0.1, 0.2]]),
    "REST status": _json(
        model_version_status=[
            {"version": "1", "state": "AVAILABLE", "status": {}}
        ],
    ),
    "REST metadata": _json(
        metadata={
            "signature_def": {
                "signature_def": {
                    "serving_default": {"inputs": {}, "outputs": {}}
                }
            }
        }
    ),
}
