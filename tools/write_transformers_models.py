"""Writes models as `transformers` does, with what it computes from them.

Runs where torch and transformers are, in .venv-transformers; dlfa_tf is not
there. See tools/test_transformers.sh. For every case a folder: the model by
`save_pretrained`, `texts.json` with the pieces of every text, `states.npz` with
the hidden states of some. Weights are random, the seed is 0.

Usage: write_transformers_models.py OUTPUT [MBERT_VOCABULARY]

The second argument is mBERT's vocab.txt; with it a model of mBERT's own shape
is written too (0.7 GB).
"""

import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
import transformers

SAMPLE = Path(__file__).parents[1] / "dlfa_tf" / "data" / "sample"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SMALL = {
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "hidden_size": 32,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    # Large, so that the forms of GELU are far apart.
    "initializer_range": 0.3,
}
SMALL_DISTILBERT = {
    "n_layers": 3,
    "n_heads": 4,
    "dim": 32,
    "hidden_dim": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
NUM_STATE_TEXTS = 6
MAX_PIECES = 48


def sample_texts() -> list[str]:
    """The cells of the shipped sample, of many languages and scripts."""
    texts = {
        cell
        for path in sorted(SAMPLE.rglob("*.tsv"))
        for line in path.read_text(encoding="utf-8").splitlines()
        for cell in line.split("\t")
        if cell.strip()
    }
    more = ["", " two  spaces ", "ﬁ ｆｕｌｌ Ⅳ", "don't", "Ａ１", "naïve naïve"]
    return [*sorted(texts), *more]


def write_wordpiece(folder: Path, texts: list[str]) -> None:
    """A cased vocabulary of the texts' characters and most frequent words."""
    letters = sorted({c for text in texts for c in text if not c.isspace()})
    words = Counter(word for text in texts for word in text.split())
    pieces = [*SPECIAL, *letters, *(f"##{c}" for c in letters)]
    pieces += [w for w, n in words.most_common(300) if w not in pieces]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": False, "tokenizer_class": "BertTokenizer"})
    )


def write_sentencepiece(folder: Path, texts: list[str]) -> None:
    """A unigram model of the texts, with XLM-R's normaliser."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([t for t in texts if t.strip()]),
        model_prefix=str(folder / "sentencepiece.bpe"),
        model_type="unigram",
        vocab_size=2000,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    (folder / "sentencepiece.bpe.vocab").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "XLMRobertaTokenizer"})
    )


def cases(
    wordpiece: Any, unigram: Any, mbert: Any
) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Name, model, tokenizer and arguments of `save_pretrained`."""
    t = transformers
    for activation in ("gelu", "gelu_new", "gelu_pytorch_tanh"):
        bert = t.BertConfig(
            vocab_size=len(wordpiece), hidden_act=activation, **SMALL
        )
        yield f"bert_{activation}", t.BertModel(bert), wordpiece, {}
    bert = t.BertConfig(vocab_size=len(wordpiece), **SMALL)
    yield "bert_masked_lm", t.BertForMaskedLM(bert), wordpiece, {}
    yield "bert_pretraining", t.BertForPreTraining(bert), wordpiece, {}
    model = t.BertModel(bert)
    yield "bert_shards", model, wordpiece, {"max_shard_size": "20KB"}
    yield "bert_bfloat16", t.BertModel(bert).to(torch.bfloat16), wordpiece, {}
    for activation in ("gelu", "gelu_new"):
        small = t.DistilBertConfig(
            vocab_size=len(wordpiece), activation=activation, **SMALL_DISTILBERT
        )
        model = t.DistilBertModel(small)
        yield f"distilbert_{activation}", model, wordpiece, {}
    model = t.DistilBertForMaskedLM(small)
    yield "distilbert_masked_lm", model, wordpiece, {}
    for epsilon in (1e-5, 1e-12):
        xlmr = t.XLMRobertaConfig(
            vocab_size=len(unigram),
            layer_norm_eps=epsilon,
            type_vocab_size=1,
            **SMALL,
        )
        model = t.XLMRobertaModel(xlmr)
        yield f"xlm_roberta_{epsilon}", model, unigram, {}
    yield "xlm_roberta_masked_lm", t.XLMRobertaForMaskedLM(xlmr), unigram, {}
    # multilingual-e5: small is a BERT, base and large are XLM-R.
    e5 = t.BertConfig(vocab_size=len(unigram) + 35, **SMALL)
    yield "e5_small", t.BertModel(e5), unigram, {}
    e5 = t.XLMRobertaConfig(
        vocab_size=len(unigram), type_vocab_size=1, layer_norm_eps=1e-5, **SMALL
    )
    yield "e5_base", t.XLMRobertaModel(e5), unigram, {}
    if mbert is not None:
        full = t.BertConfig(vocab_size=len(mbert))
        yield "mbert", t.BertForMaskedLM(full), mbert, {}


