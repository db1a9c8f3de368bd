"""What the benchmarks share: repeats, spread, and lines that say with what.

Cases that are to be compared run in turn, one repeat of each after the other,
there and back, so that a machine that others use as well disturbs all of them
alike, and none always follows the one that empties the caches. Compare cases of
one run; seconds of different runs or machines mean little.
"""

import json
import os
import pathlib
import statistics
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags

from dlfa_tf import files
from dlfa_tf.runs import environment


def define_repeats_flag(repeats: int = 5) -> None:
    """Defines `--repeats`, by default `repeats`."""
    flags.DEFINE_integer(
        "repeats", repeats, "Timed calls of every case.", lower_bound=1
    )


def define_output_flag() -> None:
    """Defines `--output_file`."""
    flags.DEFINE_string(
        "output_file",
        None,
        "File for one JSON line per case; must not exist. They are printed, "
        "too.",
    )


def time_interleaved(
    cases: Mapping[str, Callable[[], Any]],
    *,
    repeats: int,
    warmups: int = 1,
) -> dict[str, list[float]]:
    """Times functions in turn, there and back: a, b, b, a, a, b, ...

    Args:
        cases: functions by name.
        repeats: int, timed calls of each.
        warmups: int, calls of each beforehand that are not timed (the first
            ones trace and compile).

    Returns:
        dict from name to the seconds of every timed call, in order.
    """
    for _ in range(warmups):
        for function in cases.values():
            function()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for _ in range(repeats):
        for name in order:
            started = time.perf_counter()
            cases[name]()
            seconds[name].append(time.perf_counter() - started)
        order.reverse()
    return seconds


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Median, lowest, highest and number of some measured values.

    Raises:
        ValueError: when there are none.
    """
    if not values:
        raise ValueError("`values` is empty. Accepted: one or more.")
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "repeats": len(values),
    }


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> dict:
    """Spread of the ratios of two cases, repeat by repeat.

    Args:
        numerator: values of one case, as `time_interleaved` returns them.
        denominator: values of the other, as many.

    Returns:
        What `spread` returns, of the quotients.

    Raises:
        ValueError: when the numbers of repeats differ.
    """
    pairs = zip(numerator, denominator, strict=True)
    return spread([a / b for a, b in pairs])


def median_interval(values: Sequence[float]) -> dict[str, float | int]:
    """Median with the 95 % interval that 2,000 draws of the values give it.

    Args:
        values: what was measured, in any unit; draws are of as many, with
            replacement, and the same in every process.

    Returns:
        What `spread` returns, with the ends of the interval as `low` and
        `high` in place of the lowest and highest value.

    Raises:
        ValueError: when there are none.
    """
    found = spread(values)
    generator = np.random.default_rng(0)
    drawn = generator.choice(np.asarray(values), (2000, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return {**found, "low": float(low), "high": float(high)}


class Report:
    """Collects the lines of one benchmark.

    Args:
        benchmark: str, name of the benchmark.
        output_file: str or None; see `define_output_flag`.

    Raises:
        FileExistsError: when the file exists.
    """

    def __init__(self, benchmark: str, output_file: str | None = None) -> None:
        self.path = None if output_file is None else pathlib.Path(output_file)
        if self.path is not None and self.path.exists():
            raise FileExistsError(
                f"`output_file` exists. Received: {output_file!r}. Accepted: "
                "the path of a new file."
            )
        self.benchmark = benchmark
        self.lines: list[str] = []
        self._environment = environment.describe_environment()

    def add(self, case: str, **values: Any) -> dict[str, Any]:
        """Prints a case and keeps it.

        Args:
            case: str, name of the case.
            **values: what was measured; names end in their unit.

        Returns:
            The content of the line: the values, the load of the machine (of
            the last minute, beside this process), the peak memory of the
            process so far, versions and hardware.
        """
        record = {
            "benchmark": self.benchmark,
            "case": case,
            **values,
            "machine_load": round(os.getloadavg()[0], 2),
            "peak_memory_bytes": environment.peak_memory_bytes(),
            "environment": self._environment,
        }
        self.lines.append(json.dumps(record, ensure_ascii=False))
        shown = {k: v for k, v in record.items() if k != "environment"}
        print(json.dumps(shown, ensure_ascii=False), flush=True)
        return record

    def write(self) -> None:
        """Writes the lines to the file, when there is one."""
        if self.path is not None:
            files.write_text(
                self.path, "".join(f"{line}\n" for line in self.lines)
            )
