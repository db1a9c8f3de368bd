"""Tests of whole runs on the shipped sample, with a tiny encoder."""

import builtins
import json
import os
import pathlib
import weakref

import pytest

from dlfa_tf.data.readers import find_file
from dlfa_tf.data.sources import SAMPLE_FOLDER
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import get_task
from dlfa_tf.runs import load
from dlfa_tf.runs.load import build_model
from dlfa_tf.runs.load import load_model
from dlfa_tf.runs.load import save_model
from dlfa_tf.runs.settings import default_config
from dlfa_tf.runs.settings import read_config
from dlfa_tf.training.evaluating import evaluate_model
from dlfa_tf.training.run import run
from tests.eager_mode import eagerly
from tests.models.presets import checkpoint_writer

# The data set's own function is traced all the same; that is fine.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")

TAGGING = {
    "task": "pos",
    "data_source": "sample",
    "preset": "tiny",
    "fusion_layer": 1,
    "epochs": 1,
    "batch_size": 8,
    "learning_rate": 1e-2,
    "train_limit": 24,
    "eval_limit": 4,
    "languages": ("zh", "en"),
    "dev_every": 2,
}
PAIR = {
    **TAGGING,
    "task": "xnli",
    "preset": "tiny_sentencepiece",
    "fusion_layer": None,
    "languages": ("de",),
    "dev_every": None,
    "compact_vocabulary": False,
}


def settings(folder, base=TAGGING, **changes):
    values = {**base, "output_dir": str(folder), **changes}
    return default_config(values.pop("task"), **values)


def files_of(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
    )


def text_of(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def predictions(folder):
    paths = sorted((folder / "predictions").iterdir())
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def comparable(results):
    """Results without what differs between any two runs."""
    drop = ("seconds", "peak_memory_bytes", "environment")
    kept = {k: v for k, v in results.items() if k not in drop}
    kept["languages"] = {
        language: {k: v for k, v in scores.items() if k != "seconds"}
        for language, scores in kept["languages"].items()
    }
    return kept


@pytest.fixture(scope="module")
def tagging_run(tmp_path_factory):
    """A finished tagging run: folder, results, events in their order.

    Events are the sample's files as they were opened, and "chosen" for the
    moment when the weights had been chosen.
    """

    events = []
    really_open, really_save = builtins.open, save_model

    def recording_open(file, *arguments, **options):
        if str(file).startswith(str(SAMPLE_FOLDER)):
            events.append(pathlib.Path(file).stem)
        return really_open(file, *arguments, **options)

    def recording_save(*arguments):
        events.append("chosen")
        really_save(*arguments)

    folder = tmp_path_factory.mktemp("tagging") / "run"
    said = []
    with eagerly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "open", recording_open)
        patch.setattr("dlfa_tf.runs.load.save_model", recording_save)
        results = run(settings(folder), say=said.append, verbose=0)
    return folder, results, events, said


@pytest.fixture(scope="module")
def pair_run(tmp_path_factory):
    """A finished run of pairs, on the full vocabulary: folder, results."""
    folder = tmp_path_factory.mktemp("pair") / "run"
    with eagerly():
        results = run(settings(folder, PAIR), verbose=0)
    return folder, results


def test_tagging_run_writes_its_folder(tagging_run):
    folder, results, _, _ = tagging_run
    files = files_of(folder)
    logs = [f for f in files if f.startswith("logs/")]
    assert len(logs) == 1
    assert [f for f in files if not f.startswith(("model/", "logs/"))] == [
        "README.md",
        "config.json",
        "metrics.jsonl",
        "predictions/test-en.tsv",
        "predictions/test-zh.tsv",
        "results.json",
    ]
    assert "model/config.json" in files
    for name in ("README.md", "model/README.md"):
        assert "# D\\_1 for pos" in text_of(folder, name)
        assert f"{results['averages']['all']:.1f}" in text_of(folder, name)
    assert not [f for f in files if f.endswith(".tmp")]
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
    assert json.loads(text_of(folder, "results.json")) == results
    config = settings(folder, strategy="one_device")
    assert read_config(str(folder)) == config
    content = json.loads(text_of(folder, "config.json"))
    assert content["environment"] == results["environment"]


