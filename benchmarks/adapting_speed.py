r"""Seconds of a step of `trainers.adapt`, beside keras-hub and Hugging Face.

All train on the same packed rows, with an encoder of the preset's shape, one
process for each case; the processes take turns. What they do:

float32, bfloat16: what `trainers.adapt` does, with --precision=float32 and
    --precision=mixed_bfloat16.
free, free_bfloat16: with --nofrozen_embeddings besides.
keras_hub, keras_hub_bfloat16: the task MaskedLM with its preprocessor, by
    `fit` on the text of the rows, AdamW. All weights are trained; logits over
    the whole vocabulary at as many positions as ours (keras-hub's default, 96
    of a row, would cost it more).
run_mlm, run_mlm_bfloat16: what run_mlm.py of transformers' examples sets up,
    by `Trainer.train`. All weights are trained; logits over the whole
    vocabulary at all positions.
run_mlm_frozen: the same without gradient and AdamW of the token embedding.

Processor time says more than the clock where others use the machine as well.
The last three run in another environment, named by --peers_python; without it
there are none. keras-hub's and theirs have random weights.

Example:
    python -m venv PEERS
    PEERS/bin/pip install torch transformers accelerate datasets
    python -m benchmarks.adapting_speed --peers_python=PEERS/bin/python \
        --texts=FOLDER --cases=float32,bfloat16,run_mlm
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
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
import numpy as np
from absl import app
from absl import flags

from benchmarks import timing
from dlfa_tf import files
from dlfa_tf.adapting import preparing
from dlfa_tf.adapting import texts as text_files
from dlfa_tf.adapting.preparing import Rows
from dlfa_tf.adapting.settings import AdaptConfig
from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.models import presets
from dlfa_tf.preprocessing import piece_tokenizer
from dlfa_tf.runs import environment
from dlfa_tf.training import engine

FLAGS = flags.FLAGS
_FLOAT32 = {"precision": "float32"}
_BFLOAT16 = {"precision": "mixed_bfloat16"}
_FREE = {"frozen_embeddings": False}
_OWN: dict[str, dict[str, Any]] = {
    "float32": _FLOAT32,
    "bfloat16": _BFLOAT16,
    "free": {**_FREE, **_FLOAT32},
    "free_bfloat16": {**_FREE, **_BFLOAT16},
}
_KERAS_HUB = {
    "keras_hub": "float32",
    "keras_hub_bfloat16": "mixed_bfloat16",
}
_PEERS = ("run_mlm", "run_mlm_bfloat16", "run_mlm_frozen")
_CASES = (*_OWN, *_KERAS_HUB, *_PEERS)
# A run of more steps than anybody asks for.
_ENDLESS = 10**5


def define_flags() -> None:
    """Defines the flags of this program."""
    timing.define_repeats_flag()
    timing.define_output_flag()
    flags.DEFINE_string("preset", "e5_small_multi", "Encoder.")
    flags.DEFINE_list("texts", [], "Text, as --texts of trainers.adapt.")
    flags.DEFINE_integer("sequence_length", 128, "Pieces per row.", 8)
    flags.DEFINE_integer("batch_size", 16, "Rows per step.", 1)
    flags.DEFINE_integer("steps", 2, "Steps of one timed call.", 1)
    flags.DEFINE_integer("threads", 1, "Threads of every contestant.", 1)
    flags.DEFINE_list(
        "cases",
        ["float32", "bfloat16", "free", "keras_hub"],
        f"What to measure, of {', '.join(_CASES)}. All are in memory at once.",
    )
    flags.DEFINE_string("peers_python", None, "Python of Hugging Face's cases.")
    flags.DEFINE_string("worker", None, "Internal: case of a worker process.")
    flags.DEFINE_string("folder", None, "Internal: folder of its rows.")


def make_config(**changes: Any) -> AdaptConfig:
    """Settings of an adaptation."""
    return AdaptConfig(
        preset=FLAGS.preset,
        texts=tuple(FLAGS.texts) or ("unused",),
        output_dir="unused",
        sequence_length=FLAGS.sequence_length,
        batch_size=FLAGS.batch_size,
        steps=_ENDLESS,
        **changes,
    )


def write_rows(folder: pathlib.Path) -> dict[str, Any]:
    """Writes all full rows of the text; returns the shape of the encoder."""
    config = make_config()
    rows = preparing.read_rows(config, text_files.find_texts(config.texts))
    full = rows.train.row_lengths == FLAGS.sequence_length
    index = rows.train.row_splits[:-1][full, None]
    np.savez(
        folder / "rows.npz",
        token_ids=rows.train.token_ids[
            index + np.arange(FLAGS.sequence_length)
        ],
        labels=rows.train.labels[full],
    )
    sizes = presets.load_encoder(FLAGS.preset, load_weights=False)
    names = ("vocabulary_size", "hidden_dim", "num_layers", "num_heads",
             "intermediate_dim")  # fmt: skip
    shape = {
        **{name: getattr(sizes, name) for name in names},
        "max_positions": sizes.max_sequence_length,
        "pad_id": rows.pieces.pad_id,
        "start_id": rows.pieces.start_id,
        "end_id": rows.pieces.end_id,
        "mask_id": rows.mask_id,
        "mask_rate": config.mask_rate,
        "rows": int(full.sum()),
    }
    files.write_json(folder / "shape.json", shape)
    return shape


def read_rows(folder: pathlib.Path) -> Rows:
    """What `write_rows` wrote; a tenth stands for the rows held back."""
    tokenizer = presets.load_tokenizer(FLAGS.preset)
    with np.load(folder / "rows.npz") as file:
        ids, labels = file["token_ids"], file["labels"]
    held = len(ids) // 10
    return Rows(
        tokenizer=tokenizer,
        pieces=piece_tokenizer.build_piece_tokenizer(tokenizer),
        languages=[str(i) for i in range(labels.max() + 1)],
        train=_arrays(ids[held:], labels[held:]),
        held_back=_arrays(ids[:held], labels[:held]),
    )


def _arrays(ids: np.ndarray, labels: np.ndarray) -> TokenArrays:
    return TokenArrays(
        token_ids=ids.ravel(),
        segment_ids=np.zeros(ids.size, np.int8),
        row_splits=np.arange(len(ids) + 1, dtype=np.int64) * ids.shape[1],
        labels=labels,
    )


def answer(**values: Any) -> None:
    """Prints a JSON line."""
    print(json.dumps(values), flush=True)


def answer_round(began: float) -> None:
    """Prints the processor time since `began`, and the peak memory."""
    answer(
        cpu_seconds=time.process_time() - began,
        peak_memory_bytes=environment.peak_memory_bytes(),
    )


def work_own(case: str, folder: pathlib.Path) -> None:
    """Steps of trainers.adapt for every line that comes in."""
    config = make_config(**_OWN[case])
    model, objective, _ = preparing.build(config, read_rows(folder))
    step = engine.make_step(config, model, objective.total_steps, None)
    batches = objective.batches(0)
    table = model.backbone.token_embedding.embeddings
    answer(embedding_rows=table.shape[0])
    for _ in sys.stdin:
        began = time.process_time()
        for _ in range(FLAGS.steps):
            features, labels = next(batches)
            values = step(features, labels, False)
        values.on_host()
        answer_round(began)


class Rounds(keras.callbacks.Callback):
    """Lets `fit` take some steps for every line that comes in."""

    left = 0
    began = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Waits for the first line."""
        self.wait()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Answers after the last step of a round."""
        self.left -= 1
        if not self.left:
            answer_round(self.began)
            self.wait()

    def wait(self) -> None:
        """Waits for the next line; ends the training when there is none."""
        self.left = FLAGS.steps
        if not sys.stdin.readline():
            self.model.stop_training = True
        self.began = time.process_time()


def work_keras_hub(case: str, folder: pathlib.Path) -> None:
    """`fit` of keras-hub's task, a round for every line that comes in."""
    shape = files.read_json(folder / "shape.json")
    rows = read_rows(folder)
    with np.load(folder / "rows.npz") as file:
        ids = file["token_ids"][:, 1:-1]
    special = [*rows.pieces.special_ids]
    content = [row[~np.isin(row, special)].tolist() for row in ids]
    texts = [str(rows.tokenizer.detokenize(row)) for row in content]
    models = keras_hub.models
    is_bert = isinstance(rows.tokenizer, models.BertTokenizer)
    kind = "Bert" if is_bert else "XLMRoberta"
    preprocessor = getattr(models, f"{kind}MaskedLMPreprocessor")(
        rows.tokenizer,
        sequence_length=FLAGS.sequence_length,
        mask_selection_rate=shape["mask_rate"],
        mask_selection_length=math.ceil(
            FLAGS.sequence_length * shape["mask_rate"]
        ),
    )
    backbone = getattr(models, f"{kind}Backbone")(
        vocabulary_size=rows.tokenizer.vocabulary_size(),
        num_layers=shape["num_layers"],
        num_heads=shape["num_heads"],
        hidden_dim=shape["hidden_dim"],
        intermediate_dim=shape["intermediate_dim"],
        max_sequence_length=shape["max_positions"],
        dtype=_KERAS_HUB[case],
    )
    model = getattr(models, f"{kind}MaskedLM")(backbone, preprocessor)
    model.compile(optimizer=keras.optimizers.AdamW(5e-5))
    answer(embedding_rows=backbone.vocabulary_size)
    model.fit(
        np.array(texts, object),
        batch_size=FLAGS.batch_size,
        epochs=_ENDLESS,
        verbose=0,
        callbacks=[Rounds()],
    )


