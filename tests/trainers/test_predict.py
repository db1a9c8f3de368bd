"""Tests of trainers.predict."""

import bz2
import gzip
import json
import shutil
import sys

import pytest
from absl import flags

from dlfa_tf.runs.load import load_model
from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.export.metadata_file import SCHEMA
from tests.serving import toy_models
from tests.serving.server_double import ServerDouble
from trainers import labellers
from trainers import predict


@pytest.mark.programs
def test_sentences_are_tagged_from_standard_input(start, pos_run, eager):
    lines = ["Der Fluss ist hoch .", "", "Анна\u00a0работает", "zu/oft"]
    done = start(
        "predict",
        f"--model={pos_run}",
        "--batch_size=3",
        input="\r\n".join(lines),
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = done.stdout.split("\n")
    assert answers.pop() == ""
    assert len(answers) == len(lines)
    model = load_model(str(pos_run))
    for line, answer in zip(lines, answers, strict=True):
        pairs = [item.rsplit("/", 1) for item in answer.split()]
        words = line.split()
        assert [word for word, _ in pairs] == words
        expected = model.tag([words]) if words else [[]]
        assert [tag for _, tag in pairs] == expected[0]


def test_words_of_a_tsv_file_are_tagged(call, eager, pos_run, tmp_path):
    path = tmp_path / "dev-de.tsv"
    path.write_text("Der\tDET\nFluss\tNOUN\n\nhoch\n", encoding="utf-8")
    output = tmp_path / "tagged.tsv"
    call(
        predict,
        f"--model={pos_run}",
        f"--input={path}",
        f"--output={output}",
        "--batch_size=1",
    )
    (first, second), (third,) = load_model(str(pos_run)).tag(
        [["Der", "Fluss"], ["hoch"]]
    )
    assert output.read_text("utf-8").split("\n") == [
        f"Der\t{first}",
        f"Fluss\t{second}",
        "",
        f"hoch\t{third}",
        "",
    ]


def write(folder, text):
    path = folder / "in.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_are_classified_from_a_file(call, eager, xnli_run, tmp_path):
    pairs = [["the cat", "a dog"], ["a house", "the house"], ["猫", "书"]]
    text = "".join("\t".join(pair) + "\n" for pair in pairs)
    output = tmp_path / "out.txt"
    call(
        predict,
        f"--model={xnli_run}",
        f"--input={write(tmp_path, text)}",
        f"--output={output}",
        "--batch_size=2",
    )
    model = load_model(str(xnli_run))
    lines = output.read_text("utf-8").splitlines()
    assert len(lines) == len(pairs)
    logits = model.predict_on_batch(
        ([a for a, _ in pairs], [b for _, b in pairs])
    )
    for line, row in zip(lines, logits, strict=True):
        label, probability = line.split("\t")
        assert label == model.labels[row.argmax()]
        assert 1 / 3 <= float(probability) <= 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.txt", "out.txt"]


def test_no_lines_give_no_lines(call, xnli_run, tmp_path, capsys):
    call(predict, f"--model={xnli_run}", f"--input={write(tmp_path, '')}")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "columns"), [("one text", 1), ("a\tb\tc", 3), ("", 1)]
)
def test_line_that_is_no_pair_stops_strict_work(
    call, eager, xnli_run, tmp_path, line, columns
):
    text = f"a\tb\nc\td\n{line}\n"
    with pytest.raises(ValueError, match=f"line 3:.*{columns} column"):
        call(
            predict,
            f"--model={xnli_run}",
            f"--input={write(tmp_path, text)}",
            f"--output={tmp_path / 'out.txt'}",
            "--batch_size=2",
            "--strict",
        )
    # Half an answer would look like a whole one.
    assert [p.name for p in tmp_path.iterdir()] == ["in.txt"]


def test_line_that_is_no_pair_leaves_the_others(
    call, eager, xnli_run, tmp_path, capsys
):
    path = write(tmp_path, "a\tb\nalone\nc\td\n")
    path.write_bytes(path.read_bytes() + b"\xff\tb\ne\tf")
    output = tmp_path / "out.txt"
    with pytest.raises(ValueError, match="^2 line.*first is line 2. The"):
        call(
            predict,
            f"--model={xnli_run}",
            f"--input={path}",
            f"--output={output}",
            "--batch_size=2",
        )
    lines = output.read_text("utf-8").splitlines()
    assert [len(line.split("\t")) for line in lines] == [2, 1, 2, 1, 2]
    assert (lines[1], lines[3]) == ("", "")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Input line 2: expected two texts separated by")
    assert said[1] == (
        "Input line 4: expected UTF-8. Received: byte 0xff at position 0."
    )


