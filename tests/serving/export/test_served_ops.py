"""Tests of the list of the server's ops."""

import json
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from dlfa_tf.serving.export.served_ops import TEXT_OPS
from dlfa_tf.serving.export.served_ops import served_ops

PACKAGES = pathlib.Path(tf.__file__).parents[1]
# Asks TensorFlow's C library what it knows before and after it loads
# TensorFlow Text; in a process of its own, because a library stays loaded.
LIST_OPS = """
import ctypes, json, pathlib, sys
import tensorflow
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session as session

def names():
    buffer = session.TF_GetBuffer(session.TF_GetAllOpList())
    return sorted(op.name for op in op_def_pb2.OpList.FromString(buffer).op)

before = names()
import tensorflow_text
print(json.dumps([before, names()]))
"""


@pytest.mark.slow
def test_list_is_that_of_the_installed_libraries():
    done = subprocess.run(
        [sys.executable, "-c", LIST_OPS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    core, both = map(set, json.loads(done.stdout))
    assert both - core == TEXT_OPS
    assert served_ops() - TEXT_OPS <= core


def test_ops_of_other_libraries_are_not_listed():
    ops = served_ops()
    assert {"MatMul", "EnsureShape", "TFText>RoundRobinTrim"} <= ops
    assert "SentencepieceEncodeSparse" not in ops
