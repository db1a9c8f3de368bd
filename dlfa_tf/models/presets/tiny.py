"""Encoders with random weights for tests: width 8, 2 heads, 3 blocks."""

import io
import string
from typing import Any

import keras_hub
import numpy as np

SEED = 0
MAX_SEQUENCE_LENGTH = 512

_KERNEL_STDDEV = 0.2
_MAX_SENTENCEPIECE_SIZE = 112
# Written for this file; few letters of several scripts.
_SENTENCES = (
    "the cat sees a small house and the dog runs",
    "a man reads an old book in the garden every day",
    "der kleine hund rennt in das alte haus",
    "el gato ve una casa y el perro corre",
    "le chat voit un petit jardin et une maison",
    "кот видит дом и сад",
    "قط يرى دار",
    "猫 看 书 人 大 小",
)


def tiny_bert_tokenizer() -> keras_hub.tokenizers.BertTokenizer:
    """Returns a WordPiece tokenizer that spells lower-case ASCII words.

    The 57 entries are the five special tokens and every letter as a first
    and as a following piece; any other character gives `[UNK]`.
    """
    letters = list(string.ascii_lowercase)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    vocabulary += [f"##{letter}" for letter in letters]
    return keras_hub.tokenizers.BertTokenizer(vocabulary=vocabulary)


def tiny_sentencepiece_tokenizer() -> keras_hub.tokenizers.XLMRobertaTokenizer:
    """Returns an XLM-R tokenizer trained on eight sentences of six languages.

    Training is deterministic and takes some milliseconds.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES),
        model_writer=model,
        model_type="unigram",
        vocab_size=_MAX_SENTENCEPIECE_SIZE,
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
    return keras_hub.tokenizers.XLMRobertaTokenizer(proto=model.getvalue())


def tiny_encoder(
    vocabulary_size: int, *, load_weights: bool = True, dtype: Any = None
) -> keras_hub.models.BertBackbone:
    """A BERT encoder of width 8 with 2 heads, 3 blocks and 512 positions.

    `load_weights` fills it with weights that are the same in every process;
    otherwise Keras initialises it.
    """
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=MAX_SEQUENCE_LENGTH,
        dtype=dtype,
    )
    if load_weights:
        generator = np.random.default_rng(SEED)
        for weight in encoder.weights:
            shape = tuple(weight.shape)
            if weight.path.endswith(("/kernel", "/embeddings")):
                weight.assign(generator.normal(0.0, _KERNEL_STDDEV, shape))
    return encoder