def test_json_lines_are_tagged(call, eager, pos_run, tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [
        {"text": "Der Fluss", "id": 1},
        {"words": ["ein", "Haus", "!"], "id": 2},
        {"words": []},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    output = tmp_path / "out.jsonl"
    call(predict, f"--model={pos_run}", f"--input={path}",
         f"--output={output}")  # fmt: skip
    found = [json.loads(x) for x in output.read_text("utf-8").splitlines()]
    model = load_model(str(pos_run))
    sentences = [["Der", "Fluss"], ["ein", "Haus", "!"]]
    assert [f["words"] for f in found] == [*sentences, []]
    assert [f["tags"] for f in found] == [*model.tag(sentences), []]
    assert [f.get("id") for f in found] == [1, 2, None]
    assert all(0 < score <= 1 for f in found for score in f["scores"])


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A folder of models with versions, as a server is pointed at."""
    base = tmp_path_factory.mktemp("toys")
    toy_models.save_tagger(base / "pos" / "1")
    (base / "pos" / "writing-2").mkdir()
    toy_models.save_classifier(base / "xnli" / "3")
    return base


def test_export_is_asked_in_this_process(call, toys, tmp_path, capsys):
    path = write(tmp_path, "The cat\n\nb\n")
    for folder in (toys / "pos", toys / "pos" / "1"):
        call(predict, f"--model={folder}", f"--input={path}")
        assert capsys.readouterr().out == "The/UP cat/LOW\n\nb/LOW\n"


FIELD_FILES = {
    "bom.jsonl": ('\ufeff{"text": "The cat"}\n', "UP,LOW"),
    "bom.txt": ("\ufeffThe cat\n", "The/UP cat/LOW\n"),
    "bom.tsv": ("\ufeffThe\n\ncat\n", "The\tUP\n\ncat\tLOW\n"),
    "words.conll": ("The DET\ncat NOUN\n", "The\tUP\ncat\tLOW\n"),
    "mwt.conllu": (
        "# text = The\n1-2\tThe\t" + "_\t" * 7 + "_\n1\tt\t" + "_\t" * 7
        + "_\n2\thee\t" + "_\t" * 7 + "_\n",
        "# text = The\nThe\tUP\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELD_FILES)
def test_files_are_read_as_what_they_are(call, toys, tmp_path, capsys, name):
    text, expected = FIELD_FILES[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    call(predict, f"--model={toys / 'pos'}", f"--input={path}")
    answer = capsys.readouterr().out
    if name.endswith("jsonl"):
        answer = ",".join(json.loads(answer)["tags"])
    assert answer == expected


def test_quotes_of_a_csv_writer_are_no_text(call, toys, tmp_path, capsys):
    """As XTREME's test files, without labels, have them."""
    path = tmp_path / "test-de.tsv"
    row = '\ufeff"a ""b"" c"\ta "b" c\r\n'
    path.write_text(row, encoding="utf-8", newline="")
    call(predict, f"--model={toys / 'xnli'}", f"--input={path}")
    assert capsys.readouterr().out == "same\t1.0000\n"


def test_json_list_is_refused_with_the_forms_there_are(call, toys, tmp_path):
    path = tmp_path / "list.json"
    path.write_text('[\n {\n  "text": "a"\n }\n]\n')
    with pytest.raises(ValueError, match=r"\.json in place.*tsv.*conllu"):
        call(predict, f"--model={toys / 'pos'}", f"--input={path}")


@pytest.mark.parametrize("module", [gzip, bz2], ids=["gz", "bz2"])
def test_compressed_files_are_read_and_written(call, toys, tmp_path, module):
    ending = "gz" if module is gzip else "bz2"
    path, output = (tmp_path / f"{x}.tsv.{ending}" for x in ("in", "out"))
    path.write_bytes(module.compress(b"The\tDET\ncat\tNOUN\n"))
    call(
        predict,
        f"--model={toys / 'pos'}",
        f"--input={path}",
        f"--output={output}",
    )
    assert module.decompress(output.read_bytes()) == b"The\tUP\ncat\tLOW\n"


@pytest.fixture(scope="module")
def server(toys):
    config = "".join(
        f'config {{ name: "{name}" base_path: "{toys / name}" }}'
        for name in ("pos", "xnli")
    )
    double = ServerDouble(f"model_config_list {{ {config} }}")
    yield double
    double.stop()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_server_is_asked(call, server, transport, tmp_path, capsys):
    address = getattr(server, transport)
    path = write(tmp_path, "".join(f"Text {i}\n" for i in range(70)))
    call(predict, f"--server={address}", "--name=pos", f"--input={path}")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Text/UP {i}/LOW" for i in range(70)]
    path = write(tmp_path, "a\ta\na\tb\n")
    call(predict, f"--server={address}", "--name=xnli", f"--input={path}")
    assert capsys.readouterr().out == "same\t1.0000\nother\t0.7500\n"


@pytest.mark.programs
def test_server_is_asked_without_tensorflow(start, server):
    done = start(
        "predict",
        f"--server={server.grpc}",
        "--name=pos",
        imports=True,
        input="A b\n",
    )
    assert done.stdout == "A/UP b/LOW\n"
    imported = {
        line.rsplit("|", 1)[-1].strip().split(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "grpc" in imported
    assert not imported & {"tensorflow", "keras", "keras_hub"}


@pytest.mark.programs
def test_error_of_the_server_is_one_line(start, server):
    done = start("predict", f"--server={server.rest}", "--name=no", input="a\n")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {server.rest} answered NOT_FOUND: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model=m", "--server=a:1"],
        ["--server=a:1"],
        ["--model=m", "--name=n"],
    ],
)
def test_model_or_server_has_to_be_named(start_wrong, arguments):
    message = start_wrong("predict", *arguments)
    assert "--model alone, or --server and --name together" in message


def test_runner_needs_files(start_wrong):
    message = start_wrong("predict", "--model=m", "--runner=local")
    assert "--runner needs --model (an export), --input and --output" in message


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ("--runner=FlinkRunner", "'FlinkRunner'. Accepted: 'local', or the a"),
        ("--beam_options=parallelism=4", "Apache Beam are no longer used"),
    ],
)
def test_runners_of_beam_are_told_what_there_is(call, wrong, part):
    files = ("--input=a", "--output=b")
    with pytest.raises(flags.IllegalFlagValueError, match=part):
        call(predict, "--model=m", *files, wrong)


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--timeout=30", "--timeout without --server"),
    ],
)
def test_flags_without_an_effect_are_refused(call, argument, part):
    with pytest.raises(flags.IllegalFlagValueError, match=part):
        call(predict, "--model=m", argument)


