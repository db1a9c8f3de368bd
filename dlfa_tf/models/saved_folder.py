"""A folder that a model is saved in: whole, or as it was before."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

from dlfa_tf import files
from dlfa_tf import manifest


@contextlib.contextmanager
def written(folder: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a folder to write to, which becomes `folder` in the end.

    A manifest is added. What is in an existing folder stays, but for files of
    the same names; until all are replaced, its manifest says that it is not
    finished. A folder that is itself written aside is yielded as it is.

    Raises:
        OSError: when the disk does not take it; `folder` is as it was then,
            or says of itself that it is not finished.
    """
    path = files.user_path(folder, "preset_dir").absolute()
    if files.is_unfinished(path):
        yield path
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.removed_in_the_end(path) as temporary:
            yield temporary
            manifest.write(temporary)
            if path.is_dir():
                _move_into(temporary, path)
            else:
                os.replace(temporary, path)
    except OSError as error:
        raise OSError(
            error.errno or 0,
            f"The model could not be saved in {str(path)!r}: {error}. What "
            "was there before is kept. Accepted: a folder that can be "
            "written, with enough free space; then save once more",
        ) from error


def _move_into(source: pathlib.Path, target: pathlib.Path) -> None:
    """Moves all files of a folder into another one, the manifest last."""
    manifest.write_unfinished(target)
    found = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for path in sorted(found, key=lambda path: path.name == manifest.NAME):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
