"""Tests of dlfa_tf.adapting.adapt: from text to a preset."""

import functools
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

import dlfa_tf
from dlfa_tf.adapting.adapt import adapt
from dlfa_tf.adapting.preparing import build_model
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.models.presets import preset_source
from dlfa_tf.runs import environment
from dlfa_tf.training import interruption
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import TrainingInterrupted
from tests.eager_mode import eagerly

WORDS = "the cat sees a small house and the dog runs in an old garden".split()
pytestmark = [
    pytest.mark.filterwarnings("ignore:Even though the:UserWarning"),
    pytest.mark.usefixtures("eager"),
]


def write_texts(folder):
    random = np.random.default_rng(0)
    for language in ("de", "et"):
        lines = [" ".join(random.choice(WORDS, 9)) for _ in range(60)]
        (folder / f"{language}.txt").write_text("\n".join(lines))


def make_config(folder, name="out", **changes):
    """Settings of an adaptation of some steps."""
    return AdaptConfig(
        **{
            "preset": "tiny",
            "texts": (str(folder),),
            "output_dir": str(folder / name),
            "sequence_length": 32,
            "steps": 6,
            "batch_size": 4,
            "learning_rate": 0.02,
            "checkpoint_minutes": 0.0,
            **changes,
        }
    )


@pytest.fixture
def config(tmp_path):
    """Makes the settings of an adaptation of some steps."""
    write_texts(tmp_path)
    return functools.partial(make_config, tmp_path)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """A folder that was adapted to: its record, its path, what was said."""
    folder = tmp_path_factory.mktemp("adapted")
    write_texts(folder)
    (folder / "sw.txt").write_text("the cat")
    said = []
    with eagerly():
        record = adapt(make_config(folder), say=said.append, verbose=0)
    return record, folder / "out", said


def weights_of(folder):
    encoder = load_encoder(str(folder))
    return {w.path: keras.ops.convert_to_numpy(w) for w in encoder.weights}


def test_a_preset_comes_out_that_is_taken_as_any_other(adapted):
    record, folder, said = adapted
    # A language with little text is trained on and not measured.
    assert "  sw: 1 rows, not measured" in said
    assert record["rows_by_language"]["sw"] == 1
    assert json.loads((folder / "adaptation.json").read_text()) == record
    assert set(record["languages"]) == {"de", "et"}
    losses = [x["after"]["loss"] for x in record["languages"].values()]
    before = [x["before"]["loss"] for x in record["languages"].values()]
    assert np.mean(losses) < np.mean(before)
    assert str(folder.parent) not in json.dumps(record)
    card = (folder / "README.md").read_text()
    assert f"| {record['languages']['de']['after']['loss']:.3f} |" in card
    # Nothing unfinished is left, and no checkpoint.
    names = {path.name for path in folder.rglob("*")}
    assert not [name for name in names if name.endswith(".tmp")]
    assert not names & {"checkpoints", "before.json"}
    assert {"metrics.jsonl", "settings.json", "logs"} <= names
    # Blocks have changed; of the frozen token embedding nothing.
    old, new = load_encoder("tiny"), load_encoder(str(folder))
    for a, b in zip(old.weights, new.weights, strict=True):
        changed = (a.numpy() != b.numpy()).any()
        assert changed == ("token_embedding" not in a.path and (
            "pooled" not in a.path)), a.path  # fmt: skip
    assert (
        load_tokenizer(str(folder)).get_vocabulary()
        == load_tokenizer("tiny").get_vocabulary()
    )
    model = dlfa_tf.DLFATokenClassifier.from_preset(
        str(folder), labels=["X", "Y"], fusion_layer=1
    )
    assert len(model.tag(["the cat"])[0]) == 2


class StopAt(StopRequest):
    """Asks to stop before the step after `step`, as SIGTERM would."""

    left = 3

    @property
    def asked(self):
        self.left -= 1
        return self.left < 0

    @asked.setter
    def asked(self, value):
        pass


