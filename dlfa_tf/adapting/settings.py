"""Everything that decides an adaptation: each setting declared once."""

import dataclasses
import functools
import pathlib
from typing import Any

from dlfa_tf import options
from dlfa_tf import shareable
from dlfa_tf.runs import setting
from dlfa_tf.runs.engine_settings import EngineSettings
from dlfa_tf.runs.setting import REQUIRED

_data = functools.partial(setting.setting, "data")
_training = functools.partial(setting.setting, "training")
_place = functools.partial(setting.setting, "place")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptConfig(EngineSettings):
    """Settings of one adaptation; see `dlfa_tf.runs.setting.Setting`.

    Raises:
        ValueError: for any value outside its range, naming it, and for values
            that do not fit each other.
        TypeError: when `texts` is not a tuple.
    """

    preset: str = _data(
        "Encoder to go on from: as --preset of trainers.train",
        options.DEFAULT_PRESET,
    )
    texts: tuple[str, ...] = _data(
        "Text to train on, without labels: files of lines (.txt), tables "
        "(.jsonl, .csv, .tsv, .parquet) or treebanks (.conll, .conllu), also "
        "packed (.gz, .bz2, .zip), each as LANGUAGE:FILE or called like "
        "wiki-de.txt or de.jsonl; or folders of such files. Separated by "
        "commas",
        REQUIRED,
    )
    output_dir: str = _place("Folder of the new preset; new or empty")
    text_column: str = _data(
        "Column of the text in tables, key in JSON lines", "text"
    )
    text_limit: int | None = _data(
        "Texts per language to use, from the start of its files; 0 is all",
        None,
        unset="all",
        zero_is_none=True,
        low=1,
    )
    sequence_length: int = _data(
        "Pieces per row, special ones included, at most the encoder's "
        "positions; texts are joined until a row is full",
        128,
        low=options.MIN_SEQUENCE_LENGTH,
    )
    held_back: int = _data(
        "Rows per language that are kept from training and measured on, at "
        "most a tenth of them",
        100,
        low=1,
    )
    sampling_exponent: float = _training(
        "Languages are drawn by their number of rows to this power, the "
        "inverse of a temperature: 1 as often as they are, 0 all alike",
        0.7,
        low=0,
    )
    mask_rate: float = _training(
        "Share of the pieces that are to be guessed", 0.15, positive=True,
        below=1,
    )  # fmt: skip
    whole_words: bool = _training("Hide all pieces of a word, or none", False)
    steps: int = _training("Steps of training", 1000, low=1)
    batch_size: int = _training("Rows per step over all replicas", 32, low=1)
    learning_rate: float = _training(
        "Highest learning rate, falls linearly to 0", 2e-4, positive=True
    )
    new_layer_rate: float = _training(
        "Factor of the learning rate for a head that starts at random",
        1.0,
        positive=True,
    )
    warmup_share: float = _training(
        "Share of the steps in which the rate rises from 0 first",
        0.1,
        low=0,
        below=1,
    )
    weight_decay: float = _training(
        "Weight decay of AdamW; other than 0 it needs --nocompact_vocabulary "
        "or frozen embeddings",
        0.0,
        low=0,
    )
    adam_epsilon: float = _training("Epsilon of AdamW", 1e-6, positive=True)
    clip_norm: float = _training(
        "Limit of the global gradient norm", 1.0, positive=True
    )
    frozen_embeddings: bool = _training(
        "Leave the token embedding as it is, which is much cheaper", True
    )
    dev_every: int | None = _training(
        "Steps between scores on the text held back; 0 is at the end only",
        None,
        unset="at the end only",
        zero_is_none=True,
        low=1,
    )
    seed: int = _training("Seed of the new head, masks and order", 1)
    compact_vocabulary: bool = _training(
        "Train on the embedding rows in use only", True
    )

    def __post_init__(self) -> None:
        for name, declared in SETTINGS.items():
            declared.check_value(getattr(self, name))
        shrinks = self.weight_decay > 0 and not self.frozen_embeddings
        if shrinks and self.compact_vocabulary:
            raise ValueError(
                "`compact_vocabulary` is exact only without weight decay, "
                "which also shrinks the rows that are not in use. Received: "
                f"weight_decay={self.weight_decay} with free embeddings. "
                "Accepted: weight_decay=0, frozen_embeddings=True or "
                "compact_vocabulary=False."
            )

    @property
    def warmup_steps(self) -> int:
        """Steps in which the rate rises from 0 first."""
        return int(self.steps * self.warmup_share)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return setting.to_json(self, SETTINGS)

    def shareable(self) -> dict[str, Any]:
        """What `to_json` returns, without the folders of this machine."""
        values = self.to_json()
        del values["output_dir"]
        values["preset"] = shareable.without_paths(self.preset)
        values["texts"] = [
            pathlib.PurePath(text.rpartition(":")[2]).name
            for text in self.texts
        ]
        return values


# All settings by name.
SETTINGS = setting.settings_of(AdaptConfig)
# What may differ when an adaptation goes on: where it runs.
NOT_OF_THE_RESULT = frozenset(
    name for name, declared in SETTINGS.items() if declared.of == "place"
)
