"""The one rule for tests."""

load("@rules_python//python:py_test.bzl", "py_test")

def pytest_tests(srcs, deps = [], data = [], size = "medium", tags = []):
    """Makes a test of each file, run by pytest and named after the file.

    Pytest itself and the `conftest.py` of tests/ and of the folder come along.

    Args:
        srcs: the test files.
        deps: what they import, and the programs they start.
        data: the files they read.
        size: "small" for tests that import neither Keras nor TensorFlow.
        tags: as in other rules.
    """
    common = ["//tests:conftest", "@pip_dev//pytest"]
    is_top = native.package_name() == "tests"
    if not is_top and native.glob(["conftest.py"], allow_empty = True):
        common.append(":conftest")
    for src in srcs:
        py_test(
            name = src[:-len(".py")],
            size = size,
            srcs = [
                src,
                "//tools:run_pytest.py",
            ],
            args = ["$(location %s)" % src],
            data = data + ["//:pyproject.toml"],
            main = "//tools:run_pytest.py",
            tags = tags,
            deps = deps + common,
        )
