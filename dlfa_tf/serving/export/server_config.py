"""Judges the configuration files of a model server before it reads them.

A server that is given a model whose folder is not there opens no port, or,
when it reads the file again, reads no later one either; other faults end it.
All of this was seen with 2.20.0.
"""

import os
import pathlib
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from google.protobuf import text_format

from dlfa_tf import files
from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.serving.export import warmup
from dlfa_tf.serving.export.lint import Finding
from dlfa_tf.serving.export.lint import finding
from dlfa_tf.serving.message_classes import message_classes

# Of session_bundle_config.proto and monitoring_config.proto, which have no
# generated module; only the names and types of fields count in a text.
_CLASSES = message_classes(
    "dlfa_tf/serving/server_config.proto",
    {
        "Whole": ["1 int64 value"],
        "Truth": ["1 bool value"],
        "Text": ["1 string value"],
        "BatchingParameters": [
            "1 Whole max_batch_size",
            "2 Whole batch_timeout_micros",
            "3 Whole max_enqueued_batches",
            "4 Whole num_batch_threads",
            "5 Text thread_pool_name",
            "6 *int64 allowed_batch_sizes",
            "7 bool pad_variable_length_inputs",
            "8 Truth enable_large_batch_splitting",
            "9 Whole max_execution_batch_size",
        ],
        "PrometheusConfig": ["1 bool enable", "2 string path"],
        "MonitoringConfig": ["1 PrometheusConfig prometheus_config"],
    },
)
# What the server takes where the file says nothing.
_DEFAULT_MAX_BATCH_SIZE = 1000
_LOWEST = {
    "max_batch_size": 1,
    "batch_timeout_micros": 0,
    "max_enqueued_batches": 1,
    "num_batch_threads": 1,
}
_LABEL = re.compile(r"\w+", re.ASCII)


class _Model(NamedTuple):
    """An entry of a model config, and its folder on this machine if any."""

    name: str
    config: Any
    base: pathlib.Path | None


def check_server_config(
    paths: Sequence[str | os.PathLike],
    mounts: Mapping[str, str | os.PathLike] | None = None,
) -> list[Finding]:
    """Checks files for `--model_config_file`, `--batching_parameters_file`.

    A file for `--monitoring_config_file` is only read. Given together, the
    exports that the model config names are compared with the batching file.

    Args:
        paths: the files.
        mounts: from a folder's path in the server's container to its path
            here. Defaults to none: paths are those of this machine.

    Returns:
        One `Finding` per rule, in a fixed order; only that of the form where
        a file cannot be read as what it is.

    Raises:
        TypeError, ValueError: when a path is none, or empty.
        OSError: when a file cannot be opened.

    Example:
        import pathlib

        from dlfa_tf.serving import check_server_config

        path = pathlib.Path("batching.config")
        path.write_text("max_batch_size { value: 32 }")
        for found in check_server_config([path]):
            print(found)
    """
    models: list[_Model] = []
    batching = None
    problems = []
    for path in paths:
        file = files.user_path(path, "paths")
        try:
            text = file.read_text(encoding="utf-8")
            if not text.strip():
                raise ValueError(f"{path}: is empty, and sets nothing")
            found = read_config(text, str(path))
        except UnicodeDecodeError as error:
            problems.append(f"{path}: not valid UTF-8 ({error})")
            continue
        except ValueError as error:
            problems.append(str(error))
            continue
        if hasattr(found, "model_config_list"):
            listed = found.model_config_list.config
            if not listed:
                problems.append(f"{path}: lists no model")
            models += [_model(item, mounts or {}) for item in listed]
        elif hasattr(found, "max_batch_size"):
            batching = found
    form = finding("form", "the server can read every file", problems)
    if problems:
        return [form]
    findings = [form]
    if models:
        findings += _about_models(models)
    if batching is not None:
        findings.append(
            finding(
                "batching",
                "no setting that ends the server or changes answers",
                _batching_problems(batching),
            )
        )
    if batching is not None and models:
        findings.append(
            finding(
                "batch sizes",
                "the largest warm-up request of every version fits a batch",
                _size_problems(models, batching),
            )
        )
    return findings


