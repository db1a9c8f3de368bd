"""Tests of the list of heavy tests, and of the plugin that keeps it."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import heavy_tests
from tests.heavy_tests import HeavyTests

HERE = Path(__file__).parent


def test_every_name_of_the_list_is_there():
    missing = []
    for name in sorted(heavy_tests.read_list()):
        file, _, function = name.partition("::")
        texts = [path.read_text("utf-8") for path in HERE.rglob(file)]
        if not any(re.search(rf"^ *def {function}\(", x, re.M) for x in texts):
            missing.append(name)
    assert missing == []


def test_list_is_sorted_and_names_no_test_twice():
    names = heavy_tests.LIST.read_text().splitlines()
    assert names == sorted(set(names))


def test_some_are_listed_and_this_file_is_not():
    files = {name.partition("::")[0] for name in heavy_tests.read_list()}
    assert "test_train.py" in files
    assert Path(__file__).name not in files


def test_names_have_neither_folder_nor_parameters():
    name = heavy_tests.name_of_test("tests/a/test_b.py::test_c[x/y::z-1]")
    assert name == "test_b.py::test_c"


@pytest.fixture
def item(tmp_path):
    return SimpleNamespace(
        nodeid="tests/test_x.py::test_y[1]",
        path=tmp_path / "test_x.py",
        user_properties=[],
        _request=SimpleNamespace(_fixture_defs={}),
        _fixtureinfo=SimpleNamespace(name2fixturedefs={}),
        get_closest_marker=lambda name: None,
    )


@pytest.fixture
def call(item, monkeypatch):
    """Calls something as a test under a plugin that is not registered."""

    def call(plugin, work):
        # Its own audit hook would stay for good.
        monkeypatch.setattr(plugin, "events", 0)
        hook = plugin.pytest_runtest_call(item)
        next(hook)
        work(plugin)
        try:
            hook.send("result")
        except StopIteration as end:
            return end.value
        raise AssertionError("the hook goes on")

    return call


def make(monkeypatch, listed=(), write=False):
    monkeypatch.setattr(sys, "addaudithook", lambda hook: None)
    return HeavyTests(set(listed), write)


def start(plugin):
    plugin._on_event("subprocess.Popen", ("/usr/bin/python3", ["-c", ""]))


def test_python_in_a_file_without_a_heavy_test_fails(call, item, monkeypatch):
    with pytest.raises(pytest.fail.Exception, match="test_x.py traces.*test_y"):
        call(make(monkeypatch), start)
    assert item.user_properties == [("heavy", "test_x.py::test_y")]


@pytest.mark.parametrize(
    ("listed", "write"),
    [(["test_x.py::test_other"], False), ([], True)],
    ids=["listed file", "new list"],
)
def test_python_elsewhere_is_recorded(call, item, monkeypatch, listed, write):
    assert call(make(monkeypatch, listed, write), start) == "result"
    assert item.user_properties == [("heavy", "test_x.py::test_y")]


@pytest.mark.parametrize("mark", ["slow", "faults", "programs"])
def test_tests_of_other_targets_may_do_anything(call, item, monkeypatch, mark):
    item.get_closest_marker = {mark: object()}.get
    assert call(make(monkeypatch), start) == "result"


def test_other_programs_are_light(call, item, monkeypatch):
    plugin = make(monkeypatch)
    call(plugin, lambda p: p._on_event("subprocess.Popen", ("git", ["git"])))
    assert item.user_properties == []


def test_trace_is_counted(call, item, monkeypatch):
    trace = SimpleNamespace(func_graph_from_py_func=lambda value: value + 1)
    name = "tensorflow.python.framework.func_graph"
    monkeypatch.setitem(sys.modules, name, trace)
    plugin = make(monkeypatch, ["test_x.py::test_y"])
    answers = []
    call(plugin, lambda _: answers.append(trace.func_graph_from_py_func(1)))
    assert answers == [2]
    assert item.user_properties == [("heavy", "test_x.py::test_y")]


def test_new_list_holds_what_was_recorded(monkeypatch, tmp_path):
    monkeypatch.setattr(heavy_tests, "LIST", tmp_path / "list.txt")
    plugin = make(monkeypatch, write=True)
    for name in ("test_b.py::test_c", "test_a.py::fixture"):
        report = SimpleNamespace(when="call", user_properties=[("heavy", name)])
        plugin.pytest_runtest_logreport(report)
    for test, fixture in (("test_d", "fixture"), ("test_e", "light")):
        asked = ("asked", f"test_a.py::{test} test_a.py::{fixture}")
        report = SimpleNamespace(when="call", user_properties=[asked])
        plugin.pytest_runtest_logreport(report)
    plugin.pytest_sessionfinish(SimpleNamespace(config=object()))
    assert heavy_tests.read_list() == {
        "test_a.py::fixture",
        "test_a.py::test_d",
        "test_b.py::test_c",
    }


def test_tests_and_users_of_fixtures_are_marked(request, monkeypatch):
    this = Path(__file__).name
    marked = []
    for listed in (f"{this}::{request.node.name}", "conftest.py::seed", "x::y"):
        plugin = make(monkeypatch, [listed])
        node = SimpleNamespace(
            nodeid=request.node.nodeid,
            _fixtureinfo=request.node._fixtureinfo,
            add_marker=lambda mark, listed=listed: marked.append(listed),
        )
        plugin.pytest_collection_modifyitems([node])
    assert marked == [f"{this}::{request.node.name}", "conftest.py::seed"]
