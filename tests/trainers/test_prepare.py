"""Tests of trainers.prepare."""

import pytest
from absl import flags

from dlfa_tf.data import cache
from trainers import prepare


def _cells(output):
    """Rows of the printed table as lists of cells."""
    lines = [x for x in output.splitlines() if x.startswith("│")]
    return [[c.strip() for c in x.strip("│").split("│")] for x in lines]


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data" / "xnli"
    folder.mkdir(parents=True)
    for name, count in (("dev-en", 2), ("dev-zh", 3), ("test-de", 4)):
        text = "a\tb\tneutral\n" * count
        (folder / f"{name}.tsv").write_text(text)
    return folder.parent


@pytest.mark.programs
def test_counts_of_the_sample_as_a_user_starts_it(start):
    done = start("prepare", "--task=ner", "--data_source=sample")
    assert done.returncode == 0, done.stderr[-2000:]
    rows = _cells(done.stdout)
    assert len(rows) == 11
    assert rows[0][:4] == ["train", "en", "291", "3398"]
    assert rows[0][4].startswith("O:2963 B-PER:90 ")
    assert done.stderr == ""
    assert "issing" not in done.stdout


def test_what_is_missing_is_named(call, data_dir, capsys):
    call(prepare, "--task=xnli", f"--data_dir={data_dir}")
    output = capsys.readouterr().out
    assert _cells(output) == [
        ["dev", "en", "2", "contradiction:0 entailment:0 neutral:2"],
        ["dev", "zh", "3", "contradiction:0 entailment:0 neutral:3"],
        ["test", "de", "4", "contradiction:0 entailment:0 neutral:4"],
    ]
    assert "Missing: train data of en." in output
    assert "Missing: dev" not in output
    assert "(--eval_split=test_or_dev): en, zh\n" in output
    assert (
        "Neither test nor dev data: ar, bg, el, es, fr, hi, ru, sw, th, tr, "
        "ur, vi\n" in output
    )


def test_a_preset_fills_the_cache(
    call, data_dir, tmp_cache, capsys, monkeypatch
):
    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 3)
    for _ in range(2):
        call(
            prepare,
            "--task=xnli",
            f"--data_dir={data_dir}",
            "--preset=tiny",
            "--sequence_length=16",
        )
        rows = _cells(capsys.readouterr().out)
        assert [row[3:5] for row in rows] == [
            [str(n), str(5 * n)] for n in (2, 3, 4)
        ]
        assert len(list((tmp_cache / "tokens").glob("*/"))) == 2


def test_training_finds_what_was_prepared(
    call, tmp_cache, tmp_path, capsys, monkeypatch, eager
):
    from dlfa_tf.runs.load import build_model
    from dlfa_tf.runs.settings import default_config

    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 1)
    call(
        prepare,
        "--task=pos",
        "--data_source=sample",
        "--preset=tiny_sentencepiece",
    )
    made = {path.name for path in (tmp_cache / "tokens").glob("*/")}
    config = default_config(
        "pos", output_dir="-", data_source="sample", preset="tiny_sentencepiece"
    )
    preprocessor = build_model(config).preprocessor
    from dlfa_tf.data.sources import Source

    source = Source(task=config.task_definition, name="sample")
    for split, language in (("train", "en"), ("dev", "en"), ("test", "zh")):
        examples = source.load(split, language)
        assert cache.token_key(examples, preprocessor) in made


def test_sets_of_tfds_are_prepared_first(call, tmp_path, capsys, monkeypatch):
    from dlfa_tf.data import tfds_archives

    calls = []

    def prepare_tfds(task, languages, data_dir, manual_dir, say):
        calls.append((task.name, languages, data_dir, manual_dir))
        say("preparing")

    monkeypatch.setattr(tfds_archives, "prepare_tfds", prepare_tfds)
    call(
        prepare,
        "--task=pawsx",
        "--data_source=tfds",
        f"--data_dir={tmp_path}",
        "--manual_dir=archives",
    )
    languages = ("de", "en", "es", "fr", "ja", "ko", "zh")
    assert calls == [("pawsx", languages, str(tmp_path), "archives")]
    output = capsys.readouterr().out
    assert output.startswith("preparing\n")
    assert "Neither test nor dev data: de, en, es, fr, ja, ko, zh" in output


