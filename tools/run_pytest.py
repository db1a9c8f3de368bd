"""Hands the files it is given to pytest, as `bazel test` needs a program."""

import os
import sys

import pytest

if __name__ == "__main__":
    report = os.environ.get("XML_OUTPUT_FILE")
    flags = [f"--junitxml={report}"] if report else []
    # What is tested lies there read-only.
    flags += ["-p", "no:cacheprovider"]
    raise SystemExit(pytest.main([*flags, *sys.argv[1:]]))
