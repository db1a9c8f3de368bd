"""Tests of how presets become task models."""

import json

import keras_hub
import pytest

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import loading
from dlfa_tf.models import presets
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing import PairPreprocessor

LABELS = ["no", "yes"]


def write(folder, name, content):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), "utf-8")


def test_saved_class_reads_the_registered_name(tmp_path):
    write(tmp_path / "m", "config.json", {"registered_name": "dlfa_tf>A"})
    assert loading.saved_class(str(tmp_path / "m")) == "dlfa_tf>A"


def test_saved_class_is_none_for_all_else(tmp_path):
    (tmp_path / "config.json").write_text("{", "utf-8")
    write(tmp_path / "list", "config.json", [1])
    write(tmp_path / "other", "config.json", {})
    for preset in (tmp_path, tmp_path / "list", tmp_path / "other", "tiny"):
        assert loading.saved_class(str(preset)) is None


def test_is_saved_task(tmp_path):
    name = {"registered_name": "dlfa_tf>DLFABackbone"}
    write(tmp_path / "m", "config.json", name)
    with pytest.raises(ValueError, match=r"backbone without a task.*task\.js"):
        loading.is_saved_task(str(tmp_path / "m"))
    write(tmp_path / "m", "task.json", {})
    assert loading.is_saved_task(str(tmp_path / "m"))
    assert not loading.is_saved_task("tiny")


def test_folder_in_the_home_directory_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "m", "config.json", {"registered_name": "a"})
    assert loading.saved_class("~/m") == "a"
    assert loading.local_preset("~/m") == str(tmp_path / "m")


def test_local_preset_has_a_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert loading.local_preset("m") == str(tmp_path / "m")


def test_saved_task_class(tmp_path):
    for cls in (DLFATextClassifier, DLFATokenClassifier):
        name = f"dlfa_tf>{cls.__name__}"
        write(tmp_path, "task.json", {"registered_name": name})
        assert loading.saved_task_class(str(tmp_path)) is cls


@pytest.mark.parametrize("name", ["dlfa_tf>Other", "Dense", None])
def test_error_of_unknown_saved_task_class(tmp_path, name):
    write(tmp_path, "task.json", {"registered_name": name})
    message = rf"task\.json: unknown task class\. Received: {name!r}\."
    with pytest.raises(ValueError, match=message):
        loading.saved_task_class(str(tmp_path))


@pytest.mark.parametrize(
    ("num_classes", "labels", "expected"),
    [(3, None, 3), (None, LABELS, 2), (2, LABELS, 2)],
)
def test_num_classes(num_classes, labels, expected):
    assert loading.resolve_num_classes(num_classes, labels) == expected


@pytest.mark.parametrize(
    ("num_classes", "labels", "message"),
    [
        (None, None, r"Either `labels`.*Received: neither\."),
        (3, LABELS, r"disagree\. Received: num_classes=3, 2 labels"),
        (1, None, r"`num_classes` must be 2 or more\. Received: 1\."),
        (None, ["one"], r"must be 2 or more\. Received: 1\."),
        (None, [], r"must be 2 or more\. Received: 0\."),
    ],
)
def test_error_of_num_classes(num_classes, labels, message):
    with pytest.raises(ValueError, match=message):
        loading.resolve_num_classes(num_classes, labels)


class FakePreprocessor:
    def __init__(self, labels):
        self.labels = labels


def test_labels_come_from_either_side():
    own = FakePreprocessor(LABELS)
    assert loading.resolve_labels(None, None) is None
    assert loading.resolve_labels(("a", "b"), None) == ["a", "b"]
    assert loading.resolve_labels(None, own) == LABELS
    assert loading.resolve_labels(LABELS, own) == LABELS
    assert loading.resolve_labels(LABELS, FakePreprocessor(None)) == LABELS


def test_error_of_labels():
    with pytest.raises(ValueError, match=r"Received: \['yes', 'no'\] and \['n"):
        loading.resolve_labels(["yes", "no"], FakePreprocessor(LABELS))
    with pytest.raises(TypeError, match="of strings. Received: 'no'"):
        loading.resolve_labels("no", None)


def test_takes_segments():
    sizes = {
        "vocabulary_size": 9,
        "num_layers": 1,
        "num_heads": 1,
        "hidden_dim": 4,
        "intermediate_dim": 4,
    }
    for cls, expected in (
        (keras_hub.models.BertBackbone, True),
        (keras_hub.models.XLMRobertaBackbone, False),
    ):
        assert loading.takes_segments(cls(**sizes)) == expected


