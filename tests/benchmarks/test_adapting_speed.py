"""A tiny case of the benchmark of adapting; its peers need an environment."""

import json

import pytest
from absl import app
from absl import flags

from benchmarks import adapting_speed


@pytest.fixture
def parse():
    """Gives the program's flags values; takes them away again."""
    before = set(flags.FLAGS)
    adapting_speed.define_flags()
    yield lambda *values: flags.FLAGS(["program", *values])
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)
    flags.FLAGS.unparse_flags()


@pytest.mark.slow  # Three processes that import TensorFlow.
@pytest.mark.parametrize("preset", ["tiny", "tiny_sentencepiece"])
def test_tiny_model_is_measured(tmp_path, parse, preset):
    text = tmp_path / "en.txt"
    text.write_text("the cat sees a small house and the dog runs \n" * 60)
    output = tmp_path / "out.jsonl"
    parse(f"--preset={preset}", f"--texts={text}", "--sequence_length=16",
          "--batch_size=4", "--repeats=2", "--cases=float32,keras_hub",
          f"--output_file={output}")  # fmt: skip
    adapting_speed.main()
    own, keras_hub = map(json.loads, output.read_text().splitlines())
    assert own["case"] == "float32"
    assert own["time_per_token_ratio_to"]["keras_hub"]["median"] > 0
    assert keras_hub["case"] == "keras_hub"
    assert keras_hub["time_per_token_ratio_to"] == {}
    for case in own, keras_hub:
        tokens = case["tokens_per_second"]["median"]
        seconds = case["step_seconds"]["median"]
        assert tokens * seconds == pytest.approx(4 * 16, rel=0.5)
        assert case["step_cpu_seconds"]["repeats"] == 2
        assert case["worker_peak_memory_bytes"] > 0
    # Ours trains on the rows in use, keras-hub's on all.
    assert own["embedding_rows"] < keras_hub["embedding_rows"]


@pytest.mark.parametrize(
    "values, message",
    [
        (["--cases=float32,run_mlmm"], "'run_mlmm'. Accepted: float32"),
        (["--cases=float32"], "--texts is missing"),
        (["--cases=run_mlm", "--texts=de.txt"], "without --peers_python"),
    ],
)
def test_what_does_not_fit_is_refused(parse, values, message):
    parse(*values)
    with pytest.raises(app.UsageError, match=message):
        adapting_speed.main()
