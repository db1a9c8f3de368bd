r"""Seconds until a version answers, for an export of e5-small's shape.

Every signature is asked in a process of its own, which loads the export as the
server does: seconds to load it, to the first answer, in which TensorFlow
optimises the signature's graph, and of those after it; beside them the nodes of
the loop over rows, which is what it optimises, and the ops that are executed
for a short request to each signature, tokenizer included. With --peers_python
(see serving_latency.py) Hugging Face's pipeline for text classification starts
from a folder of the same shape, and the ratios to it are of the same repeat.

Example:
    python -m benchmarks.serving_start --peers_python=PEERS/bin/python
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from benchmarks import graph_counts
from benchmarks import serving_latency
from benchmarks import serving_start_ask
from benchmarks import timing
from dlfa_tf.models import DLFATextClassifier
from dlfa_tf.models import DLFATokenClassifier
from dlfa_tf.serving import export_saved_model

FLAGS = flags.FLAGS
_ANSWERS = 10
_KINDS: dict[str, Any] = {
    "classifier": DLFATextClassifier,
    "tagger": DLFATokenClassifier,
}


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_repeats_flag(3)
    timing.define_output_flag()
    flags.DEFINE_string("preset", "e5_small_multi", "Encoder.")
    flags.DEFINE_integer("fusion_layer", 9, "Block to fuse.")
    flags.DEFINE_integer("threads", 1, "Threads of every process.", 1)
    flags.DEFINE_string("peers_python", None, "Python of the peers.")


def child(command: Sequence[str]) -> dict[str, Any]:
    """Seconds to load, to the first answer, and of those after it."""
    threads = str(FLAGS.threads)
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            "OMP_NUM_THREADS": threads,
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def requests(kind: str) -> dict[str, dict[str, list[str]]]:
    """A short request for every signature that takes texts."""
    first, second = serving_latency.cases(1)["batch 1, short"]
    inputs = (
        {"first": first, "second": second}
        if kind == "classifier"
        else {"text": first}
    )
    return {"serving_default": inputs, "embed": inputs}


def executed_ops(kind: str, folder: pathlib.Path) -> dict[str, int]:
    """Ops that a short request executes, by signature."""
    asked: dict[str, dict[str, list[Any]]] = {**requests(kind)}
    if kind == "tagger":
        (text,) = asked["serving_default"]["text"]
        asked["tag_words"] = {"words": [text.split()]}
    return {
        signature: graph_counts.executed_ops(
            folder, signature, serving_start_ask.as_arrays(inputs)
        )
        for signature, inputs in asked.items()
    }


def measured(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Spread of what several processes measured, in seconds."""
    then = [seconds for run in runs for seconds in run["then"]]
    return {
        "load_seconds": timing.spread([run["load"] for run in runs]),
        "first_answer_seconds": timing.spread([run["first"] for run in runs]),
        "answer_seconds": timing.spread(then),
    }


def ratios(
    ours: list[dict[str, Any]], peer: list[dict[str, Any]]
) -> dict[str, Any]:
    """Load and first answer together, and an answer, against a peer's."""

    def start(runs: list[dict[str, Any]]) -> list[float]:
        return [run["load"] + run["first"] for run in runs]

    def answer(runs: list[dict[str, Any]]) -> list[float]:
        return [timing.spread(run["then"])["median"] for run in runs]

    return {
        "start_to_hugging_face_ratio": timing.ratios(start(ours), start(peer)),
        "answer_to_hugging_face_ratio": timing.ratios(
            answer(ours), answer(peer)
        ),
    }


def main(_: Sequence[str] = ()) -> None:
    """Exports both kinds, starts them in turn, writes the report."""
    report = timing.Report("serving_start", FLAGS.output_file)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        commands: dict[str, list[str]] = {}
        peer = "hugging_face"
        if FLAGS.peers_python:
            commands[peer] = _peer_command(folder)
        for kind, cls in _KINDS.items():
            model = cls.from_preset(
                FLAGS.preset,
                fusion_layer=FLAGS.fusion_layer,
                labels=["a", "b", "c"],
            )
            started = time.perf_counter()
            path = export_saved_model(model, folder / kind)
            report.add(
                f"export, {kind}",
                export_seconds=time.perf_counter() - started,
                loop_nodes=graph_counts.loop_body_nodes(path),
                executed_ops=executed_ops(kind, path),
            )
            for signature, inputs in requests(kind).items():
                commands[f"{kind}, {signature}"] = [
                    *(sys.executable, "-m", "benchmarks.serving_start_ask"),
                    *(str(path), signature, json.dumps(inputs)),
                    str(_ANSWERS),
                ]
        runs: dict[str, list[dict[str, Any]]] = {case: [] for case in commands}
        for _repeat in range(FLAGS.repeats):
            for case, command in commands.items():
                runs[case].append(child(command))
        for case, found in runs.items():
            against = ratios(found, runs[peer]) if peer in runs else {}
            report.add(
                case, **measured(found), **against, threads=FLAGS.threads
            )
    report.write()


def _peer_command(folder: pathlib.Path) -> list[str]:
    """Saves the peer's model once; the command starts from there."""
    serving_latency.write_tokenizer(folder / "tokenizer.json")
    script = pathlib.Path(__file__).with_name("serving_peers.py")
    base = [FLAGS.peers_python, str(script), str(folder), str(FLAGS.threads)]
    subprocess.run([*base, "save"], check=True)
    return [*base, "start", str(_ANSWERS)]


if __name__ == "__main__":
    define_flags()
    app.run(main)
