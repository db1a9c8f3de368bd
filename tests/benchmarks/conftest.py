"""Calls of the benchmarks, tiny."""

import json

import pytest
from absl import flags


@pytest.fixture
def lines_of(tmp_path):
    """Calls a benchmark in this process; returns what it wrote."""

    def call(module, *arguments):
        path = tmp_path / "lines.jsonl"
        before = set(flags.FLAGS)
        try:
            module.define_flags()
            flags.FLAGS(["benchmark", f"--output_file={path}", *arguments])
            module.main()
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
        return [json.loads(x) for x in path.read_text("utf-8").splitlines()]

    return call
