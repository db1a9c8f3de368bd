"""Tiny checkpoints in the forms of other programs, and what they compute."""

import base64
import json
import math

import numpy as np
import safetensors.numpy

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Cat", "dog", "##s"]
WIDTH, BLOCKS, HEADS, INNER, POSITIONS = 8, 2, 2, 16, 16
# XLM-R keeps two rows before the first position.
ROWS = {"xlm-roberta": POSITIONS + 2}
EPSILON = {"xlm-roberta": 1e-5}

_DISTILBERT = {
    "encoder.layer": "transformer.layer",
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
}


def make_tensors(kind="bert", *, pooler=True, vocabulary=8):
    """Random weights under the names of `transformers`, without a prefix."""
    generator = np.random.default_rng(3)
    tensors = {}

    def add(name, *shape):
        tensors[name] = generator.normal(0, 0.8, shape).astype(np.float32)

    def dense(name, inputs, outputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    add("embeddings.word_embeddings.weight", vocabulary, WIDTH)
    rows = ROWS.get(kind, POSITIONS)
    add("embeddings.position_embeddings.weight", rows, WIDTH)
    segments = {"bert": 2, "xlm-roberta": 1}.get(kind)
    if segments:
        add("embeddings.token_type_embeddings.weight", segments, WIDTH)
    norms = ["embeddings.LayerNorm"]
    for i in range(BLOCKS):
        block = f"encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{block}.attention.{part}", WIDTH, WIDTH)
        dense(f"{block}.intermediate.dense", WIDTH, INNER)
        dense(f"{block}.output.dense", INNER, WIDTH)
        norms += [f"{block}.attention.output.LayerNorm"]
        norms += [f"{block}.output.LayerNorm"]
    for name in norms:
        add(f"{name}.weight", WIDTH)
        add(f"{name}.bias", WIDTH)
    if kind == "bert" and pooler:
        dense("pooler.dense", WIDTH, WIDTH)
    return tensors


def as_distilbert(tensors):
    """The same tensors under DistilBERT's names."""
    renamed = {}
    for name, value in tensors.items():
        new = name
        for old, own in _DISTILBERT.items():
            new = new.replace(old, own)
        new = new.replace(".output.dense", ".ffn.lin2")
        new = new.replace(".output.LayerNorm", ".output_layer_norm")
        renamed[new] = value
    return renamed


def config_of(kind, **changes):
    config = {
        "model_type": kind,
        "vocab_size": len(PIECES),
        "max_position_embeddings": ROWS.get(kind, POSITIONS),
        "pad_token_id": 1 if kind == "xlm-roberta" else 0,
    }
    if kind == "distilbert":
        config |= {
            "n_layers": BLOCKS, "n_heads": HEADS, "dim": WIDTH,
            "hidden_dim": INNER, "dropout": 0.1, "activation": "gelu",
        }  # fmt: skip
    else:
        config |= {
            "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS,
            "hidden_size": WIDTH, "intermediate_size": INNER,
            "hidden_dropout_prob": 0.1, "hidden_act": "gelu",
            "layer_norm_eps": EPSILON.get(kind, 1e-12),
            "type_vocab_size": 1 if kind == "xlm-roberta" else 2,
        }  # fmt: skip
    return {**config, **changes}