class Worker:
    """A process that takes steps of one case.

    Attributes:
        facts: dict, what it said when it was ready.
        rounds: list of dicts, what it said after each round.
    """

    def __init__(self, case: str, folder: pathlib.Path) -> None:
        self.command = _command(case, folder)
        self.facts: dict[str, Any] = {}
        self.rounds: list[dict[str, Any]] = []
        threads = str(FLAGS.threads)
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
                 "OMP_NUM_THREADS")  # fmt: skip
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **dict.fromkeys(names, threads)},
        )

    def wait_until_ready(self) -> None:
        """Reads the first thing that it says."""
        self.facts = self._read()

    def _read(self) -> dict[str, Any]:
        if self._process.stdout is None:
            raise OSError("The process has no output.")
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(
                "The process of a case ended with exit code "
                f"{self._process.wait()}; to see why: {' '.join(self.command)}"
            )
        return json.loads(line)

    def take(self) -> None:
        """Has a round of steps taken."""
        if self._process.stdin is None:
            raise OSError("The process has no input.")
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self.rounds.append(self._read())

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _command(case: str, folder: pathlib.Path) -> list[str]:
    if case in _PEERS:
        script = pathlib.Path(__file__).with_name("adapting_peers.py")
        numbers = (FLAGS.batch_size, FLAGS.steps, FLAGS.threads)
        python = FLAGS.peers_python
        return [python, str(script), str(folder), case, *map(str, numbers)]
    names = ("preset", "sequence_length", "batch_size", "steps")
    return [
        sys.executable,
        "-m",
        "benchmarks.adapting_speed",
        *(f"--{name}={FLAGS[name].value}" for name in names),
        f"--worker={case}",
        f"--folder={folder}",
    ]


