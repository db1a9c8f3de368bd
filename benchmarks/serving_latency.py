r"""Seconds from raw pairs to labels, for a model of e5-small's shape.

The export runs in this process as the server runs it (`session`), and so does
its baseline. Peers run in turn in a process of another environment, named by
--peers_python, that has torch, transformers, onnx and onnxruntime: Hugging
Face's pipeline for text classification, and ONNX Runtime behind the fast
tokenizer; same shape and tokenizer, random weights. Without it there are none.

Example:
    python -m venv PEERS
    PEERS/bin/pip install torch transformers onnx onnxruntime
    python -m benchmarks.serving_latency --peers_python=PEERS/bin/python
"""

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
from typing import Any

from absl import app
from absl import flags

from benchmarks import timing
from benchmarks.tokenizing import sentencepiece_reference
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.serving import Client
from dlfa_tf.serving import export_saved_model

FLAGS = flags.FLAGS
_LABELS = ["contradiction", "entailment", "neutral"]
_FIRST = "Der Zug nach Hamburg ist heute früh pünktlich abgefahren . "
_SECOND = "The train is still standing in the station . "
_PEERS = ("hugging_face", "onnx_runtime")

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


def cases(size: int) -> dict[str, Pairs]:
    """Pairs of every case; mixed lengths are what traffic looks like."""
    return {
        "batch 1, short": ([_FIRST], [_SECOND]),
        "batch 1, long": ([_FIRST * 8], [_SECOND * 8]),
        f"batch {size}, mixed": (
            [_FIRST * (1 + i % 8) for i in range(size)],
            [_SECOND * (1 + i % 5) for i in range(size)],
        ),
    }


def folder_bytes(folder: pathlib.Path) -> int:
    """Size of all files below a folder, in bytes."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def export(
    folder: pathlib.Path, fusion_layer: int | None
) -> tuple[pathlib.Path, int]:
    """Exports a system; returns its folder and its weights' float32 bytes."""
    model = DLFATextClassifier.from_preset(
        FLAGS.preset, fusion_layer=fusion_layer, labels=_LABELS
    )
    path = export_saved_model(
        model, folder, max_batch_size=FLAGS.max_batch_size
    )
    weights = 4 * sum(math.prod(weight.shape) for weight in model.weights)
    return path, weights


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

    from dlfa_tf.models.presets import load_tokenizer

    reference = sentencepiece_reference(load_tokenizer(FLAGS.preset).proto)
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
            system: lambda client=client, pairs=pairs: client.classify(*pairs)  # type: ignore[misc]
            for system, client in systems.items()
        }
        for peer in _PEERS if peers else ():
            calls[peer] = lambda peer=peer, pairs=pairs: peers.ask(peer, pairs)  # type: ignore[misc, union-attr]
        yield name, timing.time_interleaved(calls, repeats=FLAGS.repeats)


def main(_: Sequence[str] = ()) -> None:
    """Exports both systems, measures, writes the report."""
    # Read when a session is made, which is later.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(FLAGS.threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = str(FLAGS.threads)
    report = timing.Report("serving_latency", FLAGS.output_file)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fused, weights = export(folder / "fused", FLAGS.fusion_layer)
        baseline, _weights = export(folder / "baseline", None)
        size = folder_bytes(fused)
        report.add(
            "size",
            export_bytes=size,
            weights_bytes=weights,
            export_to_weights_ratio=round(size / weights, 4),
        )
        peers = None
        if FLAGS.peers_python:
            write_tokenizer(folder / "tokenizer.json")
            peers = Peers(FLAGS.peers_python, folder, FLAGS.threads)
        systems = {
            "session": Client.of_export(fused),
            "baseline": Client.of_export(baseline),
        }
        for case, seconds in measure(systems, peers):
            session = seconds["session"]
            report.add(
                case,
                seconds={k: timing.spread(v) for k, v in seconds.items()},
                session_to_other_ratio={
                    other: timing.ratios(session, values)
                    for other, values in seconds.items()
                    if other != "session"
                },
                threads=FLAGS.threads,
                peers=peers.versions if peers else None,
            )
        for client in systems.values():
            client.close()
        if peers:
            peers.close()
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
