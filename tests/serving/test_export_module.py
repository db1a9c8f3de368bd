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
from tensorflow.core.protobuf import saved_model_pb2

from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving import export_module
from dlfa_tf.serving import export_saved_model

HERE = pathlib.Path(__file__).parent
PACKAGES = pathlib.Path(tf.__file__).parents[1]
TOLERANCE = 1e-5  # float32; the model pads other batches
TAGS = ["A", "B", "C", "D"]
LABELS = ["no", "yes"]
LONG = " ".join(["cat", "dog", "sees"] * 100)
INVALID = os.fsdecode(b"a \xff\xfeb c")


def build(cls, preset, labels):
    keras.utils.set_random_seed(5)
    return cls.from_preset(
        preset, fusion_layer=1, labels=labels, sequence_length=16
    )


@pytest.fixture(scope="module")
def tagger():
    return build(DLFATokenClassifier, "tiny", TAGS)


@pytest.fixture(scope="module")
def classifier():
    return build(DLFATextClassifier, "tiny_sentencepiece", LABELS)


@pytest.fixture(scope="module")
def tagger_export(tagger, tmp_path_factory):
    return export_saved_model(tagger, tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def classifier_export(classifier, tmp_path_factory):
    base = tmp_path_factory.mktemp("base") / "new" / "classifier"
    return export_saved_model(classifier, str(base), version=7)


TEXTS = ["the cat sees", "", LONG, "  a\u00a0dog\u3000runs \n"]
WORDS = [["the", "cat", "sees"], ["a", "", "dog"], ["", "", ""]]
PAIRS = {
    "first": ["the cat", "", LONG, INVALID],
    "second": ["a dog runs", "a man", "the house", INVALID],
}
# What an answer is called below: which export, signature and inputs.
TAGGER_REQUESTS = {
    "texts": ("serving_default", {"text": TEXTS}),
    "no texts": ("serving_default", {"text": []}),
    "invalid": ("serving_default", {"text": [INVALID]}),
    "words": ("tag_words", {"words": WORDS}),
    "no words": ("tag_words", {"words": [[]]}),
    "embed": ("embed", {"text": TEXTS}),
    "embed nothing": ("embed", {"text": []}),
    "text of rank 0": ("serving_default", {"text": "a b"}),
    "text of rank 2": ("serving_default", {"text": [["a b"]]}),
    "words of rank 1": ("tag_words", {"words": ["a", "b"]}),
    "embed of rank 0": ("embed", {"text": "a b"}),
}
CLASSIFIER_REQUESTS = {
    "pairs": ("serving_default", PAIRS),
    "no pairs": ("serving_default", {"first": [], "second": []}),
    "embed pairs": ("embed", PAIRS),
    "embed no pairs": ("embed", {"first": [], "second": []}),
    "first of rank 0": ("serving_default", {"first": "a", "second": ["b"]}),
    "second of rank 2": (
        "serving_default",
        {"first": ["a"], "second": [["b"]]},
    ),
    "unequal": ("serving_default", {"first": ["a", "b"], "second": ["b"]}),
}


@pytest.fixture(scope="module")
def asked(tagger_export, classifier_export):
    """Answers of one fresh process to all requests, and its modules."""
    requests = [
        [str(folder), *request]
        for folder, chosen in (
            (tagger_export, TAGGER_REQUESTS),
            (classifier_export, CLASSIFIER_REQUESTS),
        )
        for request in chosen.values()
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
    names = [*TAGGER_REQUESTS, *CLASSIFIER_REQUESTS]
    answers = dict(zip(names, content["answers"], strict=True))
    return answers, content["modules"]


def test_export_has_the_layout_of_the_server(tagger_export, classifier_export):
    assert tagger_export.name == "1"
    assert classifier_export.parts[-3:] == ("new", "classifier", "7")
    for folder in (tagger_export, classifier_export):
        assert (folder / "saved_model.pb").is_file()
        assert (folder / "variables" / "variables.index").is_file()
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_export_is_asked_without_this_package(asked):
    _, modules = asked
    assert "tensorflow_text" in modules
    assert not {"dlfa_tf", "keras_hub"} & set(modules)
    # TensorFlow loads Keras by itself; over the C API there is none of it.


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


def test_words_are_tagged_as_the_model_does(asked, tagger):
    answer = asked[0]["words"]
    assert answer["length"] == [3, 3, 0]
    assert answer["words"] == WORDS
    assert answer["tags"][:2] == tagger.tag(WORDS[:2])
    assert answer["tags"][2] == ["", "", ""]


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
    assert answer["label"] == [LABELS[i] for i in probabilities.argmax(-1)]


def test_embeddings_are_the_models(asked, tagger, classifier):
    for text, vector in zip(TEXTS, asked[0]["embed"]["embedding"], strict=True):
        features = tagger.preprocessor([text])
        sequence = tagger.backbone(features)["sequence_output"]
        np.testing.assert_allclose(vector, sequence[0, 0], atol=TOLERANCE)
    vectors = asked[0]["embed pairs"]["embedding"]
    features = classifier.preprocessor(
        (PAIRS["first"][:3], PAIRS["second"][:3])
    )
    sequence = classifier.backbone(features)["sequence_output"]
    np.testing.assert_allclose(vectors[:3], sequence[:, 0], atol=TOLERANCE)


def test_empty_batches_get_empty_answers(asked):
    answers, _ = asked
    nothing = {"words": [], "tags": [], "scores": [], "length": []}
    assert answers["no texts"] == nothing
    assert answers["no words"] == nothing
    assert answers["embed nothing"] == {"embedding": []}
    assert answers["no pairs"] == {"label": [], "probabilities": []}
    assert answers["embed no pairs"] == {"embedding": []}


def test_invalid_utf8_is_answered(asked):
    answer = asked[0]["invalid"]
    assert answer["length"] == [3]
    assert answer["words"][0][0] == "a"
    assert answer["words"][0][1].endswith("b")
    assert set(answer["tags"][0]) <= set(TAGS)


@pytest.mark.parametrize(
    "request_name",
    [n for n in (*TAGGER_REQUESTS, *CLASSIFIER_REQUESTS) if "rank" in n]
    + ["unequal"],
)
def test_wrong_requests_get_an_error(asked, request_name):
    assert "error" in asked[0][request_name]


def read_graph(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    (meta_graph,) = saved.meta_graphs
    return meta_graph


@pytest.mark.parametrize("kind", ["tagger", "classifier"])
def test_every_string_input_meets_a_rank_check_first(kind, request):
    """Without it one malformed request kills the model server.

    The Python loader never shows this: it checks shapes by itself.
    """
    meta_graph = read_graph(request.getfixturevalue(f"{kind}_export"))
    signatures = meta_graph.signature_def
    names = [name for name in signatures if not name.startswith("__")]
    inputs = {key for name in names for key in signatures[name].inputs}
    checks = 0
    # The traced functions, and wrappers that only call them.
    for function in meta_graph.graph_def.library.function:
        arguments = {argument.name for argument in function.signature.input_arg}
        for text in inputs & arguments:
            users = [node for node in function.node_def if text in node.input]
            assert users
            if all(node.op.endswith("PartitionedCall") for node in users):
                continue
            assert [node.op for node in users] == ["EnsureShape"], text
            checks += 1
    assert checks == sum(len(signatures[name].inputs) for name in names)


@pytest.mark.parametrize("kind", ["tagger", "classifier"])
def test_every_variable_is_stored_once(kind, request):
    model = request.getfixturevalue(kind)
    folder = request.getfixturevalue(f"{kind}_export")
    stored = {
        name: shape
        for name, shape in tf.train.list_variables(
            str(folder / "variables" / "variables")
        )
        if "OBJECT_GRAPH" not in name
    }
    assert all(n.startswith("model_variables/") for n in stored), stored
    shapes = sorted(list(v.shape) for v in model.variables)
    assert sorted(stored.values()) == shapes
    data = folder / "variables" / "variables.data-00000-of-00001"
    numbers = sum(int(np.prod(shape)) for shape in shapes)
    # The rest is the names of the variables, some 10 kB.
    assert 4 * numbers <= data.stat().st_size < 4 * numbers + 20_000
    # What Python restores and the server does not (keras#19274).
    handles = [
        n for n in read_graph(folder).graph_def.node if n.op == "VarHandleOp"
    ]
    assert len(handles) == len(shapes)


def c_api(folder, *requests):
    """Asks over the C API: the server's own loader and session."""
    signatures = read_graph(folder).signature_def
    messages = []
    for name, inputs, outputs in requests:
        signature = signatures[name]
        messages.append(
            {
                "inputs": {
                    signature.inputs[k].name: v for k, v in inputs.items()
                },
                "outputs": [signature.outputs[k].name for k in outputs],
            }
        )
    done = subprocess.run(
        [sys.executable, HERE / "c_api_session.py", PACKAGES, folder],
        input=json.dumps(messages),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    # A crash shows as a negative return code.
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(requests)
    return answers


def test_tagger_answers_over_the_c_api(asked, tagger_export):
    outputs = ["words", "tags", "scores", "length"]
    flat = [text for row in WORDS for text in row]
    texts, words, *wrong, nothing, after = c_api(
        tagger_export,
        ("serving_default", {"text": [[4], TEXTS]}, outputs),
        ("tag_words", {"words": [[3, 3], flat]}, outputs),
        ("serving_default", {"text": [[], ["a b"]]}, outputs),
        ("serving_default", {"text": [[1, 1], ["a b"]]}, outputs),
        ("tag_words", {"words": [[], ["a"]]}, outputs),
        ("tag_words", {"words": [[2], ["a", "b"]]}, outputs),
        ("serving_default", {"text": [[0], []]}, outputs),
        ("serving_default", {"text": [[1], ["it lives"]]}, outputs),
    )
    for answer, name in ((texts, "texts"), (words, "words")):
        for output, got in zip(outputs, answer["outputs"], strict=True):
            expected = np.ravel(asked[0][name][output]).tolist()
            if output == "scores":
                np.testing.assert_allclose(got, expected, atol=TOLERANCE)
            else:
                assert got == expected
    for answer in wrong:
        assert "is not compatible with expected shape" in answer["error"]
    assert nothing == {"outputs": [[], [], [], []]}
    assert after["outputs"][-1] == [2]


@pytest.mark.slow
def test_classifier_answers_over_the_c_api(asked, classifier_export):
    outputs = ["label", "probabilities"]
    right, *wrong = c_api(
        classifier_export,
        ("serving_default", {k: [[4], v] for k, v in PAIRS.items()}, outputs),
        ("serving_default", {"first": [[], ["a"]], "second": [[1], ["b"]]},
         outputs),
        ("serving_default", {"first": [[1], ["a"]], "second": [[], ["b"]]},
         outputs),
    )  # fmt: skip
    labels, probabilities = right["outputs"]
    assert labels == asked[0]["pairs"]["label"]
    np.testing.assert_allclose(
        probabilities,
        np.ravel(asked[0]["pairs"]["probabilities"]),
        atol=TOLERANCE,
    )
    for answer in wrong:
        assert "is not compatible with expected shape" in answer["error"]


@pytest.fixture
def quick(monkeypatch):
    """Exports something trivial in the place of a model."""

    def module(model):
        made = tf.Module()
        made.one = tf.Variable(1.0)

        @tf.function(input_signature=[])
        def answer():
            return {"one": made.one.read_value()}

        return made, {"serving_default": answer}

    monkeypatch.setattr(export_module, "_module", module)


def test_next_version_counts_folders_of_integers(tmp_path):
    assert export_module.next_version(tmp_path / "new") == 1
    assert export_module.next_version(tmp_path) == 1
    for name in ("2", "10", "latest", ".writing-11-5", "v12"):
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


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
