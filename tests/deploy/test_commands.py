"""The commands of the serving guide, carried out on the server's double."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving import toy_models
from tests.serving.server_double import ServerDouble

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "serving.md").read_text("utf-8")
CURL = re.findall(r"^curl .*$", TEXT, re.MULTILINE)
GRPCURL = re.findall(r"^grpcurl .*$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    base = tmp_path_factory.mktemp("models")
    toy_models.save_tagger(base / "pos" / "1")
    toy_models.save_classifier(base / "xnli" / "1")
    config = "".join(
        f'config {{ name: "{name}" base_path: "{base / name}" }}'
        for name in ("pos", "xnli")
    )
    running = ServerDouble(f"model_config_list {{ {config} }}")
    yield running
    running.stop()


TAGS = {
    "words": [["Der", "Zug", "ist", "weg", ".", ""]],
    "tags": [["UP", "UP", "LOW", "LOW", "LOW", ""]],
    "scores": [[0.5] * 5 + [0.0]],
    "length": [5],
}


def check_status(answer):
    (version,) = answer["model_version_status"]
    assert (version["version"], version["state"]) == ("1", "AVAILABLE")


def check_metadata(answer):
    found = answer["metadata"]["signature_def"]["signature_def"]
    assert set(found) == {"serving_default", "tag_words", "embed"}


def equal(expected):
    def check(answer):
        assert answer == expected

    return check


CHECKS = [
    check_status,
    check_metadata,
    equal({"outputs": TAGS}),
    equal(
        {
            "outputs": {
                "words": [["Der", "Zug", ""], ["weg", "", ""]],
                "tags": [["UP", "UP", ""], ["LOW", "", ""]],
                "scores": [[0.5, 0.5, 0.0], [0.5, 0.0, 0.0]],
                "length": [2, 1],
            }
        }
    ),
    equal({"predictions": [[17.0, 8.5]]}),
    equal({"predictions": [{"label": "other", "probabilities": [0.75, 0.25]}]}),
    equal(
        {
            "outputs": {
                "words": [["Der", "Zug", ""]],
                "tags": [["UP", "UP", ""]],
                "scores": [[0.5, 0.5, 0.0]],
                "length": [2],
            }
        }
    ),
]


@pytest.mark.parametrize(
    ("command", "check"), list(zip(CURL, CHECKS, strict=True))
)
def test_curl_line_is_answered(command, check, double):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    assert "http://localhost:8501/" in command
    words = shlex.split(command.replace("http://localhost:8501", double.rest))
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout))


def test_grpcurl_line_is_a_request(double):
    """As grpcurl would send it; the program itself is not needed."""
    (command,) = GRPCURL
    words = shlex.split(command)
    service, method = words[-1].rsplit("/", 1)
    assert service == "tensorflow.serving.PredictionService"
    request = predict_pb2.PredictRequest()
    json_format.Parse(words[words.index("-d") + 1], request)
    with grpc.insecure_channel(double.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = getattr(stub, method)(request, timeout=60)
    assert list(answer.outputs["words"].string_val) == [
        word.encode() for word in TAGS["words"][0]
    ]
