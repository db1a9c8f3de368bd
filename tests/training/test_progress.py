"""Tests of how a run shows that it is alive."""

from dlfa_tf.training import progress
from dlfa_tf.training.progress import Progress

ENTRY = {
    "loss": 1.25,
    "padding_share": 0.125,
    "timing": {"peak_memory_bytes": 2**30, "tokens_per_second": 1500.0},
}


def test_lines_come_now_and_then(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    said = []
    shown = Progress(9, said.append, verbose=2)
    for step, seconds, entry in (
        (1, 1.0, ENTRY), (2, 31.0, ENTRY), (3, 40.0, ENTRY), (4, 62.0, None)
    ):  # fmt: skip
        now[0] = seconds
        shown.show(step, entry)
    assert [line.split(":")[0] for line in said] == [
        "  step 2 of 9", "  step 4 of 9"
    ]  # fmt: skip
    assert said[1] == "  step 4 of 9"
    assert "loss 1.25, tokens/s 1500, padding 0.125, GiB 1" in said[0]


def test_speed_that_is_not_known_is_not_said(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    said = []
    shown = Progress(9, said.append, verbose=2)
    now[0] = 31.0
    timing = {"peak_memory_bytes": 2**30}
    shown.show(1, {**ENTRY, "timing": timing})
    assert said == ["  step 1 of 9: loss 1.25, padding 0.125, GiB 1"]


def test_bar_has_the_figures(capsys):
    said = []
    shown = Progress(2, said.append, verbose=1)
    # A run that goes on has read nothing yet.
    shown.show(1, None)
    shown.show(2, {**ENTRY, "loss": 3.5})
    output = capsys.readouterr().out
    assert "2/2" in output
    # The last value, not a mean.
    assert "loss: 3.5000" in output
    assert said == []


def test_silence(capsys):
    said = []
    Progress(2, said.append, verbose=0).show(1, ENTRY)
    assert (said, capsys.readouterr().out) == ([], "")