def read_config(text: str, name: str) -> Any:
    """The message that the text of a file of that name holds.

    A model config has `model_config_list`, a batching file the parameters, a
    monitoring file `prometheus_config`. ValueError when it is none of them.
    """
    bare = re.sub(r"#.*", "", text)
    if re.search(r"\b(model|custom_model)_config", bare):
        from tensorflow_serving.config import model_server_config_pb2

        message = model_server_config_pb2.ModelServerConfig()
    elif "prometheus_config" in bare:
        message = _CLASSES["MonitoringConfig"]()
    else:
        message = _CLASSES["BatchingParameters"]()
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise ValueError(f"{name}: line {error}") from None


def _model(config: Any, mounts: Mapping[str, str | os.PathLike]) -> _Model:
    base = pathlib.PurePosixPath(config.base_path)
    here: pathlib.Path | None = None
    if "://" not in config.base_path:
        here = pathlib.Path(base)
        for inside, outside in mounts.items():
            if base.is_relative_to(inside):
                folder = files.user_path(outside, "mounts")
                here = folder / base.relative_to(inside)
    return _Model(config.name, config, here)


def _about_models(models: Sequence[_Model]) -> list[Finding]:
    return [
        finding(
            "models",
            "every model has a name of its own, a folder and a platform",
            _entry_problems(models),
        ),
        finding(
            "folders",
            "every model has its folder, with versions in it",
            (text for model in models for text in _folder_problems(model)),
        ),
        finding(
            "versions",
            "every version that is asked for is there",
            (text for model in models for text in _version_problems(model)),
        ),
        finding(
            "labels",
            "every label stands for a version that is loaded (the server "
            "needs --allow_version_labels_for_unavailable_models)",
            (text for model in models for text in _label_problems(model)),
        ),
        finding(
            "warm-up",
            "every version that is loaded has warm-up records",
            (text for model in models for text in _warmup_problems(model)),
        ),
    ]


def _entry_problems(models: Sequence[_Model]) -> Iterator[str]:
    names = [model.name for model in models]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"model {name!r} is listed {names.count(name)} times"
    for model in models:
        config = model.config
        if not model.name or set(model.name) & set("/:"):
            yield (
                f"{model.name!r} cannot be a name: it is a part of a URL. "
                "Accepted: letters, digits, '_', '-' and '.'"
            )
        if config.model_platform != "tensorflow" and not config.model_type:
            yield (
                f"model {model.name!r} has the platform "
                f"{config.model_platform!r}. Accepted: 'tensorflow'"
            )
        path = config.base_path
        if "://" not in path and not path.startswith("/"):
            yield (
                f"model {model.name!r} has the base_path {path!r}. Accepted: "
                "an absolute path"
            )


def _folder_problems(model: _Model) -> Iterator[str]:
    base = model.base
    if base is None:
        return
    if not base.is_dir():
        yield (
            f"model {model.name!r}: there is no folder {str(base)!r}; the "
            "server would wait for it for ever. A path in a container is "
            "found here by --mount=/models=saved_models"
        )
    elif (base / "saved_model.pb").is_file():
        yield (
            f"model {model.name!r}: {str(base)!r} is a version. Accepted: the "
            "model's folder, in which versions are folders with numbers"
        )
    elif not _versions(base):
        yield (
            f"model {model.name!r}: {str(base)!r} holds no folder with a "
            "number for a name; the server would wait for one for ever"
        )


def _versions(base: pathlib.Path) -> dict[int, list[str]]:
    """Numbers of versions and the names of their folders."""
    found: dict[int, list[str]] = {}
    for path in sorted(base.glob("*")):
        if path.is_dir() and path.name.isdecimal():
            found.setdefault(int(path.name), []).append(path.name)
    return found


def _loaded(model: _Model) -> list[pathlib.Path]:
    """Folders of the versions that the server would load."""
    if model.base is None or not model.base.is_dir():
        return []
    there = _versions(model.base)
    policy = model.config.model_version_policy
    chosen = sorted(there)
    if policy.HasField("specific"):
        chosen = [n for n in chosen if n in policy.specific.versions]
    elif not policy.HasField("all"):
        chosen = chosen[-(policy.latest.num_versions or 1) :]
    return [model.base / there[number][0] for number in chosen]


