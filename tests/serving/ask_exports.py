"""Asks exports with nothing but TensorFlow and TensorFlow Text.

Standard input: JSON list of `[folder, signature, {input: nested strings}]`;
invalid UTF-8 as surrogates. Standard output: JSON of `answers`, one per
request (`{output: nested values}`), and of `modules`, the top-level modules
that were loaded.
"""

import json
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers the tokenizer's ops


def as_bytes(value):
    if isinstance(value, list):
        return [as_bytes(item) for item in value]
    return value.encode("utf-8", "surrogateescape")


def as_text(value):
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def main():
    loaded = {}
    answers = []
    for folder, name, inputs in json.load(sys.stdin):
        if folder not in loaded:
            loaded[folder] = tf.saved_model.load(folder)
        tensors = {k: tf.constant(as_bytes(v)) for k, v in inputs.items()}
        answer = loaded[folder].signatures[name](**tensors)
        answers.append(
            {k: as_text(v.numpy().tolist()) for k, v in answer.items()}
        )
    modules = sorted({name.split(".")[0] for name in sys.modules})
    json.dump({"answers": answers, "modules": modules}, sys.stdout)


if __name__ == "__main__":
    main()
