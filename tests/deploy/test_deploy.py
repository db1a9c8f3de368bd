"""What the manifests and configurations for the model server must hold."""

import re
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.contract import MINIMUM_SERVER_VERSION

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "saved_models"
IMAGE = f"tensorflow/serving:{MINIMUM_SERVER_VERSION}"
# As in tensorflow_serving/config/monitoring_config.proto and
# servables/tensorflow/session_bundle_config.proto, which have no Python.
MESSAGES = {
    "Value": [(1, "int64", "value", False)],
    "BatchingParameters": [
        (1, "Value", "max_batch_size", False),
        (2, "Value", "batch_timeout_micros", False),
        (3, "Value", "max_enqueued_batches", False),
        (4, "Value", "num_batch_threads", False),
        (6, "int64", "allowed_batch_sizes", True),
        (7, "bool", "pad_variable_length_inputs", False),
    ],
    "PrometheusConfig": [
        (1, "bool", "enable", False),
        (2, "string", "path", False),
    ],
    "MonitoringConfig": [(1, "PrometheusConfig", "prometheus_config", False)],
}


@pytest.fixture(scope="module")
def messages():
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="c.proto", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, kind, label, repeated in fields:
            field = message.field.add(name=label, number=number)
            field.label = 3 if repeated else 1
            if kind in MESSAGES:
                field.type, field.type_name = (
                    field_type.TYPE_MESSAGE,
                    f".{kind}",
                )
            else:
                field.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in MESSAGES
    }


def read(name, message):
    return text_format.Parse((CONFIGS / name).read_text(), message)


def test_model_config_is_read_by_the_servers_message():
    config = model_server_config_pb2.ModelServerConfig()
    models = read("model.config", config).model_config_list.config
    assert {model.name: model.base_path for model in models} == {
        "pos": "/models/pos"
    }
    assert {model.model_platform for model in models} == {"tensorflow"}


def test_lines_that_the_model_config_offers_are_read():
    text = (CONFIGS / "model.config").read_text()
    offered = re.sub(
        r"# (?=config \{|model_version_policy|version_labels)", "", text
    )
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(offered, config)
    model, other = config.model_config_list.config
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}
    assert list(model.model_version_policy.specific.versions) == [1, 2]
    assert other.base_path == "/models/xnli"
    assert other.model_platform == "tensorflow"


def test_batching_fits_the_warmup(messages):
    config = read("batching.config", messages["BatchingParameters"]())
    assert config.max_batch_size.value == MAX_BATCH_SIZE
    # An empty request in a shared batch that is filled up to an allowed size
    # ends the server: "Check failed: limit <= dim0_size (1 vs. 0)".
    assert not config.allowed_batch_sizes
    assert config.num_batch_threads.value > 0
    assert not config.pad_variable_length_inputs


def test_monitoring_is_switched_on(messages):
    config = read("monitoring.config", messages["MonitoringConfig"]())
    assert config.prometheus_config.enable
    assert config.prometheus_config.path.startswith("/")


@pytest.fixture(scope="module")
def service():
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    return yaml.safe_load(text)["services"]["serving"]


def test_container_is_reached_from_this_machine_only(service):
    assert service["image"] == IMAGE
    assert service["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    assert service["user"] != "0:0"
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["../saved_models:/models:ro"]


def test_container_reads_files_that_are_there(service):
    named = re.findall(r"=/models/(\S+\.config)", " ".join(service["command"]))
    assert sorted(named) == ["model.config", "monitoring.config"]
    assert all((CONFIGS / name).is_file() for name in named)


@pytest.fixture(scope="module")
def manifests():
    text = (ROOT / "deploy" / "kubernetes.yaml").read_text()
    return {item["kind"]: item for item in yaml.safe_load_all(text)}


def test_pods_are_confined(manifests):
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] != 0
    confined = container["securityContext"]
    assert confined["readOnlyRootFilesystem"]
    assert not confined["allowPrivilegeEscalation"]
    assert confined["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]) == {"requests", "limits"}
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert "type" not in manifests["Service"]["spec"]


def test_pods_are_ready_when_the_model_is(manifests, service):
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"][
        "containers"
    ]
    probe = container["readinessProbe"]["exec"]["command"]
    assert probe == container["startupProbe"]["exec"]["command"]
    assert probe == service["healthcheck"]["test"][1:]
    config = model_server_config_pb2.ModelServerConfig()
    text = manifests["ConfigMap"]["data"]["model.config"]
    text_format.Parse(text, config)
    (model,) = config.model_config_list.config
    assert f"/v1/models/{model.name} " in probe[-1]


def test_manifests_name_each_other(manifests, messages):
    template = manifests["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert manifests["Service"]["spec"]["selector"] == labels
    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    data = manifests["ConfigMap"]["data"]
    arguments = " ".join(template["spec"]["containers"][0]["args"])
    assert set(re.findall(r"/config/(\S+)", arguments)) == set(data)
    monitoring = text_format.Parse(
        data["monitoring.config"], messages["MonitoringConfig"]()
    )
    scraped = template["metadata"]["annotations"]["prometheus.io/path"]
    assert monitoring.prometheus_config.path == scraped
