"""Peers of benchmarks.serving_latency, in an environment of their own.

Usage: python serving_peers.py FOLDER THREADS, with torch, transformers, onnx
and onnxruntime installed. FOLDER holds tokenizer.json. Standard input: one JSON
line per call, `{"peer": ..., "first": [...], "second": [...]}`; standard
output: one JSON line with the seconds that the call took. Same shape as
multilingual-e5-small, random weights: what is measured is time.

Two more words, for benchmarks.serving_start: `save` writes the model into
FOLDER/hugging_face; `start REPEATS` loads it, asks it a short pair, and prints
the seconds of both, and of every answer after the first, as one JSON object.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import onnxruntime.quantization
import tokenizers
import torch
import transformers

# The short pair of serving_latency.py, which this process cannot import.
_FIRST = "Der Zug nach Hamburg ist heute früh pünktlich abgefahren . "
_SECOND = "The train is still standing in the station . "

_NAMES = ["input_ids", "attention_mask", "token_type_ids"]

# Labels pairs of texts; returns their number.
Call = Callable[[list[str], list[str]], int]


def main(folder: pathlib.Path, threads: int) -> None:
    """Builds the peers, then answers until standard input ends."""
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    calls = {
        "hugging_face": hugging_face(folder),
    }
    path = write_onnx(folder)
    calls["onnx_runtime"] = onnx_runtime(folder, path, threads)
    small = folder / "model-int8.onnx"
    onnxruntime.quantization.quantize_dynamic(path, small)
    calls["onnx_runtime_int8"] = onnx_runtime(folder, small, threads)
    versions = {
        m.__name__: m.__version__ for m in (torch, transformers, onnxruntime)
    }
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        call = calls[request["peer"]]
        started = time.perf_counter()
        count = call(request["first"], request["second"])
        seconds = time.perf_counter() - started
        if count != len(request["first"]):
            raise ValueError(f"{request['peer']} gave {count} answers.")
        print(json.dumps(seconds), flush=True)


def build_model() -> Any:
    """BERT of e5-small's shape with three labels."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=250037,
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=3,
    )
    return transformers.BertForSequenceClassification(config).eval()


def save(folder: pathlib.Path) -> None:
    """Writes the model as a folder that transformers loads."""
    build_model().save_pretrained(folder / "hugging_face")


def start(folder: pathlib.Path, threads: int, repeats: int) -> None:
    """Prints what it takes to load the saved model and to ask it."""
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    started = time.perf_counter()
    model = transformers.BertForSequenceClassification.from_pretrained(
        folder / "hugging_face"
    )
    call = hugging_face(folder, model.eval())
    loaded = time.perf_counter()
    seconds = []
    for _ in range(repeats + 1):
        before = time.perf_counter()
        call([_FIRST], [_SECOND])
        seconds.append(time.perf_counter() - before)
    report = {"load": loaded - started, "first": seconds[0]}
    print(json.dumps({**report, "then": seconds[1:]}), flush=True)


def hugging_face(folder: pathlib.Path, model: Any = None) -> Call:
    """The text-classification pipeline of transformers on torch."""
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="<pad>",
        model_max_length=128,
    )
    pipeline = transformers.pipeline(
        "text-classification",
        model=build_model() if model is None else model,
        tokenizer=tokenizer,
        device="cpu",
    )

    def call(first: list[str], second: list[str]) -> int:
        pairs = [
            {"text": a, "text_pair": b}
            for a, b in zip(first, second, strict=True)
        ]
        options = {"truncation": True, "batch_size": len(pairs)}
        return len(pipeline(pairs, **options))

    return call


def write_onnx(folder: pathlib.Path) -> pathlib.Path:
    """Writes the model for ONNX Runtime."""
    path = folder / "model.onnx"
    axes = {name: {0: "batch", 1: "time"} for name in _NAMES}
    example = tuple(torch.ones([2, 8], dtype=torch.int64) for _ in _NAMES)
    torch.onnx.export(
        build_model(),
        example,
        str(path),
        input_names=_NAMES,
        output_names=["logits"],
        dynamic_axes=axes,
        dynamo=False,
    )
    return path


def onnx_runtime(
    folder: pathlib.Path, path: pathlib.Path, threads: int
) -> Call:
    """A written model in ONNX Runtime behind the fast tokenizer."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options)
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")

    def call(first: list[str], second: list[str]) -> int:
        rows = tokenizer.encode_batch(list(zip(first, second, strict=True)))
        ids = np.array([row.ids for row in rows], np.int64)
        mask = np.array([row.attention_mask for row in rows], np.int64)
        feeds = dict(zip(_NAMES, (ids, mask, np.zeros_like(ids)), strict=True))
        (logits,) = session.run(["logits"], feeds)
        return len(logits.argmax(-1))

    return call


if __name__ == "__main__":
    where, count, *words = sys.argv[1:]
    if words[:1] == ["save"]:
        save(pathlib.Path(where))
    elif words[:1] == ["start"]:
        start(pathlib.Path(where), int(count), int(words[1]))
    else:
        main(pathlib.Path(where), int(count))
