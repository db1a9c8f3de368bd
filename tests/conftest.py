"""What every test shares: a quiet, seeded process and a few folders."""

import gc
import os
import random
import re
import shutil
import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest

from tests import eager_mode
from tests import heavy_tests

ROOT = Path(__file__).resolve().parents[1]
SEED = 20211


def _limit_threads() -> None:
    """Gives each pytest-xdist worker its share of the cores."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    for name in (
        "OMP_NUM_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    ):
        os.environ.setdefault(name, threads)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        heavy_tests.WRITE,
        action="store_true",
        help="write tests/heavy_tests.txt anew; wants a run of all tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Sets what TensorFlow and Keras read from the environment on import."""
    _limit_threads()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("MPLBACKEND", "Agg")
    write = config.getoption(heavy_tests.WRITE)
    config.pluginmanager.register(
        heavy_tests.HeavyTests(heavy_tests.read_list(), write)
    )
    # A GPU is shown only to a run that asks for it: `pytest -m gpu`.
    if not re.search(r"(?<!not )\bgpu\b", config.option.markexpr or ""):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Leaves what the imports make out of all searches for garbage.

    Keras searches whenever a layer is quantised, and half a second goes into
    the objects of TensorFlow's modules.
    """
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.fixture(autouse=True)
def seed() -> int:
    """Seeds every generator that is loaded; tests may pass the value on."""
    random.seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(SEED)
    return SEED


@pytest.fixture
def eager() -> Iterator[None]:
    """Runs `tf.function`s as Python: tracing takes longer than tiny runs."""
    with eager_mode.eagerly():
        yield


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[Path], None]], Path]:
    """`made_once(name, make)`: a folder that one of all processes makes.

    The others wait for it and read what is in it.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def made_once(name: str, make: Callable[[Path], None]) -> Path:
        folder = base / "shared" / name
        done = folder.with_name(f"{folder.name}.done")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
            if not done.exists():
                # What a test process that was killed has left.
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return made_once


@pytest.fixture
def tmp_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the test's process uses as its cache."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("DLFA_TF_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_data_dir() -> Path:
    """Folder of real benchmark files, where the machine has one.

    Taken from the environment variable DLFA_TF_BENCHMARK_DATA or, where that
    is unset, from `../shared/data` beside the checkout.
    """
    named = os.environ.get("DLFA_TF_BENCHMARK_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"no benchmark data: {folder} is not a folder "
            "(set DLFA_TF_BENCHMARK_DATA)"
        )
    return folder


@pytest.fixture
def tiny_settings(tmp_path: Path) -> dict[str, Any]:
    """Arguments of `default_config` for a run of some steps."""
    return {
        "task": "pos",
        "output_dir": str(tmp_path / "run"),
        "data_source": "sample",
        "preset": "tiny",
        "fusion_layer": 1,
        "epochs": 1,
        "batch_size": 8,
        "learning_rate": 1e-2,
        "train_limit": 32,
        "eval_limit": 4,
        "languages": ("zh", "en"),
    }
