"""The examples of tasks of one's own, from the file to a server's answer."""

import dataclasses
import functools
import json
import pathlib
import shutil

import numpy as np
import pytest

from dlfa_tf.data import tasks
from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.sources import Source
from dlfa_tf.runs import settings
from dlfa_tf.runs.run_folder import read_results
from dlfa_tf.serving.bulk.lines import label_lines
from dlfa_tf.serving.client import Client
from dlfa_tf.serving.export.export_module import export_saved_model
from dlfa_tf.training.run import run
from tests.eager_mode import eagerly
from tests.serving.server_double import ServerDouble
from trainers import labellers
from trainers import prepare
from trainers import train

pytestmark = pytest.mark.programs

EXAMPLES = pathlib.Path(tasks.__file__).parent / "examples"
NAMES = ("intents", "reviews", "entities")
# Of the kind of every example, one for `Client`.
ASKED = {
    "intents": (["Weck mich um sechs!", "放一首歌", ""],),
    "reviews": (["Très bien", "まあまあ"], ["Je l'aime.", "音は良い。"]),
    "entities": (["Λένα Παππά εργάζεται", "李 娜"],),
}
KEYS = {
    "single_classifier": ("text",),
    "classifier": ("first", "second"),
    "tagger": ("text",),
}
KINDS = {
    "intents": "single_classifier",
    "reviews": "classifier",
    "entities": "tagger",
}


def config(name, folder, **changes):
    values = {
        "task": str(EXAMPLES / name / "task.toml"),
        "output_dir": str(folder),
        "preset": "tiny",
        "fusion_layer": 1,
        "last_layer": 2,
        "epochs": 1,
        "batch_size": 8,
        "sequence_length": 16,
        "languages": ("available",),
        "train_limit": 8,
        "eval_limit": 2,
    }
    return settings.default_config(**(values | changes))


@pytest.fixture(scope="module")
def runs(made_once):
    """Run folders of the examples, by name."""

    def make(folder, name):
        with eagerly():
            run(config(name, folder), verbose=0)

    return {
        name: made_once(
            f"own_tasks/{name}", lambda folder, name=name: make(folder, name)
        )
        for name in NAMES
    }


@pytest.fixture(scope="module")
def opened(runs):
    """`opened(name)`: the labeller and kind of a run, loaded once."""
    return functools.cache(
        lambda name: labellers.open_model(str(runs[name]), 4)
    )


@pytest.mark.parametrize("name", NAMES)
def test_run_of_an_example(name, runs, tmp_path):
    """What a run has learnt and says is understood without the task file."""
    definition = tasks.find_task(str(EXAMPLES / name / "task.toml"))
    results = read_results(runs[name])
    found = tasks.task_of_config(results["config"])
    assert results["score"] == definition.score
    assert sorted(results["languages"]) == list(definition.languages)
    assert dataclasses.replace(found, labels=definition.labels) == definition
    assert (
        len(found.labels) == {"intents": 4, "reviews": 3, "entities": 9}[name]
    )
    moved = tmp_path / "moved"
    shutil.copytree(runs[name], moved)
    read = settings.read_config(str(moved))
    assert read.task_definition == found
    assert read.task == name
    # What was taken from the file's folder is not part of what is shared.
    assert "data_dir" not in results["config"]
    assert str(EXAMPLES) not in json.dumps(results)


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_labelled(name, opened, eager):
    labeller, kind = opened(name)
    assert kind == KINDS[name]
    line = dict(zip(KEYS[kind], (x[0] for x in ASKED[name]), strict=True))
    bad = []
    (said,) = label_lines(
        labeller, kind, "jsonl", [json.dumps(line).encode()],
        lambda *problem: bad.append(problem),
    )  # fmt: skip
    said, labels = json.loads(said), labeller._model.labels
    assert bad == []
    assert set(said["tags"] if kind == "tagger" else [said["label"]]) <= set(
        labels
    )


