"""Protocol buffers from a description, where no generated module has them."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory

_PACKAGE = "dlfa_tf.serving"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = ("bool", "bytes", "double", "float", "int32", "int64", "string")


def message_classes(
    name: str, schema: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Makes the classes of a file of messages.

    `schema` goes from a message to its fields, each "number type name": "*"
    before the type for repeated ones, "map:" for a map from strings. `name`
    is the file's, for messages of protobuf.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name=name, package=_PACKAGE, syntax="proto3"
    )
    for message_name, fields in schema.items():
        message = file.message_type.add(name=message_name)
        for text in fields:
            _add_field(message, text)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message_name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{message_name}")
        )
        for message_name in schema
    }


def _add_field(message: Any, text: str) -> None:
    number, kind, name = text.split()
    field = message.field.add(name=name, number=int(number))
    field.label = _FIELD.LABEL_OPTIONAL
    if kind.startswith("map:"):
        # What `map<string, kind>` stands for in a descriptor.
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.name = entry.name.replace("_", "")
        entry.options.map_entry = True
        _add_field(entry, "1 string key")
        _add_field(entry, f"2 {kind.removeprefix('map:')} value")
        kind = f"*{message.name}.{entry.name}"
    if kind.startswith("*"):
        field.label = _FIELD.LABEL_REPEATED
        kind = kind[1:]
    if kind in _SCALARS:
        field.type = getattr(_FIELD, f"TYPE_{kind.upper()}")
    else:
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
