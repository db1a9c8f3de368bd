"""Tests of trainers.predict."""

import pytest

from dlfa_tf.training.model_files import load_model
from trainers import predict

pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")


def test_sentences_are_tagged_from_standard_input(start, pos_run):
    lines = ["Der Fluss ist hoch .", "", "Анна\u00a0работает", "zu/oft"]
    done = start(
        "predict",
        f"--model={pos_run}",
        "--batch_size=3",
        input="\r\n".join(lines),
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = done.stdout.split("\n")
    assert answers.pop() == ""
    assert len(answers) == len(lines)
    for line, answer in zip(lines, answers, strict=True):
        pairs = [item.rsplit("/", 1) for item in answer.split()]
        words = line.split()
        assert [word for word, _ in pairs] == words
        expected = load_model(str(pos_run)).tag([words]) if words else [[]]
        assert [tag for _, tag in pairs] == expected[0]


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
def test_line_that_is_no_pair_is_named(
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
        )
    # Half an answer would look like a whole one.
    assert [p.name for p in tmp_path.iterdir()] == ["in.txt"]


def test_output_that_exists_is_refused(call, tmp_path):
    path = write(tmp_path, "mine")
    with pytest.raises(FileExistsError, match="`output` exists"):
        call(predict, "--model=m", f"--output={path}")
    assert path.read_text("utf-8") == "mine"


def test_missing_input_is_named_at_once(start_wrong):
    message = start_wrong("predict", "--model=m", "--input=no.txt", code=1)
    assert message == "Error: [Errno 2] No such file or directory: 'no.txt'"


def test_missing_model_is_named(call, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        call(predict, f"--model={tmp_path}", f"--input={write(tmp_path, 'a')}")


def test_help_shows_an_example(start):
    assert "| python -m trainers.predict" in start("predict", "--help").stdout


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
