"""Tests of trainers.export."""

import gzip
import json

import pytest
from absl import flags

from dlfa_tf.runs.load import load_model
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.export.kept_vocabulary import pieces_of_texts
from dlfa_tf.serving.export.metadata_file import read_metadata
from trainers import export


@pytest.mark.programs
def test_an_export_as_a_user_starts_it(start, call, xnli_run, tmp_path, capsys):
    done = start(
        "export",
        f"--model={xnli_run}",
        "--name=xnli",
        f"--saved_models_dir={tmp_path}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Exported to {tmp_path}/xnli/1" in done.stdout
    folder = tmp_path / "xnli" / "1"
    assert (folder / "saved_model.pb").is_file()
    assert [p.name for p in (tmp_path / "xnli").iterdir()] == ["1"]
    found = read_metadata(folder)
    results = json.loads((xnli_run / "results.json").read_text())
    assert found["labels"] == ["contradiction", "entailment", "neutral"]
    assert found["run"]["task"] == "xnli"
    assert found["run"]["system"] == "baseline"
    assert found["run"]["preset"] == "tiny_sentencepiece"
    assert found["run"]["dev_score"] == results["dev_score"]
    assert found["run"]["averages"] == results["averages"]
    assert list(found["run"]["languages"]) == ["de"]
    assert str(tmp_path.parent) not in json.dumps(found)
    (folder / WARMUP).unlink()
    with pytest.raises(ValueError, match="breaks 1 of 7 rules: warm-up\\."):
        call(export, f"--check={folder}")
    said = capsys.readouterr().out
    assert "ok      variables: those read are those stored" in said
    assert "FAILED  warm-up:" in said


def test_version_that_exists_is_refused(call, pos_run, tmp_path):
    (tmp_path / "pos" / "3").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="Version 3 exists"):
        call(
            export,
            f"--model={pos_run}",
            "--name=pos",
            "--version=3",
            f"--saved_models_dir={tmp_path}",
        )


def test_precision_is_that_of_the_flag(call, pos_run, tmp_path, monkeypatch):
    exported = []
    monkeypatch.setattr(
        export_module,
        "export_saved_model",
        lambda model, *_, **__: exported.append(model),
    )
    arguments = (
        f"--model={pos_run}",
        "--name=a",
        f"--saved_models_dir={tmp_path}",
    )
    for flag in ((), ("--precision=bfloat16",), ("--quantize=int8",)):
        call(export, *arguments, *flag)
    types = [
        # The last layer computes in float32 in any case.
        {w.dtype for w in model.weights if not w.path.startswith("logits/")}
        for model in exported
    ]
    assert types == [{"float32"}, {"bfloat16"}, {"float32", "int8"}]
    # Weights alone: what layers are given is not rounded.
    inside = exported[-1].backbone._flatten_layers()
    assert all(getattr(x, "inputs_quantizer", None) is None for x in inside)


def test_vocabulary_is_that_of_the_files(call, pos_run, tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(
        export_module,
        "export_saved_model",
        lambda *_, kept_ids, **__: kept.append(kept_ids),
    )
    paths = [tmp_path / "a.txt", tmp_path / "b.tsv.gz"]
    paths[0].write_text("Der Zug\n", encoding="utf-8")
    paths[1].write_bytes(gzip.compress(b"Der Fluss ist hoch .\n"))
    files = ",".join(map(str, paths))
    arguments = (f"--model={pos_run}", "--name=a")
    call(export, *arguments, f"--saved_models_dir={tmp_path}")
    call(
        export,
        *arguments,
        f"--saved_models_dir={tmp_path}",
        f"--vocabulary_of={files}",
    )
    assert kept[0] is None
    preprocessor = load_model(str(pos_run)).preprocessor
    lines = [b"Der Zug\n", b"Der Fluss ist hoch .\n"]
    assert kept[1].tolist() == pieces_of_texts(preprocessor, lines).tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "`vocabulary_of` has a file without text. Received: '"),
        (b"caf\xe9\n", "a.txt, line 1: not valid UTF-8"),
    ],
)
def test_files_without_text_make_no_vocabulary(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(export._texts(str(path)))


def test_int8_of_a_part_of_the_vocabulary_is_refused(call):
    with pytest.raises(flags.IllegalFlagValueError, match="not both"):
        call(
            export,
            "--model=a",
            "--name=a",
            "--quantize=int8",
            "--vocabulary_of=a.txt",
        )


def test_missing_model_is_named(call, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        call(export, f"--model={tmp_path}", "--name=a")


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--name=a/b", "Accepted: letters, digits, '_', '-' and '.'"),
        ("--name=..", "--name=.."),
        ("--name=", "--name="),
        ("--version=0", "--version=0"),
        ("--quantize=int4", "Received: 'int4'"),
        ("--max_batch_size=0", "--max_batch_size=0"),
        ("--check=saved_models/a/1", "or --check alone"),
    ],
)
def test_wrong_flags_are_named_at_once(start_wrong, argument, part):
    arguments = ["--model=m", "--name=a", argument]
    assert part in start_wrong("export", *arguments)


@pytest.mark.parametrize(
    "argument", ["--version=2", "--precision=bfloat16", "--vocabulary_of=a.txt"]
)
def test_flags_of_a_new_export_are_refused_for_a_check(call, argument):
    name = argument.removeprefix("--").partition("=")[0]
    with pytest.raises(
        flags.IllegalFlagValueError,
        match=f"Received: --{name} without --model. Accepted",
    ):
        call(export, "--check=saved_models/a/1", argument)


def test_missing_flags_are_named(start_wrong):
    assert "--model and --name together" in start_wrong("export", "--name=a")


def test_folder_without_an_export_is_named(call, tmp_path):
    message = r"holds no saved_model\.pb\. Accepted: a version's"
    with pytest.raises(FileNotFoundError, match=message):
        call(export, f"--check={tmp_path}")


def test_help_shows_an_example(start):
    text = start("export", "--help").stdout
    assert "python -m trainers.export --model=" in text


def test_files_of_a_server_are_checked(call, tmp_path, capsys):
    path = tmp_path / "model.config"
    path.write_text(
        'model_config_list { config { name: "pos" base_path: "/models/pos" '
        'model_platform: "tensorflow" } }'
    )
    with pytest.raises(ValueError, match="model.config breaks 1 of 6 rules: f"):
        call(export, f"--check_config={path}", f"--mount=/models={tmp_path}/no")
    said = capsys.readouterr().out
    assert "ok      form: the server can read every file" in said
    assert f"there is no folder '{tmp_path}/no/pos'" in said


@pytest.mark.parametrize(
    "wrong",
    [
        ("--check_config=a", "--check=b"),
        ("--check_config=a", "--model=b", "--name=c"),
        ("--check_config=a", "--mount=models"),
        ("--check=a", "--mount=/models=b"),
    ],
)
def test_flags_that_say_two_things_are_refused(call, wrong):
    with pytest.raises(flags.IllegalFlagValueError):
        call(export, *wrong)
