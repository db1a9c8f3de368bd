"""Tests of trainers.export."""

import pytest

from trainers import export


def test_an_export_as_a_user_starts_it(start, xnli_run, tmp_path):
    done = start(
        "export",
        f"--model={xnli_run}",
        "--name=xnli",
        f"--saved_models_dir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Exported to {tmp_path}/xnli/1" in done.stdout
    assert (tmp_path / "xnli" / "1" / "saved_model.pb").is_file()
    assert [p.name for p in (tmp_path / "xnli").iterdir()] == ["1"]


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


def test_missing_model_is_named(call, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        call(export, f"--model={tmp_path}", "--name=a")


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--name=a/b", "Accepted: a folder name without '/'"),
        ("--name=..", "--name=.."),
        ("--name=", "--name="),
        ("--version=0", "--version=0"),
    ],
)
def test_wrong_flags_are_named_at_once(start_wrong, argument, part):
    arguments = ["--model=m", "--name=a", argument]
    assert part in start_wrong("export", *arguments)


def test_help_shows_an_example(start):
    text = start("export", "--help").stdout
    assert "python -m trainers.export --model=" in text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
