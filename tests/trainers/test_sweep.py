"""Tests of trainers.sweep."""

import json
import signal
import sys

import pytest

from trainers import sweep


@pytest.fixture
def plan(call, monkeypatch, tmp_path):
    """Calls the program without a run; returns the command lines by name.

    `ends` says how runs end, by name.
    """

    def plan(*arguments, ends=None, stopped_by=None):
        commands = {}

        def run(self):
            self.stopped_by = stopped_by
            for status in self.statuses:
                cell = status.cell
                commands[cell.name] = self.command(cell)
                state = (ends or {}).get(cell.name, "finished")
                status.state, status.exit_code = state, 1
                if state == "failed":
                    status.log_tail = ["Traceback", "Error: `x` is wrong."]

        monkeypatch.setattr("dlfa_tf.sweeps.sweep.Sweep.run", run)
        call(
            sweep,
            "--data_source=sample",
            f"--output_dir={tmp_path}",
            *arguments,
        )
        return commands

    return plan


def test_runs_get_their_flags_and_the_users(plan, tmp_path):
    commands = plan(
        "--tasks=pos,xnli",
        "--systems=baseline,D_9",
        "--gates=attention",
        "--seeds=3",
        "--epochs=2",
        "--languages=de,zh",
        "--nocompact_vocabulary",
        "--max_parallel=2",
    )
    assert set(commands) == {
        "pos/baseline/seed-3",
        "pos/D_9-attention/seed-3",
        "xnli/baseline/seed-3",
        "xnli/D_9-attention/seed-3",
    }
    name = "pos/D_9-attention/seed-3"
    command = commands[name]
    assert command[:3] == [sys.executable, "-m", "trainers.train"]
    assert set(command[3:]) == {
        "--task=pos",
        "--fusion=dlfa",
        "--gate=attention",
        "--seed=3",
        f"--output_dir={tmp_path / name}",
        "--fusion_layer=9",
        "--resume",
        "--data_source=sample",
        "--epochs=2",
        "--languages=de,zh",
        "--nocompact_vocabulary",
    }
    baseline = " ".join(commands["pos/baseline/seed-3"])
    assert "fusion_layer" not in baseline
    assert "--gate=feature" in baseline


def test_own_layers_are_checked_first_and_handed_to_the_runs(plan, monkeypatch):
    checked = []
    monkeypatch.setattr(
        "dlfa_tf.runs.own_fusion.check_in_a_process", checked.append
    )
    commands = plan("--tasks=pos", "--systems=baseline,a.b:Sum_1..Sum_2")
    assert list(commands) == [
        "pos/baseline/seed-1",
        "pos/Sum_1/seed-1",
        "pos/Sum_2/seed-1",
    ]
    assert "--fusion=a.b:Sum" in commands["pos/Sum_2/seed-1"]
    assert "--fusion_layer=2" in commands["pos/Sum_2/seed-1"]
    assert checked == [["dlfa", "a.b:Sum", "a.b:Sum"]]


def test_summary_of_a_shard(plan, tmp_path, capsys):
    commands = plan(
        "--tasks=pos",
        "--systems=baseline,D_1..D_3",
        "--num_shards=2",
        "--shard_index=1",
    )
    assert list(commands) == ["pos/D_1/seed-1", "pos/D_3/seed-1"]
    summary = json.loads((tmp_path / "sweep-1-of-2.json").read_text())
    assert [run["name"] for run in summary["runs"]] == list(commands)
    assert summary["counts"] == {"finished": 2}
    assert f"Summary: {tmp_path}/sweep-1-of-2.json" in capsys.readouterr().out


def test_failed_runs_are_named_at_the_end(plan):
    with pytest.raises(OSError, match="2 of 3 runs failed: .*seed-1") as error:
        plan(
            "--tasks=pos",
            "--systems=baseline,D_1,D_2",
            ends={"pos/D_1/seed-1": "failed", "pos/D_2/seed-1": "failed"},
        )
    # Runs that fail alike are quoted once.
    assert str(error.value).count("They said: 'Error: `x` is wrong.'.") == 1


