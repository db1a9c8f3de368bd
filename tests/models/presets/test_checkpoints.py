"""Tests of encoders in the forms that other programs write."""

import json
import re
import zipfile

import keras
import keras_hub
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from dlfa_tf.models import DLFABackbone
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import compact_model
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models.presets import check_preset_length
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.models.presets import packed_encoder
from dlfa_tf.models.presets import preset_source
from dlfa_tf.models.presets import tiny
from tests.models.presets import checkpoint_writer
from tests.models.presets.checkpoint_writer import PIECES
from tests.models.presets.checkpoint_writer import WIDTH

IDS = np.array([2, 5, 6, 7, 3])
SEGMENTS = np.array([0, 0, 1, 1, 1])
# float32 against float64 through two blocks.
TOLERANCE = 1e-5
KINDS = ("bert", "distilbert", "xlm-roberta")


def states_of(encoder):
    """Hidden states of one row with two padded positions, without them."""
    inputs = {
        "token_ids": np.append(IDS, [0, 0])[None],
        "padding_mask": np.array([[1, 1, 1, 1, 1, 0, 0]]),
        "segment_ids": np.append(SEGMENTS, [0, 0])[None],
    }
    model = keras.Model(encoder.input, encoder_blocks.hidden_states(encoder))
    states = model({name: inputs[name] for name in encoder.input})
    return np.stack([np.asarray(x)[0, : len(IDS)] for x in states])


def check_states(encoder, kind="bert", activation="gelu"):
    segments = SEGMENTS if kind == "bert" else 0 * SEGMENTS
    expected = checkpoint_writer.reference_states(
        checkpoint_writer.make_tensors(kind), kind, IDS, segments, activation
    )
    np.testing.assert_allclose(
        states_of(encoder), expected, rtol=TOLERANCE, atol=TOLERANCE
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("gelu", "gelu"),
        ("gelu_new", "gelu_tanh"),
        ("gelu_pytorch_tanh", "gelu_tanh"),
    ],
)
def test_states_are_the_originals(kind, name, activation, tmp_path):
    key = "activation" if kind == "distilbert" else "hidden_act"
    checkpoint_writer.write_hugging_face(tmp_path, kind, **{key: name})
    encoder = load_encoder(str(tmp_path))
    assert checkpoint_encoders.activation_name(encoder) == activation
    check_states(encoder, kind, activation)


def test_activations_differ_by_more_than_the_tolerance():
    tensors = checkpoint_writer.make_tensors()
    exact, tanh = (
        checkpoint_writer.reference_states(tensors, "bert", IDS, SEGMENTS, x)
        for x in ("gelu", "gelu_tanh")
    )
    assert np.abs(exact - tanh).max() > 5 * TOLERANCE


def test_class_is_keras_hubs_own_where_it_computes_the_same(tmp_path):
    models = keras_hub.models
    for kind, changes, expected in [
        ("bert", {"hidden_act": "gelu_new"}, models.BertBackbone),
        ("distilbert", {}, models.DistilBertBackbone),
        ("xlm-roberta", {}, models.XLMRobertaBackbone),
        ("xlm-roberta", {"layer_norm_eps": 1e-12},
         checkpoint_encoders.XLMRobertaEncoder),
    ]:  # fmt: skip
        folder = checkpoint_writer.write_hugging_face(
            tmp_path / f"{kind}{len(changes)}", kind, **changes
        )
        assert type(load_encoder(str(folder))) is expected


@pytest.mark.parametrize("prefix", ["bert.", "model.bert."])
def test_shards_under_any_prefix(prefix, tmp_path):
    checkpoint_writer.write_hugging_face(tmp_path, shards=3, prefix=prefix)
    check_states(load_encoder(str(tmp_path)))
    # Some copies come without the index.
    (tmp_path / "model.safetensors.index.json").unlink()
    check_states(load_encoder(str(tmp_path)))


def test_norms_under_tensorflows_names_and_a_config_of_2019(tmp_path):
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in checkpoint_writer.make_tensors().items()
    }
    checkpoint_writer.write_hugging_face(tmp_path, "bert", tensors)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    for key in ("model_type", "hidden_act", "layer_norm_eps"):
        del config[key]
    path.write_text(json.dumps(config))
    check_states(load_encoder(str(tmp_path)))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_other_floats_become_float32(dtype, tmp_path):
    tensors = {
        name: value.astype(dtype)
        for name, value in checkpoint_writer.make_tensors().items()
    }
    checkpoint_writer.write_hugging_face(tmp_path, "bert", tensors)
    encoder = load_encoder(str(tmp_path))
    np.testing.assert_array_equal(
        encoder.token_embedding.embeddings.numpy(),
        tensors["embeddings.word_embeddings.weight"].astype(np.float32),
    )


