"""What is saved, in every form, and what a user writes to load it elsewhere.

python -m tests.saved_forms make FOLDER [NAME...]   saves models
python -m tests.saved_forms load FOLDER [NAME...]   prints what differs, as JSON

`make` saves by public names only, with the answers beside. `load` runs for each
form the shortest program a user would write, in a process of its own that has
not seen this package: a fork of one that has imported Keras and TensorFlow
only, which saves six seconds each. Without names, all forms.
"""

import json
import os
import pathlib
import sys
import traceback
from typing import Any

TEXTS = ["the cat sees a dog", "birds sing"]
SECONDS = ["a cat", "nobody hears it now"]
TAGS = ["A", "B", "C"]
ANSWERS = ["no", "yes"]
# float32, in another order on another processor.
TOLERANCE = 1e-4

_NEW_TAGGER = (
    "import dlfa_tf\n"
    "model = dlfa_tf.DLFATokenClassifier.from_preset(\n"
    "    'tiny', fusion_layer=1, labels=['A', 'B', 'C'], sequence_length=16)\n"
)
_NEW_CLASSIFIER = (
    "import dlfa_tf\n"
    "model = dlfa_tf.DLFATextClassifier.from_preset(\n"
    "    'tiny_sentencepiece', fusion_layer=2, pooling='mean',\n"
    "    labels=['no', 'yes'], sequence_length=16)\n"
)
_KERAS = "import dlfa_tf, keras\nmodel = keras.models.load_model('{path}')\n"
_HUB = (
    "import dlfa_tf, keras_hub\n"
    "backbone = keras_hub.models.Backbone.from_preset('{path}')\n"
    "model = dlfa_tf.DLFATokenClassifier.from_preset('{path}')\n"
    "model.backbone.set_weights(backbone.get_weights())\n"
)
_TAGGER = (
    "from dlfa_tf import DLFATokenClassifier\n"
    "model = DLFATokenClassifier.from_preset('{path}')\n"
)
_CLASSIFIER = (
    "from dlfa_tf import DLFATextClassifier\n"
    "model = DLFATextClassifier.from_preset('{path}')\n"
)
_RUN = (
    "from dlfa_tf.runs.load import load_model\nmodel = load_model('{path}')\n"
)
_PREDICT = "found = model.predict(texts, verbose=0)\n"
_PREDICT_PAIRS = "found = model.predict((texts, seconds), verbose=0)\n"
_EXPORT = (
    "from dlfa_tf.serving import Client\n"
    "client = Client.of_export('{path}/1')\n"
)
_CLIENT_TAG = (
    "found = [[[w.tag, w.score] for w in words] for words in client.tag(texts)]"
)
_CLIENT_CLASSIFY = (
    "found = [x.probabilities for x in client.classify(texts, seconds)]"
)
# Neither Keras nor this package.
_GRAPH = (
    "import tensorflow as tf, tensorflow_text\n"
    "run = tf.saved_model.load('{path}/1').signatures['serving_default']\n"
    "answer = run(first=tf.constant(texts), second=tf.constant(seconds))\n"
    "found = answer['probabilities'].numpy()\n"
)