def write_case(
    folder: Path,
    model: Any,
    tokenizer: Any,
    arguments: dict[str, Any],
    texts: list[str],
    originals: Path | None,
) -> None:
    """Writes a model, and what it makes of the texts."""
    model.eval().save_pretrained(folder, **arguments)
    if originals is None:
        tokenizer.save_pretrained(folder)
    else:
        shutil.copytree(originals, folder, dirs_exist_ok=True)
    pieces = [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts
    ]
    (folder / "texts.json").write_text(
        json.dumps({"texts": texts, "pieces": pieces}), "utf-8"
    )
    longest = sorted(range(len(texts)), key=lambda i: -len(pieces[i]))
    step = max(1, len(longest) // NUM_STATE_TEXTS)
    some = [texts[i] for i in longest[::step]][:NUM_STATE_TEXTS]
    batch = tokenizer(
        some,
        padding=True,
        truncation=True,
        max_length=MAX_PIECES,
        return_tensors="pt",
    )
    if model.config.model_type == "bert":
        ids = batch["input_ids"]
        segments = (torch.arange(ids.shape[1]) > 4).long().expand_as(ids)
        batch["token_type_ids"] = segments.contiguous()
    names = ("input_ids", "attention_mask", "token_type_ids")
    batch = {name: batch[name] for name in names if name in batch}
    if model.config.model_type != "bert":
        batch.pop("token_type_ids", None)
    with torch.no_grad():
        # What is stored in bfloat16 is computed in float32, as it is here.
        states = model.float()(**batch, output_hidden_states=True).hidden_states
    np.savez(
        folder / "states.npz",
        states=np.stack([x.numpy() for x in states]),
        **{name: value.numpy() for name, value in batch.items()},
    )


def main() -> None:
    """Writes all cases, each with files of transformers 5 and of before."""
    output = Path(sys.argv[1])
    texts = sample_texts()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as temporary:
        sources = {name: Path(temporary, name) for name in ("wp", "sp", "m")}
        for source in sources.values():
            source.mkdir()
        write_wordpiece(sources["wp"], texts)
        write_sentencepiece(sources["sp"], texts)
        wordpiece = transformers.BertTokenizer.from_pretrained(sources["wp"])
        unigram = transformers.XLMRobertaTokenizer.from_pretrained(
            sources["sp"]
        )
        mbert = None
        if len(sys.argv) > 2:
            shutil.copy(sys.argv[2], sources["m"] / "vocab.txt")
            shutil.copy(sources["wp"] / "tokenizer_config.json", sources["m"])
            mbert = transformers.BertTokenizer.from_pretrained(sources["m"])
        found = list(cases(wordpiece, unigram, mbert))
        for i, (name, model, tokenizer, arguments) in enumerate(found):
            # Every other one with the files of before transformers 5.
            source = sources["sp" if tokenizer is unigram else "wp"]
            old = source if i % 2 and tokenizer is not mbert else None
            write_case(output / name, model, tokenizer, arguments, texts, old)
            print(name, sorted(x.name for x in (output / name).iterdir()))
        write_pickle(output / "pickle", found[0][1])


def write_pickle(folder: Path, model: Any) -> None:
    """A folder as it was before safetensors."""
    shutil.copytree(folder.parent / "bert_gelu", folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


if __name__ == "__main__":
    main()
