"""Archives in a folder -> sets of TensorFlow Datasets, without a network.

TFDS' own preparation tries the network first and, where there is none, waits
for minutes. Here its download manager takes archives from a folder and raises
for one that is not there.
"""

import os
import pathlib
import shutil
import urllib.parse
from collections.abc import Sequence
from typing import Any

from dlfa_tf import files
from dlfa_tf.data import tfds
from dlfa_tf.data.task import Task
from dlfa_tf.types import Say


def prepare_tfds(
    task: Task,
    languages: Sequence[str],
    data_dir: str | os.PathLike[str],
    manual_dir: str | os.PathLike[str],
    say: Say = lambda _: None,
) -> None:
    """Prepares the sets of a task from archives that were fetched by hand.

    What is prepared already stays as it is. Archives are taken by the names
    they have at their source (`XNLI-1.0.zip`, `x-final.tar.gz`, ...); TFDS
    checks the sums of those it knows. `languages` are those to evaluate on;
    training data are prepared for English. `say` receives one-line messages.

    FileNotFoundError names the archive and where it comes from, ValueError one
    that is not what TFDS knows.
    """
    archives = files.user_path(manual_dir, "manual_dir")
    data_dir = files.user_path(data_dir, "data_dir")
    if not archives.is_dir():
        raise FileNotFoundError(
            f"`manual_dir` does not exist. Received: {str(manual_dir)!r}. "
            "Accepted: a folder that holds the archives of the task."
        )
    names = [tfds.builder_name(task, "train", "en")]
    names += [
        tfds.builder_name(task, "test", language) for language in languages
    ]
    for name in dict.fromkeys(names):
        if tfds.prepared_folder(data_dir, name) is None:
            say(f"preparing {name}")
            _prepare(name, data_dir, archives)


def _prepare(
    name: str, data_dir: str | os.PathLike[str], manual_dir: pathlib.Path
) -> None:
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    downloads = pathlib.Path(data_dir) / "downloads"
    is_new = not pathlib.Path(data_dir).exists()
    manager = _offline_manager_class()(
        download_dir=downloads,
        # Of the archives in this folder only: others of the same name may
        # have been unpacked before.
        extract_dir=downloads / "extracted" / _folder_key(manual_dir),
        manual_dir=manual_dir,
        url_infos=builder.url_infos,
        dataset_name=builder.name,
    )
    # TFDS has no option that forbids downloads.
    builder._make_download_manager = lambda **_: manager
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
    except tfds.core.download.download_manager.NonMatchingChecksumError as e:
        raise ValueError(
            f"An archive for {name!r} in {str(manual_dir)!r} is not the one "
            f"that TensorFlow Datasets knows: {e}"
        ) from e
    except OSError:
        # Nothing but folders of TFDS, unless it has unpacked something.
        unpacked = (downloads / "extracted").rglob("*")
        if is_new and not any(path.is_file() for path in unpacked):
            files.remove(pathlib.Path(data_dir))
        raise


def _folder_key(folder: pathlib.Path) -> str:
    return urllib.parse.quote(str(folder.resolve()), safe="")[-100:]


def _offline_manager_class() -> Any:
    """A class of TFDS, which is imported only when it is needed."""
    import promise
    import tensorflow_datasets as tfds
    from etils import epath

    class OfflineManager(tfds.download.DownloadManager):
        """Takes archives from the manual folder, downloads nothing.

        Its base finds an archive there when a sum is known for its address;
        the others arrive at `_download`, which is replaced.
        """

        def _download(self, resource: Any) -> Any:
            known = self._url_infos.get(resource.url)
            address = urllib.parse.urlsplit(resource.url)
            file_name = (known and known.filename) or pathlib.PurePosixPath(
                address.path
            ).name
            path = epath.Path(self._manual_dir) / file_name
            if path.exists():
                return promise.Promise.resolve(path)
            raise FileNotFoundError(
                f"The archive {file_name!r} is missing in `manual_dir`. "
                f"Received: {str(self._manual_dir)!r}. Accepted: a folder that "
                f"holds it; it comes from {resource.url} and is not downloaded "
                "by this program."
            )

        def _extract(self, resource: Any) -> Any:
            return super()._extract(resource).then(_drop_foreign_treebanks)

    return OfflineManager


def _drop_foreign_treebanks(unpacked: Any) -> Any:
    """Removes the treebanks that xtreme_pos would take in by mistake.

    It looks for folders named `*_Greek*`, which finds UD_Ancient_Greek as
    well; so it is with Classical Chinese, Old French, Old Russian, Swiss
    German and with Hindi mixed with English. XTREME goes by language codes.
    None of its languages has a name of two words.
    """
    for folder in pathlib.Path(unpacked).glob("ud-treebanks-*/UD_*"):
        if "_" in folder.name.removeprefix("UD_").partition("-")[0]:
            shutil.rmtree(folder)
    return unpacked
