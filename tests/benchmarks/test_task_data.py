"""Which data the benchmarks run on."""

import pytest
from absl import flags

from benchmarks import task_data


@pytest.mark.parametrize("folder", [None, "given"])
def test_source_follows_the_flag(tmp_path, folder):
    (tmp_path / "panx").mkdir()
    before = set(flags.FLAGS)
    try:
        task_data.define_flags()
        given = [] if folder is None else [f"--data_dir={tmp_path}"]
        flags.FLAGS(["benchmark", *given])
        source = task_data.source("ner")
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
    if folder is None:
        assert source.name == "sample"
    else:
        assert (source.name, source.folder) == ("files", tmp_path / "panx")
