"""Tests of trainers.evaluate."""

import json

import pytest

from trainers import evaluate


@pytest.mark.programs
def test_an_evaluation_as_a_user_starts_it(start, pos_run, tmp_path):
    folder = tmp_path / "out"
    done = start(
        "evaluate",
        f"--model={pos_run}",
        "--task=pos",
        "--data_source=sample",
        "--languages=de",
        "--eval_split=test_or_dev",
        "--eval_limit=3",
        f"--output_dir={folder}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((folder / "results.json").read_text("utf-8"))
    trained = json.loads((pos_run / "results.json").read_text("utf-8"))
    assert results["system"] == "D_1"
    for name in ("score", "accuracy", "tokens"):
        assert results["languages"]["de"][name] == pytest.approx(
            trained["languages"]["de"][name]
        )
    predicted = "predictions/test-de.tsv"
    assert (folder / predicted).read_bytes() == (
        pos_run / predicted
    ).read_bytes()
    assert f"Results: {folder}/results.json" in done.stdout
    # Nobody asked for the other languages.
    assert "left out" not in done.stdout


def test_dev_files_are_marked(call, eager, xnli_run, tmp_path, capsys):
    call(
        evaluate,
        f"--model={xnli_run}",
        "--task=xnli",
        "--data_source=sample",
        "--languages=available",
        "--eval_split=dev",
        "--eval_limit=2",
        f"--output_dir={tmp_path}",
    )
    assert "en (dev)" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert results["languages"]["en"]["split"] == "dev"
    assert results["averages"]["others"] is None


def test_malformed_file_is_found_before_the_model_is_loaded(call, tmp_path):
    folder = tmp_path / "data" / "xnli"
    folder.mkdir(parents=True)
    (folder / "test-de.tsv").write_text("a\tb\tneutral\n")
    (folder / "test-fr.tsv").write_text("a\tb\tneutral\na\tb\tmaybe\n")
    with pytest.raises(ValueError, match=r"test-fr\.tsv, line 2: unknown"):
        call(
            evaluate,
            "--model=not_there",
            "--task=xnli",
            "--data_source=files",
            f"--data_dir={tmp_path / 'data'}",
            "--languages=available",
            f"--output_dir={tmp_path / 'out'}",
        )


@pytest.mark.parametrize(("given", "used"), [(0, None), (2, 2)])
def test_limit_of_zero_is_all(call, monkeypatch, tmp_path, given, used):
    seen = []

    def evaluate_model(*_, limit, **__):
        seen.append(limit)
        raise ValueError("seen")

    monkeypatch.setattr(
        "dlfa_tf.training.evaluating.evaluate_model", evaluate_model
    )
    monkeypatch.setattr("dlfa_tf.runs.load.load_model", str)
    with pytest.raises(ValueError, match="seen"):
        call(
            evaluate,
            "--model=m",
            "--task=pos",
            "--data_source=sample",
            "--languages=de",
            f"--eval_limit={given}",
            f"--output_dir={tmp_path}",
        )
    assert seen == [used]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"--task": "ner"}, ValueError, "labels are not those of task 'ner'"),
        ({"--model": "no/such"}, FileNotFoundError, "holds no saved model"),
        ({"--languages": "gr"}, ValueError, "'gr' is not one of task 'pos'"),
        ({"--eval_split": "dev"}, FileNotFoundError, "No dev file"),
    ],
    ids=["task", "model", "language", "split"],
)
def test_wrong_settings_write_nothing(
    call, pos_run, tmp_path, changes, error, message
):
    arguments = {
        "--model": pos_run,
        "--task": "pos",
        "--data_source": "sample",
        "--languages": "de",
        "--output_dir": tmp_path / "out",
        **changes,
    }
    with pytest.raises(error, match=message):
        call(evaluate, *(f"{k}={v}" for k, v in arguments.items()))
    assert not (tmp_path / "out").exists()


def test_output_folder_with_content_is_refused(call, pos_run):
    with pytest.raises(FileExistsError, match="never overwritten"):
        call(
            evaluate,
            f"--model={pos_run}",
            "--task=pos",
            "--data_source=sample",
            f"--output_dir={pos_run}",
        )


def write_labels(folder, name, labels):
    path = folder / "pawsx" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{x}\n" for x in labels), encoding="utf-8")


