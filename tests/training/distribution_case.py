"""Trains some steps under a strategy; started in a process of its own.

    python distribution_case.py STRATEGY FOLDER [norm=batch] [more settings]

Writes FOLDER/outcome-INDEX.json with losses, gradient norms, the number of
traces, a sum over the weights and the seeds of dropout on each replica.
"""

import json
import os
import pathlib
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf

if sys.argv[1] == "mirrored":
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )

import keras
import numpy as np

from dlfa_tf.runs.settings import default_config
from dlfa_tf.runs.workers import cluster_from_environment
from dlfa_tf.training.distribution import make_strategy
from dlfa_tf.training.engine import Engine
from dlfa_tf.training.fine_tuning import FineTuning
from dlfa_tf.training.inputs import build_for_training
from dlfa_tf.training.interruption import TrainingInterrupted
from dlfa_tf.training.preparing import read_data
from dlfa_tf.training.step_tensorflow import TensorFlowStep


def main():
    name, folder, *more = sys.argv[1:]
    changes = dict(item.split("=") for item in more)
    strategy = make_strategy(name, peer_timeout=60.0)
    cluster = cluster_from_environment()
    index = cluster.index if cluster else 0
    config = default_config(
        "pos",
        output_dir=folder,
        data_source="sample",
        preset="tiny",
        fusion_layer=1,
        norm=changes.get("norm", "layer"),
        epochs=2,
        batch_size=8,
        learning_rate=1e-2,
        # Far below the norms that occur: clipping takes part.
        clip_norm=0.5,
        # A last batch of one row.
        train_limit=25,
        eval_limit=4,
        languages=("en",),
        dev_every=100,
        checkpoint_minutes=60.0,
    )
    keras.utils.set_random_seed(1)
    model, prepared = build_for_training(config, read_data(config), strategy)
    if changes.get("dropout") != "keep":
        # Replicas draw other masks than one device does.
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
    engine = Engine(
        config,
        model,
        FineTuning(config, model, prepared),
        strategy=strategy,
        is_chief=index == 0,
        verbose=0,
    )
    steps = []
    really = TensorFlowStep.__call__

    def recording(step, *arguments):
        values = really(step, *arguments)
        steps.append(values.on_host())
        if changes.get("die_at") == str(len(steps)) and index == 1:
            os._exit(9)
        if changes.get("stop_at") == str(len(steps)) and index == 1:
            engine.stop.asked = True
        return values

    TensorFlowStep.__call__ = recording
    outcome = {}
    try:
        training = engine.run(pathlib.Path(folder))
        outcome["dev_score"] = training["dev_score"]
    except TrainingInterrupted as interruption:
        outcome["interrupted"] = str(interruption)
    except ConnectionError as error:
        outcome["lost"] = str(error)
    copies = strategy.experimental_local_results if strategy else lambda x: (x,)
    seeds = [
        [copy.numpy().tolist() for copy in copies(v.value)]
        for v in model.variables
        if v.path.endswith("seed_generator_state")
    ]
    outcome.update(
        losses=[x.loss for x in steps],
        norms=[x.gradient_norm for x in steps],
        traces=engine.step.traces,
        weights=[float(np.abs(w).sum()) for w in model.get_weights()],
        seeds=seeds,
    )
    if index == 0:
        # Longer than the others' heartbeat is waited for, if asked to.
        time.sleep(float(changes.get("linger", 0)))
        outcome["lingered"] = float(tf.reduce_sum(tf.ones([2])))
    path = pathlib.Path(folder) / f"outcome-{index}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
