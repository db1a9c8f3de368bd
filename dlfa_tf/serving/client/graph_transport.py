"""How the client reaches an export without a server: in this process."""

import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf.lazy import tf
from dlfa_tf.serving.client import errors
from dlfa_tf.serving.client import tensors
from dlfa_tf.serving.contract import MANIFEST
from dlfa_tf.serving.export import warmup
from dlfa_tf.serving.export.served_graph import ServedGraph


def find_export(path: str | os.PathLike) -> pathlib.Path | None:
    """Finds a version's folder: the path itself, or its highest version.

    None when the path is neither a version nor a model with versions in it.
    """
    base = files.user_path(path, "folder")
    if (base / "saved_model.pb").is_file():
        return base
    versions = [
        folder
        for folder in base.glob("*/")
        if folder.name.isdecimal() and (folder / "saved_model.pb").is_file()
    ]
    return max(versions, key=lambda f: int(f.name), default=None)


class GraphTransport:
    """Runs an export by `ServedGraph`; takes what the others take."""

    def __init__(self, folder: str | os.PathLike) -> None:
        manifest.check(pathlib.Path(folder), MANIFEST)
        self._graph = ServedGraph(folder)

    def predict(
        self,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, Any]:
        """Runs a signature; see `Client.predict`. Has no deadline."""
        del timeout
        signature = spec["signature"]
        try:
            arrays = {
                k: warmup.as_strings(_encoded(v)) for k, v in inputs.items()
            }
            found = self._graph.run(signature, arrays, outputs or None)
        except tf.errors.OpError as error:
            raise errors.error_of(_code(error), error.message) from None
        except (KeyError, ValueError) as error:
            raise errors.error_of("INVALID_ARGUMENT", str(error)) from None
        return {name: _decoded(x.tolist()) for name, x in found.items()}

    def status(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[int, tuple[str, str]]:
        """A loaded export can answer; it has no version here."""
        del spec, timeout
        return {0: ("AVAILABLE", "")}

    def signatures(
        self, spec: Mapping[str, Any], timeout: float
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Names of inputs and outputs of every signature."""
        del spec, timeout
        return {
            name: (sorted(found.inputs), sorted(found.outputs))
            for name, found in self._graph.signatures.items()
        }

    def close(self) -> None:
        """Gives the memory back."""
        self._graph.close()


def _code(error: Any) -> str:
    """Name of the gRPC code of an error of TensorFlow."""
    names = {
        number: name
        for name, number in vars(tf.errors).items()
        if isinstance(number, int)
    }
    return names.get(error.error_code, "UNKNOWN")


def _encoded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    return tensors.to_bytes(value)


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value