def test_prediction_files_are_scored_without_a_model(call, tmp_path, capsys):
    for language, predicted in (("de", "0110"), ("zh", "1111")):
        write_labels(tmp_path / "mine", f"test-{language}", predicted)
        write_labels(tmp_path / "gold", f"test-{language}", "0111")
    folders = [
        f"--predictions_dir={tmp_path / 'mine'}",
        f"--labels_dir={tmp_path / 'gold'}",
    ]
    call(evaluate, *folders)
    output = capsys.readouterr().out
    assert "pawsx" in output
    assert output.count("75.0") >= 2
    call(evaluate, *folders, "--languages=zh")
    output = capsys.readouterr().out
    assert "│ zh " in output and "│ de " not in output
    with pytest.raises(FileNotFoundError, match="no test predictions.*'fr'"):
        call(evaluate, *folders, "--languages=fr,zh")
    with pytest.raises(ValueError, match="`eval_split` must be `test` or"):
        call(evaluate, *folders, "--eval_split=test_or_dev")
    call(evaluate, *folders, "--task=pawsx")
    assert "│ de " in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="No task folder.*xnli"):
        call(evaluate, *folders, "--task=xnli")


def test_predictions_of_an_own_task_are_scored(call, tmp_path, capsys):
    """Against its data or files of labels; labels are those of its data."""
    data = tmp_path / "data"
    data.mkdir()
    rows = (
        "split,lang,label,text\ntrain,en,yes,a\ntrain,en,not yet,b\n"
        "test,pt-BR,not yet,c\ntest,pt-BR,yes,d\ntest,en,yes,e\n"
    )
    (data / "all.csv").write_text(rows)
    task = tmp_path / "mine.toml"
    task.write_text(
        'name = "answers"\nkind = "single"\nscore = "macro_f1"\n'
        'labels = "from the training data"\ntarget_languages = ["pt-BR"]\n'
        '[files]\ntrain = "all.csv"\n[columns]\ntext = "text"\n'
        'label = "label"\nlanguage = "lang"\nsplit = "split"\n'
    )
    mine = tmp_path / "answers"
    mine.mkdir()
    (mine / "test-en.tsv").write_text("yes\n")
    (mine / "test-pt-BR.tsv").write_text("not yet\nnot yet\n")
    arguments = [f"--labels_dir={data}", f"--task={task}"]
    # The folder of the files, or one that holds it under the task's name.
    for folder in (mine, tmp_path):
        call(evaluate, f"--predictions_dir={folder}", *arguments)
        output = capsys.readouterr().out
        assert "answers, in percent" in output
        assert "│ en " in output and "100.00" in output
        # Of "not yet" two thirds, of "yes" nothing.
        (line,) = (x for x in output.splitlines() if "pt-BR" in x)
        assert "33.33" in line and "50.00" in line
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "test-en.tsv").write_text("not yet\n")
    folders = [f"--predictions_dir={mine}", f"--labels_dir={labels}"]
    # Neither beside the labels nor beside the task file.
    with pytest.raises(FileNotFoundError, match="No train file.*'en'"):
        call(evaluate, *folders, f"--task={task}", "--languages=en")
    task.rename(data / "mine.toml")
    arguments = [*folders, f"--task={data / 'mine.toml'}"]
    call(evaluate, *arguments, "--languages=en")
    assert " 0.00" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="No test file.*'pt-BR'"):
        call(evaluate, *arguments)
    (mine / "test-en.tsv").write_text("not yot\n")
    with pytest.raises(ValueError, match="line 1: unknown.*'not yet'"):
        call(evaluate, *arguments)
    (mine / "test-en.tsv").write_text("yes\nyes\n")
    with pytest.raises(ValueError, match="'answers', language 'en'"):
        call(evaluate, *arguments)
    (mine / "test-de.tsv").write_text("yes\n")
    with pytest.raises(ValueError, match="'answers' has no language 'de'"):
        call(evaluate, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--task=pos", "--output_dir=o"],
        ["--task=pos", "--model=m"],
        ["--labels_dir=g"],
        ["--task=pos", "--model=m", "--output_dir=o", "--labels_dir=g"],
    ],
    ids=len,
)
def test_half_a_set_of_flags_is_refused(start_wrong, arguments):
    message = start_wrong("evaluate", *arguments)
    assert "both of model, output_dir, and task; or both of" in message
    for argument in arguments:
        assert argument.removeprefix("--") in message


@pytest.mark.parametrize(
    "argument",
    ["--eval_limit=3", "--data_dir=d", "--data_source=files"],
)
def test_flags_of_a_model_are_refused_for_files(start_wrong, argument):
    message = start_wrong(
        "evaluate", "--predictions_dir=p", "--labels_dir=g", argument
    )
    name = argument.removeprefix("--").partition("=")[0]
    assert f"Received: --{name} without --model. Accepted" in message


def test_help_shows_an_example(start):
    text = start("evaluate", "--helpfull").stdout
    assert "python -m trainers.evaluate --model=" in text
    assert "--eval_split: " in text
