"""Feeds the parsers with what Atheris finds by watching which lines run.

python -m tests.fuzz.with_atheris [-runs=N] [-max_total_time=SECONDS] [FOLDER]

Needs `pip install atheris`, which is not pinned: it has no wheels for all
supported Pythons. The first byte of an input chooses the parser. FOLDER keeps
what was found to be of interest.
"""

import pathlib
import sys
import time

import atheris

with atheris.instrument_imports(include=["dlfa_tf"]):
    from tests.fuzz.parsers import PARSERS
    from tests.fuzz.parsers import SEEDS

NAMES = sorted(PARSERS)
PER_MEGABYTE = 1.0
LEAST = 0.5


def one_input(data: bytes) -> None:
    if not data:
        return
    name = NAMES[data[0] % len(NAMES)]
    began = time.process_time()
    PARSERS[name](data[1:])
    seconds = time.process_time() - began
    if seconds > max(LEAST, PER_MEGABYTE * len(data) / 1e6):
        raise RuntimeError(f"{name}: {seconds:.2f} s for {len(data)} bytes")


def write_seeds(folder: pathlib.Path) -> None:
    """What is right, for every parser, for Atheris to begin with."""
    for number in range(len(NAMES)):
        for name, seed in SEEDS.items():
            (folder / f"{number}-{name}").write_bytes(bytes([number]) + seed)


def main() -> None:
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            write_seeds(pathlib.Path(argument))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
