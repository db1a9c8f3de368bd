"""What form a folder or an archive of an encoder has."""

import dataclasses
import hashlib
import shutil
import zipfile
import zlib
from contextlib import AbstractContextManager
from pathlib import Path

from dlfa_tf import cache_folder
from dlfa_tf.models.presets.checkpoints import config as configs
from dlfa_tf.models.presets.checkpoints import tensors
from dlfa_tf.models.presets.checkpoints.config import CheckpointConfig

HUGGING_FACE = "Hugging Face"
GOOGLE = "Google's TensorFlow"
CONFIG = "config.json"
GOOGLE_CONFIG = "bert_config.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """An encoder in a form other than keras-hub's.

    Attributes:
        folder: where its files are.
        form: `HUGGING_FACE` or `GOOGLE`.
        config: sizes and activation.
    """

    folder: Path
    form: str
    config: CheckpointConfig

    def open(self) -> AbstractContextManager[tensors.Tensors]:
        """Opens its tensors; see `tensors.open_safetensors`."""
        if self.form == GOOGLE:
            return tensors.open_tensorflow(self.folder)
        return tensors.open_safetensors(self.folder)

    def weight_files(self) -> list[Path]:
        """The files that hold the weights."""
        if self.form == GOOGLE:
            prefix = tensors.checkpoint_prefix(self.folder)
            return sorted(self.folder.glob(f"{prefix.name}.data-*"))
        return tensors.weight_files(self.folder)


def find_checkpoint(folder: Path) -> Checkpoint | None:
    """Reads what a folder holds.

    A folder around a single one counts as that one, as archives are unpacked.

    Args:
        folder: folder that is there.

    Returns:
        `Checkpoint`; None when it is no such checkpoint.

    Raises:
        ValueError: for a config that cannot be read or is of another encoder.
    """
    for place in (folder, *_only_subfolder(folder)):
        for name, form in ((CONFIG, HUGGING_FACE), (GOOGLE_CONFIG, GOOGLE)):
            path = place / name
            if not path.is_file():
                continue
            if name == GOOGLE_CONFIG and not list(place.glob("*.ckpt*")):
                # Some keep Google's name beside PyTorch's weights.
                form = HUGGING_FACE
            values = tensors.read_json(path)
            if configs.is_config(values):
                return Checkpoint(
                    folder=place,
                    form=form,
                    config=configs.parse_config(values, path),
                )
    return None


def unpack(archive: Path) -> Path:
    """Unpacks a zip archive into the cache, once.

    Args:
        archive: zip file.

    Returns:
        Folder of what was in it.

    Raises:
        ValueError: for an archive that is no zip, is cut short or damaged.
        OSError: when the cache cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [x for x in packed.infolist() if not x.is_dir()]
            # Names, sizes and sums: the content, without reading it.
            listed = [(x.filename, x.file_size, x.CRC) for x in members]
            tag = hashlib.sha256(repr(listed).encode()).hexdigest()
            return cache_folder.ensure_folder(
                cache_folder.cache_root()
                / "presets"
                / f"{archive.stem}-{tag[:12]}",
                lambda folder: _extract(packed, members, folder),
                tag=tag,
                needed_bytes=sum(x.file_size for x in members),
            )
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{archive} is no complete zip archive ({error}). Received: "
            f"{archive.stat().st_size} bytes. Accepted: an archive as Google "
            "ships it, multi_cased_L-12_H-768_A-12.zip; was the download cut "
            "short?"
        ) from error


def _extract(
    packed: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path
) -> None:
    """Writes all files side by side: what is packed is one folder."""
    for member in members:
        target = folder / Path(member.filename).name
        if target.exists():
            raise zipfile.BadZipFile(
                f"two files are called {target.name}: more than one folder"
            )
        with packed.open(member) as source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 22)


def _only_subfolder(folder: Path) -> list[Path]:
    found = [
        x.parent
        for name in (CONFIG, GOOGLE_CONFIG)
        for x in folder.glob(f"*/{name}")
    ]
    return found if len(found) == 1 else []
