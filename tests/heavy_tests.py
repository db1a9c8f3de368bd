"""Which tests are heavy: `make test-fast` leaves them out.

Heavy is what traces a function of TensorFlow, starts Python, or takes 0.2
seconds, in a test or in a fixture. heavy_tests.txt lists their names, file by
file; `make heavy-tests` runs all tests and writes it anew. Every run keeps
the list honest: a test fails that traces or starts Python in a file of which
nothing is listed.
"""

import functools
import pathlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

LIST = pathlib.Path(__file__).parent / "heavy_tests.txt"
SECONDS = 0.2
WRITE = "--write-heavy-tests"


class HeavyTests:
    """Plugin of pytest that marks, records and checks.

    Args:
        listed: set of names `file.py::test` and `file.py::fixture`.
        write: bool, whether to write the list anew at the end.
    """

    def __init__(self, listed: set[str], write: bool) -> None:
        self.listed = listed
        self.files = {name.partition("::")[0] for name in listed}
        self.write = write
        self.found: set[str] = set()
        # Pairs of a test and of a fixture that it asked for as it ran.
        self.asked: set[tuple[str, str]] = set()
        # What the fixtures of the present test have added.
        self.of_fixtures: list[str] = []
        self.events = 0
        self.patched = False
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple) -> None:
        if event == "subprocess.Popen" and "python" in str(arguments[:2]):
            self.events += 1

    def _count_traces(self) -> None:
        """Counts calls of the function through which all tracing goes."""
        name = "tensorflow.python.framework.func_graph"
        module = sys.modules.get(name)
        if module is None or self.patched:
            return
        self.patched = True
        trace = module.func_graph_from_py_func

        @functools.wraps(trace)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.events += 1
            return trace(*args, **kwargs)

        module.func_graph_from_py_func = counted

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if not self.listed.isdisjoint(names_of(item)):
                item.add_marker("heavy")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        self._count_traces()
        events, began = self.events, time.monotonic()
        result = yield
        if self.events > events or time.monotonic() - began > SECONDS:
            self.of_fixtures.append(name_of_fixture(fixturedef))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._count_traces()
        events, began = self.events, time.monotonic()
        result = yield
        names = self.of_fixtures
        self.of_fixtures = []
        worked = self.events > events
        if worked or time.monotonic() - began > SECONDS:
            names.append(name_of_test(item.nodeid))
        item.user_properties += [("heavy", name) for name in names]
        item.user_properties += [
            ("asked", f"{name_of_test(item.nodeid)} {name}")
            for name in map(name_of_fixture, fixtures_of(item))
            if name not in names_of(item)
        ]
        file = item.path.name
        # `make test-fast` leaves these out anyway.
        marks = ("slow", "faults", "programs")
        apart = any(map(item.get_closest_marker, marks))
        if worked and not (apart or self.write or file in self.files):
            pytest.fail(
                f"{file} traces functions of TensorFlow or starts Python, and "
                f"{LIST.name} has no test of it. Accepted: other means, or "
                f"{name_of_test(item.nodeid)!r} in the list."
            )
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.found |= {v for k, v in report.user_properties if k == "heavy"}
            self.asked |= {
                tuple(v.split())
                for k, v in report.user_properties
                if k == "asked"
            }

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.write and not hasattr(session.config, "workerinput"):
            users = {test for test, name in self.asked if name in self.found}
            names = sorted(self.found | users)
            LIST.write_text("".join(f"{name}\n" for name in names))


def name_of_test(nodeid: str) -> str:
    """`file.py::test` without folder and parameters, as the list has it."""
    without = re.sub(r"\[.*", "", nodeid, flags=re.DOTALL)
    return without.rsplit("/", 1)[-1]


def name_of_fixture(fixturedef: Any) -> str:
    """`file.py::fixture`, of the file that defines it."""
    file = pathlib.Path(fixturedef.func.__code__.co_filename).name
    return f"{file}::{fixturedef.argname}"


def fixtures_of(item: pytest.Item) -> list[Any]:
    """Fixtures that a test has had, those that it named in its body, too."""
    return list(item._request._fixture_defs.values())


def names_of(item: pytest.Item) -> set[str]:
    """Names of a test and of the fixtures that it asks for."""
    definitions = item._fixtureinfo.name2fixturedefs.values()
    return {
        name_of_test(item.nodeid),
        *(name_of_fixture(d) for found in definitions for d in found),
    }


def read_list() -> set[str]:
    """Names in heavy_tests.txt; none where the file is missing."""
    return set(LIST.read_text().split()) if LIST.is_file() else set()
