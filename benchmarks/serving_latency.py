r"""Seconds from raw pairs to labels, for a model of e5-small's shape.

The export runs in this process as the server runs it (`session`), and so do
its baseline and the same model exported in bfloat16, in int8 (its weights
alone), and in int8 that computes in bfloat16. `client` asks the export through
gRPC on 127.0.0.1, with a double of the server behind it that runs the same
session. Peers run in turn in a process of another environment, named by
--peers_python, that has torch, transformers, onnx, onnxscript and onnxruntime:
Hugging Face's pipeline for text classification, and ONNX Runtime behind the
fast tokenizer, in float32 and with its dynamic int8; same shape and tokenizer,
random weights. Without it there are none. Beside it: the size of every export
on disk, and in the memory of a fresh process, and what the fusion alone takes:
the two exports in float32 in turn, --share_repeats times, with the interval of
the median.

Example:
    python -m venv PEERS
    PEERS/bin/pip install torch transformers onnx onnxruntime onnxscript
    python -m benchmarks.serving_latency --peers_python=PEERS/bin/python
"""

import contextlib
import functools
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
from typing import Any

from absl import app
from absl import flags

from benchmarks import timing
from benchmarks import tokenizing
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.serving import Client
from dlfa_tf.serving import export_saved_model
from dlfa_tf.serving.export import dequantised_weights

FLAGS = flags.FLAGS
_LABELS = ["contradiction", "entailment", "neutral"]
_FIRST = "Der Zug nach Hamburg ist heute früh pünktlich abgefahren . "
_SECOND = "The train is still standing in the station . "
_PEERS = ("hugging_face", "onnx_runtime", "onnx_runtime_int8")

# Beside D_9 in float32: whether there is a fusion, numbers to compute in, and
# whether weights are stored in int8.
_OTHERS: dict[str, tuple[bool, str | None, bool]] = {
    "baseline": (False, None, False),
    "bfloat16": (True, "bfloat16", False),
    "int8": (True, None, True),
    "int8_bfloat16": (True, "mixed_bfloat16", True),
}

# Words of the texts of 32 pairs: every 157th of XNLI's English test pairs in
# the order of their length, then shuffled.
_XNLI_WORDS = (
    (7, 9), (9, 11), (35, 6), (23, 8), (23, 7), (8, 10), (5, 6), (9, 14),
    (16, 10), (28, 9), (22, 6), (23, 9), (33, 5), (23, 11), (9, 5), (23, 10),
    (8, 9), (25, 11), (9, 10), (23, 6), (18, 5), (29, 15), (11, 11), (16, 8),
    (13, 14), (23, 4), (10, 11), (6, 7), (15, 10), (27, 13), (31, 17), (23, 12),
)  # fmt: skip

Pairs = tuple[list[str], list[str]]


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_repeats_flag(7)
    timing.define_output_flag()
    flags.DEFINE_string("preset", "e5_small_multi", "Encoder.")
    flags.DEFINE_integer("fusion_layer", 9, "Block to fuse.")
    flags.DEFINE_integer("max_batch_size", 32, "Pairs of the mixed batch.", 1)
    flags.DEFINE_integer("threads", 1, "Threads of every contestant.", 1)
    flags.DEFINE_string("peers_python", None, "Python of the peers.")
    flags.DEFINE_integer("share_repeats", 200, "Calls for fusion's share.", 1)


def cases(size: int) -> dict[str, Pairs]:
    """Pairs of every case; lengths that differ are what traffic looks like."""
    words = [_XNLI_WORDS[i % len(_XNLI_WORDS)] for i in range(size)]
    return {
        "batch 1, short": ([_FIRST], [_SECOND]),
        "batch 1, long": ([_FIRST * 8], [_SECOND * 8]),
        f"batch {size}, mixed": (
            [text_of(_FIRST, first) for first, _ in words],
            [text_of(_SECOND, second) for _, second in words],
        ),
    }


def text_of(text: str, words: int) -> str:
    """A text of so many words, repeating the words of `text`."""
    found = text.split()
    return " ".join(found[i % len(found)] for i in range(words))


def folder_bytes(folder: pathlib.Path) -> int:
    """Size of all files below a folder, in bytes."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def export(
    folder: pathlib.Path,
    fusion_layer: int | None,
    dtype: str | None = None,
    in_int8: bool = False,
) -> tuple[pathlib.Path, int]:
    """Exports a system; returns its folder and its weights' bytes as floats."""
    model = DLFATextClassifier.from_preset(
        FLAGS.preset, fusion_layer=fusion_layer, labels=_LABELS, dtype=dtype
    )
    weights = sum(math.prod(w.shape) for w in model.weights)
    if in_int8:
        model.quantize(config=dequantised_weights.weights_only())
    path = export_saved_model(
        model,
        folder,
        max_batch_size=FLAGS.max_batch_size,
    )
    return path, 4 * weights