def _version_problems(model: _Model) -> Iterator[str]:
    if model.base is None or not model.base.is_dir():
        return
    there = _versions(model.base)
    for number, names in there.items():
        if len(names) > 1:
            yield (
                f"model {model.name!r}: {' and '.join(names)} are both "
                f"version {number}; which one is loaded is chance"
            )
    policy = model.config.model_version_policy
    if policy.HasField("latest") and policy.latest.num_versions < 1:
        yield (
            f"model {model.name!r}: latest {{ num_versions: "
            f"{policy.latest.num_versions} }}. Accepted: 1 or more"
        )
    if policy.HasField("specific"):
        asked = policy.specific.versions
        if not asked:
            yield f"model {model.name!r}: specific {{ }} names no version"
        for number in sorted(set(asked) - set(there)):
            yield (
                f"model {model.name!r}: version {number} is asked for and not "
                f"there. Accepted: {_listed(there)}"
            )
    for folder in _loaded(model):
        if not (folder / "saved_model.pb").is_file():
            yield f"{folder} would be loaded, and has no saved_model.pb"


def _label_problems(model: _Model) -> Iterator[str]:
    loaded = {int(folder.name) for folder in _loaded(model)}
    for label, number in sorted(model.config.version_labels.items()):
        if not _LABEL.fullmatch(label):
            yield (
                f"model {model.name!r}: label {label!r} cannot be asked for "
                "over REST. Accepted: letters, digits and '_'"
            )
        if model.base is not None and number not in loaded:
            yield (
                f"model {model.name!r}: label {label!r} stands for version "
                f"{number}, which is not loaded. Accepted: {_listed(loaded)}; "
                "model_version_policy says which are"
            )


def _warmup_problems(model: _Model) -> Iterator[str]:
    for folder in _loaded(model):
        if not (folder / WARMUP).is_file():
            yield (
                f"{folder} has no {WARMUP}: it is called available before it "
                "has answered anything"
            )


def _batching_problems(batching: Any) -> Iterator[str]:
    if batching.allowed_batch_sizes:
        yield (
            "allowed_batch_sizes: the server fills batches up with copies of "
            "a row, and aborts when the last request of a batch has none. "
            "Accepted: no such line"
        )
    if batching.pad_variable_length_inputs:
        yield (
            "pad_variable_length_inputs: true pads with the first word of a "
            "sentence, which would be tagged. Accepted: false, or no such line"
        )
    for name, lowest in _LOWEST.items():
        value = getattr(batching, name).value
        if batching.HasField(name) and value < lowest:
            yield f"{name}: {value}. Accepted: {lowest} or more"


def _size_problems(models: Sequence[_Model], batching: Any) -> Iterator[str]:
    limit = _DEFAULT_MAX_BATCH_SIZE
    if batching.HasField("max_batch_size"):
        limit = batching.max_batch_size.value
    if batching.enable_large_batch_splitting.value:
        return
    for model in models:
        for folder in _loaded(model):
            try:
                size = _largest_request(folder)
            except (OSError, ValueError) as error:
                yield f"{folder}: {error}"
                continue
            if size > limit:
                yield (
                    f"{folder} is warmed up with requests of {size} examples, "
                    f"more than max_batch_size: {limit}; it could not be "
                    f"loaded. Accepted: {size} or more, or an export with "
                    f"--max_batch_size={limit}"
                )


def _largest_request(folder: pathlib.Path) -> int:
    """Examples of a version's largest warm-up request."""
    sizes = [
        len(next(iter(inputs.values())))
        for _, inputs in warmup.read_warmup(folder)
    ]
    if (folder / METADATA).is_file():
        sizes.append(metadata_file.read_metadata(folder)["max_batch_size"])
    return max(sizes, default=0)


def _listed(numbers: Any) -> str:
    return ", ".join(map(str, sorted(numbers))) or "none is there"
