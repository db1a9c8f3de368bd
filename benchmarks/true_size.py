r"""What a model of mBERT's true size takes: seconds, memory, disk.

Writes a checkpoint of the shape of mBERT, of DistilmBERT or of XLM-R base with
random weights, in Hugging Face's form, and takes one case after the other in a
process of its own: it loads the checkpoint, cuts the vocabulary, trains some
steps on full rows, and with --keep saves the model, loads it, exports it,
checks the export and asks it. The largest resident memory is that of each part
alone (Linux only). --write only writes the checkpoint, to try programs on.

Example:
    python -m benchmarks.true_size --model=mbert --tasks=pos,xnli \
        --systems=baseline,D_10 --precisions=float32,mixed_bfloat16
    python -m benchmarks.true_size --model=mbert --tasks=pos --systems=D_10 \
        --precisions=float32 --keep
    python -m benchmarks.true_size --model=mbert --vocabulary=vocab.txt \
        --write=mbert_random
"""

import contextlib
import gc
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app
from absl import flags

from benchmarks import timing

FLAGS = flags.FLAGS
ROOT = pathlib.Path(__file__).parents[1]
_LIMIT_SECONDS = 1800.0

_BERT = {
    "model_type": "bert",
    "vocab_size": 119547,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
}
SHAPES: dict[str, dict[str, Any]] = {
    "mbert": _BERT,
    "distilmbert": {
        "model_type": "distilbert",
        "vocab_size": 119547,
        "n_layers": 6,
        "n_heads": 12,
        "dim": 768,
        "hidden_dim": 3072,
        "max_position_embeddings": 512,
        "activation": "gelu",
    },
    "xlmr": {
        **_BERT,
        "model_type": "xlm-roberta",
        "vocab_size": 250002,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
    },
    "tiny": {
        **_BERT,
        "vocab_size": 400,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "hidden_size": 8,
        "intermediate_size": 16,
    },
}


def define_flags() -> None:
    """Defines the flags of this program."""
    flags.DEFINE_enum("model", "mbert", list(SHAPES), "Shape of the model.")
    flags.DEFINE_list("tasks", ["pos", "xnli"], "Tasks, separated by commas.")
    flags.DEFINE_list("systems", ["baseline", "D_10"], "Systems.")
    flags.DEFINE_list(
        "precisions", ["float32", "mixed_bfloat16"], "Precisions."
    )
    flags.DEFINE_integer("batch_size", 8, "Rows per step.", lower_bound=1)
    flags.DEFINE_integer("length", 128, "Pieces per row.", lower_bound=3)
    flags.DEFINE_integer(
        "rows",
        30000,
        "Embedding rows of the cut vocabulary; 0 trains all.",
        lower_bound=0,
    )
    flags.DEFINE_integer("steps", 3, "Timed steps.", lower_bound=1)
    flags.DEFINE_bool(
        "keep", False, "Save, load, export, check and ask the model too."
    )
    flags.DEFINE_string(
        "machine", "", "What else the machine did, for the output."
    )
    timing.define_output_flag()
    flags.DEFINE_string(
        "vocabulary",
        None,
        "The model's own vocab.txt; without it most pieces are made up.",
    )
    flags.DEFINE_string(
        "write", None, "New folder; writes the checkpoint there, no more."
    )
    flags.DEFINE_string(
        "worker", None, "Internal: the case, as JSON, of a process."
    )


def write_checkpoint(
    folder: pathlib.Path, model: str, vocabulary: str | None = None
) -> None:
    """Writes config, vocabulary and random weights of a shape.

    `vocabulary` is a `vocab.txt` with as many pieces as the shape has, else
    ValueError; by default letters and made-up words.
    """
    import safetensors.numpy

    config = SHAPES[model]
    if vocabulary is not None:
        _copy_vocabulary(vocabulary, folder, config)
    (folder / "config.json").write_text(json.dumps(config))
    generator = np.random.default_rng(0)
    tensors = {}
    for name, shape in _tensor_shapes(config).items():
        values = generator.standard_normal(shape, np.float32)
        values *= np.float32(0.02)
        if name.endswith(("LayerNorm.weight", "layer_norm.weight")):
            values += np.float32(1)
        tensors[name] = values
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    if vocabulary is None:
        _write_vocabulary(folder, config)