# Form -> (what is saved where, program that loads it). Several forms load the
# same files.
FORMS: dict[str, tuple[str, str]] = {
    "tagger .keras": ("tagger.keras", _KERAS + _PREDICT),
    "tagger preset": ("tagger_preset", _TAGGER + _PREDICT),
    "tagger backbone by keras-hub": ("tagger_preset", _HUB + _PREDICT),
    "tagger weights": (
        "tagger.weights.h5",
        _NEW_TAGGER + "model.load_weights('{path}')\n" + _PREDICT,
    ),
    "tagger LoRA": (
        "tagger_lora",
        _NEW_TAGGER
        + "model.backbone.load_lora_weights('{path}/a.lora.h5')\n"
        + "model.load_task_weights('{path}/head.weights.h5')\n"
        + _PREDICT,
    ),
    "tagger LoRA .keras": ("tagger_lora.keras", _KERAS + _PREDICT),
    "tagger LoRA preset": ("tagger_lora_preset", _TAGGER + _PREDICT),
    "tagger int8 .keras": ("tagger_int8.keras", _KERAS + _PREDICT),
    "tagger int8 preset": ("tagger_int8_preset", _TAGGER + _PREDICT),
    "tagger bfloat16 .keras": ("tagger_bfloat16.keras", _KERAS + _PREDICT),
    "tagger bfloat16 preset": ("tagger_bfloat16_preset", _TAGGER + _PREDICT),
    "tagger export": ("tagger_export", _EXPORT + _CLIENT_TAG),
    "classifier .keras": ("classifier.keras", _KERAS + _PREDICT_PAIRS),
    "classifier preset": ("classifier_preset", _CLASSIFIER + _PREDICT_PAIRS),
    "classifier weights": (
        "classifier.weights.h5",
        _NEW_CLASSIFIER + "model.load_weights('{path}')\n" + _PREDICT_PAIRS,
    ),
    "classifier int8 .keras": (
        "classifier_int8.keras",
        _KERAS + _PREDICT_PAIRS,
    ),
    "classifier export": ("classifier_export", _EXPORT + _CLIENT_CLASSIFY),
    "classifier export by TensorFlow": ("classifier_export", _GRAPH),
    "run": ("run", _RUN + _PREDICT),
    "run's model": (
        "run",
        _TAGGER.replace("{path}", "{path}/model") + _PREDICT,
    ),
    "run on a bundle": ("bundle_run", _RUN + _PREDICT),
}
# What takes more than a second or two to save.
LONG = ("export", "run")


