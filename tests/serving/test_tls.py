"""Tests of TLS between client and model server, on certificates made here."""

import shutil
import subprocess

import grpc
import pytest

from dlfa_tf.serving import Client
from dlfa_tf.serving import ServerError
from tests.serving.server_double import ServerDouble
from trainers.labellers import open_server

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None,
    reason="no openssl, which makes the certificates",
)


def certificate(folder, name):
    """A key and a certificate signed by itself, as paths of PEM files."""
    key, found = folder / f"{name}-key.pem", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", found],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return key, found


@pytest.fixture(scope="module")
def secure(toy_tagger, tmp_path_factory):
    """A server with TLS, and the file of its authority."""
    key, found = certificate(tmp_path_factory.mktemp("tls"), "server")
    config = (
        'model_config_list { config { name: "pos" base_path: '
        f'"{toy_tagger.parent}" model_platform: "tensorflow" }} }}'
    )
    double = ServerDouble(config, tls=(key.read_bytes(), found.read_bytes()))
    yield double.grpc, found
    double.stop()


def test_server_with_the_right_certificate_answers(secure):
    address, authority = secure
    client, kind = open_server(address, "pos", 10.0, 32, str(authority))
    with client:
        assert kind == "tagger"
        assert [word.word for word in client.tag(["a cat"])[0]] == ["a", "cat"]


def test_server_of_another_authority_is_not_believed(secure, tmp_path):
    _, other = certificate(tmp_path, "other")
    credentials = grpc.ssl_channel_credentials(other.read_bytes())
    with Client(
        secure[0], "pos", credentials=credentials, timeout=2.0
    ) as client:
        with pytest.raises(ServerError) as caught:
            client.tag(["a cat"])
    assert caught.value.code == "UNAVAILABLE"


def test_plain_text_is_not_answered(secure):
    with Client(secure[0], "pos", timeout=2.0) as client:
        with pytest.raises(ServerError) as caught:
            client.tag(["a cat"])
    assert caught.value.code == "UNAVAILABLE"
