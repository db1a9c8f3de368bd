"""A task model as a SavedModel that takes raw strings."""

import functools
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf.lazy import tf
from dlfa_tf.models import model_card
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.serving.contract import EXTRA
from dlfa_tf.serving.contract import MANIFEST
from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.export import lint
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.serving.export import reference_answers
from dlfa_tf.serving.export import served_forward
from dlfa_tf.serving.export import signatures
from dlfa_tf.serving.export import warmup
from dlfa_tf.serving.export.kept_vocabulary import KeptVocabulary
from dlfa_tf.serving.export.row_groups import ROWS_AT_A_TIME


def next_version(base: pathlib.Path) -> int:
    """Next free integer version below a model's folder; 1 when it is new."""
    if not base.is_dir():
        return 1
    numbers = [int(p.name) for p in base.iterdir() if p.name.isdecimal()]
    return max(numbers, default=0) + 1


def export_saved_model(
    model: Any,
    base: str | os.PathLike,
    version: int | None = None,
    *,
    max_batch_size: int = MAX_BATCH_SIZE,
    rows_at_a_time: int = ROWS_AT_A_TIME,
    kept_ids: np.ndarray | None = None,
    run: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes `base/version/`, ready for tensorflow_model_server.

    The tokenizer is in the graph. Every variable is stored once
    (`keras.export.ExportArchive` stores it twice). Warm-up records and a
    metadata file lie beside the graph. The folder is written under a name
    that the server ignores, checked by `check_export`, then renamed; an
    existing version is never touched.

    Args:
        model: `DLFATextClassifier` or `DLFATokenClassifier` with a
            preprocessor and labels.
        base: folder of the model, for example `saved_models/pos`.
        version: int, 1 or more. Defaults to the next free one.
        max_batch_size: int, texts of the largest request that the server is
            warmed up for. Defaults to `32`.
        rows_at_a_time: int, rows of similar length that the encoder takes at
            once. Defaults to `8`, which suits processors; a GPU wants more.
        kept_ids: int `(kept,)` or None, see `pieces_of_texts`: the export
            holds the embeddings of these pieces and reads all others as
            unknown. Defaults to all pieces.
        run: plain values for the metadata file: task, preset, scores, git
            revision.

    Returns:
        Path of the version folder.

    Raises:
        ValueError: when the model has no preprocessor or no labels, when
            `version`, `max_batch_size` or `rows_at_a_time` is below 1, when
            `kept_ids` are not of the vocabulary.
        RuntimeError: when the export breaks a rule of `check_export`, or
            answers its warm-up other than the Keras model: probabilities and
            embeddings (of more than 1: relatively) by more than 1e-4 in
            float32, 0.1 in bfloat16, 0.3 where int8 rounds inputs, too;
            nothing is left behind.
        FileExistsError: when the version exists.
        OSError: when the folder cannot be written; nothing is left behind.

    Example:
        from dlfa_tf.models import DLFATextClassifier
        from dlfa_tf.serving import Client
        from dlfa_tf.serving import export_saved_model

        model = DLFATextClassifier.from_preset("tiny", labels=["no", "yes"])
        folder = export_saved_model(model, "saved_models/pairs")
        print(folder)  # saved_models/pairs/1
        with Client.of_export(folder) as client:
            client.classify(["a b"], ["c d"])  # label and probabilities
    """
    if model.preprocessor is None or model.labels is None:
        raise ValueError(
            "Only a model with a preprocessor and labels can be exported. "
            f"Received: preprocessor={model.preprocessor}, "
            f"labels={model.labels}."
        )
    base = files.user_path(base, "base")
    if version is None:
        version = next_version(base)
    for name, value in (
        ("version", version),
        ("max_batch_size", max_batch_size),
        ("rows_at_a_time", rows_at_a_time),
    ):
        if value < 1:
            raise ValueError(f"`{name}` must be 1 or more. Received: {value}.")
    target = base / str(version)
    if target.exists():
        raise FileExistsError(
            f"Version {version} exists already and is never overwritten. "
            f"Received: {str(target)!r}. Accepted: another version, or none "
            f"for the next free one ({next_version(base)})."
        )
    module, functions = _module(model, rows_at_a_time, kept_ids)
    kind = kind_of(model)
    metadata = metadata_file.describe_export(
        model, kind, base.name, max_batch_size, run, kept_ids
    )
    requests = warmup.warmup_requests(kind, model.preprocessor, max_batch_size)
    base.mkdir(parents=True, exist_ok=True)
    # The server ignores what is no number.
    with files.written_aside(target) as temporary:
        _save(module, temporary, functions)
        metadata_file.write_metadata(temporary, metadata)
        files.write_text(
            temporary / model_card.README,
            model_card.card(
                model_card.describe_model(model),
                metadata["run"] or {},
                "export",
            ),
        )
        warmup.write_warmup(temporary, base.name, requests)
        failed = lint.failures(
            lint.check_export(
                temporary, _compare(model, rows_at_a_time, kept_ids)
            )
        )
        if failed:
            raise RuntimeError(
                f"The export would fail in the server; it was not kept.\n"
                f"{failed}"
            )
        # A graph has no sums of its own. The files beside it may be edited.
        manifest.write(temporary, name=MANIFEST, without=[EXTRA])
    return target


def _save(
    module: Any, folder: pathlib.Path, signatures: dict[str, Any]
) -> None:
    try:
        tf.saved_model.save(module, str(folder), signatures=signatures)
    except tf.errors.OpError as error:
        # TensorFlow's own of a full disk and of a folder that is locked.
        raise OSError(
            f"The export could not be written below {str(folder.parent)!r}: "
            f"{error.message}. Nothing of it was kept. Accepted: a folder that "
            "can be written, with enough free space."
        ) from error


def kind_of(model: Any) -> str:
    """Kind of the export of a task model.

    Args:
        model: `DLFATextClassifier` or `DLFATokenClassifier`.

    Returns:
        str, a key of `contract.SIGNATURES`.
    """
    if isinstance(model, DLFATokenClassifier):
        return "tagger"
    return "single_classifier" if model.num_texts == 1 else "classifier"


def _functions(model: Any, forward: Any, rows_at_a_time: int) -> dict[str, Any]:
    """The functions of an export by signature; see `signatures`."""
    build = {
        "tagger": signatures.tagger_signatures,
        "classifier": signatures.classifier_signatures,
        "single_classifier": signatures.single_signatures,
    }[kind_of(model)]
    return build(model, forward, rows_at_a_time)


def _compare(
    model: Any, rows_at_a_time: int, kept_ids: np.ndarray | None
) -> lint.Compare:
    """What holds answers of an export to those of its model."""

    @functools.cache
    def answers() -> reference_answers.ReferenceAnswers:
        return reference_answers.ReferenceAnswers(
            model,
            lambda forward: _functions(model, forward, rows_at_a_time),
            kept_ids,
        )

    return lambda *record: answers().problems(*record)


def _module(
    model: Any, rows_at_a_time: int, kept_ids: np.ndarray | None
) -> tuple[Any, dict[str, Any]]:
    """Builds the object that `tf.saved_model.save` walks, and signatures."""
    kept = None if kept_ids is None else KeptVocabulary(model, kept_ids)
    forward = served_forward.build_forward(
        model if kept is None else kept.model
    )

    def compute(features: dict[str, Any], read: str | None = None) -> Any:
        if kept is not None:
            features = kept.features(features)
        return forward(features, read)

    model.preprocessor.build_pieces()
    functions = _functions(model, compute, rows_at_a_time)
    module = tf.Module()
    # The TensorFlow variables themselves: a module that holds the Keras model
    # or Keras variables stores copies under other names, loads in the server
    # and fails at the first request (keras#19274).
    module.model_variables = forward.variables
    module.model_resources = forward.resources
    if kept is not None:
        module.kept_rows = kept.rows
    module.tokenizer_resources = list(model.preprocessor.pieces.resources)
    return module, functions