def make(folder: pathlib.Path, names: list[str]) -> None:
    """Saves the files of these forms into `folder`, and `answers.json`."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    tf.config.run_functions_eagerly(True)
    wanted = {FORMS[name][0] for name in names}
    answers: dict[str, Any] = {}
    models = _models(wanted)
    for file in sorted(wanted):
        answers[file] = _save(file, models)
    pathlib.Path("answers.json").write_text(json.dumps(answers))


def _models(wanted: set[str]) -> dict[str, Any]:
    """Trained models by name, those that are wanted."""
    import dlfa_tf

    tagger = {
        "preset": "tiny",
        "fusion_layer": 1,
        "labels": TAGS,
        "sequence_length": 16,
    }
    models = {}
    for name in ("tagger", "tagger_lora", "tagger_int8", "tagger_bfloat16"):
        if any(file.startswith(name) for file in wanted):
            more = {"dtype": "mixed_bfloat16"} if "bfloat16" in name else {}
            model = dlfa_tf.DLFATokenClassifier.from_preset(**tagger, **more)
            if name == "tagger_lora":
                model.backbone.enable_lora(rank=2)
            model.compile("sgd", run_eagerly=True)
            words = [text.split() for text in TEXTS]
            tags = [[TAGS[len(w) % 3] for w in row] for row in words]
            model.fit(words, tags, epochs=1, verbose=0)
            models[name] = model
    for name in ("classifier", "classifier_int8"):
        if any(file.startswith(name) for file in wanted):
            model = dlfa_tf.DLFATextClassifier.from_preset(
                "tiny_sentencepiece",
                fusion_layer=2,
                pooling="mean",
                labels=ANSWERS,
                sequence_length=16,
            )
            model.compile("sgd", run_eagerly=True)
            model.fit((TEXTS, SECONDS), ANSWERS, epochs=1, verbose=0)
            models[name] = model
    for name, model in models.items():
        if "int8" in name:
            model.quantize("int8")
    return models


def _save(file: str, models: dict[str, Any]) -> Any:
    """Saves one file or folder; returns the answers of what was saved."""
    from dlfa_tf.serving import Client
    from dlfa_tf.serving import export_saved_model

    if file in ("run", "bundle_run"):
        return _run(file)
    name = max((n for n in models if file.startswith(n)), key=len)
    model = models[name]
    if file.endswith(".weights.h5"):
        model.save_weights(file)
    elif file.endswith(".keras"):
        model.save(file)
    elif file.endswith("_preset"):
        model.save_to_preset(file)
    elif file.endswith("_export"):
        import tensorflow as tf

        # A graph, not Python, is what is exported.
        tf.config.run_functions_eagerly(False)
        export_saved_model(model, file, 1, max_batch_size=2)
        with Client.of_export(f"{file}/1") as client:
            if name == "tagger":
                return [
                    [[w.tag, w.score] for w in x] for x in client.tag(TEXTS)
                ]
            found = client.classify(TEXTS, SECONDS)
            return [x.probabilities for x in found]
    else:
        os.mkdir(file)
        model.backbone.save_lora_weights(f"{file}/a.lora.h5")
        model.save_task_weights(f"{file}/head.weights.h5")
    return _answer(model, name)


def _answer(model: Any, name: str) -> Any:
    texts = TEXTS if name.startswith("tagger") else (TEXTS, SECONDS)
    return model.predict(texts, verbose=0).tolist()


def _run(file: str) -> Any:
    from dlfa_tf.runs.load import load_model
    from dlfa_tf.runs.settings import default_config
    from dlfa_tf.training.bundle import make_bundle
    from dlfa_tf.training.bundle import read_bundle
    from dlfa_tf.training.inputs import BundleInputs
    from dlfa_tf.training.run import run

    config = default_config(
        "pos",
        output_dir=file,
        data_source="sample",
        preset="tiny",
        fusion_layer=1,
        epochs=1,
        batch_size=8,
        train_limit=16,
        eval_limit=3,
        languages=("de",),
    )
    inputs = None
    if file == "bundle_run":
        make_bundle(config, "pos.bundle", "float32")
        inputs = BundleInputs(read_bundle("pos.bundle"))
    run(config, inputs, verbose=0)
    return _answer(load_model(file), "tagger")


def load(folder: pathlib.Path, names: list[str]) -> dict[str, Any]:
    """Loads every form in a process of its own; what differed, by form."""
    import keras_hub  # noqa: F401
    import tensorflow  # noqa: F401
    import tensorflow_text  # noqa: F401

    if any(name.startswith("dlfa_tf") for name in sys.modules):
        raise RuntimeError("this process has seen the package already")
    expected = json.loads((folder / "answers.json").read_text())
    problems = {}
    for name in names:
        path, program = FORMS[name]
        place = str(folder.absolute() / path)
        found = _in_a_fork(program.replace("{path}", place))
        difference = _difference(found, expected[path])
        if difference:
            problems[name] = difference
    return problems


def _in_a_fork(program: str) -> Any:
    """What `found` is after a program; a text when it failed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            try:
                import numpy as np
                import tensorflow as tf

                tf.config.run_functions_eagerly("saved_model" not in program)
                names = {"texts": TEXTS, "seconds": SECONDS}
                exec(program, names)
                found = names["found"]
                if isinstance(found, np.ndarray):
                    found = found.tolist()
                pipe.write(json.dumps(found))
            except BaseException:
                pipe.write(json.dumps(traceback.format_exc()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else f"ended with status {status}"


def _difference(found: Any, expected: Any) -> str | None:
    """In words, when numbers differ by more than rounding."""
    if isinstance(found, str) and not isinstance(expected, str):
        return found
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{found!r:.200} is not {expected!r:.200}"
        for one, other in zip(found, expected, strict=True):
            difference = _difference(one, other)
            if difference:
                return difference
        return None
    if isinstance(expected, float):
        equal = abs(found - expected) <= TOLERANCE
    else:
        equal = found == expected
    return None if equal else f"{found!r} is not {expected!r}"


if __name__ == "__main__":
    command, place, *chosen = sys.argv[1:]
    if command == "make":
        make(pathlib.Path(place), chosen or list(FORMS))
    else:
        print(json.dumps(load(pathlib.Path(place), chosen or list(FORMS))))