def test_task_gets_all_of_its_arguments():
    fusion = {
        "fusion_layer": 2,
        "reduction_ratio": 2,
        "norm": "none",
        "gate": "attention",
        "activation": "gelu",
        "pooling": "first",
        "mix_factor": 2.0,
        "first": "high",
        "output_hidden_states": [1],
    }
    model = loading.task_from_encoder(
        DLFATokenClassifier,
        "tiny",
        True,
        {
            **fusion,
            "labels": LABELS,
            "sequence_length": 16,
            "label_piece": "first",
            "dropout": 0.3,
            "dtype": "mixed_bfloat16",
            "name": "tagger",
        },
    )
    assert {k: getattr(model.backbone, k) for k in fusion} == fusion
    assert model.preprocessor.labels == model.labels == LABELS
    assert model.preprocessor.sequence_length == 16
    assert model.preprocessor.label_piece == "first"
    assert model.preprocessor.use_segment_ids
    assert model.dropout == 0.3
    assert model.name == "tagger"
    assert model.backbone.encoder.dtype_policy.name == "mixed_bfloat16"
    assert model.backbone.get_layer("dlfa").compute_dtype == "bfloat16"
    assert model.get_layer("logits").compute_dtype == "float32"


def test_task_without_preprocessor_or_weights():
    model = loading.task_from_encoder(
        DLFATextClassifier,
        "tiny_sentencepiece",
        False,
        {"num_classes": 3, "preprocessor": None},
    )
    assert model.preprocessor is None
    assert model.labels is None
    assert model.num_classes == 3
    assert model.backbone.fusion_layer is None
    kernels = [
        m.backbone.get_layer("transformer_layer_0").get_weights()[0]
        for m in (model, DLFABackboneHolder("tiny_sentencepiece"))
    ]
    assert (kernels[0] != kernels[1]).any()


class DLFABackboneHolder:
    def __init__(self, preset):
        self.backbone = DLFABackbone(load_encoder(preset))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fusion_layr": 1}, r"'fusion_layr'\..*Did you mean 'fusion_layer'\?"),
        ({"zzz": 1}, r"Received: 'zzz'\. Accepted: fusion_layer, "),
        ({"preprocessor": None, "sequence_length": 9}, "'sequence_length'"),
    ],
)
def test_error_of_unknown_argument(arguments, message):
    # Keras' functional models ignore unknown arguments in silence.
    with pytest.raises(TypeError, match=message):
        loading.task_from_encoder(
            DLFATextClassifier, "tiny", True, {"labels": LABELS, **arguments}
        )


def roberta_tokenizer():
    pieces = ["<s>", "<pad>", "</s>", "<mask>", "a", "b", "ab"]
    return keras_hub.models.RobertaTokenizer(
        vocabulary={piece: i for i, piece in enumerate(pieces)},
        merges=["a b"],
    )


def uncased_tokenizer():
    vocabulary = load_tokenizer("tiny").get_vocabulary()
    return keras_hub.models.BertTokenizer(vocabulary, lowercase=True)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (roberta_tokenizer, TypeError, "Received: RobertaT.*preprocessor=None"),
        (uncased_tokenizer, ValueError, "must be cased.*lowercase=True"),
    ],
)
def test_error_of_a_vocabulary_that_takes_no_text(
    monkeypatch, make, error, message
):
    monkeypatch.setattr(presets, "load_tokenizer", lambda _: make())
    arguments = {"labels": LABELS}
    with pytest.raises(error, match=message):
        loading.task_from_encoder(DLFATextClassifier, "tiny", False, arguments)


def test_saved_task_arguments():
    loading.check_saved_task_arguments({"dtype": "float32", "dropout": 0.2})
    for name in ("fusion_layer", "gate", "sequence_length", "labels"):
        message = rf"keeps its own .*Received: \{{'{name}': 1\}}"
        with pytest.raises(ValueError, match=message):
            loading.check_saved_task_arguments({name: 1})
    with pytest.raises(TypeError, match=r"Did you mean 'dropout'\?"):
        loading.check_saved_task_arguments({"dropuot": 1})


