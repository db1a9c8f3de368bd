"""Checks that the installed libraries are ones this package was tested with.

The supported versions are stated here, once; pyproject.toml repeats them for
installers and a test compares the two.
"""

import re
from collections.abc import Mapping
from importlib import metadata

# Distribution -> (lowest accepted, lowest refused), as (major, minor).
REQUIRED: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "keras": ((3, 15), (3, 16)),
    "keras-hub": ((0, 32), (0, 33)),
}
# Checked only where installed: the layers and models also run on JAX alone.
OPTIONAL: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "tensorflow": ((2, 20), (2, 21)),
    "tensorflow-text": ((2, 20), (2, 21)),
}
# Other names under which the same module is distributed.
_ALIASES = {"tensorflow": ("tensorflow", "tensorflow-cpu")}


def check_versions() -> None:
    """Refuses versions of Keras, KerasHub and TensorFlow not supported.

    Reads the metadata of installed distributions and imports none of them, so
    it costs a few milliseconds. TensorFlow and tensorflow-text may be absent
    (Keras on JAX); where present, both must be of the supported line. Where
    Keras and KerasHub are both absent, only the serving client is used:
    whatever needs them raises Python's own error. ImportError names each
    version found, what is accepted and the pip command that installs it.

    Example:
        from dlfa_tf.version_check import check_versions

        check_versions()
    """
    problems = []
    wanted = []
    client_only = not any(map(_installed_version, REQUIRED))
    for name, (low, high) in {**REQUIRED, **OPTIONAL}.items():
        found = _installed_version(name)
        if found is None and (name in OPTIONAL or client_only):
            continue
        if found is not None and low <= _major_minor(found) < high:
            continue
        accepted = f"{name}>={_dotted(low)},<{_dotted(high)}"
        problems.append(f"found {name} {found or '(not installed)'}")
        wanted.append(accepted)
    if not problems:
        return
    command = " ".join(f'"{requirement}"' for requirement in wanted)
    raise ImportError(
        "dlfa_tf does not support the installed libraries: "
        f"{'; '.join(problems)}. Accepted: {', '.join(wanted)}. "
        f"Run: pip install {command}"
    )


def _installed_version(name: str) -> str | None:
    """Version of a distribution, None where it is not installed."""
    for alias in _ALIASES.get(name, (name,)):
        try:
            return metadata.version(alias)
        except metadata.PackageNotFoundError:
            continue
    return None


def _major_minor(version: str) -> tuple[int, int]:
    """First two numbers of a version; (0, 0) where it has no such form."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
