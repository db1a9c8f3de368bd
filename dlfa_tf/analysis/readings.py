"""What only the model of a run can say: sentence vectors and gates.

Kept beside the run once read, because it takes minutes.
"""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf.analysis.run_index import Run
from dlfa_tf.data.sources import Examples

# Positions of a sequence whose gates are kept apart; later ones are not read.
POSITIONS = 32
# Rows whose vectors are kept for a picture.
VECTORS = 100
_BATCH = 64
# Changes whenever what is read changes.
_VERSION = 1
_WEIGHTS = pathlib.Path("model") / "model.weights.h5"
CACHE = "analysis"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Readings:
    """What was read of the model of one run.

    Attributes:
        languages: languages, in the order of the first axis of the arrays.
        source: language that the others are set against.
        cosines: float32 `(languages, rows)`: cosine of what the head reads of
            L (position 0, or the mean with `sentence_pooling="mean"`) of a
            row and of the same row in the source language; NaN where the data
            are not parallel.
        vectors: float32 `(languages, rows, dim)`: what the head reads of the
            first rows, empty where the data are not parallel.
        shares: float32 `(languages, positions)`: how much of L comes from
            block x at a position: |its part| / (|its part| + |the last
            block's part|), summed over features, mean over sentences; NaN for
            the baseline and where no sentence is so long.
        gates: float32 `(languages, positions)`: mean of the gate, as shares.
    """

    languages: tuple[str, ...]
    cosines: np.ndarray
    vectors: np.ndarray
    shares: np.ndarray
    gates: np.ndarray
    source: str = "en"


def has_model(run: Run) -> bool:
    """Whether the run's folder still holds its model."""
    return (run.folder / _WEIGHTS).is_file()


def read_run(run: Run, examples: Mapping[str, Examples]) -> Readings:
    """Reads the model of a run, or what an earlier call has kept.

    The first call writes `analysis/readings-*.npz` into the run folder.
    Cosines and vectors are of tasks whose test sets are parallel only: row i
    of every language translates row i of the source. FileNotFoundError when
    the run has no model, ValueError when parallel files have different numbers
    of rows.
    """
    if not has_model(run):
        raise FileNotFoundError(
            f"{str(run.folder)!r} holds no model. Accepted: a run folder with "
            f"{_WEIGHTS}."
        )
    path = run.folder / CACHE / f"readings-{_key(run, examples)}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
    else:
        arrays = _read_model(run, examples)
        path.parent.mkdir(parents=True, exist_ok=True)
        # NumPy adds the end of the name where it is missing.
        with files.written_aside(path, suffix=".npz") as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)
    return Readings(
        languages=tuple(examples), source=run.source_languages[0], **arrays
    )


def _key(run: Run, examples: Mapping[str, Examples]) -> str:
    """Hash of all that readings depend on."""
    weights = (run.folder / _WEIGHTS).stat()
    digest = hashlib.sha256(
        json.dumps(
            [
                _VERSION,
                weights.st_size,
                weights.st_mtime_ns,
                list(examples),
                # As it was when there was no other.
                *(x for x in run.source_languages[:1] if x != "en"),
            ]
        ).encode()
    )
    for found in examples.values():
        for example in found:
            digest.update(repr(example).encode())
    return digest.hexdigest()[:16]


def _read_model(
    run: Run, examples: Mapping[str, Examples]
) -> dict[str, np.ndarray]:
    # Not at the top: all the rest of an analysis works without TensorFlow.
    from dlfa_tf.data import arrays
    from dlfa_tf.models.task import DLFATask

    # float32 whatever it was trained in: cosines of bfloat16 are coarse.
    model = DLFATask.from_preset(str(run.folder / "model"), dtype="float32")
    reader = build_reader(model)
    by_language, shares, gates = {}, [], []
    for language, found in examples.items():
        tokens = arrays.tokenize_examples(found, model.preprocessor)
        vectors, share, gate = _read_arrays(reader, model, tokens)
        by_language[language] = vectors
        shares.append(share)
        gates.append(gate)
    source = run.source_languages[0] if run.definition.parallel else None
    cosines, vectors = _compare(by_language, source)
    return {
        "cosines": cosines,
        "vectors": vectors,
        "shares": np.stack(shares),
        "gates": np.stack(gates),
    }


def build_reader(model: Any) -> Any:
    """A Keras model from the inputs of a task model to what is read of it.

    Its outputs are a dict with `vector` `(batch, dim)`, what the head reads of
    L, and, of a fused model, `share` and `gate` `(batch, time)`, see
    `Readings`.
    """
    import keras

    from dlfa_tf.models import gate_share
    from dlfa_tf.models import sentence_vectors

    backbone = model.backbone
    outputs = {
        "vector": sentence_vectors.sentence_vector(
            backbone.output["sequence_output"],
            backbone.input["padding_mask"],
            backbone.sentence_pooling,
            backbone.dtype_policy,
        )
    }
    found = gate_share.share_and_gate(backbone)
    if found is not None:
        outputs["share"], outputs["gate"] = found
    return keras.Model(backbone.input, outputs)


def _read_arrays(
    reader: Any, model: Any, arrays: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors `(rows, dim)`, mean share and gate `(positions,)`."""
    from dlfa_tf.scoring import predict

    preprocessor = model.preprocessor
    vectors: np.ndarray | None = None
    sums = np.zeros((3, POSITIONS))
    for rows, features in predict.feature_batches(
        arrays,
        _BATCH,
        preprocessor.pieces.pad_id,
        preprocessor.use_segment_ids,
        model.backbone.max_positions,
    ):
        found = {
            name: np.asarray(value, np.float32)
            # Without tracing, which takes longer than a few hundred batches.
            for name, value in reader(features, training=False).items()
        }
        if vectors is None:
            vectors = np.zeros((len(arrays), found["vector"].shape[-1]), "f4")
        vectors[rows] = found["vector"]
        if "share" in found:
            mask = np.asarray(features["padding_mask"], bool)[:, :POSITIONS]
            width = mask.shape[1]
            for i, values in enumerate((found["share"], found["gate"])):
                kept = np.where(mask, values[:, :POSITIONS], 0.0)
                sums[i, :width] += kept.sum(axis=0)
            sums[2, :width] += mask.sum(axis=0)
    count = np.where(sums[2] > 0, sums[2], np.nan)
    share, gate = (sums[:2] / count).astype(np.float32)
    return np.asarray(vectors), share, gate


def _compare(
    by_language: dict[str, np.ndarray], source: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Cosines with the source `(languages, rows)`, and the first vectors.

    Empty without a source: where row i is not the same text everywhere.
    """
    if source not in by_language:
        nothing = np.full((len(by_language), 0), np.nan, "f4")
        return nothing, np.zeros((0, 0, 0), "f4")
    rows = {language: len(found) for language, found in by_language.items()}
    if len(set(rows.values())) > 1:
        raise ValueError(
            "Parallel files must have equally many rows, row i of every "
            f"language a translation of row i of the source. Received: {rows}."
        )
    stacked = np.stack(list(by_language.values()))
    unit = stacked / np.linalg.norm(stacked, axis=-1, keepdims=True)
    at = list(by_language).index(str(source))
    return (unit * unit[at]).sum(axis=-1), stacked[:, :VECTORS]
