"""Tensors of a checkpoint by name, whatever its files."""

import contextlib
import json
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Protocol

import numpy as np

from dlfa_tf import files
from dlfa_tf.lazy import tf

SAFETENSORS = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-(\d+)-of-(\d+)\.safetensors")
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth")
_OTHERS = ("tf_model*.h5", "*.msgpack", "*.onnx", "*.gguf")
_HALF = ("*.incomplete", "*.part", "*.partial", "*.crdownload", "*.aria2")
_LFS_POINTER = b"version https://git-lfs"
_FLOATS = ("F16", "BF16", "F32", "F64")


class Tensors(Protocol):
    """Named arrays, read one by one."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every tensor by name."""

    def place(self, name: str) -> Path:
        """File that holds a tensor, for messages."""

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor as float32."""


@contextlib.contextmanager
def open_safetensors(folder: Path) -> Iterator[Tensors]:
    """Opens `model.safetensors`, or all its shards, in a folder.

    Args:
        folder: folder of a checkpoint.

    Returns:
        Context manager of `Tensors`.

    Raises:
        FileNotFoundError: says which file is missing, with the command that
            converts a pickle if one lies there.
        ValueError: names a file that is not complete.
    """
    with contextlib.ExitStack() as stack:
        yield _Safetensors(weight_files(folder), stack)


@contextlib.contextmanager
def open_tensorflow(folder: Path) -> Iterator[Tensors]:
    """Opens the one `*.ckpt` in a folder.

    Args:
        folder: folder of a checkpoint.

    Returns:
        Context manager of `Tensors`.

    Raises:
        FileNotFoundError, ValueError: as `open_safetensors`.
    """
    yield _TensorFlow(checkpoint_prefix(folder))


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder, all of them there.

    Args:
        folder: folder of a checkpoint.

    Returns:
        list of paths: one file, or all shards.

    Raises:
        FileNotFoundError: names what is missing.
        ValueError: when the index of the shards cannot be read.
    """
    index = folder / SAFETENSORS_INDEX
    if index.is_file():
        try:
            names = sorted(set(files.read_json(index)["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{index} is no index of safetensors files ({error!r}). "
                "Accepted: JSON with `weight_map`."
            ) from error
        return _all_there(folder, names, index.name)
    if (folder / SAFETENSORS).is_file():
        return [folder / SAFETENSORS]
    shards = [m for p in folder.iterdir() if (m := _SHARD.fullmatch(p.name))]
    if shards:
        count = int(shards[0][2])
        width = len(shards[0][1])
        names = [
            f"model-{i:0{width}d}-of-{shards[0][2]}.safetensors"
            for i in range(1, count + 1)
        ]
        return _all_there(folder, names, "their own names")
    raise _no_weights(folder)


def checkpoint_prefix(folder: Path) -> Path:
    """The prefix of the one TensorFlow checkpoint in a folder.

    Args:
        folder: folder of a checkpoint.

    Returns:
        `FOLDER/bert_model.ckpt`, whose files are there.

    Raises:
        FileNotFoundError: when there is none, several, or a part is missing.
        ValueError: when a file is Git's note on it.
    """
    found = sorted(folder.glob("*.index"))
    if len(found) != 1:
        names = ", ".join(x.name for x in found) or "no *.index"
        raise FileNotFoundError(
            f"{folder} must hold one TensorFlow checkpoint. Received: "
            f"{names}.{_half(folder)} Accepted: bert_model.ckpt.index and "
            "bert_model.ckpt.data-00000-of-00001."
        )
    prefix = found[0].with_suffix("")
    if not list(folder.glob(f"{prefix.name}.data-*")):
        raise FileNotFoundError(
            f"{folder} lacks the weights of {found[0].name}.{_half(folder)} "
            f"Accepted: {prefix.name}.data-00000-of-00001 beside it."
        )
    for path in folder.glob(f"{prefix.name}.*"):
        check_no_pointer(path)
    return prefix


def check_no_pointer(path: Path) -> None:
    """Refuses the note that Git leaves in place of a large file.

    Args:
        path: file that is there.

    Raises:
        ValueError: when it is such a note.
    """
    with path.open("rb") as stream:
        start = stream.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise ValueError(
            f"{path} is not the file itself but Git's note on it. Accepted: "
            f"the file, fetched by `git lfs pull` in {path.parent}."
        )


def read_json(path: Path) -> Any:
    """Reads a file of JSON beside the weights.

    Args:
        path: file that is there.

    Returns:
        What the file holds.

    Raises:
        ValueError: names one that is Git's note on it, or not complete.
    """
    check_no_pointer(path)
    try:
        return files.read_json(path)
    except ValueError as error:
        raise ValueError(
            f"{path} is no complete JSON ({error}). Was the download cut short?"
        ) from error


class _Safetensors:
    def __init__(
        self, paths: Iterable[Path], stack: contextlib.ExitStack
    ) -> None:
        import safetensors

        self.shapes: dict[str, tuple[int, ...]] = {}
        self._files: dict[str, tuple[Path, Any]] = {}
        for path in paths:
            check_no_pointer(path)
            try:
                file = stack.enter_context(
                    safetensors.safe_open(path, framework="np")
                )
            except (safetensors.SafetensorError, OSError) as error:
                raise ValueError(
                    f"{path} cannot be read ({error}). Received: "
                    f"{path.stat().st_size} bytes{_expected_size(path)}. "
                    "Accepted: a complete safetensors file; was the download "
                    "cut short?"
                ) from error
            for name in file.keys():
                self._files[name] = path, file
                self.shapes[name] = tuple(file.get_slice(name).get_shape())

    def place(self, name: str) -> Path:
        return self._files[name][0]

    def read(self, name: str) -> np.ndarray:
        # NumPy knows bfloat16 by this module alone.
        import ml_dtypes  # noqa: F401

        path, file = self._files[name]
        dtype = file.get_slice(name).get_dtype()
        if dtype not in _FLOATS:
            raise ValueError(
                f"{path}: the tensor {name} holds no floats. Received: "
                f"{dtype}. Accepted: {', '.join(_FLOATS)}."
            )
        value = np.asarray(file.get_tensor(name))
        return value.astype(np.float32, copy=False)


class _TensorFlow:
    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        try:
            self._reader = tf.train.load_checkpoint(str(prefix))
            shapes = self._reader.get_variable_to_shape_map()
        except _tensorflow_errors() as error:
            raise self._unreadable(f"{prefix.name}.index", error) from error
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}

    def place(self, name: str) -> Path:
        return self._prefix

    def read(self, name: str) -> np.ndarray:
        try:
            value = self._reader.get_tensor(name)
        except _tensorflow_errors() as error:
            file = f"{self._prefix.name}.data-*, tensor {name},"
            raise self._unreadable(file, error) from error
        return np.asarray(value).astype(np.float32, copy=False)

    def _unreadable(self, what: str, error: Exception) -> ValueError:
        reason = str(error).splitlines()[0][:200]
        return ValueError(
            f"{self._prefix.parent}: {what} cannot be read ({reason}). "
            "Accepted: a complete TensorFlow checkpoint; was the download or "
            "the unpacking cut short?"
        )


def _tensorflow_errors() -> tuple[type[Exception], ...]:
    """What its reader raises: at a file cut short an IndexError."""
    return (tf.errors.OpError, ValueError, RuntimeError, IndexError)


def _all_there(folder: Path, names: list[str], source: str) -> list[Path]:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {len(missing)} of {len(names)} weight files: "
            f"{', '.join(missing[:3])}.{_half(folder)} Accepted: all that "
            f"{source} names."
        )
    return [folder / name for name in names]