@pytest.fixture(scope="module")
def google(made_once):
    """Google's checkpoint: `folder/`, `folder.zip`; see `write_google`."""

    def make(folder):
        unpacked = checkpoint_writer.write_google(folder / "multi_cased")
        with zipfile.ZipFile(folder / "multi_cased.zip", "w") as archive:
            for path in unpacked.iterdir():
                archive.write(path, f"multi_cased/{path.name}")

    return made_once("google_checkpoint", make)


@pytest.mark.parametrize("form", ["multi_cased", "", "multi_cased.zip"])
def test_google_checkpoint_packed_or_not(form, google, tmp_cache):
    preset = str(google / form)
    check_states(load_encoder(preset))
    tokenizer = load_tokenizer(preset)
    assert tokenizer.get_vocabulary() == PIECES
    assert not tokenizer.lowercase
    assert "Google's TensorFlow checkpoint" in preset_source(preset)
    with pytest.raises(ValueError, match="up to 16 pieces"):
        check_preset_length(preset, 17)


def test_archive_is_unpacked_once(google, tmp_cache):
    preset = str(google / "multi_cased.zip")
    load_tokenizer(preset)
    (folder,) = (x for x in tmp_cache.glob("presets/*") if x.is_dir())
    before = folder.stat().st_ino
    load_tokenizer(preset)
    assert folder.stat().st_ino == before


def test_pooler_of_a_checkpoint_is_the_models(tmp_path):
    checkpoint_writer.write_hugging_face(tmp_path)
    backbone = DLFABackbone(load_encoder(str(tmp_path)), fusion_layer=1)
    np.testing.assert_array_equal(
        backbone.get_layer("pooled_dense").kernel.numpy(),
        checkpoint_writer.make_tensors()["pooler.dense.weight"].T,
    )
    assert backbone.has_new_pooler is False
    assert "its own pooler" in preset_source(str(tmp_path))


def test_missing_pooler_becomes_a_new_one(tmp_path):
    tensors = checkpoint_writer.make_tensors(pooler=False)
    checkpoint_writer.write_hugging_face(tmp_path, "bert", tensors)
    encoder = load_encoder(str(tmp_path))
    check_states(encoder)
    backbone = DLFABackbone(encoder, fusion_layer=1)
    own = encoder.get_layer("pooled_dense")
    assert backbone.get_layer("pooled_dense") is not own
    assert backbone.has_new_pooler is True
    assert "a new pooler" in preset_source(str(tmp_path))
    # With low-rank factors it is trained, as all that is new.
    backbone.enable_lora(1)
    assert backbone.get_layer("pooled_dense").trainable


@pytest.fixture
def folder(tmp_path):
    """A cased checkpoint with `vocab.txt` and the exact activation."""
    checkpoint_writer.write_hugging_face(tmp_path / "hf")
    checkpoint_writer.write_vocabulary(tmp_path / "hf", do_lower_case=False)
    return tmp_path / "hf"


def outputs_of(model):
    return np.asarray(
        model(
            {
                "token_ids": IDS[None],
                "padding_mask": np.ones((1, 5)),
                "segment_ids": SEGMENTS[None],
            }
        )
    )


def test_activation_outlives_every_way_of_saving(folder, tmp_path):
    model = DLFATextClassifier.from_preset(
        str(folder), fusion_layer=1, num_classes=2, sequence_length=8
    )
    expected = outputs_of(model)
    model.save(tmp_path / "m.keras")
    model.save_to_preset(str(tmp_path / "preset"))
    for loaded in (
        keras.models.load_model(tmp_path / "m.keras"),
        DLFATextClassifier.from_preset(str(tmp_path / "preset")),
    ):
        block = loaded.backbone.encoder.get_layer("transformer_layer_1")
        dense = block._feedforward_intermediate_dense
        assert dense.activation is checkpoint_encoders.ACTIVATIONS["gelu"]
        assert loaded.backbone.encoder.activation == "gelu"
        np.testing.assert_array_equal(outputs_of(loaded), expected)