def memory_bytes(path: pathlib.Path) -> int:
    """Memory that an export takes in a process that answers a short pair."""
    first, second = cases(1)["batch 1, short"]
    inputs = json.dumps({"first": first, "second": second})
    command = [sys.executable, "-m", "benchmarks.serving_start_ask"]
    done = subprocess.run(
        [*command, str(path), "serving_default", inputs, "2"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(json.loads(done.stdout.splitlines()[-1])["memory"])


@contextlib.contextmanager
def double_of(path: pathlib.Path) -> Iterator[str]:
    """Answers Predict requests by an export; yields the address."""
    # Not at the top: needs tensorflow-serving-api, a requirement of the tests.
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2
    from tensorflow_serving.apis import prediction_service_pb2_grpc as service

    from dlfa_tf.serving.export.served_graph import ServedGraph

    graph = ServedGraph(path)

    class Servicer(service.PredictionServiceServicer):
        """Predict alone, without any of a server's checks."""

        def Predict(self, request: Any, context: Any) -> Any:
            del context
            inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
            answer = predict_pb2.PredictResponse()
            name = request.model_spec.signature_name or "serving_default"
            for key, value in graph.run(name, inputs).items():
                answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return answer

    server = grpc.server(futures.ThreadPoolExecutor(1))
    service.add_PredictionServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
        graph.close()


class Peers:
    """The child process of serving_peers.py."""

    def __init__(self, python: str, folder: pathlib.Path, threads: int) -> None:
        script = pathlib.Path(__file__).with_name("serving_peers.py")
        self._process = subprocess.Popen(
            [python, str(script), str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
        )
        self.versions = self._read()

    def _read(self) -> Any:
        if self._process.stdout is None:
            raise OSError("The peers have no output.")
        line = self._process.stdout.readline()
        if not line:
            raise OSError("The process of the peers ended; see its messages.")
        return json.loads(line)

    def ask(self, peer: str, pairs: Pairs) -> float:
        """Seconds that one call took in there."""
        if self._process.stdin is None:
            raise OSError("The peers have no input.")
        request = {"peer": peer, "first": pairs[0], "second": pairs[1]}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def write_tokenizer(path: pathlib.Path) -> None:
    """Writes the preset's tokenizer as Hugging Face's fast one."""
    import tokenizers

    from dlfa_tf.models import presets

    reference = tokenizing.sentencepiece_reference(
        presets.load_tokenizer(FLAGS.preset).proto
    )
    # fairseq's numbering moves the ids by one; to time it does not matter.
    reference.add_special_tokens(["<s>", "<pad>", "</s>"])
    reference.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(t, reference.token_to_id(t)) for t in ("<s>", "</s>")],
    )
    reference.save(str(path))


def measure(
    systems: dict[str, Client], peers: Peers | None
) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Yields the name of a case and the seconds of all, in turn."""
    for name, pairs in cases(FLAGS.max_batch_size).items():
        calls: dict[str, Callable[[], Any]] = {
            system: functools.partial(client.classify, *pairs)
            for system, client in systems.items()
        }
        for peer in _PEERS if peers else ():
            calls[peer] = functools.partial(peers.ask, peer, pairs)  # type: ignore[union-attr]
        yield name, timing.time_interleaved(calls, repeats=FLAGS.repeats)


def fusion_shares(
    systems: dict[str, Client],
) -> Iterator[tuple[str, dict[str, float | int]]]:
    """Yields a case and the time with fusion, divided by that without."""
    for name, pairs in cases(FLAGS.max_batch_size).items():
        calls = {
            system: functools.partial(systems[system].classify, *pairs)
            for system in ("session", "baseline")
        }
        seconds = timing.time_interleaved(calls, repeats=FLAGS.share_repeats)
        both = zip(seconds["session"], seconds["baseline"], strict=True)
        yield name, timing.median_interval([a / b for a, b in both])


def main(_: Sequence[str] = ()) -> None:
    """Exports all systems, measures, writes the report."""
    # Read when a session is made, which is later.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(FLAGS.threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = str(FLAGS.threads)
    report = timing.Report("serving_latency", FLAGS.output_file)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        fused, weights = export(folder / "fused", FLAGS.fusion_layer)
        paths = {"session": fused}
        for system, (layer, dtype, in_int8) in _OTHERS.items():
            paths[system], _weights = export(
                folder / system,
                FLAGS.fusion_layer if layer else None,
                dtype,
                in_int8,
            )
        for system, path in paths.items():
            report.add(
                f"size, {system}",
                export_bytes=folder_bytes(path),
                # Against float32.
                weights_bytes=weights,
                export_to_weights_ratio=round(folder_bytes(path) / weights, 4),
                memory_bytes=memory_bytes(path),
            )
        peers = None
        if FLAGS.peers_python:
            write_tokenizer(folder / "tokenizer.json")
            peers = Peers(FLAGS.peers_python, folder, FLAGS.threads)
            stack.callback(peers.close)
        address = stack.enter_context(double_of(fused))
        systems = {
            **{name: Client.of_export(path) for name, path in paths.items()},
            "client": Client(address, model="m"),
        }
        for client in systems.values():
            stack.callback(client.close)
        for case, seconds in measure(systems, peers):
            report.add(
                case,
                seconds={k: timing.spread(v) for k, v in seconds.items()},
                session_to_other_ratio={
                    other: timing.ratios(seconds["session"], values)
                    for other, values in seconds.items()
                    if other != "session"
                },
                int8_to_onnx_runtime_int8_ratio=timing.ratios(
                    seconds["int8"], seconds["onnx_runtime_int8"]
                )
                if peers
                else None,
                threads=FLAGS.threads,
                peers=peers.versions if peers else None,
            )
        for case, ratio in fusion_shares(systems):
            report.add(
                f"fusion, {case}",
                with_to_without_fusion_ratio=ratio,
                threads=FLAGS.threads,
            )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
