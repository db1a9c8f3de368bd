"""Our messages against those that TensorFlow Serving generates."""

import pytest
from google.protobuf import descriptor
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import status_pb2

from dlfa_tf.serving.client.messages import MESSAGES

GENERATED = {
    "Dim": tensor_shape_pb2.TensorShapeProto.Dim,
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
    "TensorProto": tensor_pb2.TensorProto,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
    "ModelVersionStatus": get_model_status_pb2.ModelVersionStatus,
    "StatusProto": status_pb2.StatusProto,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": (
        get_model_metadata_pb2.GetModelMetadataResponse
    ),
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "SignatureDef": meta_graph_pb2.SignatureDef,
    "TensorInfo": meta_graph_pb2.TensorInfo,
}
WELL_KNOWN = {"Any", "Int64Value"}
FIELD = descriptor.FieldDescriptor
# An enum and an int32 are written alike.
ALIKE = {FIELD.TYPE_ENUM: FIELD.TYPE_INT32}


def test_every_message_is_compared():
    assert set(GENERATED) | WELL_KNOWN == set(MESSAGES)


@pytest.mark.parametrize("name", list(GENERATED))
def test_fields_have_the_generated_numbers_and_types(name):
    compare(MESSAGES[name].DESCRIPTOR, GENERATED[name].DESCRIPTOR)


def compare(ours, theirs):
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert field.number == other.number, field.full_name
        assert field.type == ALIKE.get(other.type, other.type), field.full_name
        assert field.is_repeated == other.is_repeated, field.full_name
        if field.message_type is not None:
            entry = field.message_type.GetOptions().map_entry
            assert entry == other.message_type.GetOptions().map_entry
            if entry:
                compare(field.message_type, other.message_type)
            else:
                short = field.message_type.name
                assert other.message_type.name == short


def test_messages_are_read_by_the_generated_ones():
    request = MESSAGES["PredictRequest"]()
    request.model_spec.name = "pos"
    request.model_spec.version.value = 3
    request.model_spec.signature_name = "embed"
    request.inputs["text"].dtype = 7
    request.inputs["text"].tensor_shape.dim.add(size=1)
    request.inputs["text"].string_val.append(b"x")
    request.output_filter.append("embedding")
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert read.model_spec.version.value == 3
    assert read.model_spec.signature_name == "embed"
    assert read.inputs["text"].string_val == [b"x"]
    assert read.inputs["text"].dtype == 7
    assert read.output_filter == ["embedding"]
