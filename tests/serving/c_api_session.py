"""Asks a SavedModel over TensorFlow's C API, without TensorFlow's Python.

The loader and the session are those of tensorflow_model_server. Python's
loader is kinder: it checks the shapes of inputs before the graph sees them,
and restores variables that the server does not find.

Usage: python c_api_session.py SITE_PACKAGES MODEL < requests

Standard input: one JSON line per request, `{"inputs": {tensor name: [shape,
values]}, "outputs": [tensor name, ...]}`; values are strings or floats.
Standard output: one JSON line per request, `{"outputs": [[shape, flat values],
...]}` or `{"error": message}`. It runs in a process of its own because a wrong
graph kills the process.
"""

import ctypes
import json
import math
import pathlib
import struct
import sys

_FLOAT, _INT32, _STRING = 1, 3, 7
_STRING_BYTES = 24  # sizeof(TF_TString)
_POINTER = ctypes.c_void_p


class _Port(ctypes.Structure):
    _fields_ = [("operation", _POINTER), ("index", ctypes.c_int)]


def _load(packages: pathlib.Path) -> ctypes.CDLL:
    folder = packages / "tensorflow"
    for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
        api = ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
    for name in (
        "TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions",
        "TF_LoadSessionFromSavedModel", "TF_GraphOperationByName",
        "TF_AllocateTensor", "TF_TensorData", "TF_StringGetDataPointer",
        "TF_LoadLibrary",
    ):  # fmt: skip
        getattr(api, name).restype = _POINTER
    api.TF_Message.restype = ctypes.c_char_p
    api.TF_TensorByteSize.restype = ctypes.c_size_t
    api.TF_StringGetSize.restype = ctypes.c_size_t
    api.TF_Dim.restype = ctypes.c_int64
    return api


class Session:
    """A SavedModel that was loaded for serving."""

    def __init__(self, packages: pathlib.Path, model: str) -> None:
        self.api = _load(packages)
        self.status = _POINTER(self.api.TF_NewStatus())
        for path in sorted(packages.glob("tensorflow_text/python/ops/*.so")):
            self.api.TF_LoadLibrary(str(path).encode(), self.status)
            self._check()
        self.graph = _POINTER(self.api.TF_NewGraph())
        self.session = _POINTER(
            self.api.TF_LoadSessionFromSavedModel(
                _POINTER(self.api.TF_NewSessionOptions()), None,
                model.encode(), (ctypes.c_char_p * 1)(b"serve"), 1,
                self.graph, None, self.status,
            )
        )  # fmt: skip
        self._check()

    def _check(self) -> None:
        if self.api.TF_GetCode(self.status) != 0:
            message = self.api.TF_Message(self.status)
            raise ValueError(message.decode("utf-8", "replace"))

    def _port(self, name: str) -> _Port:
        operation, index = name.split(":")
        found = self.api.TF_GraphOperationByName(self.graph, operation.encode())
        if found is None:
            raise ValueError(f"no operation {operation!r}")
        return _Port(found, int(index))

    def _strings(self, shape: list[int], values: list[bytes]) -> _POINTER:
        tensor = _POINTER(
            self.api.TF_AllocateTensor(
                _STRING, (ctypes.c_int64 * len(shape))(*shape), len(shape),
                ctypes.c_size_t(_STRING_BYTES * math.prod(shape)),
            )
        )  # fmt: skip
        start = self.api.TF_TensorData(tensor) or 0
        for i, value in enumerate(values):
            cell = _POINTER(start + i * _STRING_BYTES)
            self.api.TF_StringInit(cell)
            size = ctypes.c_size_t(len(value))
            self.api.TF_StringCopy(cell, value, size)
        return tensor

    def _floats(self, shape: list[int], values: list[float]) -> _POINTER:
        size = ctypes.c_size_t(4 * len(values))
        tensor = _POINTER(
            self.api.TF_AllocateTensor(
                _FLOAT, (ctypes.c_int64 * len(shape))(*shape), len(shape), size
            )
        )
        start = self.api.TF_TensorData(tensor)
        ctypes.memmove(start, struct.pack(f"{len(values)}f", *values), size)
        return tensor

    def _tensor(self, shape: list[int], values: list) -> _POINTER:
        if values and isinstance(values[0], float):
            return self._floats(shape, values)
        encoded = [v.encode("utf-8", "surrogateescape") for v in values]
        return self._strings(shape, encoded)

    def _shape(self, tensor: _POINTER) -> list[int]:
        rank = self.api.TF_NumDims(tensor)
        return [self.api.TF_Dim(tensor, i) for i in range(rank)]

    def _values(self, tensor: _POINTER) -> list:
        start = self.api.TF_TensorData(tensor)
        size = self.api.TF_TensorByteSize(tensor)
        kind = self.api.TF_TensorType(tensor)
        if kind == _STRING:
            cells = range(start or 0, (start or 0) + size, _STRING_BYTES)
            return [self._string(_POINTER(cell)) for cell in cells]
        form = {_FLOAT: "f", _INT32: "i"}[kind]
        data = ctypes.string_at(start, size) if size else b""
        return list(struct.unpack(f"{size // 4}{form}", data))

    def _string(self, cell: _POINTER) -> str:
        start = self.api.TF_StringGetDataPointer(cell)
        size = self.api.TF_StringGetSize(cell)
        return ctypes.string_at(start, size).decode()

    def run(self, inputs: dict, outputs: list[str]) -> list[list]:
        """Feeds tensors by name, fetches tensors as shapes and flat lists."""
        feeds = [self._port(name) for name in inputs]
        fetches = [self._port(name) for name in outputs]
        given = [self._tensor(*value) for value in inputs.values()]
        got = (_POINTER * len(fetches))()
        self.api.TF_SessionRun(
            self.session, None,
            (_Port * len(feeds))(*feeds),
            (_POINTER * len(given))(*given), len(given),
            (_Port * len(fetches))(*fetches), got, len(fetches),
            None, 0, None, self.status,
        )  # fmt: skip
        for tensor in given:
            self.api.TF_DeleteTensor(tensor)
        self._check()
        answers = []
        for tensor in map(_POINTER, got):
            answers.append([self._shape(tensor), self._values(tensor)])
            self.api.TF_DeleteTensor(tensor)
        return answers


def main(packages: str, model: str) -> None:
    """Answers the requests on standard input."""
    session = Session(pathlib.Path(packages), model)
    for line in sys.stdin:
        try:
            answer = {"outputs": session.run(**json.loads(line))}
        except ValueError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
