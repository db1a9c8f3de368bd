"""Tests of `hf://` with the real client and a hub on this machine."""

import functools
import http.server
import json
import pathlib
import threading

import numpy as np
import pytest
from huggingface_hub import constants

from dlfa_tf.models.presets import by_name
from dlfa_tf.models.presets import description
from dlfa_tf.models.presets import hub
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from tests.models.presets import checkpoint_writer

COMMIT = "0" * 40
WORDS = "embeddings.word_embeddings.weight"


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as huggingface.co does when files of a repository are asked."""

    def __init__(self, *arguments, root, asked):
        self.root, self.asked = root, asked
        super().__init__(*arguments)

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        name = self.path.rpartition("/resolve/main/")[2]
        if self.path.startswith("/api/models/"):
            listed = [
                {"type": "file", "path": x.name, "size": 1, "oid": "0"}
                for x in self.root.iterdir()
            ]
            body = json.dumps(listed).encode()
            return self.send(200, body, with_body)
        path = self.root / name.rpartition("/")[2]
        if not path.is_file():
            return self.send(404, b"", with_body, error="EntryNotFound")
        if with_body:
            self.asked.append(path.name)
        return self.send(200, path.read_bytes(), with_body, etag=path.name)

    def send(self, code, body, with_body, etag=None, error=None):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        if etag:
            self.send_header("ETag", f'"{etag}"')
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def asked():
    """Names of the files that were downloaded."""
    return []


@pytest.fixture
def repository(tmp_path, monkeypatch, asked):
    """Folder whose files the hub serves as any repository."""
    root = tmp_path / "served"
    root.mkdir()
    handler = functools.partial(Hub, root=root, asked=asked)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", url)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield root
    server.shutdown()
    server.server_close()
    thread.join()


def check_weights(encoder):
    np.testing.assert_array_equal(
        encoder.token_embedding.embeddings.numpy(),
        checkpoint_writer.make_tensors()[WORDS],
    )


def test_model_is_downloaded_once_part_by_part(repository, asked):
    checkpoint_writer.write_hugging_face(repository, shards=2)
    checkpoint_writer.write_vocabulary(repository, do_lower_case=False)
    (repository / "pytorch_model.bin").write_bytes(b"not read")
    assert load_tokenizer("hf://a/b").get_vocabulary() == (
        checkpoint_writer.PIECES
    )
    assert sorted(asked) == [
        "config.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    check_weights(load_encoder("hf://a/b"))
    check_weights(load_encoder("hf://a/b"))
    assert sorted(asked)[1:-2] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    assert by_name.preset_source("hf://a/b").endswith("hf://a/b")


def test_downloaded_model_needs_no_hub(repository, asked, monkeypatch):
    checkpoint_writer.write_hugging_face(repository)
    checkpoint_writer.write_vocabulary(repository, do_lower_case=False)
    found = description.describe_preset("hf://a/b")
    assert (found.form, found.cased) == ("Hugging Face", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "_answers", lambda _: False)
    asked.clear()
    check_weights(load_encoder("hf://a/b"))
    load_tokenizer("hf://a/b")
    assert not asked


def test_repository_of_pickles_says_so(repository):
    checkpoint_writer.write_hugging_face(repository)
    (repository / "model.safetensors").rename(repository / "pytorch_model.bin")
    with pytest.raises(
        FileNotFoundError, match=r"hf://a/b has no.*pytorch_model\.bin"
    ):
        load_encoder("hf://a/b")


def test_preset_of_keras_hub_on_the_hub(repository):
    folder = pathlib.Path(repository)
    load_encoder("tiny").save_to_preset(str(folder))
    assert by_name.find_checkpoint("hf://a/b") is None
    assert load_encoder("hf://a/b").hidden_dim == 8