def measure(
    cases: Sequence[str], folder: pathlib.Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every case and its figures."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for case in cases:
            workers[case] = Worker(case, folder)
            stack.callback(workers[case].close)
        for worker in workers.values():
            worker.wait_until_ready()
        calls: dict[str, Callable[[], Any]] = {
            case: functools.partial(Worker.take, worker)
            for case, worker in workers.items()
        }
        walls = timing.time_interleaved(calls, repeats=FLAGS.repeats)
    # Without the warm-up.
    cpus = {
        case: [x["cpu_seconds"] for x in worker.rounds[-FLAGS.repeats :]]
        for case, worker in workers.items()
    }
    tokens = FLAGS.steps * FLAGS.batch_size * FLAGS.sequence_length
    others = [case for case in cases if case not in _OWN]
    for case, worker in workers.items():
        figures: dict[str, Any] = {}
        for name, seconds in (("", walls), ("cpu_", cpus)):
            own = seconds[case]
            figures[f"step_{name}seconds"] = timing.spread(
                [s / FLAGS.steps for s in own]
            )
            figures[f"{name}time_per_token_ratio_to"] = {
                other: timing.ratios(own, seconds[other])
                for other in others
                if other != case
            }
        figures["tokens_per_second"] = timing.spread(
            [tokens / s for s in walls[case]]
        )
        figures["worker_peak_memory_bytes"] = worker.rounds[-1][
            "peak_memory_bytes"
        ]
        yield case, {**figures, **worker.facts}


def main(_: Sequence[str] = ()) -> None:
    """Measures all cases, or serves as the worker of one."""
    if FLAGS.worker is not None:
        work = work_own if FLAGS.worker in _OWN else work_keras_hub
        work(FLAGS.worker, pathlib.Path(FLAGS.folder))
        return
    cases = FLAGS.cases
    unknown = [case for case in cases if case not in _CASES]
    if unknown:
        raise app.UsageError(
            f"Received: --cases={unknown[0]!r}. Accepted: {', '.join(_CASES)}."
        )
    if not FLAGS.texts:
        raise app.UsageError("--texts is missing. Accepted: files or folders.")
    if not FLAGS.peers_python and set(cases) & set(_PEERS):
        raise app.UsageError(
            f"Received: --cases={','.join(cases)} without --peers_python. "
            "Accepted: a Python with torch, transformers, accelerate, datasets."
        )
    report = timing.Report("adapting_speed", FLAGS.output_file)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shape = write_rows(folder)
        for case, figures in measure(cases, folder):
            report.add(
                case,
                **figures,
                preset=FLAGS.preset,
                batch_size=FLAGS.batch_size,
                sequence_length=FLAGS.sequence_length,
                rows=shape["rows"],
                threads=FLAGS.threads,
            )
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