def _copy_vocabulary(
    vocabulary: str, folder: pathlib.Path, config: dict[str, Any]
) -> None:
    content = pathlib.Path(vocabulary).read_bytes()
    pieces = len(content.splitlines())
    if config["model_type"] == "xlm-roberta" or pieces != config["vocab_size"]:
        raise ValueError(
            f"`vocabulary` does not suit the model. Received: {pieces} lines. "
            f"Accepted: a vocab.txt of a BERT, of {config['vocab_size']} lines."
        )
    (folder / "vocab.txt").write_bytes(content)


def _tensor_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes by the names of `transformers`."""
    distil = config["model_type"] == "distilbert"
    width = config["dim" if distil else "hidden_size"]
    inner = config["hidden_dim" if distil else "intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {}

    def dense(name: str, inputs: int, outputs: int) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        shapes[f"{name}.bias"] = (outputs,)

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    rows = {
        "word": config["vocab_size"],
        "position": config["max_position_embeddings"],
        "token_type": config.get("type_vocab_size", 0),
    }
    for name, count in rows.items():
        if count:
            shapes[f"embeddings.{name}_embeddings.weight"] = (count, width)
    norm("embeddings.LayerNorm")
    for i in range(config["n_layers" if distil else "num_hidden_layers"]):
        if distil:
            block = f"transformer.layer.{i}"
            for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
                dense(f"{block}.attention.{part}", width, width)
            dense(f"{block}.ffn.lin1", width, inner)
            dense(f"{block}.ffn.lin2", inner, width)
            norm(f"{block}.sa_layer_norm")
            norm(f"{block}.output_layer_norm")
            continue
        block = f"encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{block}.attention.{part}", width, width)
        dense(f"{block}.intermediate.dense", width, inner)
        dense(f"{block}.output.dense", inner, width)
        norm(f"{block}.attention.output.LayerNorm")
        norm(f"{block}.output.LayerNorm")
    if config["model_type"] == "bert":
        dense("pooler.dense", width, width)
    return shapes


def _write_vocabulary(folder: pathlib.Path, config: dict[str, Any]) -> None:
    """Letters, and made-up words up to the size that the shape has."""
    letters = [chr(x) for x in range(0x21, 0x7F)]
    size = config["vocab_size"]
    if config["model_type"] == "xlm-roberta":
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *letters]
        pieces += [f"▁Word{i}" for i in range(size - len(pieces) - 1)]
        vocab = [[piece, -float(i)] for i, piece in enumerate(pieces)]
        fast = {"model": {"type": "Unigram", "vocab": [*vocab, ["<mask>", 0]]}}
        (folder / "tokenizer.json").write_text(json.dumps(fast))
        return
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    pieces += [f"##{x}" for x in letters]
    pieces += [f"Word{i}" for i in range(size - len(pieces))]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")


@contextlib.contextmanager
def _part(figures: dict[str, Any], name: str) -> Iterator[None]:
    """Notes the seconds of a part, and the largest memory while it ran."""
    gc.collect()
    # The kernel begins to look for the largest memory anew.
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    yield
    figures[name] = {
        "seconds": round(time.perf_counter() - started, 2),
        "peak_memory_bytes": _peak(),
    }


def _peak() -> int:
    status = pathlib.Path("/proc/self/status").read_text()
    (line,) = [x for x in status.splitlines() if x.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def work(case: dict[str, Any]) -> dict[str, Any]:
    """Takes one case; returns its figures by part."""
    import keras

    from dlfa_tf.models import compact_model
    from dlfa_tf.runs import load
    from dlfa_tf.runs import settings
    from dlfa_tf.training import engine

    keras.utils.set_random_seed(1)
    figures: dict[str, Any] = {}
    system = case["system"]
    config = settings.default_config(
        case["task"],
        output_dir="unused",
        data_source="sample",
        preset=case["preset"],
        fusion_layer=None if system == "baseline" else int(system[2:]),
        precision=case["precision"],
        sequence_length=case["length"],
    )
    with _part(figures, "load"):
        model = load.build_model(config)
    rows = min(case["rows"], model.backbone.token_embedding.input_dim)
    used = np.arange(rows) if rows else None
    figures["weights"] = model.count_params()
    if used is not None:
        with _part(figures, "cut"):
            model.preprocessor = None
            model = compact_model.compact_model(model, used)
    figures["trained_weights"] = model.count_params()
    step = engine.make_step(config, model, 10**6, None)
    features, labels = _batch(case, model, config)

    def take() -> None:
        step(features, labels, False).on_host()

    with _part(figures, "first_step"):
        take()
    seconds = []
    with _part(figures, "train"):
        for _ in range(case["steps"]):
            started = time.perf_counter()
            take()
            seconds.append(time.perf_counter() - started)
    figures["step_seconds"] = timing.spread(seconds)
    pieces = case["batch_size"] * case["length"]
    figures["pieces_per_second"] = round(
        pieces / figures["step_seconds"]["median"]
    )
    if case["keep"]:
        del step, take
        _keep(figures, case, config, model, used)
    return figures


def _batch(
    case: dict[str, Any], model: Any, config: Any
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Full rows of random pieces, with random labels."""
    generator = np.random.default_rng(0)
    shape = case["batch_size"], case["length"]
    rows = model.backbone.token_embedding.input_dim
    features = {
        "token_ids": generator.integers(5, rows, shape, np.int32),
        "padding_mask": np.ones(shape, np.int32),
    }
    if "segment_ids" in model.input:
        features["segment_ids"] = np.zeros(shape, np.int32)
    count = len(config.task_definition.labels)
    one_each = config.task_definition.kind == "pair"
    return features, generator.integers(
        0, count, shape[:1] if one_each else shape, np.int32
    )


