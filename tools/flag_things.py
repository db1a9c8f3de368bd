"""What lies on a disk and is given to flags that name files and folders.

`make_things` fills a home folder with one of everything; the kinds below turn
the right thing for a flag into something that is nearly it, or into another.
"""

import bz2
import contextlib
import gzip
import io
import os
import pathlib
import re
import shutil
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf

from dlfa_tf.data import tasks
from dlfa_tf.models import presets
from dlfa_tf.runs import load
from dlfa_tf.runs import settings
from dlfa_tf.serving.export import export_module
from dlfa_tf.training import bundle
from dlfa_tf.training import run

_DATA = pathlib.Path(tasks.__file__).parent
_TREE = "".join(
    f"{i}\t{word}\t_\t{tag}" + "\t_" * 6 + "\n"
    for i, (word, tag) in enumerate([("The", "DET"), ("dog", "NOUN")], 1)
)
_TEXT = "Der Fluss ist hoch .\nthe cat sees the dog\n" * 40
# Names of things, as the table calls them.
THINGS = {
    "run": "a run",
    "preset": "an encoder",
    "run/model": "a model preset",
    "exports/pos": "an export",
    "x.bundle": "a bundle",
    "data": "a data folder",
    "texts/de.txt": "a text file",
    "task/task.toml": "a task file",
    "noise.bin": "a file of noise",
    "empty.txt": "an empty file",
    "empty": "an empty folder",
}


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """Functions of TensorFlow run as Python, which is quicker where once."""
    was_eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(was_eager)


def _run(task: str, folder: pathlib.Path, **more: Any) -> Any:
    """Trains on a handful of examples; returns the settings."""
    config = settings.default_config(
        task,
        output_dir=str(folder),
        preset="tiny",
        epochs=1,
        batch_size=8,
        train_limit=8,
        eval_limit=2,
        languages=("de",),
        **more,
    )
    run.run(config, verbose=0)
    return config


def make_things(home: pathlib.Path) -> None:
    """Fills a home folder with one of everything; takes half a minute."""
    shutil.copytree(_DATA / "examples" / "intents", home / "task")
    with untraced():
        config = _run(
            "pos",
            home / "run",
            data_source="sample",
            fusion_layer=1,
            sequence_length=32,
        )
        _run(str(home / "task" / "task.toml"), home / "intent_run")
        bundle.make_bundle(config, str(home / "x.bundle"), "float32")
    export_module.export_saved_model(
        load.load_model(str(home / "run")),
        home / "exports" / "pos",
        max_batch_size=1,
    )
    presets.load_encoder("tiny").save_to_preset(str(home / "preset"))
    presets.load_tokenizer("tiny").save_to_preset(str(home / "preset"))
    (home / "data" / "udpos").mkdir(parents=True)
    for path in (_DATA / "sample" / "tagging").iterdir():
        # Word, part of speech, and the tag of an entity.
        rows = [x.split("\t")[:2] for x in path.read_text("utf-8").split("\n")]
        text = "\n".join("\t".join(row) for row in rows)
        (home / "data" / "udpos" / path.name).write_text(text, "utf-8")
    treebank = home / "originals" / "ud-treebanks-v2.5" / "UD_English-EWT"
    treebank.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        path = treebank / f"en_ewt-ud-{split}.conllu"
        path.write_text(_TREE, "utf-8")
    # As if it had been scored on files.
    shutil.copytree(home / "run", home / "file_run")
    for name in ("config.json", "results.json"):
        path = home / "file_run" / name
        path.write_text(
            path.read_text("utf-8").replace(
                '"data_source": "sample"', '"data_source": "files"'
            ),
            "utf-8",
        )
    for name in ("answers", "gold"):
        shutil.copytree(home / "run" / "predictions", home / name / "udpos")
    (home / "texts").mkdir()
    (home / "texts" / "de.txt").write_text(_TEXT, "utf-8")
    noise = np.random.default_rng(0).bytes(2000)
    (home / "noise.bin").write_bytes(noise)
    for name in ("server", "tls"):
        (home / name).mkdir()
    (home / "server" / "model.config").write_text(
        'model_config_list { config { name: "pos" base_path: "'
        f'{home}/exports/pos" model_platform: "tensorflow" }} }}\n'
    )
    roots = (
        pathlib.Path(grpc.__file__).parent / "_cython/_credentials/roots.pem"
    )
    shutil.copyfile(roots, home / "tls" / "ca.pem")
    (home / "empty.txt").touch()
    (home / "empty").mkdir()


class Given(NamedTuple):
    """What a kind makes of a flag: the folder, the right thing, its file.

    Attributes:
        home: folder of all things.
        right: name of what the flag takes; of what it writes when `writes`.
        writes: whether the flag names what is written.
    """

    home: pathlib.Path
    right: str
    writes: bool = False

    @property
    def path(self) -> pathlib.Path:
        """The right thing."""
        return self.home / self.right


