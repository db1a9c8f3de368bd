"""What the page shows of a text, in values that JSON has."""

import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

import numpy as np

from dlfa_tf.serving.client import Client
from dlfa_tf.serving.export import metadata_file

# Labels whose probabilities are shown of a word.
_BEST = 5
# Rows of the encoder at a time: a text of any length takes bounded memory.
_ROWS = 8
# How vocabularies mark a piece that begins a word, and one that goes on.
_WORD_START, _WORD_GOES_ON = "▁", "##"


class Answerer(Protocol):
    """What the page asks.

    Attributes:
        about: plain values: `name`, `kind` (`"tagger"`, `"classifier"` of
            pairs or `"single_classifier"`, as exports name them), `system`
            (such as `"D_9"`), `labels` (None where they are not known),
            `fusion_layer` and `shows_share`, whether answers say how much
            comes from that block.
    """

    about: Mapping[str, Any]

    def answer(self, texts: Sequence[str]) -> dict[str, Any]:
        """Asks about one text, or two (a classifier of pairs).

        Returns of a tagger `words`: a dict per word with `text`, `tag`,
        `score`, `odds` (the likeliest labels with their probabilities) and
        `share` (None where it is not known); of a classifier `label`, `odds` of
        all labels, and `texts`: per text its pieces, with `text`, `share` and
        `starts`, whether the piece begins a word.
        """
        ...


class ModelAnswers:
    """Answers of a task model with a preprocessor and labels.

    `name` is shown for the model. ValueError without preprocessor or labels.
    """

    def __init__(self, model: Any, name: str) -> None:
        # Not at the top: an export is shown without the classes of models.
        from dlfa_tf.serving.export import export_module

        if model.preprocessor is None or model.labels is None:
            raise ValueError(
                "Only a model with a preprocessor and labels answers texts. "
                f"Received: preprocessor={model.preprocessor}, "
                f"labels={model.labels}."
            )
        self._model = model
        kind = export_module.kind_of(model)
        self._is_tagger = kind == "tagger"
        self._reader = _build_reader(model)
        self.about = {
            "name": name,
            "kind": kind,
            "system": _system(model.backbone.fusion_layer),
            "labels": list(model.labels),
            "fusion_layer": model.backbone.fusion_layer,
            "shows_share": "share" in self._reader.output,
        }

    def answer(self, texts: Sequence[str]) -> dict[str, Any]:
        """Answers as `Answerer` says."""
        return self._tag(texts[0]) if self._is_tagger else self._classify(texts)

    def _tag(self, text: str) -> dict[str, Any]:
        preprocessor = self._model.preprocessor
        words = preprocessor.as_words([text])
        rows = preprocessor.encode_words(words)
        found: list[dict[str, Any]] = []
        names = [w.decode("utf-8") for w in words.flat_values.numpy()]
        for start in range(0, int(rows.token_ids.nrows()), _ROWS):
            part = slice(start, start + _ROWS)
            read = self._read(rows.token_ids[part], None)
            mask = rows.label_mask[part].to_tensor(False).numpy()
            shares = read["share"][mask] if "share" in read else None
            for i, odds in enumerate(_softmax(read["logits"][mask])):
                best = self._odds(odds)
                found.append(
                    {
                        "text": names[len(found)],
                        "tag": best[0][0],
                        "score": best[0][1],
                        "odds": best[:_BEST],
                        "share": None if shares is None else float(shares[i]),
                    }
                )
        return {"words": found}

    def _classify(self, texts: Sequence[str]) -> dict[str, Any]:
        # Not at the top: an export is asked without it.
        from dlfa_tf.lazy import tf

        first, *rest = (tf.constant([text]) for text in texts)
        rows = self._model.preprocessor.encode(first, rest[0] if rest else None)
        read = self._read(rows.token_ids, rows.segment_ids)
        best = self._odds(_softmax(read["logits"])[0])
        shares = read["share"][0].tolist() if "share" in read else None
        ids = rows.token_ids[0].numpy().tolist()
        return {
            "label": best[0][0],
            "odds": best,
            "texts": _pieces(self._model.preprocessor, ids, shares),
        }

    def _read(self, token_ids: Any, segment_ids: Any) -> dict[str, np.ndarray]:
        import keras

        features = {
            name: keras.ops.convert_to_tensor(value.numpy())
            for name, value in self._model.preprocessor.features(
                token_ids, segment_ids
            ).items()
        }
        # Without tracing, which takes seconds for every new length.
        return {
            name: np.asarray(keras.ops.cast(value, "float32"))
            for name, value in self._reader(features, training=False).items()
        }

    def _odds(self, odds: np.ndarray) -> list[tuple[str, float]]:
        """Labels with their probabilities, the likeliest first."""
        order = np.argsort(-odds, kind="stable")
        return [(self._model.labels[i], float(odds[i])) for i in order]