def test_activation_goes_into_a_bundle_and_a_cut_vocabulary(folder):
    encoder = load_encoder(str(folder))
    packed = packed_encoder.pack_encoder(encoder, np.arange(8), "float32")
    check_states(packed_encoder.unpack_encoder(*packed))
    model = DLFATextClassifier(DLFABackbone(encoder), num_classes=2)
    small = compact_model.compact_model(model, np.arange(8))
    assert small.backbone.encoder.activation == "gelu"
    np.testing.assert_array_equal(outputs_of(small), outputs_of(model))


def test_encoder_saved_as_a_preset_is_one(folder, tmp_path):
    saved = str(tmp_path / "saved")
    load_encoder(str(folder)).save_to_preset(saved)
    load_tokenizer(str(folder)).save_to_preset(saved)
    check_states(load_encoder(saved))
    assert load_tokenizer(saved).get_vocabulary() == PIECES
    with pytest.raises(ValueError, match="up to 16 pieces"):
        check_preset_length(saved, 17)


def test_folder_becomes_a_tagger(folder):
    model = DLFATokenClassifier.from_preset(
        str(folder), fusion_layer=1, labels=["A", "B"], sequence_length=8
    )
    assert [len(row) for row in model.tag(["Cats dog"])] == [2]


@pytest.mark.parametrize(
    ("settings", "cased"),
    [
        ({}, True),
        ({"model_max_length": 512}, True),
        ({"do_lower_case": False}, True),
        ({"do_lower_case": True}, False),
        ({"do_lower_case": False, "strip_accents": True}, False),
    ],
)
def test_case_is_what_the_settings_say_or_the_pieces(settings, cased, folder):
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if cased:
        assert not load_tokenizer(str(folder)).lowercase
        return
    with pytest.raises(
        ValueError, match="vocab.txt is an uncased.*Accepted: a cased one"
    ):
        load_tokenizer(str(folder))


def test_vocabulary_without_capitals_is_uncased(folder):
    checkpoint_writer.write_vocabulary(folder, [x.lower() if x[0] != "[" else x
                                                for x in PIECES])  # fmt: skip
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ValueError, match="is an uncased vocabulary"):
        load_tokenizer(str(folder))


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_vocabulary_in_tokenizer_json_alone(kind, tmp_path):
    checkpoint_writer.write_hugging_face(tmp_path, kind)
    checkpoint_writer.write_fast_wordpiece(tmp_path)
    tokenizer = load_tokenizer(str(tmp_path))
    assert tokenizer.get_vocabulary() == PIECES
    checkpoint_writer.write_fast_wordpiece(tmp_path, lowercase=True)
    with pytest.raises(ValueError, match=r"tokenizer\.json is an uncased"):
        load_tokenizer(str(tmp_path))


def test_piece_that_ends_lines_in_python_is_kept(tmp_path):
    pieces = [*PIECES, "\u2028", "\x85"]
    checkpoint_writer.write_hugging_face(
        tmp_path, "bert",
        checkpoint_writer.make_tensors(vocabulary=len(pieces)),
        vocab_size=len(pieces),
    )  # fmt: skip
    checkpoint_writer.write_vocabulary(tmp_path, pieces, do_lower_case=False)
    assert load_tokenizer(str(tmp_path)).get_vocabulary() == pieces


@pytest.mark.parametrize("form", ["model", "json"])
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_sentencepiece_in_either_form(form, kind, tmp_path):
    original = tiny.tiny_sentencepiece_tokenizer()
    size = original.vocabulary_size()
    checkpoint_writer.write_hugging_face(
        tmp_path, kind, checkpoint_writer.make_tensors(kind, vocabulary=size),
        vocab_size=size,
    )  # fmt: skip
    proto = bytes(original.proto)
    if form == "model":
        (tmp_path / "sentencepiece.bpe.model").write_bytes(proto)
    else:
        checkpoint_writer.write_fast_unigram(tmp_path, proto)
    tokenizer = load_tokenizer(str(tmp_path))
    assert tokenizer.get_vocabulary() == original.get_vocabulary()
    texts = ["the cat sees", "кот видит дом", "ｆｕｌｌ  ﬁ 猫", ""]
    for text in texts:
        assert list(tokenizer(text)) == list(original(text))


def damage(folder, name, cut=40):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-cut])


def only_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def other_weights(folder):
    (folder / "model.safetensors").rename(folder / "tf_model.h5")


def half_a_download(folder):
    path = folder / "model.safetensors"
    path.rename(folder / "model.safetensors.incomplete")


def a_shard_less(folder):
    (folder / "model.safetensors").unlink()
    checkpoint_writer.write_hugging_face(folder, shards=3)
    (folder / "model-00002-of-00003.safetensors").unlink()