def in_parts(toys, tmp_path):
    """Flags of a run in parts on two lines."""
    write(tmp_path, "The cat\nb\n")
    # What is read of an export before it starts.
    export = shutil.copytree(toys / "pos" / "1", tmp_path / "pos" / "1")
    metadata = export / METADATA
    metadata.parent.mkdir(exist_ok=True)
    metadata.write_text(json.dumps({"schema": SCHEMA, "kind": "tagger"}))
    return [
        f"--model={tmp_path / 'pos'}",
        f"--input={tmp_path / '*.txt'}",
        f"--output={tmp_path / 'out'}",
    ]


@pytest.mark.parametrize("runner", ["local", "DirectRunner"])
def test_files_are_labelled_in_parts(call, toys, tmp_path, capsys, runner):
    call(predict, *in_parts(toys, tmp_path), f"--runner={runner}")
    assert "2 lines now; 1 parts under" in capsys.readouterr().out
    (part,) = (tmp_path / "out").glob("part-*.txt")
    assert part.read_text() == "0\tThe/UP cat/LOW\n8\tb/LOW\n"


def test_missing_package_of_a_cluster_says_what_to_install(
    call, toys, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(
        sys.modules, "dlfa_tf.serving.bulk.on_dask", raising=False
    )
    with pytest.raises(ImportError, match=r'install "dlfa-tf\[cluster\]"'):
        call(predict, *in_parts(toys, tmp_path), "--runner=tcp://127.0.0.1:1")


def test_output_that_exists_is_refused(call, tmp_path):
    path = write(tmp_path, "mine")
    with pytest.raises(FileExistsError, match="`output` exists"):
        call(predict, "--model=m", f"--output={path}")
    assert path.read_text("utf-8") == "mine"


def test_missing_input_is_named_at_once(start_wrong):
    message = start_wrong("predict", "--model=m", "--input=no.txt", code=1)
    assert message == (
        "Error: --input: [Errno 2] No such file or directory: 'no.txt'. "
        "Accepted: what is there."
    )


@pytest.mark.parametrize("content", [b"", b"text\n", b"PK\0-----BEGIN CERT"])
def test_file_without_a_certificate_is_refused(tmp_path, content):
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`ca_file` holds no certificate. Rec"):
        labellers.open_server("127.0.0.1:1", "x", 1.0, 1, str(path))


def test_output_that_could_not_be_written_is_refused_first(call, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name, error in (
        ("link", FileExistsError),
        ("file/new.txt", NotADirectoryError),
    ):
        with pytest.raises(error, match="`output` .*Accepted: "):
            call(predict, "--model=none", "--input=-",
                 f"--output={tmp_path / name}")  # fmt: skip
    assert (tmp_path / "link").is_symlink()


def test_missing_model_is_named(call, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        call(predict, f"--model={tmp_path}", f"--input={write(tmp_path, 'a')}")


def test_help_shows_an_example(start):
    assert "| python -m trainers.predict" in start("predict", "--help").stdout