def test_block_numbers_are_looked_at_before_any_run(plan, tmp_path):
    with pytest.raises(ValueError, match="1 of 2 runs .*: pos/D_3/seed-1. Rec"):
        plan("--tasks=pos", "--systems=baseline,D_3", "--preset=tiny")
    assert not list(tmp_path.iterdir())


def test_folder_of_a_run_is_no_sweeps(plan, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        FileExistsError, match="`output_dir` holds config.json and is a run"
    ):
        plan("--tasks=pos", "--systems=D_1")
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_presets_are_looked_at_before_any_run(plan, tmp_path):
    """A process looks at them, which says what each run would end with."""
    (tmp_path / "preset").mkdir()
    with pytest.raises(ValueError, match="`preset` names a folder without a"):
        plan("--tasks=pos", "--systems=D_1", f"--preset={tmp_path}/preset",
             f"--output_dir={tmp_path}/new")  # fmt: skip
    assert not (tmp_path / "new").exists()


def test_signal_is_an_interruption(plan, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        plan("--tasks=pos", "--systems=baseline", stopped_by=signal.SIGTERM)
    assert (tmp_path / "sweep.json").exists()


def test_data_are_looked_for_before_any_run(call, tmp_path):
    (tmp_path / "udpos_fused").mkdir()
    with pytest.raises(FileNotFoundError, match="no train data of 'en'"):
        call(
            sweep,
            "--tasks=pos",
            "--systems=baseline",
            f"--data_dir={tmp_path}",
            f"--output_dir={tmp_path / 'out'}",
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "parts", "code"),
    [
        (["--task=pos"], ["Unknown command line flag 'task'"], 2),
        (["--systems=baseline"], ["--tasks"], 2),
        (["--max_parallel=0"], ["--max_parallel=0"], 2),
        (["--tasks=pos", "--systems=D_x"], ["`systems`", "'D_x'"], 1),
        (["--tasks=po", "--systems=D_1"], ["Did you mean 'pos'"], 1),
    ],
)
def test_wrong_flags_are_named_at_once(start_wrong, arguments, parts, code):
    message = start_wrong("sweep", "--output_dir=o", *arguments, code=code)
    for part in parts:
        assert part in message


def test_help_shows_an_example(start):
    text = start("sweep", "--helpfull").stdout
    assert "python -m trainers.sweep --tasks=pos --systems=baseline,D_1" in text
    for name in ("tasks", "systems", "gates", "seeds", "epochs", "languages"):
        assert f"--{name}: " in text
    assert "--branches: " in text
    assert "--fusion_layer: " not in text


@pytest.mark.slow
def test_a_sweep_as_a_user_starts_it(start, tmp_path):
    """One run succeeds, one cannot; then the first is skipped."""
    arguments = [
        "--tasks=pos",
        "--systems=baseline,D_2",
        "--reduction_ratio=16",  # more than the width of the tiny encoder
        "--data_source=sample",
        "--preset=tiny",
        "--epochs=1",
        "--batch_size=16",
        "--train_limit=40",
        "--eval_limit=5",
        "--languages=zh",
        "--max_parallel=2",
        f"--output_dir={tmp_path}",
    ]
    for state in ("finished", "skipped"):
        done = start("sweep", *arguments)
        assert done.returncode == 1
        assert "1 of 2 runs failed: pos/D_2/seed-1 (exit code 1)" in done.stderr
        assert "They said: 'Error: `reduction_ratio` exceeds" in done.stderr
        summary = json.loads((tmp_path / "sweep.json").read_text())
        first, second = summary["runs"]
        assert (first["state"], second["state"]) == (state, "failed")
        assert "`reduction_ratio`" in second["log_tail"][-1]
        results = tmp_path / "pos/baseline/seed-1/results.json"
        averages = json.loads(results.read_text())["averages"]
        assert first["averages"] == averages