def git_note(folder):
    (folder / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    )


def with_tensors(change):
    def apply(folder):
        tensors = checkpoint_writer.make_tensors()
        change(tensors)
        path = folder / "model.safetensors"
        safetensors.numpy.save_file(tensors, path)

    return apply


def drop(name):
    return with_tensors(lambda tensors: tensors.pop(name))


def put(name, value):
    return with_tensors(lambda tensors: tensors.update({name: value}))


def config(**changes):
    def apply(folder):
        values = checkpoint_writer.config_of("bert", **changes)
        values = {k: v for k, v in values.items() if v is not ...}
        (folder / "config.json").write_text(json.dumps(values))

    return apply


QUERY = "encoder.layer.1.attention.self.query.weight"
WORDS = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (only_pickle, FileNotFoundError,
         r"only as pickles.*pytorch_model\.bin.*weights_only=True"),
        (other_weights, FileNotFoundError,
         r"Received: tf_model\.h5.*Accepted: model\.safetensors"),
        (half_a_download, FileNotFoundError,
         r"not finished: model\.safetensors\.incomplete"),
        (a_shard_less, FileNotFoundError,
         r"lacks 1 of 3 weight files: model-00002-of-00003\.safetensors"),
        (git_note, ValueError, r"model\.safetensors.*git lfs pull"),
        (lambda f: damage(f, "model.safetensors"), ValueError,
         r"model\.safetensors cannot be read.*bytes of \d+.*complete"),
        (lambda f: damage(f, "config.json", 9), ValueError,
         r"config\.json is no complete JSON"),
        (drop(QUERY), ValueError, rf"safetensors lacks the tensor {QUERY}"),
        (drop(WORDS), ValueError, rf"lacks the tensor {WORDS}"),
        (put(QUERY, np.zeros((4, WIDTH), "float32")), ValueError,
         rf"{QUERY} has the wrong shape. Received: \(4, 8\). Accepted: "
         r"\(8, 8\), by the sizes in .*config\.json"),
        (config(vocab_size=9), ValueError,
         rf"{WORDS} has the wrong shape. Received: \(8, 8\). Accepted: "
         r"\(9, 8\)"),
        (put(QUERY, np.full((WIDTH, WIDTH), np.nan, "float32")), ValueError,
         rf"{QUERY} holds infinite numbers or NaN"),
        (put(QUERY, np.zeros((WIDTH, WIDTH), "int8")), ValueError,
         rf"{QUERY} holds no floats. Received: I8"),
        (config(model_type="albert"), ValueError,
         "model_type.*Received: 'albert'. Accepted: bert, distilbert"),
        (config(hidden_act="gelu_nwe"), ValueError,
         "hidden_act.*Received: 'gelu_nwe'.*Did you mean 'gelu_new'"),
        (config(hidden_size=...), ValueError,
         "hidden_size.*Received: nothing"),
        (config(num_attention_heads=3), ValueError,
         "hidden_size.*multiple of `num_attention_heads`.*8 and 3"),
        (config(position_embedding_type="relative_key"), ValueError,
         "position_embedding_type.*'relative_key'"),
    ],
)  # fmt: skip
def test_fault_is_one_error_that_names_it(spoil, error, message, folder):
    spoil(folder)
    with pytest.raises(error, match=message) as raised:
        load_encoder(str(folder))
    assert str(folder) in str(raised.value)


def fast(text):
    return lambda f: (f / "tokenizer.json").write_text(text)


def no_vocabulary(folder):
    (folder / "vocab.txt").unlink()


def spoil_vocabulary(*pieces):
    return lambda f: checkpoint_writer.write_vocabulary(f, pieces)


def bpe(folder):
    no_vocabulary(folder)
    (folder / "merges.txt").write_text("a b\n")


def bpe_json(folder):
    no_vocabulary(folder)
    fast('{"model": {"type": "BPE", "vocab": {}}}')(folder)


def added(folder):
    checkpoint_writer.write_fast_wordpiece(folder, added=["newword"])


