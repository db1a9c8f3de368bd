"""Tests that an encoder computes here what `transformers` computes from it.

`make test-transformers` writes the models, in an environment of its own, and
says in a variable where they are.
"""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import encoder_blocks
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing import piece_tokenizer

VARIABLE = "DLFA_TF_TRANSFORMERS"
NAMES = (
    "bert_gelu", "bert_gelu_new", "bert_gelu_pytorch_tanh", "bert_masked_lm",
    "bert_pretraining", "bert_shards", "bert_bfloat16", "distilbert_gelu",
    "distilbert_gelu_new", "distilbert_masked_lm", "xlm_roberta_1e-05",
    "xlm_roberta_1e-12", "xlm_roberta_masked_lm", "e5_small", "e5_base",
    "mbert",
)  # fmt: skip
# float32 in another order of sums; hidden states are about 1 in size.
TOLERANCE = 2e-5
# The forms of GELU are so far apart, at least, in these small models.
FORMS_DIFFER = 2e-4


if VARIABLE not in os.environ:
    pytest.skip(
        f"{VARIABLE} is not set: run `make test-transformers`",
        allow_module_level=True,
    )


@pytest.fixture
def models():
    return Path(os.environ[VARIABLE])


def folder_of(models, name):
    if name == "mbert" and not (models / name).is_dir():
        pytest.skip("written only with mBERT's vocabulary: see docs/mbert.md")
    return models / name


def largest_difference(folder):
    encoder = load_encoder(str(folder))
    saved = np.load(folder / "states.npz")
    ids = saved["input_ids"]
    inputs = {
        "token_ids": ids,
        "padding_mask": saved["attention_mask"],
        "segment_ids": saved.get("token_type_ids", 0 * ids),
    }
    model = keras.Model(encoder.input, encoder_blocks.hidden_states(encoder))
    states = model({name: inputs[name] for name in encoder.input})
    states = np.stack([np.asarray(x) for x in states])
    is_real = saved["attention_mask"].astype(bool)
    difference = np.abs(states - saved["states"])[:, is_real]
    return float(difference.max())


@pytest.mark.parametrize("name", NAMES)
def test_all_hidden_states_are_equal(name, models, record_property):
    largest = largest_difference(folder_of(models, name))
    record_property("largest_difference", largest)
    print(f"{name}: largest difference of hidden states {largest:.1e}")
    assert largest < TOLERANCE


def test_another_activation_would_be_seen(models, tmp_path):
    folder = models / "bert_gelu"
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["hidden_act"] = "gelu_new"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert largest_difference(tmp_path) > FORMS_DIFFER


@pytest.mark.parametrize("name", NAMES)
def test_pieces_of_real_texts_are_equal(name, models):
    folder = folder_of(models, name)
    saved = json.loads((folder / "texts.json").read_text())
    tokenizer = piece_tokenizer.build_piece_tokenizer(
        load_tokenizer(str(folder))
    )
    pieces = tokenizer.tokenize(tf.constant(saved["texts"])).to_list()
    other = [
        (text, ours, theirs)
        for text, ours, theirs in zip(
            saved["texts"], pieces, saved["pieces"], strict=True
        )
        if ours != theirs
    ]
    assert len(pieces) > 500
    if tokenizer.bare_space_id is not None:
        # Two orders of the same pieces are as likely as each other: "00 0".
        # SentencePiece's own library and `tokenizers` choose differently.
        assert len(other) < len(pieces) / 1000
        other = [x for x in other if sorted(x[1]) != sorted(x[2])]
    assert not other, f"{len(other)} of {len(pieces)}, first {other[0]}"


def test_command_for_a_pickle_converts_it(models):
    folder = models / "pickle"
    (folder / "model.safetensors").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match="only as pickles") as raised:
        load_encoder(str(folder))
    command = re.search(r"(python -c .*)$", str(raised.value))[1]
    python = ".venv-transformers/bin/python"
    arguments = shlex.split(command)
    subprocess.run([python, *arguments[1:]], check=True)
    assert largest_difference(folder) < TOLERANCE