def test_tagging_results_say_what_was_done(tagging_run):
    folder, results, _, _ = tagging_run
    assert results["schema"] == 1
    assert results["system"] == "D_1"
    assert results["score"] == "pos_f1"
    assert results["gate"] == "feature"
    assert results["label_piece"] == "first"
    assert results["preset_source"].startswith("random weights")
    # Folders of this machine are in config.json only.
    recorded = {
        **results["config"],
        "output_dir": str(folder),
        "data_dir": None,
    }
    # What `auto` stood for.
    expected = settings(folder, strategy="one_device").to_json()
    assert recorded == expected
    assert len(recorded) == len(results["config"]) + 2
    assert results["train_examples"] == 24
    assert results["train_rows"] >= 24
    assert results["train_tokens"] > results["train_rows"]
    assert results["total_steps"] == -(-results["train_rows"] // 8)
    assert sorted(results["languages"]) == ["en", "zh"]
    for scores in results["languages"].values():
        assert scores["split"] == "test"
        assert scores["examples"] == 4
        assert 0 <= scores["score"] <= 100
    mean = sum(s["score"] for s in results["languages"].values()) / 2
    assert results["averages"]["all"] == pytest.approx(mean)
    assert results["averages"]["others"] == pytest.approx(
        results["languages"]["zh"]["score"]
    )
    assert "de" in results["missing_languages"]
    assert set(results["seconds"]) == {"build", "train", "evaluate"}


def test_metrics_file_and_results_tell_the_same_choice(tagging_run):
    folder, results, _, _ = tagging_run
    text = text_of(folder, "metrics.jsonl")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [x for x in lines if "dev_score" in x] == results["dev_history"]
    steps = [entry["step"] for entry in results["dev_history"]]
    assert steps == [2, results["total_steps"]]
    best = max(results["dev_history"], key=lambda entry: entry["dev_score"])
    assert results["best_step"] == best["step"]
    assert results["dev_score"] == best["dev_score"]
    losses = [x for x in lines if "loss" in x]
    # The first and the last step, whose entry is a mean over the two last.
    assert [x["step"] for x in losses] == [1, results["total_steps"]]
    # Falls linearly to 0.
    assert losses[0]["learning_rate"] == pytest.approx(1e-2 * 2 / 3)
    assert losses[1]["learning_rate"] == pytest.approx(0.0, abs=1e-8)
    for entry in losses:
        assert entry["gradient_norm"] > 0
        assert 0 <= entry["padding_share"] < 1
        assert entry["timing"]["peak_memory_bytes"] > 2**20
    (gate, _) = (x["gate"] for x in lines if "gate" in x)
    assert set(gate) == {
        "mean", "sd", "outside_share", "rms_fused", "rms_low", "rms_high"
    }  # fmt: skip


def test_tagging_predictions_have_one_tag_per_word(tagging_run):
    folder, _, _, _ = tagging_run
    task = get_task("pos")
    source = Source(task=task, name="sample")
    for language in ("en", "zh"):
        text = text_of(folder, f"predictions/test-{language}.tsv")
        sentences = [s.split("\n") for s in text.split("\n\n")[:-1]]
        gold = source.load("test", language, 4)
        assert [len(s) for s in sentences] == [len(g.words) for g in gold]
        assert {tag for s in sentences for tag in s} <= set(task.labels)


def test_no_test_file_is_opened_before_the_weights_are_chosen(tagging_run):
    _, _, events, _ = tagging_run
    assert events == ["train-en", "dev-en", "chosen", "test-en", "test-zh"]


def test_run_says_what_it_does(tagging_run):
    _, results, _, said = tagging_run
    text = "\n".join(said)
    assert "building D_1 on preset tiny" in text
    assert f"{results['total_steps']} steps of 8" in text
    assert "evaluating on en, zh" in text
    assert f"zh test {results['languages']['zh']['score']:.2f}" in text


@pytest.mark.parametrize("compact", [True, False], ids=["again", "full"])
def test_same_seed_gives_the_same_run(tagging_run, tmp_path, eager, compact):
    """Also when all embedding rows are trained: not one prediction moves."""
    folder, results, _, _ = tagging_run
    config = settings(tmp_path / "run", compact_vocabulary=compact)
    second = run(config, verbose=0)
    expected = comparable(results)
    expected["config"] = {
        **expected["config"],
        "compact_vocabulary": compact,
    }
    assert comparable(second) == expected
    assert predictions(tmp_path / "run") == predictions(folder)


def test_another_seed_gives_another_run(tagging_run, tmp_path, eager):
    _, results, _, _ = tagging_run
    second = run(settings(tmp_path / "run", seed=2), verbose=0)
    assert comparable(second) != comparable(results)
    # On the same examples.
    assert second["train_tokens"] == results["train_tokens"]


def test_pair_run_writes_its_folder(pair_run):
    folder, results = pair_run
    files = files_of(folder)
    assert "predictions/test-de.tsv" in files
    assert "model/task.json" in files
    assert results["system"] == "baseline"
    assert results["gate"] is None
    assert results["label_piece"] is None
    assert results["score"] == "accuracy"
    scores = results["languages"]["de"]
    assert scores["score"] == scores["accuracy"]
    labels = text_of(folder, "predictions/test-de.tsv").split("\n")
    assert len(labels) == 4 + 1
    assert set(labels[:-1]) <= set(get_task("xnli").labels)
    assert [entry["step"] for entry in results["dev_history"]] == [3]


@pytest.mark.parametrize("kind", ["tagging_run", "pair_run"])
def test_reloaded_model_predicts_the_same(kind, request, tmp_path, eager):
    folder, results, *_ = request.getfixturevalue(kind)
    model = load_model(str(folder))
    source = Source(task=get_task(results["config"]["task"]), name="sample")
    files = {k: v["split"] for k, v in results["languages"].items()}
    second = evaluate_model(
        model,
        source,
        files,
        model_folder=str(folder),
        limit=4,
        run_dir=tmp_path / "again",
    )
    assert predictions(tmp_path / "again") == predictions(folder)
    assert json.loads(text_of(tmp_path / "again", "results.json")) == second
    for key in ("system", "score", "gate", "label_piece", "averages"):
        assert second[key] == results[key]
    assert second["config"]["preset"] == str(folder)
    assert second["missing_languages"] == results["missing_languages"]


def test_model_of_another_task_is_refused(tagging_run, tmp_path):
    folder, *_ = tagging_run
    with pytest.raises(ValueError, match="labels are not those of task 'ner'"):
        evaluate_model(
            load_model(str(folder)),
            Source(task=get_task("ner"), name="sample"),
            {"de": "test"},
            model_folder=str(folder),
            limit=1,
            run_dir=tmp_path / "again",
        )
    assert not (tmp_path / "again").exists()


def test_model_folder_itself_loads(tagging_run):
    folder, *_ = tagging_run
    assert load_model(str(folder / "model")).backbone.fusion_layer == 1


def test_loading_from_elsewhere_says_what_is_accepted(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved model"):
        load_model(str(tmp_path))


@pytest.fixture
def unread(monkeypatch):
    """Fails the test when any example is read."""

    def load(self, *arguments):
        raise AssertionError("read before the check")

    monkeypatch.setattr(Source, "load", load)


def test_output_dir_with_content_is_refused_unread(tmp_path, unread):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="never overwritten.*notes.txt"):
        run(settings(tmp_path))
    assert files_of(tmp_path) == ["notes.txt"]


def test_output_dir_that_is_a_file_is_refused_unread(tmp_path, unread):
    (tmp_path / "a").write_text("mine", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match="`output_dir` is a file"):
        run(settings(tmp_path / "a"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"data_source": "files"}, ValueError, "`data_dir` is needed"),
        (
            {"data_source": "files", "data_dir": "no/such"},
            FileNotFoundError,
            "'no/such/udpos_fused'.*does not exist",
        ),
        ({"languages": ("zz",)}, ValueError, "'zz' is not one of task 'pos'"),
        ({"eval_split": "dev"}, FileNotFoundError, "No dev file.*'zh'"),
        ({"sequence_length": 600}, ValueError, "Received: 600.* up to 512 "),
    ],
    ids=[
        "no data_dir",
        "no folder",
        "unknown language",
        "no such split",
        "rows too long",
    ],
)
def test_wrong_data_settings_write_nothing(
    tmp_path, unread, changes, error, message
):
    with pytest.raises(error, match=message):
        run(settings(tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_warm_up_longer_than_the_run_writes_nothing(tmp_path, eager):
    with pytest.raises(ValueError, match="`warmup_steps` must end"):
        run(settings(tmp_path / "run", warmup_steps=900), verbose=0)
    assert not (tmp_path / "run").exists()


class Reached(Exception):
    """Ends a run where its training would begin."""


def test_full_model_is_freed_before_training(tmp_path, eager, monkeypatch):
    """It would take its memory on top of what training needs."""
    built = []
    really = load.build_model

    def build(*arguments):
        model = really(*arguments)
        built.append(weakref.ref(model))
        return model

    def train(self, run_dir):
        raise Reached(built[0]() is None)

    monkeypatch.setattr(load, "build_model", build)
    monkeypatch.setattr("dlfa_tf.training.engine.Engine.run", train)
    with pytest.raises(Reached) as caught:
        run(settings(tmp_path / "run"), verbose=0)
    assert caught.value.args == (True,)


def test_failed_build_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="`fusion_layer` is out of range"):
        run(settings(tmp_path / "run", fusion_layer=3))
    assert not (tmp_path / "run").exists()


@pytest.fixture
def data_dir(tmp_path):
    """A folder of benchmark files with the test files of two languages."""
    folder = tmp_path / "data" / "udpos_fused"
    folder.mkdir(parents=True)
    words = "the\tDET\ncat\tNOUN\nsees\tVERB\n\na\tDET\ndog\tNOUN\n"
    for name in ("train-en", "dev-en", "test-en", "test-de"):
        (folder / f"{name}.tsv").write_text(words, encoding="utf-8")
    return folder.parent


def test_missing_languages_are_named(tmp_path, data_dir, unread):
    base = {"data_source": "files", "data_dir": str(data_dir)}
    with pytest.raises(FileNotFoundError, match=r"\['zh'\].*\['de', 'en'\]"):
        run(settings(tmp_path / "run", languages=("de", "zh"), **base))
    with pytest.raises(FileNotFoundError, match="'af', 'ar'.*=available"):
        run(settings(tmp_path / "run", languages=("all",), **base))


def test_available_languages_are_enough(tmp_path, data_dir, eager):
    results = run(
        settings(
            tmp_path / "run",
            data_source="files",
            data_dir=str(data_dir),
            languages=("available",),
            fusion_layer=None,
        ),
        verbose=0,
    )
    assert list(results["languages"]) == ["de", "en"]
    assert len(results["missing_languages"]) == 33 - 2
    assert results["languages"]["de"]["examples"] == 2
    # One partial batch, and so one step.
    assert results["total_steps"] == 1


def test_arguments_reach_the_model():
    config = settings(
        "unused",
        fusion_layer=2,
        gate="attention",
        norm="none",
        reduction_ratio=2,
        sequence_length=16,
        dropout=0.3,
        label_piece="first_content",
        precision="mixed_bfloat16",
    )
    model = build_model(config)
    backbone = model.backbone
    assert (backbone.fusion_layer, backbone.gate) == (2, "attention")
    assert (backbone.norm, backbone.reduction_ratio) == ("none", 2)
    assert model.dropout == 0.3
    assert model.preprocessor.sequence_length == 16
    assert model.preprocessor.label_piece == "first_content"
    assert backbone.dtype_policy.name == "mixed_bfloat16"
    assert model.labels == list(get_task("pos").labels)


class Unsaved:
    def save_to_preset(self, folder):
        os.mkdir(folder)
        raise OSError("disk full")


def test_failed_save_leaves_nothing_behind(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        save_model(Unsaved(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_the_sample_has_what_these_tests_ask_for():
    for language in ("de", "en", "zh"):
        find_file(SAMPLE_FOLDER / "tagging", "test", language)
        find_file(SAMPLE_FOLDER / "xnli", "test", language)


def test_run_on_a_checkpoint_says_what_its_encoder_is(tmp_path, eager):
    folder = tmp_path / "hugging_face"
    tensors = checkpoint_writer.make_tensors(pooler=False)
    checkpoint_writer.write_hugging_face(folder, "bert", tensors)
    checkpoint_writer.write_vocabulary(folder, do_lower_case=False)
    said = []
    changes = {"preset": str(folder), "train_limit": 8, "sequence_length": 16}
    results = run(settings(tmp_path / "run", PAIR, **changes), say=said.append)
    assert results["encoder"] == {"activation": "gelu", "new_pooler": True}
    assert "a new pooler" in results["preset_source"]
    assert (
        said.count("the encoder has no trained pooler: it gets a new one") == 1
    )
    encoder = load_model(str(tmp_path / "run")).backbone.encoder
    assert (encoder.activation, encoder.has_pooler) == ("gelu", False)
