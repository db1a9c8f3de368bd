"""Tests of what is said when a hub cannot be reached."""

import socket
import urllib.error
import urllib.request

import keras_hub
import pytest

from dlfa_tf.models.presets import hub
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer

LOADERS = [load_encoder, load_tokenizer]


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """Downloads of earlier days are not seen."""
    for name in ("KAGGLE_DATA_PROXY_URL", "TBE_RUNTIME_ADDR", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setattr(hub, "_is_cached_hugging_face", lambda _: False)


def fail_with(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def raise_chain(*errors):
    """Raises the last error from the one before, and so on."""

    def fail(*args, **kwargs):
        for error, cause in zip(errors[1:], errors, strict=False):
            error.__cause__ = cause
        raise errors[-1]

    return fail


@pytest.mark.parametrize("function", LOADERS)
@pytest.mark.parametrize(
    "preset",
    [
        "bert_base_multi",
        "kaggle://keras/bert/keras/bert_base_multi/3",
        "hf://someone/model",
    ],
)
def test_silent_hub_is_explained_before_loading(
    function, preset, no_cache, monkeypatch
):
    # What the standard library raises where names cannot be resolved.
    error = urllib.error.URLError(socket.gaierror(-2, "Name not known"))
    monkeypatch.setattr(urllib.request, "urlopen", fail_with(error))
    with pytest.raises(ConnectionError) as raised:
        function(preset)
    message = str(raised.value)
    assert repr(preset) in message
    assert "no answer from https://" in message
    assert "'e5_small_multi'" in message


class LocalEntryNotFoundError(FileNotFoundError):
    """Named like the error of the Hugging Face client without a network."""


@pytest.mark.parametrize(
    "errors",
    [
        # kagglehub: requests' ConnectionError, an OSError, from socket's.
        (
            socket.gaierror(-2, "Name or service not known"),
            OSError("HTTPSConnectionPool(host='api.kaggle.com'): Max retries"),
        ),
        # huggingface_hub: keras-hub takes it for a missing file.
        (
            LocalEntryNotFoundError("cannot find the requested files"),
            ValueError("Preset hf://someone/model has no config.json."),
        ),
    ],
    ids=["kaggle", "hugging face"],
)
@pytest.mark.parametrize("function", LOADERS)
def test_failed_download_is_explained(function, errors, no_cache, monkeypatch):
    monkeypatch.setattr(hub, "_answers", lambda url: True)
    fail = raise_chain(*errors)
    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", fail)
    monkeypatch.setattr(keras_hub.tokenizers.Tokenizer, "from_preset", fail)
    with pytest.raises(ConnectionError, match="tried kaggle.*'e5_small_multi'"):
        function("bert_base_multi")


def test_other_errors_of_the_hub_pass_through(no_cache, monkeypatch):
    monkeypatch.setattr(hub, "_answers", lambda url: True)
    fail = fail_with(ValueError("Unexpected Kaggle preset."))
    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", fail)
    with pytest.raises(ValueError, match="Unexpected Kaggle preset"):
        load_encoder("kaggle://wrong")


def test_downloaded_preset_needs_no_network(tmp_path, no_cache, monkeypatch):
    handle = "keras/bert/keras/bert_base_multi/3"
    (tmp_path / "kaggle" / "models" / handle).mkdir(parents=True)
    monkeypatch.setattr(hub, "_answers", pytest.fail)
    loaded = []
    monkeypatch.setattr(
        keras_hub.tokenizers.Tokenizer, "from_preset", loaded.append
    )
    load_tokenizer("bert_base_multi")
    assert loaded == ["bert_base_multi"]


def test_answer_of_any_status_counts(monkeypatch):
    error = urllib.error.HTTPError("https://x", 403, "no", None, None)
    monkeypatch.setattr(urllib.request, "urlopen", fail_with(error))
    assert hub._answers("https://x")
