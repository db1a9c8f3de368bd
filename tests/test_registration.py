"""A saved model loads after `import dlfa_tf`, in a process that did no more."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlfa_tf import DLFATextClassifier
from dlfa_tf import registration

ROOT = Path(__file__).resolve().parents[1]
IDS = [[2, 7, 9, 3], [2, 8, 3, 0]]
INPUTS = {
    "token_ids": np.array(IDS),
    "segment_ids": np.zeros((2, 4), "int32"),
    "padding_mask": np.array(IDS) > 0,
}
LOADING = f"""
import gc
import numpy as np
assert gc.isenabled()
ids = np.array({IDS})
x = dict(token_ids=ids, segment_ids=0 * ids, padding_mask=ids > 0)
model = keras.models.load_model("m.keras")
print(keras.ops.convert_to_numpy(model(x)).tolist())
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of a model of token ids, and its answers."""
    folder = tmp_path_factory.mktemp("saved")
    model = DLFATextClassifier.from_preset(
        "tiny", fusion_layer=1, num_classes=2, preprocessor=None
    )
    model.save(folder / "m.keras")
    model.save_to_preset(str(folder / "preset"))
    return folder, np.asarray(model(INPUTS)).tolist()


def run(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.programs
@pytest.mark.parametrize(
    "imports",
    [
        "import dlfa_tf, keras",
        "import keras, dlfa_tf",
        "import dlfa_tf.layers, keras",
    ],
)
def test_saved_model_loads_in_a_new_process(saved, imports):
    folder, expected = saved
    found = json.loads(run(f"{imports}\n{LOADING}", folder))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.programs
def test_saved_preset_is_read_by_keras_hub_in_a_new_process(saved):
    code = "import dlfa_tf, keras_hub\n"
    code += "model = keras_hub.models.Backbone.from_preset('./preset')\n"
    code += "print(type(model).__module__, model.fusion_layer)"
    assert run(code, saved[0]) == "dlfa_tf.models.dlfa_backbone 1"


def test_import_alone_does_not_wait_for_keras():
    code = "import sys, dlfa_tf; print('keras' in sys.modules)"
    assert run(code, ROOT) == "False"


@pytest.mark.parametrize("on", [True, False])
def test_search_for_garbage_is_left_as_it_was(on):
    try:
        if not on:
            gc.disable()
        # One watched module imports another.
        with registration._no_search_for_garbage():
            with registration._no_search_for_garbage():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert gc.isenabled() is on
    finally:
        gc.enable()