def chinese(folder):
    checkpoint_writer.write_vocabulary(
        folder, do_lower_case=False, tokenize_chinese_chars=False
    )


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (no_vocabulary, FileNotFoundError, r"no vocabulary.*vocab\.txt"),
        (bpe, TypeError, r"another kind.*merges\.txt"),
        (bpe_json, TypeError, r"tokenizer\.json.*another kind.*'BPE'"),
        (added, ValueError, r"tokenizer\.json adds words.*1, such as 'newword"),
        (chinese, ValueError, "tokenize_chinese_chars=False"),
        (fast("{"), ValueError, r"tokenizer\.json is no complete JSON"),
        (spoil_vocabulary(*PIECES[1:]), ValueError,
         r"vocab\.txt.*7 pieces, no \[PAD\]"),
        (spoil_vocabulary(*PIECES, "dog"), ValueError, "1 pieces twice"),
        (spoil_vocabulary(*PIECES, "more"), ValueError,
         r"vocab\.txt does not belong.*Received: 9 pieces. Accepted: up to 8"),
        (lambda f: (f / "vocab.txt").write_bytes(b"\xff\n"), ValueError,
         r"vocab\.txt is no UTF-8"),
        (lambda f: (f / "sentencepiece.bpe.model").write_bytes(b"no model"),
         ValueError, r"sentencepiece\.bpe\.model cannot be read"),
    ],
)  # fmt: skip
def test_fault_of_the_vocabulary_is_named(spoil, error, message, folder):
    spoil(folder)
    with pytest.raises(error, match=message) as raised:
        load_tokenizer(str(folder))
    assert str(folder) in str(raised.value)


def test_faults_of_googles_form(google, tmp_path, tmp_cache):
    archive = tmp_path / "cut.zip"
    archive.write_bytes((google / "multi_cased.zip").read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"cut\.zip is no complete zip"):
        load_encoder(str(archive))
    damaged = bytearray((google / "multi_cased.zip").read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    archive.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"cut\.zip is no complete zip"):
        load_encoder(str(archive))

    def copy(name):
        folder = tmp_path / name
        folder.mkdir()
        for path in (google / "multi_cased").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    folder = copy("no_data")
    (data,) = folder.glob("*.data-*")
    data.unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks the weights of bert_"):
        load_encoder(str(folder))
    folder = copy("cut_data")
    (data,) = folder.glob("*.data-*")
    data.write_bytes(data.read_bytes()[:-200])
    with pytest.raises(
        ValueError, match=r"data-\*, tensor \S+, cannot be read"
    ):
        load_encoder(str(folder))
    folder = copy("no_index")
    (folder / "bert_model.ckpt.index").unlink()
    with pytest.raises(FileNotFoundError, match=r"no \*\.index.*bert_model"):
        load_encoder(str(folder))


def test_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="must be a folder or a zip archive"):
        load_encoder(str(path))


def test_command_for_pickles_is_one_that_python_takes(folder):
    only_pickle(folder)
    with pytest.raises(FileNotFoundError) as raised:
        load_encoder(str(folder))
    code = re.search(r'python -c "(.*)"$', str(raised.value))[1]
    compile(code, "command", "exec")


def test_unknown_activation_of_an_encoder_is_refused():
    with pytest.raises(ValueError, match="`activation`.*mean 'gelu_tanh'"):
        checkpoint_encoders.BertEncoder(
            activation="gelu_tan", vocabulary_size=8, num_layers=1,
            num_heads=2, hidden_dim=8, intermediate_dim=8,
        )  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """Shapes of what Keras draws."""
    initializer = keras.initializers.TruncatedNormal
    shapes = []
    draw = initializer.__call__

    def record(self, shape, dtype=None):
        shapes.append(tuple(shape))
        return draw(self, shape, dtype)

    monkeypatch.setattr(initializer, "__call__", record)
    return shapes


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_drawn_for_weights_of_a_file(kind, drawn, tmp_path):
    checkpoint_writer.write_hugging_face(tmp_path, kind)
    encoder = load_encoder(str(tmp_path))
    packed_encoder.unpack_encoder(
        *packed_encoder.pack_encoder(encoder, np.arange(8), "float32")
    )
    assert drawn == []
    load_encoder(str(tmp_path), load_weights=False)
    assert (len(PIECES), WIDTH) in drawn


def test_pooler_that_no_file_has_is_drawn(seed, tmp_path):
    tensors = checkpoint_writer.make_tensors(pooler=False)
    checkpoint_writer.write_hugging_face(tmp_path, "bert", tensors)

    def kernel(load_weights):
        keras.utils.set_random_seed(seed)
        encoder = load_encoder(str(tmp_path), load_weights=load_weights)
        return np.array(encoder.get_layer("pooled_dense").kernel)

    assert kernel(True).std() > 0.01
    np.testing.assert_array_equal(kernel(True), kernel(False))
