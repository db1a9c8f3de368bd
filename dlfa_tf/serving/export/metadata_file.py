"""What an export says of itself, in one JSON file beside the graph."""

import importlib.metadata
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf import shareable
from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.contract import MINIMUM_SERVER_VERSION
from dlfa_tf.serving.contract import SIGNATURES

SCHEMA = 1
_PACKAGES = ("keras", "keras-hub", "tensorflow", "tensorflow-text")
# Every metadata file has these; `run` is None where nothing is known of it.
# `quantization` came later: None, or Keras' name of the mode.
KEYS = frozenset(
    "schema name kind labels fusion_layer gate label_piece sequence_length "
    "precision vocabulary_size max_batch_size signatures packages "
    "minimum_server_version run".split()
)


def describe_export(
    model: Any,
    kind: str,
    name: str,
    max_batch_size: int,
    run: Mapping[str, Any] | None = None,
    kept_ids: np.ndarray | None = None,
) -> dict[str, Any]:
    """Describes a model that is about to be exported, in plain values.

    `name` is the model's in the server, `max_batch_size` counts the texts of
    the largest warmed-up request, `kept_ids`, int `(kept,)`, are the pieces
    that the export knows (None: all). `run` says where the model comes from:
    task, preset, scores, git revision. Absolute paths in it are shortened to
    their last part, because exports travel.
    """
    return {
        "schema": SCHEMA,
        "name": name,
        "kind": kind,
        "labels": list(model.labels),
        "fusion_layer": model.backbone.fusion_layer,
        "gate": model.backbone.gate_used,
        "label_piece": getattr(
            model.preprocessor, "resolved_label_piece", None
        ),
        "sequence_length": model.preprocessor.sequence_length,
        "precision": model.backbone.dtype_policy.name,
        "quantization": _quantization(model.backbone),
        "max_batch_size": max_batch_size,
        "vocabulary_size": (
            model.backbone.token_embedding.input_dim
            if kept_ids is None
            else len(kept_ids)
        ),
        "signatures": sorted(SIGNATURES[kind]),
        "packages": {p: importlib.metadata.version(p) for p in _PACKAGES},
        "minimum_server_version": MINIMUM_SERVER_VERSION,
        "run": None if run is None else shareable.without_paths(dict(run)),
    }


def _quantization(backbone: Any) -> str | None:
    """How layers are quantised, None when none is."""
    modes = {
        mode
        for layer in backbone._flatten_layers()
        if (mode := getattr(layer, "quantization_mode", None)) is not None
    }
    return ", ".join(sorted(modes)) or None


def write_metadata(
    folder: str | os.PathLike, metadata: Mapping[str, Any]
) -> None:
    """Writes the metadata file of an export."""
    path = files.user_path(folder, "folder") / METADATA
    text = json.dumps(metadata, indent=2, sort_keys=True, ensure_ascii=False)
    files.write_text(path, text + "\n")


def read_metadata(folder: str | os.PathLike) -> dict[str, Any]:
    """Reads the metadata file of an export.

    FileNotFoundError when there is none, ValueError when it is not one of this
    schema.
    """
    path = files.user_path(folder, "folder") / METADATA
    if not path.is_file():
        raise FileNotFoundError(
            f"{str(folder)!r} has no {METADATA}. Accepted: a version's folder "
            "written by `trainers.export`."
        )
    metadata = files.read_json(path)
    found = metadata.get("schema") if isinstance(metadata, dict) else None
    if found != SCHEMA:
        raise ValueError(
            f"{path}: unknown schema. Received: {found!r}. Accepted: {SCHEMA}."
        )
    return metadata