def _keep(
    figures: dict[str, Any],
    case: dict[str, Any],
    config: Any,
    small: Any,
    used: np.ndarray | None,
) -> None:
    from dlfa_tf.models import compact_model
    from dlfa_tf.runs import load
    from dlfa_tf.serving.export import export_module
    from dlfa_tf.serving.export import lint

    folder = pathlib.Path(case["preset"]).with_name("kept")
    with _part(figures, "save"):
        model = load.build_model(config)
        compact_model.write_back(model, small, used)
        load.save_model(model, folder / load.MODEL)
    figures["saved_bytes"] = _bytes(folder)
    del model, small
    for precision in (None, "bfloat16"):
        name = precision or "trained"
        with _part(figures, f"load_saved_{name}"):
            model = load.load_model(str(folder), precision)
        with _part(figures, f"export_{name}"):
            export = export_module.export_saved_model(
                model, folder / f"export_{name}"
            )
        figures[f"export_{name}_bytes"] = _bytes(pathlib.Path(export))
        del model
        with _part(figures, f"check_{name}"):
            broken = [x.rule for x in lint.check_export(export) if x.problems]
        figures[f"check_{name}"]["broken_rules"] = broken
        with _part(figures, f"start_and_answer_{name}"):
            subprocess.run(
                [
                    sys.executable,
                    ROOT / "saved_models/ask.py",
                    export,
                    *(["Word1 Word2"] * (2 if case["task"] != "pos" else 1)),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_LIMIT_SECONDS,
            )


def _bytes(folder: pathlib.Path) -> int:
    return sum(x.stat().st_size for x in folder.rglob("*") if x.is_file())


def run_case(case: dict[str, Any]) -> dict[str, Any]:
    """Takes a case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.true_size"]
    done = subprocess.run(
        [*command, f"--worker={json.dumps(case)}"],
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
    )
    if done.returncode:
        raise ChildProcessError(
            f"The process of case {case} ended with {done.returncode}: "
            f"{done.stderr[-2000:]}"
        )
    return json.loads(done.stdout.splitlines()[-1])


def main(_: Sequence[str] = ()) -> None:
    """Takes all cases, or one as a worker."""
    if FLAGS.worker is not None:
        print(json.dumps(work(json.loads(FLAGS.worker))), flush=True)
        return
    if FLAGS.write is not None:
        target = pathlib.Path(FLAGS.write)
        target.mkdir(parents=True)
        write_checkpoint(target, FLAGS.model, FLAGS.vocabulary)
        return
    report = timing.Report("true_size", FLAGS.output_file)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "checkpoint"
        folder.mkdir()
        write_checkpoint(folder, FLAGS.model, FLAGS.vocabulary)
        settings: dict[str, Any] = {
            name: FLAGS[name].value
            for name in ("batch_size", "length", "rows", "steps", "keep")
        }
        whole = itertools.product(FLAGS.tasks, FLAGS.systems, FLAGS.precisions)
        for task, system, precision in whole:
            case = {**settings, "task": task, "system": system}
            case |= {"precision": precision, "preset": str(folder)}
            values = {
                **settings,
                "checkpoint_bytes": _bytes(folder),
                **run_case(case),
                "beside": FLAGS.machine,
            }
            report.add(f"{FLAGS.model}/{task}/{system}/{precision}", **values)
    report.write()


if __name__ == "__main__":
    define_flags()
    app.run(main)
