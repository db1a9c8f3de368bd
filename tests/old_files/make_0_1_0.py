"""Made 0.1.0.tar.xz: what programs of version 0.1.0 (revision ad6cbdc) wrote.

Run in a checkout of that revision: `python make_0_1_0.py FOLDER`, then
`tar -cJf 0.1.0.tar.xz *` in the folder, without its `*/logs`.
"""

import contextlib
import json
import os
import sys

import numpy as np

from dlfa_tf.serving import export_saved_model
from dlfa_tf.training import bundle_run
from dlfa_tf.training import loop
from dlfa_tf.training.bundle import make_bundle
from dlfa_tf.training.bundle import read_bundle
from dlfa_tf.training.config import default_config
from dlfa_tf.training.interruption import StopRequest
from dlfa_tf.training.interruption import TrainingInterrupted
from dlfa_tf.training.model_files import load_model

TEXTS = ["the cat sees a dog", "birds sing"]


def config(folder):
    return default_config(
        "pos",
        output_dir=folder,
        data_source="sample",
        preset="tiny",
        fusion_layer=1,
        norm="batch",
        epochs=1,
        batch_size=8,
        learning_rate=1e-2,
        train_limit=32,
        eval_limit=4,
        languages=("zh", "en"),
        dev_every=2,
        checkpoint_minutes=0.0,
    )


class StopAt(StopRequest):
    """Asks to stop before the step after `step`."""

    def __init__(self, step):
        self.left = step
        super().__init__()

    @property
    def asked(self):
        self.left -= 1
        return self.left < 0

    @asked.setter
    def asked(self, value):
        pass


os.chdir(sys.argv[1])
loop.run(config("finished"), verbose=0)
really = loop.stop_on_sigterm
loop.stop_on_sigterm = lambda: contextlib.nullcontext(StopAt(2))
with contextlib.suppress(TrainingInterrupted):
    loop.run(config("begun"), verbose=0)
loop.stop_on_sigterm = really
make_bundle(config(""), "pos.bundle", "float32")
bundle_run.run_bundle(config("on_bundle"), read_bundle("pos.bundle"), verbose=0)
model = load_model("finished")
model.save("model.keras")
np.save("predicted.npy", model.predict(TEXTS))
with open("texts.json", "w") as file:
    json.dump(TEXTS, file)
export_saved_model(model, "exported", 1, max_batch_size=2)
