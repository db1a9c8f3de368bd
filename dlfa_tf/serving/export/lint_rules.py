"""What can be seen wrong in an export without running it.

Each rule yields one line per problem. All of them stand for failures that a
Python test does not show: `docs/serving.md` tells what each one leads to.
"""

import collections
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from dlfa_tf import lazy
from dlfa_tf import shareable
from dlfa_tf.lazy import tf
from dlfa_tf.serving.contract import SIGNATURES
from dlfa_tf.serving.contract import Field
from dlfa_tf.serving.export import served_graph
from dlfa_tf.serving.export import served_ops
from dlfa_tf.serving.export.dequantised_weights import PREFIX
from dlfa_tf.serving.export.metadata_file import KEYS

_PREDICT = "tensorflow/serving/predict"


def read_meta_graph(folder: str | os.PathLike) -> Any:
    """Reads the one MetaGraph of a SavedModel, tagged `serve`.

    FileNotFoundError when there is no `saved_model.pb`, ValueError when it is
    damaged, holds another MetaGraph, or several.
    """
    saved_model_pb2 = lazy.submodule("tensorflow.core.protobuf.saved_model_pb2")
    path = pathlib.Path(folder) / "saved_model.pb"
    if not path.is_file():
        raise FileNotFoundError(
            f"{str(folder)!r} holds no saved_model.pb. Accepted: a version's "
            "folder, such as saved_models/NAME/1."
        )
    try:
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(
            f"{path} is damaged: {error}. Accepted: a SavedModel, as "
            "`trainers.export` writes it."
        ) from None
    tags = [list(graph.meta_info_def.tags) for graph in saved.meta_graphs]
    if tags != [["serve"]]:
        raise ValueError(
            f"{path}: the server looks for one MetaGraph tagged 'serve'. "
            f"Received: {tags}."
        )
    return saved.meta_graphs[0]


def metadata_problems(metadata: dict[str, Any]) -> Iterator[str]:
    """The metadata file is whole and names nobody's folders."""
    missing = sorted(KEYS - set(metadata))
    if missing:
        yield f"the metadata file lacks {missing}"
    # Labels are the data's: "/" and "/m/01" are good ones.
    described = {k: v for k, v in metadata.items() if k != "labels"}
    if shareable.without_paths(described) != described:
        yield "the metadata file holds an absolute path"
    if metadata.get("kind") not in SIGNATURES:
        yield (
            f"kind is {metadata.get('kind')!r}; accepted: {sorted(SIGNATURES)}"
        )


def signature_problems(meta_graph: Any, kind: str) -> Iterator[str]:
    """Signatures have the declared names, types, ranks and method."""
    declared = SIGNATURES.get(kind, {})
    found = served_graph.own_signatures(meta_graph)
    for name in sorted(set(declared) ^ set(found)):
        where = "is missing" if name in declared else "is not declared"
        yield f"signature {name!r} {where}"
    for name in sorted(set(declared) & set(found)):
        if found[name].method_name != _PREDICT:
            yield (
                f"signature {name!r} has method {found[name].method_name!r}; "
                f"accepted: {_PREDICT!r}"
            )
        for part in ("inputs", "outputs"):
            wanted = getattr(declared[name], part)
            given = {
                key: _field(info)
                for key, info in getattr(found[name], part).items()
            }
            for key in sorted(set(wanted) | set(given)):
                if wanted.get(key) != given.get(key):
                    yield (
                        f"{part[:-1]} {key!r} of signature {name!r} is "
                        f"{given.get(key)}; declared: {wanted.get(key)}"
                    )


def _field(info: Any) -> Field:
    unknown = info.tensor_shape.unknown_rank
    return Field(
        dtype=tf.dtypes.as_dtype(info.dtype).name,
        rank=-1 if unknown else len(info.tensor_shape.dim),
    )


def op_problems(meta_graph: Any) -> Iterator[str]:
    """Every op is in the server that the metadata names."""
    library = meta_graph.graph_def.library.function
    accepted = served_ops.served_ops() | {f.signature.name for f in library}
    missing = collections.Counter(
        node.op for node in _all_nodes(meta_graph) if node.op not in accepted
    )
    for op, count in sorted(missing.items()):
        yield f"op {op!r} ({count} times) is not in the released server"


def _all_nodes(meta_graph: Any) -> Iterator[Any]:
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def


def guard_problems(meta_graph: Any) -> Iterator[str]:
    """The first op that reads a string input checks its rank."""
    functions = {
        f.signature.name: f for f in meta_graph.graph_def.library.function
    }
    for name, signature in served_graph.own_signatures(meta_graph).items():
        for key, info in signature.inputs.items():
            if tf.dtypes.as_dtype(info.dtype) != tf.string:
                continue
            rank = len(info.tensor_shape.dim)
            readers = _readers(
                info.name.split(":")[0], meta_graph.graph_def.node, functions
            )
            for reader in readers:
                if not _checks_rank(reader, rank):
                    yield (
                        f"input {key!r} of signature {name!r} is read by "
                        f"{reader.op!r} before anything checked that its rank "
                        f"is {rank}: one malformed request can end the server"
                    )


def _checks_rank(node: Any, rank: int) -> bool:
    if node.op != "EnsureShape":
        return False
    shape = node.attr["shape"].shape
    return not shape.unknown_rank and len(shape.dim) == rank


def _readers(
    tensor: str, nodes: Iterable[Any], functions: dict[str, Any]
) -> Iterator[Any]:
    """Nodes that read a tensor, looking into functions that only pass it on."""
    nodes = list(nodes)
    for node in nodes:
        for position, name in enumerate(node.input):
            # "name", "name:0" in a graph, "name:output:0" in a function.
            if name.split(":")[0] != tensor:
                continue
            if node.op.endswith("PartitionedCall"):
                function = functions[node.attr["f"].func.name]
                argument = function.signature.input_arg[position].name
                yield from _readers(argument, function.node_def, functions)
            elif node.op == "Identity":
                yield from _readers(node.name, nodes, functions)
            else:
                yield node


def variable_problems(
    meta_graph: Any, folder: str | os.PathLike
) -> Iterator[str]:
    """The variables that the graph reads are those that are stored, once.

    But for those that are made of others at load.
    """
    captured = collections.Counter(
        tuple(dim.size for dim in node.attr["shape"].shape.dim)
        for node in meta_graph.graph_def.node
        if node.op == "VarHandleOp"
        and not node.attr["shared_name"].s.startswith(PREFIX.encode())
    )
    prefix = pathlib.Path(folder) / "variables" / "variables"
    try:
        found = tf.train.list_variables(os.fspath(prefix))
    except tf.errors.OpError as error:
        yield f"variables/ cannot be read: {error.message}"
        return
    stored = collections.Counter(
        tuple(shape) for name, shape in found if "OBJECT_GRAPH" not in name
    )
    for shape, count in sorted((captured - stored).items()):
        yield (
            f"{count} variable(s) of shape {shape} are read but not stored: "
            "the server calls the model available and fails every request"
        )
    for shape, count in sorted((stored - captured).items()):
        yield f"{count} variable(s) of shape {shape} are stored but not read"
