"""Tiny runs of benchmarks.true_size."""

import math

import pytest

from benchmarks import true_size
from dlfa_tf.models import presets

FLAGS = [
    "--model=tiny", "--batch_size=2", "--length=8", "--rows=300", "--steps=1",
]  # fmt: skip


@pytest.fixture
def here(monkeypatch, eager):
    """Takes cases in this process."""
    monkeypatch.setattr(true_size, "run_case", true_size.work)


@pytest.mark.programs
def test_tiny_cases_are_taken(here, lines_of):
    lines = lines_of(
        true_size, *FLAGS, "--tasks=pos,xnli", "--systems=D_1",
        "--precisions=float32",
    )  # fmt: skip
    assert [x["case"] for x in lines] == [
        "tiny/pos/D_1/float32", "tiny/xnli/D_1/float32"
    ]  # fmt: skip
    for line in lines:
        # 100 rows less, of width 8.
        assert line["weights"] - line["trained_weights"] == 800
        assert line["step_seconds"]["repeats"] == 1
        assert line["train"]["peak_memory_bytes"] > 10**8


@pytest.mark.slow  # traces two exports and starts two processes
def test_tiny_model_is_kept(lines_of):
    (line,) = lines_of(
        true_size, *FLAGS, "--tasks=pos", "--systems=baseline",
        "--precisions=float32", "--keep",
    )  # fmt: skip
    assert line["check_trained"]["broken_rules"] == []
    assert line["check_bfloat16"]["broken_rules"] == []
    # So small a model is mostly graph and vocabulary.
    assert line["export_trained_bytes"] > line["saved_bytes"] > 10**5


@pytest.mark.parametrize("model", ["mbert", "distilmbert", "xlmr"])
def test_shapes_are_the_originals(model):
    shapes = true_size._tensor_shapes(true_size.SHAPES[model])
    count = sum(math.prod(shape) for shape in shapes.values())
    # As published; XLM-R without its pooler.
    million = {"mbert": 177.9, "distilmbert": 134.7, "xlmr": 277.5}[model]
    assert round(count / 1e6, 1) == million


@pytest.mark.parametrize("kind", ["bert", "distilbert", "xlm-roberta"])
def test_tiny_checkpoint_is_loaded(kind, tmp_path, monkeypatch):
    small = dict(true_size.SHAPES["tiny"], model_type=kind)
    if kind == "distilbert":
        small |= {"n_layers": 2, "n_heads": 2, "dim": 8, "hidden_dim": 16,
                  "activation": "gelu", "type_vocab_size": 0}  # fmt: skip
    elif kind == "xlm-roberta":
        small |= {"type_vocab_size": 1, "pad_token_id": 1}
    monkeypatch.setitem(true_size.SHAPES, "tiny", small)
    true_size.write_checkpoint(tmp_path, "tiny")
    assert presets.load_encoder(str(tmp_path)).hidden_dim == 8
    assert presets.load_tokenizer(str(tmp_path)).vocabulary_size() == 400


def test_checkpoint_has_the_models_own_vocabulary(tmp_path, monkeypatch):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Käse", "\u2028"]
    monkeypatch.setitem(true_size.SHAPES["tiny"], "vocab_size", len(pieces))
    own = tmp_path / "own.txt"
    own.write_text("\n".join(pieces) + "\n", "utf-8")
    true_size.write_checkpoint(tmp_path, "tiny", str(own))
    tokenizer = presets.load_tokenizer(str(tmp_path))
    assert tokenizer.get_vocabulary() == pieces
    own.write_text("[PAD]\n")
    with pytest.raises(ValueError, match="1 lines. Accepted: a vocab.txt of"):
        true_size.write_checkpoint(tmp_path, "tiny", str(own))
