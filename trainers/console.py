"""The programs as commands: `dlfa-train` is `python -m trainers.train`."""

import importlib

from trainers import common_flags

# Those that need the clone are not here.
PROGRAMS = (
    "adapt",
    "analyze",
    "completion",
    "evaluate",
    "export",
    "predict",
    "prepare",
    "show",
    "sweep",
    "train",
)


def _run(program: str) -> None:
    module = importlib.import_module(f"trainers.{program}")
    module.define_flags()
    common_flags.run_program(module.main, module.FIRST)


def adapt() -> None:
    _run("adapt")


def analyze() -> None:
    _run("analyze")


def completion() -> None:
    _run("completion")


def evaluate() -> None:
    _run("evaluate")


def export() -> None:
    _run("export")


def predict() -> None:
    _run("predict")


def prepare() -> None:
    _run("prepare")


def show() -> None:
    _run("show")


def sweep() -> None:
    _run("sweep")


def train() -> None:
    _run("train")
