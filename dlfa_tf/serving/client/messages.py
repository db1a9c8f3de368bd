"""The protocol buffers of TensorFlow Serving that the client exchanges.

Those of the package tensorflow-serving-api import all of TensorFlow. The few
needed here are described below and built when the module is imported; only
the numbers and types of fields travel, so their package may be our own. A
test compares them with the generated ones.

Reference:
    - tensorflow_serving/apis/{model,predict,get_model_status,
      get_model_metadata}.proto and tensorflow/core/framework/tensor.proto of
      version 2.20; fields that the client has no use for are left out.
"""

from typing import Any

from dlfa_tf.serving.message_classes import message_classes

# Message -> fields, each "number type name"; "*" repeated, "map" from string.
_SCHEMA = {
    "Int64Value": ["1 int64 value"],
    "Dim": ["1 int64 size"],
    "TensorShapeProto": ["2 *Dim dim", "3 bool unknown_rank"],
    "TensorProto": [
        "1 int32 dtype",
        "2 TensorShapeProto tensor_shape",
        "4 bytes tensor_content",
        "5 *float float_val",
        "6 *double double_val",
        "7 *int32 int_val",
        "8 *bytes string_val",
        "10 *int64 int64_val",
    ],
    "ModelSpec": [
        "1 string name",
        "2 Int64Value version",
        "3 string signature_name",
        "4 string version_label",
    ],
    "PredictRequest": [
        "1 ModelSpec model_spec",
        "2 map:TensorProto inputs",
        "3 *string output_filter",
    ],
    "PredictResponse": [
        "2 ModelSpec model_spec",
        "1 map:TensorProto outputs",
    ],
    "GetModelStatusRequest": ["1 ModelSpec model_spec"],
    "StatusProto": ["1 int32 error_code", "2 string error_message"],
    "ModelVersionStatus": [
        "1 int64 version",
        "2 int32 state",
        "3 StatusProto status",
    ],
    "GetModelStatusResponse": ["1 *ModelVersionStatus model_version_status"],
    "GetModelMetadataRequest": [
        "1 ModelSpec model_spec",
        "2 *string metadata_field",
    ],
    "Any": ["1 string type_url", "2 bytes value"],
    "GetModelMetadataResponse": ["2 map:Any metadata"],
    "TensorInfo": ["2 int32 dtype", "3 TensorShapeProto tensor_shape"],
    "SignatureDef": [
        "1 map:TensorInfo inputs",
        "2 map:TensorInfo outputs",
    ],
    "SignatureDefMap": ["1 map:SignatureDef signature_def"],
}

MESSAGES: dict[str, Any] = message_classes(
    "dlfa_tf/serving/messages.proto", _SCHEMA
)
"""From the name of a message to its class."""
