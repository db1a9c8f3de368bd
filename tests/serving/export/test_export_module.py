"""Tests of exports: written here, asked in processes without this package."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export import export_module
from dlfa_tf.serving.export import lint
from dlfa_tf.serving.export.lint import Finding
from dlfa_tf.serving.export.lint_rules import read_meta_graph
from dlfa_tf.serving.export.served_graph import own_signatures
from tests.eager_mode import eagerly
from tests.serving.conftest import NUM_BLOCKS

HERE = pathlib.Path(__file__).parents[1]
TOLERANCE = 1e-5  # float32; the model pads other batches
LONG = " ".join(["cat", "dog", "sees"] * 100)
INVALID = os.fsdecode(b"a \xff\xfeb c")
TEXTS = ["the cat sees", "", LONG, "  a\u00a0dog\u3000runs \n"]
PAIRS = {
    "first": ["the cat", "", LONG, INVALID],
    "second": ["a dog runs", "a man", "the house", INVALID],
}


@pytest.fixture(scope="module")
def asked(tagger_export, classifier_export):
    """Answers of one fresh process to both exports, and its modules.

    What else an export answers is asked over the C API: test_conformance.py.
    """
    requests = [
        [str(tagger_export), "serving_default", {"text": TEXTS}],
        [str(classifier_export), "serving_default", PAIRS],
    ]
    done = subprocess.run(
        [sys.executable, str(HERE / "ask_exports.py")],
        cwd=tagger_export.parent,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    names = ("texts", "pairs")
    answers = dict(zip(names, content["answers"], strict=True))
    return answers, content["modules"]


def test_export_has_the_layout_of_the_server(tagger_export, classifier_export):
    assert tagger_export.name == "1"
    assert classifier_export.parts[-2:] == ("classifier", "7")
    for folder in (tagger_export, classifier_export):
        assert (folder / "saved_model.pb").is_file()
        assert (folder / "variables" / "variables.index").is_file()
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.programs
def test_export_is_asked_without_this_package(asked):
    _, modules = asked
    assert "tensorflow_text" in modules
    assert not {"dlfa_tf", "keras_hub"} & set(modules)
    # TensorFlow loads Keras by itself; over the C API there is none of it.


@pytest.mark.parametrize("name", ["tagger_export", "classifier_export"])
def test_encoder_stands_once_in_every_signature(request, name):
    meta_graph = read_meta_graph(request.getfixturevalue(name))
    # One softmax a block; the answers' own lies outside of the loop over rows.
    counts = [
        sum(node.op == "Softmax" for node in function.node_def)
        for function in meta_graph.graph_def.library.function
        if "_body_" in function.signature.name
    ]
    assert [n for n in counts if n] == [NUM_BLOCKS] * len(
        own_signatures(meta_graph)
    )


@pytest.mark.programs
def test_texts_are_tagged_as_the_model_does(asked, tagger):
    answer = asked[0]["texts"]
    lengths = [3, 0, 300, 3]
    assert answer["length"] == lengths
    logits = tagger.predict(TEXTS)
    probabilities = keras.ops.softmax(logits).numpy().max(-1)
    expected = tagger.tag(TEXTS)
    for i, length in enumerate(lengths):
        padding = [""] * (300 - length)
        assert answer["words"][i] == TEXTS[i].split() + padding
        assert answer["tags"][i] == expected[i] + padding
        np.testing.assert_allclose(
            answer["scores"][i][:length],
            probabilities[i, :length],
            atol=TOLERANCE,
        )
        assert not any(answer["scores"][i][length:])


@pytest.mark.programs
def test_pairs_are_classified_as_the_model_does(asked, classifier):
    answer = asked[0]["pairs"]
    pairs = tuple(
        tf.constant([os.fsencode(text) for text in PAIRS[name]])
        for name in ("first", "second")
    )
    logits = classifier.predict_on_batch(pairs)
    probabilities = keras.ops.softmax(logits).numpy()
    np.testing.assert_allclose(
        answer["probabilities"], probabilities, atol=TOLERANCE
    )
    assert answer["label"] == [
        classifier.labels[i] for i in probabilities.argmax(-1)
    ]


@pytest.mark.parametrize("sentence_pooling", ["first", "mean"])
def test_embedding_is_what_the_head_reads(sentence_pooling):
    model = DLFATextClassifier.from_preset(
        "tiny",
        labels=["no", "yes"],
        sentence_pooling=sentence_pooling,
        pooler="none",
    )
    with eagerly():
        _, signatures = export_module._module(model, 8, None)
        first, second = (PAIRS[name][:2] for name in ("first", "second"))
        found = signatures["embed"](tf.constant(first), tf.constant(second))
    features = model.preprocessor((first, second))
    expected = model.backbone(features)["pooled_output"]
    np.testing.assert_allclose(found["embedding"], expected, atol=TOLERANCE)


@pytest.fixture
def quick(monkeypatch):
    """Exports something trivial in the place of a model."""

    def module(model, rows_at_a_time, kept_ids):
        made = tf.Module()
        made.one = tf.Variable(1.0)

        @tf.function(input_signature=[])
        def answer():
            return {"one": made.one.read_value()}

        return made, {"serving_default": answer}

    monkeypatch.setattr(export_module, "_module", module)
    monkeypatch.setattr(lint, "check_export", lambda *_: [])


def test_next_version_counts_folders_of_integers(tmp_path):
    assert export_module.next_version(tmp_path / "new") == 1
    assert export_module.next_version(tmp_path) == 1
    for name in ("2", "10", "latest", ".11.5.tmp", "v12"):
        (tmp_path / name).mkdir()
    assert export_module.next_version(tmp_path) == 11


def test_existing_versions_are_kept(tmp_path, tagger, quick):
    assert export_saved_model(tagger, tmp_path) == tmp_path / "1"
    before = (tmp_path / "1" / "saved_model.pb").stat().st_mtime_ns
    assert export_saved_model(tagger, tmp_path, 5) == tmp_path / "5"
    with pytest.raises(FileExistsError) as caught:
        export_saved_model(tagger, tmp_path, 1)
    assert "Version 1 exists" in str(caught.value)
    assert "next free one (6)" in str(caught.value)
    assert export_saved_model(tagger, tmp_path) == tmp_path / "6"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "5", "6"]
    assert (tmp_path / "1" / "saved_model.pb").stat().st_mtime_ns == before


@pytest.mark.parametrize("version", [0, -1])
def test_version_below_one_is_refused(tmp_path, tagger, quick, version):
    with pytest.raises(ValueError, match=f"1 or more. Received: {version}"):
        export_saved_model(tagger, tmp_path, version)


def test_failed_export_leaves_nothing_behind(
    tmp_path, tagger, quick, monkeypatch
):
    def fail(module, folder, signatures):
        (pathlib.Path(folder) / "variables").mkdir(parents=True)
        raise OSError("disk full")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        export_saved_model(tagger, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_export_that_breaks_a_rule_is_not_kept(
    tmp_path, tagger, quick, monkeypatch
):
    seen = []

    def check(folder, compare):
        seen.extend(p.name for p in folder.iterdir())
        return [Finding(rule="ops", checks="known", problems=("op 'X'",))]

    monkeypatch.setattr(lint, "check_export", check)
    with pytest.raises(RuntimeError, match="(?s)not kept.*FAILED  ops.*'X'"):
        export_saved_model(tagger, tmp_path)
    assert {"saved_model.pb", "variables", "assets.extra"} <= set(seen)
    assert list(tmp_path.iterdir()) == []


def test_batch_below_one_is_refused(tmp_path, tagger):
    with pytest.raises(ValueError, match="`max_batch_size` must be 1 or more"):
        export_saved_model(tagger, tmp_path, max_batch_size=0)


def test_model_without_preprocessor_or_labels_is_refused(tmp_path, tagger):
    bare = DLFATokenClassifier(tagger.backbone, num_classes=4)
    unnamed = DLFATokenClassifier(
        tagger.backbone,
        num_classes=4,
        preprocessor=type(tagger.preprocessor)(tagger.preprocessor.tokenizer),
    )
    for model in (bare, unnamed):
        with pytest.raises(ValueError, match="a preprocessor and labels"):
            export_saved_model(model, tmp_path / "base")
    assert not (tmp_path / "base").exists()