def _no_weights(folder: Path) -> FileNotFoundError:
    pickles = _found(folder, _PICKLES)
    accepted = f"Accepted: {SAFETENSORS}, in one file or in shards."
    if pickles:
        return FileNotFoundError(
            f"{folder} has its weights only as pickles, which can run code "
            f"when they are read. Received: {', '.join(pickles)}. {accepted} "
            f"To convert (pip install torch safetensors): "
            f"{conversion_command(folder)}"
        )
    others = _found(folder, _OTHERS)
    received = ", ".join(others) if others else "none"
    return FileNotFoundError(
        f"{folder} has no weights in a form that is read here. Received: "
        f"{received}.{_half(folder)} {accepted}"
    )


def conversion_command(folder: Path) -> str:
    """The command that turns a folder's pickles into safetensors.

    PyTorch's `weights_only` runs none of the code in them.

    Args:
        folder: folder of a checkpoint.

    Returns:
        str, for a shell.
    """
    return (
        'python -c "import glob, torch, safetensors.torch as s; d = '
        f"{str(folder)!r}; s.save_file({{k: v.clone().contiguous() for f in "
        "glob.glob(d + '/pytorch_model*.bin') for k, v in torch.load(f, "
        "map_location='cpu', weights_only=True).items()}, d + "
        "'/model.safetensors', {'format': 'pt'})\""
    )


def _half(folder: Path) -> str:
    half = _found(folder, _HALF)
    return f" A download is not finished: {', '.join(half)}." if half else ""


def _found(folder: Path, patterns: Iterable[str]) -> list[str]:
    return sorted({p.name for x in patterns for p in folder.glob(x)})


def _expected_size(path: Path) -> str:
    """What the header of a safetensors file says of its size, if it can."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > 100_000_000:
                return ""
            header = json.loads(stream.read(length))
        ends = [
            entry["data_offsets"][1]
            for name, entry in header.items()
            if name != "__metadata__"
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f" of {8 + length + max(ends, default=0)}"