class ExportAnswers:
    """Answers of an export in this process; `folder` is a version's.

    An export has no output for the share of the lower block, and names the
    probability of a word's tag only.
    """

    def __init__(self, folder: str | os.PathLike, name: str) -> None:
        self._client = Client.of_export(folder)
        metadata: Mapping[str, Any] = {}
        if (pathlib.Path(folder) / metadata_file.METADATA).is_file():
            metadata = metadata_file.read_metadata(folder)
        layer = metadata.get("fusion_layer")
        self.about: dict[str, Any] = {
            "name": name,
            "kind": self._client.kind,
            "system": _system(layer) if metadata else None,
            "labels": metadata.get("labels"),
            "fusion_layer": layer,
            "shows_share": False,
        }

    def answer(self, texts: Sequence[str]) -> dict[str, Any]:
        """Answers as `Answerer` says."""
        if self.about["kind"] == "tagger":
            return {
                "words": [
                    {
                        "text": word,
                        "tag": tag,
                        "score": score,
                        "odds": [(tag, score)],
                        "share": None,
                    }
                    for word, tag, score in self._client.tag(texts[:1])[0]
                ]
            }
        if self.about["kind"] == "single_classifier":
            label, odds = self._client.classify(texts[:1])[0]
        else:
            # It reads pairs; the second text of a single one is empty.
            first, second = [*texts, ""][:2]
            label, odds = self._client.classify([first], [second])[0]
        names = self.about["labels"] or [str(i) for i in range(len(odds))]
        pairs = zip(names, odds, strict=True)
        return {
            "label": label,
            "odds": sorted(pairs, key=lambda pair: -pair[1]),
            "texts": [],
        }


def _system(fusion_layer: int | None) -> str:
    return "baseline" if fusion_layer is None else f"D_{fusion_layer}"


def _build_reader(model: Any) -> Any:
    """A Keras model from a task model's inputs to logits and share."""
    import keras

    from dlfa_tf.models import gate_share

    outputs = {"logits": model.head_output()}
    found = gate_share.share_and_gate(model.backbone)
    if found is not None:
        outputs["share"] = found[0]
    return keras.Model(model.backbone.input, outputs)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _pieces(
    preprocessor: Any, ids: list[int], shares: list[float] | None
) -> list[list[dict[str, Any]]]:
    """The pieces of each text of a row, special ones left out."""
    pieces, tokenizer = preprocessor.pieces, preprocessor.tokenizer
    texts: list[list[dict[str, Any]]] = [[]]
    separator = len(pieces.pair_separator)
    is_sentencepiece = pieces.bare_space_id is not None
    # Between the first id and the last one.
    position = 1
    while position < len(ids) - 1:
        if ids[position] == pieces.end_id:
            texts.append([])
            position += separator
            continue
        name = tokenizer.id_to_token(ids[position])
        starts = not texts[-1] or (
            name.startswith(_WORD_START)
            if is_sentencepiece
            else not name.startswith(_WORD_GOES_ON)
        )
        text = name.removeprefix(
            _WORD_START if is_sentencepiece else _WORD_GOES_ON
        )
        texts[-1].append(
            {
                "text": text,
                "starts": starts,
                "share": None if shares is None else shares[position],
            }
        )
        position += 1
    return texts