class Kind(NamedTuple):
    """What is given: its name, and what makes it, None where it makes none."""

    name: str
    make: Callable[[Given], Any]


def _text(change: Callable[[bytes], bytes], ending: str = "") -> Callable:
    """A text file with other bytes, under its name and perhaps an ending."""

    def make(given: Given) -> str | None:
        if given.writes or not given.path.is_file() or _is_binary(given.path):
            return None
        name = given.path.name + ending
        folder = given.home / "changed" / name.replace(".", "_")
        shutil.rmtree(folder, ignore_errors=True)
        # Task files have their data beside them.
        shutil.copytree(given.path.parent, folder)
        path = folder / name
        path.write_bytes(change(given.path.read_bytes()))
        return str(path)

    return make


def _is_binary(path: pathlib.Path) -> bool:
    return b"\0" in path.read_bytes()


def _zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("de.txt", content)
    return buffer.getvalue()


def _link(given: Given) -> str | None:
    if given.writes:
        return None
    link = given.home / "links" / given.path.name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(given.path)
    return str(link)


def _dangling(given: Given) -> str:
    link = given.home / "links" / f"dangling{given.path.suffix}"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(given.home / "links" / "nothing")
    return str(link)


def _locked(given: Given) -> str | None:
    """The right thing without permission; a new one in a locked folder."""
    folder = given.home / "locked"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if given.writes:
        folder.chmod(0o500)
        return str(folder / given.path.name)
    path = folder / given.path.name
    if path.is_dir():
        path.chmod(0o700)
        shutil.rmtree(path)
    if given.path.is_dir():
        shutil.copytree(given.path, path)
    else:
        shutil.copyfile(given.path, path)
    path.chmod(0)
    return str(path)


def _other(name: str) -> Callable[[Given], str | None]:
    def make(given: Given) -> str | None:
        return None if name == given.right else str(given.home / name)

    return make


KINDS = [
    Kind("what it takes", lambda x: str(x.path)),
    Kind("`~/...`", lambda x: f"~/{x.right}"),
    Kind("with a slash at its end", lambda x: f"{x.path}/"),
    Kind("a link to it", _link),
    Kind("`file://...`", lambda x: f"file://{x.path}"),
    Kind("empty", lambda x: ""),
    Kind("what is not there",
         lambda x: None if x.writes else f"{x.home}/nothing{x.path.suffix}"),
    Kind("a link to what is not there", _dangling),
    Kind("without permission", _locked),
    Kind("below a file",
         lambda x: f"{x.home / 'empty.txt'}/{x.path.name}"),
    *(Kind(text, _other(name)) for name, text in THINGS.items()),
    Kind("a byte order mark before it", _text(b"\xef\xbb\xbf".__add__)),
    Kind("CRLF for line ends", _text(lambda x: x.replace(b"\n", b"\r\n"))),
    Kind("UTF-16", _text(lambda x: x.decode().encode("utf-16"))),
    Kind("gzip, `.gz`", _text(gzip.compress, ".gz")),
    Kind("bzip2, `.BZ2`", _text(bz2.compress, ".BZ2")),
    Kind("zip, `.zip`", _text(_zipped, ".zip")),
    Kind("gzip under a plain name", _text(gzip.compress)),
    Kind("zip under a plain name", _text(_zipped)),
    Kind("plain text, `.gz`", _text(bytes, ".gz")),
]  # fmt: skip


# What comes before what is accepted; of a permission it goes without saying.
ACCEPTED = "Accepted|Permission denied"


def says_why(
    message: str, given: Any, named: str, accepted: str = ACCEPTED
) -> bool:
    """Whether a refusal tells what was refused, and what is taken instead.

    Args:
        message: all that was said.
        given: what was refused. It must be shown, or of a path the folder that
            it lies in, where that lacks something.
        named: pattern of what the flag or argument is called.
        accepted: pattern of the words before what is taken.
    """
    path = pathlib.PurePath(str(given))
    if path.is_absolute():
        folder = re.escape(str(path.parent))
        # Not of another file in it.
        shown = re.search(rf"{re.escape(str(path))}|{folder}(?![\w/])", message)
    else:
        shown = path.name in message
    found = re.search(named, message) and re.search(accepted, message)
    return bool(shown and found)


def snapshot(home: pathlib.Path) -> dict[str, tuple[int, int]]:
    """Size in bytes and time in nanoseconds of all files; 0 of folders."""
    found = {}
    for folder, _, names in os.walk(home):
        found[folder] = (0, 0)
        for name in names:
            path = os.path.join(folder, name)
            state = os.lstat(path)
            found[path] = (state.st_size, state.st_mtime_ns)
    return found
