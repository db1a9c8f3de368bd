"""What happens when a preset has to come from a hub over the network."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dlfa_tf import files
from dlfa_tf.models.presets.checkpoints.tensors import SAFETENSORS
from dlfa_tf.models.presets.checkpoints.tensors import SAFETENSORS_INDEX

_PROBE_SECONDS = 5.0
_HUB_HOSTS = {
    "kaggle": "https://api.kaggle.com",
    "hf": "https://huggingface.co",
}
# Places that serve Kaggle's files themselves, without the open network.
_KAGGLE_PROXIES = ("KAGGLE_DATA_PROXY_URL", "TBE_RUNTIME_ADDR")

_VOCABULARY_FILES = (
    "tokenizer_config.json", "tokenizer.json", "vocab.txt",
    "sentencepiece.bpe.model", "merges.txt",
)  # fmt: skip

_Loaded = TypeVar("_Loaded")


def load_from_hub(
    load: Callable[[], _Loaded], preset: str, handle: str, default: str
) -> _Loaded:
    """Calls `load` and explains a network that cannot be reached.

    The Kaggle client has no time-out and the Hugging Face client tries again
    and again before it reports a missing file. So the hub is asked first
    whether it answers at all (else ConnectionError), unless its files have been
    downloaded before. `preset` is what the user called it, `handle` the
    `scheme://` behind the name, `default` the preset to offer instead.
    """
    host = _unreachable_host(handle)
    if host is not None:
        why = f"no answer from {host}"
        raise _connection_error(preset, handle, default, why)
    try:
        return load()
    except (OSError, ValueError) as error:
        if not _is_connection_failure(error):
            raise
        why = str(error)
        raise _connection_error(preset, handle, default, why) from error


def fetch_hugging_face_config(handle: str) -> Path:
    """Downloads `config.json`; returns its folder in the client's cache."""
    return _fetch(_repository(handle), "config.json").parent


def fetch_hugging_face(handle: str, *, weights: bool) -> Path:
    """Downloads the weights of a model, or what its vocabulary lies in.

    Returns the folder in the Hugging Face client's cache. `handle` begins with
    `hf://`. What is there already is not downloaded again. Weights come as
    safetensors only; FileNotFoundError says what there is instead.
    """
    from huggingface_hub.errors import EntryNotFoundError

    repository = _repository(handle)

    def fetch_if_there(name: str) -> Path | None:
        try:
            return _fetch(repository, name)
        except EntryNotFoundError:
            return None

    folder = fetch_hugging_face_config(handle)
    if not weights:
        for name in _VOCABULARY_FILES:
            fetch_if_there(name)
    elif index := fetch_if_there(SAFETENSORS_INDEX):
        shards = files.read_json(index)["weight_map"].values()
        for name in sorted(set(shards)):
            _fetch(repository, name)
    elif not fetch_if_there(SAFETENSORS):
        _check_has_safetensors(repository, handle)
    return folder


def _repository(handle: str) -> str:
    return handle.split("://", 1)[1]


def _fetch(repository: str, name: str) -> Path:
    import huggingface_hub

    return Path(huggingface_hub.hf_hub_download(repository, name))


def _check_has_safetensors(repository: str, handle: str) -> None:
    """Says what a repository has instead, as far as the hub tells."""
    import huggingface_hub

    names = huggingface_hub.list_repo_files(repository)
    found = [x for x in names if x.endswith((".bin", ".h5", ".msgpack"))]
    raise FileNotFoundError(
        f"{handle} has no weights in a form that is read here. Received: "
        f"{', '.join(found) or 'none'}. Accepted: model.safetensors, in one "
        "file or in shards. Download the model and convert it: "
        "docs/mbert.md has the command."
    )


def _connection_error(
    preset: str, handle: str, default: str, why: str
) -> ConnectionError:
    return ConnectionError(
        f"`preset` must be downloaded, which failed. Received: {preset!r}, "
        f"tried {handle}: {why}. Accepted without a network: "
        f"{default!r}, whose weights come with this package's "
        "requirements, or the path of a preset folder."
    )


def _is_connection_failure(error: BaseException | None) -> bool:
    while error is not None:
        # The hubs' clients are optional, so their classes go by name.
        names = {cls.__name__ for cls in type(error).__mro__}
        if isinstance(error, ConnectionError | TimeoutError) or names & {
            "ConnectionError",
            "ConnectError",
            "ConnectTimeout",
            "LocalEntryNotFoundError",
            "OfflineModeIsEnabled",
            "gaierror",
        }:
            return True
        error = error.__cause__ or error.__context__
    return False


def _unreachable_host(handle: str) -> str | None:
    """The hub that does not answer, unless its files are here already."""
    scheme, rest = handle.split("://", 1)
    host = _HUB_HOSTS.get(scheme.lower())
    if host is None:
        return None
    if scheme.lower() == "hf":
        host = os.environ.get("HF_ENDPOINT") or host
        if _is_cached_hugging_face(rest):
            return None
    elif _is_cached_kaggle(rest) or any(
        os.environ.get(name) for name in _KAGGLE_PROXIES
    ):
        return None
    return None if _answers(host) else host


def _is_cached_hugging_face(handle: str) -> bool:
    try:
        import huggingface_hub

        found = huggingface_hub.try_to_load_from_cache(handle, "config.json")
    except (ImportError, ValueError):
        return False
    return isinstance(found, str)


def _is_cached_kaggle(handle: str) -> bool:
    folder = os.environ.get("KAGGLEHUB_CACHE") or "~/.cache/kagglehub"
    return (Path(os.path.expanduser(folder)) / "models" / handle).is_dir()


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError) as error:
        # A certificate that only the hub's own client trusts is an answer.
        return "certificate" in str(error).lower()
