"""Checkpoints of a run: whole, checked when read, the newest ones kept.

A checkpoint is one `.npz` file: arrays, and a JSON text of everything else.
Every array carries a check sum, so that half a file is never taken for a
whole one. TensorFlow's own checkpoints hold no position in the data, no
history, and are several files, which are not replaced at one moment.
"""

import contextlib
import json
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from dlfa_tf import files
from dlfa_tf.types import Say

# Folder of the checkpoints in a run folder.
CHECKPOINTS = "checkpoints"
_NAME = re.compile(r"(step|best)-(\d{8})\.npz")
_META = "meta"
# End of the name of a file that could not be read.
_ASIDE = ".broken"


class CheckpointStore:
    """The `checkpoints/` folder of a run, made when the first one is saved.

    `step-N.npz` is what training needs to go on after step N, `best-N.npz` the
    weights of step N that scored best on dev so far. Both are written aside,
    flushed to the disk and renamed. `step-N.npz.broken` is one that could not
    be read, or whose best weights could not. The newest `keep` are kept, and
    besides them the best weights that these refer to.
    """

    def __init__(self, folder: pathlib.Path, keep: int = 2) -> None:
        self.folder = files.user_path(folder, "folder")
        self.keep = keep
        # Best weights that are known to be whole: a file of that name alone
        # may be what made an earlier checkpoint useless.
        self._best_written: int | None = None

    def save(
        self,
        step: int,
        arrays: list[np.ndarray],
        meta: dict[str, Any],
        best: tuple[int, list[np.ndarray]] | None,
    ) -> None:
        """Saves a checkpoint, then deletes those that are no longer kept.

        `arrays` are the state of model and optimizer, `meta` everything else in
        plain values, `best` step and weights of the best dev score. When the
        disk does not take it (OSError), the checkpoints that were there still
        are.
        """
        best_step = None
        if best is not None:
            best_step, weights = best
            if best_step != self._best_written:
                self._write("best", best_step, weights, {"step": best_step})
                self._best_written = best_step
        self._write(
            "step", step, arrays, {**meta, "step": step, "best": best_step}
        )
        self._prune(step)

    def load(
        self,
        say: Say = lambda _: None,
        set_aside: bool = True,
    ) -> tuple[list[np.ndarray], dict[str, Any], list[np.ndarray]] | None:
        """Reads the newest checkpoint that is whole; None when there is none.

        Gives the arrays, the plain values and the best weights (empty when
        there were none yet). `say` is told of every broken one. `set_aside`
        renames these, so that none is taken for a newer one of those to come.
        """
        for step in reversed(self._steps("step")):
            try:
                arrays, meta = self._read("step", step)
                best: list[np.ndarray] = []
                if meta["best"] is not None:
                    best, _ = self._read("best", meta["best"])
            except files.BROKEN_NPZ as error:
                say(
                    f"checkpoint of step {step} cannot be read "
                    f"({type(error).__name__}: {error}); trying the one before"
                )
                if set_aside:
                    self._set_aside(step, say)
                continue
            self._best_written = meta["best"]
            return arrays, meta, best
        return None

    def delete(self) -> None:
        """Deletes all checkpoints, and the folder if nothing else is there."""
        for kind in ("step", "best"):
            for step in self._steps(kind):
                self._path(kind, step).unlink()
        files.remove_unfinished(self.folder)
        if self.folder.is_dir():
            for path in self.folder.glob(f"*.npz{_ASIDE}"):
                path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _path(self, kind: str, step: int) -> pathlib.Path:
        return self.folder / f"{kind}-{step:08d}.npz"

    def _steps(self, kind: str) -> list[int]:
        if not self.folder.is_dir():
            return []
        matches = [_NAME.fullmatch(p.name) for p in self.folder.iterdir()]
        return sorted(int(m[2]) for m in matches if m and m[1] == kind)

    def _write(
        self, kind: str, step: int, arrays: list[np.ndarray], meta: dict
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        files.remove_unfinished(self.folder)
        path = self._path(kind, step)
        text = json.dumps({**meta, "arrays": len(arrays)}).encode()
        named = {f"{i:05d}": array for i, array in enumerate(arrays)}
        named[_META] = np.frombuffer(text, np.uint8)
        try:
            with files.written_aside(path, durable=True) as temporary:
                with temporary.open("wb") as file:
                    np.savez(file, **named)  # type: ignore[arg-type]
        except OSError as error:
            raise OSError(
                f"Checkpoint of step {step} could not be saved in "
                f"{str(self.folder)!r}: {error}. Earlier checkpoints are as "
                f"they were (steps {self._steps('step') or 'none'}); go on "
                "from there with --resume when there is room."
            ) from error

    def _read(self, kind: str, step: int) -> tuple[list[np.ndarray], dict]:
        with self._opened(kind, step) as file:
            meta = json.loads(file[_META].tobytes())
            return [file[f"{i:05d}"] for i in range(meta["arrays"])], meta

    @contextlib.contextmanager
    def _opened(self, kind: str, step: int) -> Iterator[Any]:
        # NumPy itself leaves a file open that turns out to be broken.
        with self._path(kind, step).open("rb") as raw:
            with np.load(raw, allow_pickle=False) as file:
                yield file

    def _prune(self, saved: int) -> None:
        """Deletes what is older than the checkpoints to keep.

        Those of steps above `saved`, the newest one, are from before the run
        went back, and do not count.
        """
        until_now = [s for s in self._steps("step") if s <= saved]
        for step in until_now[: -self.keep]:
            self._path("step", step).unlink()
        wanted = set()
        for step in self._steps("step"):
            try:
                with self._opened("step", step) as file:
                    wanted.add(json.loads(file[_META].tobytes())["best"])
            except files.BROKEN_NPZ:
                continue
        for step in self._steps("best"):
            if step not in wanted:
                self._path("best", step).unlink()

    def _set_aside(self, step: int, say: Say) -> None:
        path = self._path("step", step)
        aside = path.with_name(path.name + _ASIDE)
        os.replace(path, aside)
        say(f"  {path.name} is now {aside.name}")
