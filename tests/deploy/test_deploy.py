"""What the manifests and configurations for the model server must hold."""

import contextlib
import re
import socketserver
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.contract import MINIMUM_SERVER_VERSION
from dlfa_tf.serving.export.server_config import read_config

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "saved_models"
IMAGE = f"tensorflow/serving:{MINIMUM_SERVER_VERSION}"


def read(name):
    return read_config((CONFIGS / name).read_text(), name)


def test_model_config_is_read_by_the_servers_message():
    models = read("model.config").model_config_list.config
    assert {model.name: model.base_path for model in models} == {
        "pos": "/models/pos"
    }
    assert {model.model_platform for model in models} == {"tensorflow"}


def test_lines_that_the_model_config_offers_are_read():
    text = (CONFIGS / "model.config").read_text()
    offered = re.sub(
        r"# (?=config \{|model_version_policy|version_labels)", "", text
    )
    config = read_config(offered, "model.config")
    model, other = config.model_config_list.config
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}
    assert list(model.model_version_policy.specific.versions) == [1, 2]
    assert other.base_path == "/models/xnli"
    assert other.model_platform == "tensorflow"


def test_batching_fits_the_warmup():
    config = read("batching.config")
    assert config.max_batch_size.value == MAX_BATCH_SIZE
    # An empty request in a shared batch that is filled up to an allowed size
    # ends the server: "Check failed: limit <= dim0_size (1 vs. 0)".
    assert not config.allowed_batch_sizes
    assert config.num_batch_threads.value > 0
    assert not config.pad_variable_length_inputs


def test_monitoring_is_switched_on():
    config = read("monitoring.config")
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
    text = manifests["ConfigMap"]["data"]["model.config"]
    (model,) = read_config(text, "model.config").model_config_list.config
    assert f"/v1/models/{model.name} " in probe[-1]


def status(state, message=""):
    """As the server writes it."""
    return (
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\n "model_'
        'version_status": [\n  {\n   "version": "1",\n   "state": '
        f'"{state}",\n   "status": {{\n    "error_code": "OK",\n    '
        f'"error_message": "{message}"\n   }}\n  }}\n ]\n}}\n'
    )


@contextlib.contextmanager
def answering(text):
    """Port of a server that says the same to all."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.rfile.readline()
            self.wfile.write(text.encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        (status("AVAILABLE"), True),
        (status("LOADING"), False),
        (status("UNAVAILABLE"), False),
        (status("END", "UNAVAILABLE: not AVAILABLE"), False),
        ("HTTP/1.1 503 UNAVAILABLE\r\n\r\n", False),
        ("", False),
    ],
    ids=["available", "loading", "unavailable", "message", "503", "nothing"],
)
def test_probe_takes_only_available_for_an_answer(service, text, ready):
    command = service["healthcheck"]["test"][1:]
    with answering(text) as port:
        words = [word.replace("/8501", f"/{port}") for word in command]
        assert words != command
        done = subprocess.run(words, timeout=30, stderr=subprocess.PIPE)
    assert (done.returncode == 0) is ready, done.stderr


@pytest.fixture(params=["compose", "kubernetes"])
def server_flags(request, service, manifests):
    """Flags of the server, and the number of its cores."""
    if request.param == "compose":
        return service["command"], float(service["cpus"])
    template = manifests["Deployment"]["spec"]["template"]
    (container,) = template["spec"]["containers"]
    return container["args"], float(container["resources"]["limits"]["cpu"])


def test_server_is_told_what_it_cannot_know(server_flags):
    flags, cores = server_flags
    values = dict(flag.removeprefix("--").partition("=")[::2] for flag in flags)
    # By default 4 x cores, and calls beyond are refused.
    assert int(values["grpc_max_threads"]) > 8 * cores
    # By default 30 seconds, as long as a client waits by default.
    assert int(values["rest_api_timeout_in_ms"]) > 30_000
    assert int(values["tensorflow_session_parallelism"]) == cores
    assert "allow_version_labels_for_unavailable_models" in values
    assert values["enable_profiler"] == "false"


def test_server_ends_when_it_is_told_to(service, manifests):
    """It handles no SIGTERM, which a first process then ignores."""
    assert service["init"] is True
    assert service["stop_grace_period"] == "10s"
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert pod["shareProcessNamespace"] is True
    (container,) = pod["containers"]
    pause = container["lifecycle"]["preStop"]["exec"]["command"]
    assert pause[0] == "sleep"
    assert 5 <= int(pause[1]) < pod["terminationGracePeriodSeconds"] <= 30


def test_manifests_name_each_other(manifests):
    template = manifests["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert manifests["Service"]["spec"]["selector"] == labels
    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    data = manifests["ConfigMap"]["data"]
    arguments = " ".join(template["spec"]["containers"][0]["args"])
    assert set(re.findall(r"/config/(\S+)", arguments)) == set(data)
    monitoring = read_config(data["monitoring.config"], "monitoring.config")
    scraped = template["metadata"]["annotations"]["prometheus.io/path"]
    assert monitoring.prometheus_config.path == scraped