def test_stopped_and_resumed_equals_the_undisturbed_one(
    config, tmp_path, monkeypatch
):
    changes = {"whole_words": True, "frozen_embeddings": False, "dev_every": 4}
    whole = adapt(config("whole", **changes), verbose=0)
    with monkeypatch.context() as patch:
        patch.setattr(interruption, "StopRequest", lambda: StopAt())
        with pytest.raises(TrainingInterrupted):
            adapt(config("stopped", **changes), verbose=0)
    assert not (tmp_path / "stopped" / "config.json").exists()
    with pytest.raises(FileExistsError, match="--resume"):
        adapt(config("stopped", **changes), verbose=0)
    with pytest.raises(ValueError, match="steps=7 .the adaptation has 6."):
        adapt(config("stopped", **changes, steps=7), verbose=0, resume=True)
    said = []
    resumed = adapt(
        config("stopped", **changes), say=said.append, verbose=0, resume=True
    )
    assert "going on after step" in " ".join(said)
    assert resumed["languages"] == whole["languages"]
    assert resumed["dev_history"] == whole["dev_history"]
    assert len(whole["dev_history"]) == 2
    ours, theirs = (weights_of(tmp_path / x) for x in ("whole", "stopped"))
    for (_, a), (_, b) in zip(ours.items(), theirs.items(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = adapt(config("whole", **changes), verbose=0, resume=True)
    assert again == whole


def test_precision_is_that_of_what_was_begun(config, tmp_path, monkeypatch):
    here = "mixed_bfloat16"
    text = json.dumps(config("begun", precision=here).to_json())
    (tmp_path / "begun" / "adaptation").mkdir(parents=True)
    (tmp_path / "begun" / "adaptation" / "settings.json").write_text(text)
    monkeypatch.setattr(environment, "has_fast_bfloat16", lambda: False)
    for folder, resume in (("begun", True), ("new", False)):
        asked = config(folder, precision="auto")
        record = adapt(asked, verbose=0, resume=resume)
        assert (record["config"]["precision"] == here) == resume


def test_another_adaptation_goes_on_with_the_head(config, adapted):
    first, folder, _ = adapted
    assert first["head"] == "new"
    preset = str(folder)
    source = f"preset folder {folder.name}, adapted from tiny (random weights,"
    assert preset_source(preset).startswith(source)
    second = adapt(config("second", steps=1, preset=preset), verbose=0)
    assert second["head"] == "went on with the preset's"
    for name, scores in second["languages"].items():
        after = first["languages"][name]["after"]
        assert scores["before"]["loss"] == pytest.approx(after["loss"], 1e-5)


def test_compact_vocabulary_changes_no_loss(config, tmp_path):
    """But for the random pieces shown, which are of the ids in use."""
    small, large = (
        adapt(
            config(str(x), steps=1, compact_vocabulary=x, learning_rate=1e-9),
            verbose=0,
        )
        for x in (True, False)
    )
    rows = [x["rows_by_language"] for x in (small, large)]
    assert rows[0] == rows[1]
    # All letters that occur, in place of all: other normalisers.
    for name in small["languages"]:
        a, b = (x["languages"][name]["before"]["loss"] for x in (small, large))
        assert a < b


def test_too_little_text_is_refused(config, tmp_path):
    few = f"sw:{tmp_path / 'few.txt'}"
    (tmp_path / "few.txt").write_text("the cat")
    with pytest.raises(ValueError, match="too little text.*10 rows"):
        adapt(config(texts=(few,)), verbose=0)
    assert not (tmp_path / "out").exists()


def test_folder_with_content_is_left_alone(config, tmp_path):
    folder = pathlib.Path(config().output_dir)
    folder.mkdir()
    (folder / "mine.txt").touch()
    for resume in (False, True):
        with pytest.raises(FileExistsError, match="mine.txt"):
            adapt(config(), verbose=0, resume=resume)


def test_damaged_head_is_refused(config, adapted, tmp_path):
    folder = tmp_path / "first"
    shutil.copytree(adapted[1], folder)
    head = folder / "masked_lm_head.npz"
    head.write_bytes(head.read_bytes()[:200])
    with pytest.raises(ValueError, match="masked_lm_head.npz is no head"):
        build_model(config(preset=str(folder)))
