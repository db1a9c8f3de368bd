"""Tests of the lint's rules: each by an export that breaks it."""

import copy
import pathlib

import keras
import pytest
import tensorflow as tf

from dlfa_tf.serving.export.lint_rules import guard_problems
from dlfa_tf.serving.export.lint_rules import metadata_problems
from dlfa_tf.serving.export.lint_rules import op_problems
from dlfa_tf.serving.export.lint_rules import read_meta_graph
from dlfa_tf.serving.export.lint_rules import signature_problems
from dlfa_tf.serving.export.lint_rules import variable_problems
from dlfa_tf.serving.export.metadata_file import read_metadata

STRINGS = tf.TensorSpec([None], tf.string)


@pytest.fixture(scope="module")
def read(tagger_export):
    return read_meta_graph(tagger_export)


@pytest.fixture
def meta_graph(read):
    """A copy that a test may spoil."""
    return copy.deepcopy(read)


def nodes(meta_graph, op):
    return [
        node
        for function in meta_graph.graph_def.library.function
        for node in function.node_def
        if node.op == op
    ]


def test_whole_exports_keep_every_rule(tagger_export, classifier_export):
    for folder, kind in (
        (tagger_export, "tagger"),
        (classifier_export, "classifier"),
    ):
        graph = read_meta_graph(folder)
        assert list(metadata_problems(read_metadata(folder))) == []
        assert list(signature_problems(graph, kind)) == []
        assert list(op_problems(graph)) == []
        assert list(guard_problems(graph)) == []
        assert list(variable_problems(graph, folder)) == []


def test_op_that_the_server_lacks_is_named(meta_graph):
    for node in nodes(meta_graph, "EnsureShape")[:2]:
        node.op = "SentencepieceEncodeSparse"
    (problem,) = op_problems(meta_graph)
    assert problem == (
        "op 'SentencepieceEncodeSparse' (2 times) is not in the released server"
    )


def test_input_without_a_check_of_its_rank_is_named(meta_graph):
    guard = next(
        node
        for node in nodes(meta_graph, "EnsureShape")
        if node.attr["T"].type == tf.string.as_datatype_enum
    )
    guard.op = "Identity"
    problems = list(guard_problems(meta_graph))
    assert len(problems) == 1
    assert "is read by '" in problems[0]
    assert "one malformed request can end the server" in problems[0]


@pytest.mark.parametrize("change", ["unknown rank", "other rank"])
def test_check_of_another_rank_is_no_guard(meta_graph, change):
    for guard in nodes(meta_graph, "EnsureShape"):
        shape = guard.attr["shape"].shape
        if change == "other rank":
            shape.dim.add(size=-1)
        else:
            del shape.dim[:]
            shape.unknown_rank = True
    problems = list(guard_problems(meta_graph))
    assert [p.split(" of signature")[0] for p in problems] == [
        "input 'text'",
        "input 'text'",
        "input 'words'",
    ]


def test_declared_shape_is_no_guard(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[STRINGS])
    def answer(text):
        return {"length": tf.strings.length(text)}

    tf.saved_model.save(module, str(tmp_path), signatures=answer)
    (problem,) = guard_problems(read_meta_graph(tmp_path))
    assert "is read by 'StringLength' before anything checked" in problem


def test_signatures_that_differ_are_named(meta_graph):
    found = meta_graph.signature_def
    found["more"].CopyFrom(found["embed"])
    del found["embed"]
    default = found["serving_default"]
    default.method_name = "tensorflow/serving/classify"
    default.outputs["label"].CopyFrom(default.outputs["tags"])
    del default.outputs["tags"]
    default.outputs["length"].dtype = tf.int64.as_datatype_enum
    del found["tag_words"].inputs["words"].tensor_shape.dim[1]
    problems = "\n".join(signature_problems(meta_graph, "tagger"))
    for part in (
        "signature 'embed' is missing",
        "signature 'more' is not declared",
        "signature 'serving_default' has method 'tensorflow/serving/classify'",
        "output 'label' of signature 'serving_default' is Field(",
        "output 'tags' of signature 'serving_default' is None; declared: Field",
        "output 'length' of signature 'serving_default' is Field(dtype='int64'",
        "input 'words' of signature 'tag_words' is Field(dtype='string', rank"
        "=1); declared: Field(dtype='string', rank=2)",
    ):
        assert part in problems
    assert len(problems.splitlines()) == 7


def save_module_with_keras_model(folder):
    """What loads in the server and fails at the first request."""
    module = tf.Module()
    module.model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def answer(x):
        return {"y": module.model(x)}

    tf.saved_model.save(module, str(folder), signatures=answer)


def test_variables_that_are_never_restored_are_named(tmp_path):
    save_module_with_keras_model(tmp_path)
    problems = list(variable_problems(read_meta_graph(tmp_path), tmp_path))
    assert problems == [
        f"1 variable(s) of shape {shape} are read but not stored: the server "
        "calls the model available and fails every request"
        for shape in ("(2, 3)", "(3,)")
    ]


def test_variables_stored_twice_are_named(tmp_path):
    module = tf.Module()
    module.one = tf.Variable([1.0, 2.0])
    module.other = tf.Variable([3.0])

    @tf.function(input_signature=[STRINGS])
    def answer(text):
        return {"sum": tf.reduce_sum(module.one) + tf.zeros(tf.shape(text))}

    tf.saved_model.save(module, str(tmp_path), signatures=answer)
    graph = read_meta_graph(tmp_path)
    handles = [n for n in graph.graph_def.node if n.op == "VarHandleOp"]
    graph.graph_def.node.remove(handles[0])
    (problem,) = variable_problems(graph, tmp_path)
    assert problem.endswith("are stored but not read")


def test_metadata_that_is_not_whole_is_named(tagger_export):
    metadata = read_metadata(tagger_export)
    del metadata["gate"], metadata["run"]
    metadata["kind"] = "parser"
    metadata["name"] = "/opt/models/own"
    assert list(metadata_problems(metadata)) == [
        "the metadata file lacks ['gate', 'run']",
        "the metadata file holds an absolute path",
        "kind is 'parser'; accepted: ['classifier', 'single_classifier', "
        "'tagger']",
    ]


def test_labels_may_begin_with_a_slash(tagger_export):
    metadata = read_metadata(tagger_export)
    metadata["labels"] = ["/", "/m/01", "O"]
    assert list(metadata_problems(metadata)) == []
    metadata["run"] = {"preset_source": "preset folder /opt/u/my presets/x"}
    assert list(metadata_problems(metadata)) == [
        "the metadata file holds an absolute path"
    ]


def test_folder_without_a_saved_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved_model.pb"):
        read_meta_graph(tmp_path)


def test_cut_saved_model_is_named(tmp_path, toy_tagger):
    content = (toy_tagger / "saved_model.pb").read_bytes()
    (tmp_path / "saved_model.pb").write_bytes(content[:-9])
    with pytest.raises(ValueError, match="saved_model.pb is damaged: Error"):
        read_meta_graph(tmp_path)


def test_other_tags_are_refused(tmp_path, tagger_export):
    from tensorflow.core.protobuf import saved_model_pb2

    content = (tagger_export / "saved_model.pb").read_bytes()
    saved = saved_model_pb2.SavedModel.FromString(content)
    saved.meta_graphs[0].meta_info_def.tags.append("gpu")
    path = pathlib.Path(tmp_path) / "saved_model.pb"
    path.write_bytes(saved.SerializeToString())
    with pytest.raises(ValueError, match=r"Received: \[\['serve', 'gpu'\]\]"):
        read_meta_graph(tmp_path)