@pytest.mark.parametrize(
    "name",
    [
        "intents",
        # As long again; exports of these kinds are tested elsewhere, too.
        pytest.param("reviews", marks=pytest.mark.slow),
        pytest.param("entities", marks=pytest.mark.slow),
    ],
)
def test_a_server_says_what_the_model_does(name, opened, tmp_path):
    model = opened(name)[0]._model
    folder = export_saved_model(model, tmp_path / name, max_batch_size=1)
    double = ServerDouble(
        f'model_config_list {{ config {{ name: "{name}" base_path: '
        f'"{folder.parent}" }} }}'
    )
    try:
        client = Client(double.grpc, name)
        assert client.kind == KINDS[name]
        tagger = client.kind == "tagger"
        got = (client.tag if tagger else client.classify)(*ASKED[name])
        vectors = client.embed(*ASKED[name])
        client.close()
    finally:
        double.stop()
    assert len(vectors) == len(got) == len(ASKED[name][0])
    if tagger:
        said = [[word.tag for word in sentence] for sentence in got]
        assert said == model.tag([x.split() for x in ASKED[name][0]])
        return
    inputs = ASKED[name] if len(ASKED[name]) == 2 else ASKED[name][0]
    logits = np.asarray(model.predict_on_batch(inputs))
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    np.testing.assert_allclose(
        [x.probabilities for x in got],
        odds / odds.sum(-1, keepdims=True),
        atol=1e-5,
    )
    assert [x.label for x in got] == [model.labels[i] for i in odds.argmax(-1)]


def test_single_texts_have_the_pieces_of_training(runs, opened, eager):
    model = opened("intents")[0]._model
    assert model.num_texts == 1
    source = Source(
        task=settings.read_config(str(runs["intents"])).task_definition,
        name="files",
        data_dir=str(EXAMPLES / "intents"),
    )
    example = source.load("test", "hi")[0]
    arrays = tokenize_examples([example], model.preprocessor)
    asked = model.preprocessor([example.text])
    np.testing.assert_array_equal(
        arrays.token_ids, np.asarray(asked["token_ids"])[0]
    )
    # An empty second text makes another row.
    pair = model.preprocessor(([example.text], [""]))
    assert pair["token_ids"].shape != asked["token_ids"].shape


TWO_SOURCES = """
name = "voice"
kind = "single"
score = "accuracy"
labels = "from the training data"
target_languages = ["de", "hi"]
[files]
train = "all.csv"
[columns]
text = "text"
label = "label"
language = "lang"
split = "split"
"""


@pytest.fixture
def voice(tmp_path):
    """A task file beside one table of three languages; one label is German."""
    rows = ["split,lang,label,text"]
    for language, labels in (("en", ("on", "off")), ("de", ("on", "laut"))):
        for split in ("train", "dev", "test"):
            rows += [f"{split},{language},{x},radio {x}" for x in labels]
    rows += ["test,hi,on,रेडियो चालू करो"]
    folder = tmp_path / "voice"
    folder.mkdir()
    (folder / "all.csv").write_text("\n".join(rows), "utf-8")
    (folder / "task.toml").write_text(TWO_SOURCES)
    return folder


def test_a_bundle_is_all_that_training_needs(call, eager, voice, tmp_path):
    """Two source languages, labels of both; task file and data are gone."""
    path = tmp_path / "voice.bundle"
    call(
        prepare,
        f"--task={voice / 'task.toml'}",
        "--preset=tiny",
        "--source_languages=en,de",
        f"--bundle={path}",
    )
    shutil.rmtree(voice)
    out = tmp_path / "run"
    call(
        train,
        f"--bundle={path}",
        "--fusion_layer=1",
        "--last_layer=2",
        "--epochs=1",
        "--batch_size=4",
        f"--output_dir={out}",
    )
    results = read_results(out)
    assert results["config"]["task"] == "voice"
    assert results["config"]["source_languages"] == ["en", "de"]
    found = tasks.task_of_config(results["config"])
    assert found.labels == ("laut", "off", "on")
    counts = {k: v["examples"] for k, v in results["languages"].items()}
    assert counts == {"de": 2, "en": 2, "hi": 1}
    labeller, kind = labellers.open_model(str(out), 4)
    assert kind == "single_classifier"
    assert len(labeller.classify(["Radio aus"])) == 1
    other = [f"--bundle={path}", f"--output_dir={tmp_path / 'other'}"]
    with pytest.raises(ValueError, match=r"source_languages=\['de'\]"):
        call(train, *other, "--source_languages=de")