def test_home_folder_is_meant_both_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    model = DLFATextClassifier.from_preset("tiny", labels=LABELS)
    model.save_to_preset("~/m")
    model.save_task_weights("~/head.weights.h5")
    model.load_task_weights("~/head.weights.h5")
    model.preprocessor.save_to_preset("~/p")
    # No folder called ~ in the current one.
    assert list((tmp_path / "here").iterdir()) == []
    assert (tmp_path / "p").is_dir()
    for preset in ("~/m", tmp_path / "m", f"{tmp_path}/m/", b"~/m"):
        copy = DLFATextClassifier.from_preset(preset, load_weights=False)
        assert copy.labels == LABELS


@pytest.mark.parametrize("preset", [None, 3, ["tiny"], ""])
def test_what_is_no_preset(preset):
    with pytest.raises(TypeError, match="`preset` must be a name or a path"):
        DLFATextClassifier.from_preset(preset)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"num_classes": 2.0}, TypeError, "must be a whole number"),
        ({"num_classes": True}, TypeError, "must be a whole number"),
        ({"num_classes": 1}, ValueError, "must be 2 or more. Received: 1"),
        ({"num_classes": "2"}, TypeError, "must be a whole number"),
        ({"labels": "no yes"}, TypeError, "`labels` must be a sequence of str"),
        ({"labels": {"no", "yes"}}, TypeError, "`labels` must be a sequence"),
        ({"labels": ["no", None]}, TypeError, "None of type NoneType at index"),
        ({"labels": [0, 1]}, TypeError, "`labels` must be a sequence of str"),
        ({"labels": ["no", "no"]}, ValueError, "must not be empty or repeat"),
        ({"labels": ["no", ""]}, ValueError, "must not be empty or repeat"),
        ({"labels": []}, ValueError, "must not be empty or repeat"),
        ({"dropout": 1}, ValueError, "`dropout` is out of range. Received: 1"),
        ({"dropout": -0.1}, ValueError, "`dropout` is out of range"),
        ({"dropout": "0.1"}, TypeError, "`dropout` must be a number"),
        ({"dropout": float("nan")}, ValueError, "`dropout` is out of range"),
        (
            {"sequence_length": 64.0},
            TypeError,
            "`sequence_length` must be a wh",
        ),
        ({"sequence_length": 4}, ValueError, "`sequence_length` is too small"),
        ({"fusion_layer": "9"}, TypeError, "`fusion_layer` must be an int"),
        ({"fusion_layer": 99}, ValueError, "`fusion_layer` is out of range"),
        ({"gate": "attenton"}, ValueError, "Did you mean 'attention'"),
        ({"pooler": None}, ValueError, "`pooler` is not a known name"),
        ({"fusion_block": 9}, TypeError, "Unknown argument"),
    ],
)
def test_arguments_of_a_model_are_looked_at(given, error, message):
    options = {"fusion_layer": 1}
    if not {"labels", "num_classes"} & set(given):
        options["num_classes"] = 2
    with pytest.raises(error, match=message):
        DLFATextClassifier.from_preset("tiny", **{**options, **given})


@pytest.mark.parametrize("given", [{"dropout": 1}, {"labels": []}])
def test_faults_are_said_before_an_encoder_is_waited_for(given, monkeypatch):
    def load(*_, **__):
        raise AssertionError("The encoder is loaded.")

    monkeypatch.setattr("dlfa_tf.models.presets.load_encoder", load)
    with pytest.raises(ValueError, match=f"`{next(iter(given))}` "):
        DLFATextClassifier.from_preset("tiny", **given)


def test_parts_of_a_model_are_looked_at():
    encoder = load_encoder("tiny")
    with pytest.raises(TypeError, match="`backbone` must be a DLFABackbone"):
        DLFATextClassifier(encoder, num_classes=2)
    with pytest.raises(TypeError, match="`backbone` must be a DLFABackbone"):
        DLFATokenClassifier("tiny", num_classes=2)
    backbone = DLFABackbone(encoder)
    of_pairs = PairPreprocessor(load_tokenizer("tiny"), labels=LABELS)
    with pytest.raises(TypeError, match="`preprocessor` must be a Tagging"):
        DLFATokenClassifier(backbone, preprocessor=of_pairs)
    with pytest.raises(TypeError, match="`use_segment_ids` must be True or"):
        PairPreprocessor(load_tokenizer("tiny"), use_segment_ids=1)