def write_hugging_face(
    folder, kind="bert", tensors=None, *, shards=1, prefix="", **changes
):
    """Writes config and weights; `changes` are keys of the config."""
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(kind, **changes)
    (folder / "config.json").write_text(json.dumps(config))
    tensors = make_tensors(kind) if tensors is None else tensors
    if kind == "distilbert":
        tensors = as_distilbert(tensors)
    tensors = {prefix + name: value for name, value in tensors.items()}
    if shards == 1:
        path = folder / "model.safetensors"
        safetensors.numpy.save_file(tensors, path, {"format": "pt"})
        return folder
    where = {}
    for i in range(shards):
        name = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        part = dict(list(tensors.items())[i::shards])
        safetensors.numpy.save_file(part, folder / name, {"format": "pt"})
        where |= dict.fromkeys(part, name)
    index = {"metadata": {}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def write_google(folder, tensors=None):
    """Writes the checkpoint of Google's BERT: config, vocabulary, variables."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    config = config_of("bert")
    for key in ("model_type", "pad_token_id", "layer_norm_eps"):
        del config[key]
    (folder / "bert_config.json").write_text(json.dumps(config))
    write_vocabulary(folder)
    tensors = make_tensors() if tensors is None else tensors
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in tensors.items():
            is_kernel = name.endswith(".weight") and value.ndim == 2
            new = name.replace("layer.", "layer_").replace(".", "/")
            if "LayerNorm" in name:
                new = new.replace("/weight", "/gamma").replace("/bias", "/beta")
            elif "embeddings" in name:
                new, is_kernel = new.removesuffix("/weight"), False
            new = new.replace("/weight", "/kernel")
            tf.compat.v1.get_variable(
                f"bert/{new}", initializer=value.T if is_kernel else value
            )
        tf.compat.v1.get_variable(
            "bert/embeddings/word_embeddings/adam_m", initializer=[[0.0]]
        )
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(folder / "bert_model.ckpt"))
    (folder / "checkpoint").unlink()
    return folder


def write_vocabulary(folder, pieces=PIECES, **settings):
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    if settings:
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps(settings))


def write_fast_wordpiece(folder, *, lowercase=False, added=()):
    """Writes `tokenizer.json` as `transformers` 5 does, and no `vocab.txt`."""
    special = [
        {"id": i, "content": piece, "special": True}
        for i, piece in enumerate(PIECES[:5])
    ]
    more = [
        {"id": 100 + i, "content": word, "special": False}
        for i, word in enumerate(added)
    ]
    fast = {
        "added_tokens": special + more,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": lowercase,
        },
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            # In no order, as a dict may be.
            "vocab": {p: PIECES.index(p) for p in reversed(PIECES)},
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(fast))


def write_fast_unigram(folder, proto):
    """Writes what a SentencePiece model holds as a `tokenizer.json`."""
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(proto)
    vocab = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    vocab += [[p.piece, p.score] for p in model.pieces[3:]]
    vocab += [["<mask>", 0.0]]
    charsmap = base64.b64encode(model.normalizer_spec.precompiled_charsmap)
    fast = {
        "added_tokens": [{"content": "<mask>", "special": True}],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {
                    "type": "Precompiled",
                    "precompiled_charsmap": charsmap.decode(),
                },
                {"type": "Replace", "pattern": {"Regex": " {2,}"}},
            ],
        },
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocab},
    }
    (folder / "tokenizer.json").write_text(json.dumps(fast))


def reference_states(tensors, kind, ids, segments, activation="gelu"):
    """Hidden states `(blocks + 1, time, width)` of one row, in float64.

    Written from the papers on BERT and RoBERTa, not from any code here.
    """
    weights = {name: value.astype(float) for name, value in tensors.items()}
    epsilon = EPSILON.get(kind, 1e-12)

    def dense(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def activate(x):
        if activation == "gelu":
            return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return x * (1 + np.tanh(inner)) / 2

    first = ROWS.get(kind, POSITIONS) - POSITIONS
    x = weights["embeddings.word_embeddings.weight"][ids]
    positions = weights["embeddings.position_embeddings.weight"]
    x = x + positions[first : first + len(ids)]
    if kind != "distilbert":
        x = x + weights["embeddings.token_type_embeddings.weight"][segments]
    x = norm("embeddings.LayerNorm", x)
    states = [x]
    for i in range(BLOCKS):
        block = f"encoder.layer.{i}"

        def heads(part, x=x, block=block):
            y = dense(f"{block}.attention.self.{part}", x)
            return y.reshape(len(ids), HEADS, -1).swapaxes(0, 1)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.swapaxes(1, 2) / math.sqrt(WIDTH // HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ value).swapaxes(0, 1).reshape(len(ids), WIDTH)
        x = norm(
            f"{block}.attention.output.LayerNorm",
            x + dense(f"{block}.attention.output.dense", mixed),
        )
        inner = activate(dense(f"{block}.intermediate.dense", x))
        x = norm(
            f"{block}.output.LayerNorm",
            x + dense(f"{block}.output.dense", inner),
        )
        states.append(x)
    return np.array(states)