def test_originals_are_converted_first(call, tmp_path, capsys):
    from dlfa_tf.data.tasks import TASKS

    row = "id\tsentence1\tsentence2\tlabel\n1\ta\tb\t1\n"
    for language in TASKS["pawsx"].languages:
        folder = tmp_path / "raw" / "x-final" / language
        folder.mkdir(parents=True)
        for name in ("train", "dev_2k", "test_2k"):
            (folder / f"{name}.tsv").write_text(row)
    call(
        prepare,
        "--task=pawsx",
        f"--data_dir={tmp_path}",
        f"--originals_dir={tmp_path / 'raw'}",
    )
    output = capsys.readouterr().out
    assert f"wrote {tmp_path}/pawsx/test-zh.tsv\n" in output
    assert ["test", "zh", "1", "0:0 1:1"] in _cells(output)
    assert "Missing" not in output and "Neither" not in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("--task",)),
        (("--task=poss",), ("task", "'poss'", "Did you mean 'pos'?")),
        (
            ("--task=pos", "--manual_dir=x"),
            ("--manual_dir is for --data_source=tfds", "files"),
        ),
        (
            ("--task=pos", "--data_source=tfds", "--manual_dir=x"),
            ("--manual_dir is for", "--data_dir=None"),
        ),
        (
            ("--task=ner", "--originals_dir=x"),
            ("--originals_dir is for --data_source=files", "--data_dir=None"),
        ),
    ],
    ids=["no-task", "typo", "manual-dir-of-files", "no-data-dir", "originals"],
)
def test_wrong_flags(start_wrong, arguments, words):
    message = start_wrong("prepare", *arguments)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ("--eval_split=dev", "bundle"),
        ("--eval_limit=1", "bundle"),
        ("--train_limit=3", "bundle"),
        ("--bundle_weights=q4", "bundle"),
        ("--sequence_length=16", "preset"),
        ("--label_piece=first", "preset"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(call, given, needed):
    preset = ["--preset=tiny"] if needed == "bundle" else []
    message = f"Received: {given.partition('=')[0]} without --{needed}. Acc"
    with pytest.raises(flags.Error, match=message):
        call(prepare, "--task=pos", "--data_source=sample", given, *preset)


def test_check_says_what_is_wrong_with_data(call, tmp_path, capsys):
    folder = tmp_path / "data" / "pawsx"
    folder.mkdir(parents=True)
    row = "ein ganzer langer Satz {}\tnoch einer\t{}\n"
    train = "".join(row.format(x, x) for x in "01")
    (folder / "train-en.tsv").write_text(train)
    (folder / "test-de.tsv").write_text(train)
    before = sorted(tmp_path.rglob("*"))
    arguments = ("--task=pawsx", f"--data_dir={folder.parent}", "--check")
    with pytest.raises(SystemExit) as stop:
        call(prepare, *arguments)
    assert stop.value.code == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert "Wrong (overlap): Items that stand" in capsys.readouterr().out
    # What is wrong with a language that is not asked for stays unsaid.
    (folder / "test-fr.tsv").write_text("une phrase\tune autre\t0\n")
    call(prepare, *arguments, "--languages=fr")
    output = capsys.readouterr().out
    assert "1 files with 1 items: 0 finding(s)" in output
    (folder / "test-fr.tsv").unlink()
    (folder / "test-de.tsv").write_text(train.replace("Satz", "Text"))
    call(prepare, *arguments, f"--report_dir={tmp_path / 'report'}")
    output = capsys.readouterr().out
    assert "2 files with 4 items: 0 finding(s) that make scores" in output
    assert (tmp_path / "report" / "data_report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check"], "--check needs --task or --preset"),
        (["--task=pos", "--report_dir=x"], "--report_dir is for --check"),
        (
            ["--task=pos", "--languages=de"],
            "--languages without --bundle or --check",
        ),
        (
            ["--preset=tiny", "--check", "--languages=de"],
            "--languages without --bundle or --check",
        ),
    ],
)
def test_flags_of_a_check_go_together(call, arguments, message):
    with pytest.raises(flags.IllegalFlagValueError, match=message):
        call(prepare, *arguments)


def test_folder_without_files_of_the_task_is_an_error(call, tmp_path):
    (tmp_path / "xnli").mkdir()
    (tmp_path / "xnli" / "train-en.csv").write_text("a,b,neutral\n")
    with pytest.raises(
        FileNotFoundError, match=r"train-en\.tsv.*train-en\.csv"
    ):
        call(prepare, "--task=xnli", f"--data_dir={tmp_path}")
