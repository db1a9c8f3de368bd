r"""Texts per second through tf.data against Hugging Face's fast tokenizer.

Both run on one thread, in turn, on the same texts (the first texts of pairs in
all languages) with the same vocabulary, and do the same work: special pieces
added, rows cut at the length limit. The reference for SentencePiece is built
from the preset's own model file; WordPiece has a vocabulary of the words and
characters of the texts, unless the preset is one of WordPiece. Beside it: how
long TensorFlow Text's SentencePiece takes for one text of unknown characters,
and ours, which cuts it.

Example:
    python -m benchmarks.tokenizing --data_dir=DIR
"""

import collections
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras_hub
import tensorflow as tf
import tensorflow_text
import tokenizers
from absl import app
from absl import flags
from sentencepiece import sentencepiece_model_pb2

from benchmarks import task_data
from benchmarks import timing
from dlfa_tf.data.readers import PairExample
from dlfa_tf.models import presets
from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import sentencepiece

FLAGS = flags.FLAGS
_LENGTH = 128
# An Egyptian hieroglyph: no vocabulary here has it.
_UNKNOWN = "\U00013000"


def define_flags() -> None:
    """Defines the flags of this program."""
    task_data.define_flags()
    timing.define_repeats_flag()
    timing.define_output_flag()
    flags.DEFINE_integer(
        "texts_per_language", 1000, "Texts of each language.", lower_bound=1
    )
    flags.DEFINE_integer(
        "batch_size", 1024, "Texts of a tf.data element.", lower_bound=1
    )
    flags.DEFINE_list(
        "unknown_characters",
        ["16384", "65536", "131072"],
        "Lengths of a text of unknown characters.",
    )


def use_one_thread() -> None:
    """Keeps TensorFlow and Hugging Face to one thread each."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def sentencepiece_reference(proto: bytes) -> tokenizers.Tokenizer:
    """Hugging Face's fast tokenizer with a SentencePiece unigram model."""
    # Made when it is imported, so mypy does not see it.
    model_proto: Any = vars(sentencepiece_model_pb2)["ModelProto"]
    model = model_proto.FromString(proto)
    pieces = [(piece.piece, piece.score) for piece in model.pieces]
    reference = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, 0))
    charsmap = model.normalizer_spec.precompiled_charsmap
    steps = [tokenizers.normalizers.Precompiled(charsmap)] if charsmap else []
    reference.normalizer = tokenizers.normalizers.Sequence(
        [
            *steps,
            tokenizers.normalizers.Strip(),
            tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
        ]
    )
    reference.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    return reference


def wordpiece_vocabulary(texts: Sequence[str], words: int = 30_000) -> list:
    """Special pieces, all characters and the most frequent words."""
    counts = collections.Counter(w for text in texts for w in text.split())
    characters = sorted({c for text in texts for c in text})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    pieces += [f"##{c}" for c in characters]
    pieces += [word for word, _ in counts.most_common(words)]
    return list(dict.fromkeys(pieces))


def wordpiece_reference(vocabulary: Sequence[str]) -> tokenizers.Tokenizer:
    """Hugging Face's fast BERT tokenizer, cased."""
    return tokenizers.implementations.BertWordPieceTokenizer(
        {piece: i for i, piece in enumerate(vocabulary)},
        lowercase=False,
        strip_accents=False,
    )._tokenizer


def through_tf_data(
    tokenizer: keras_hub.tokenizers.Tokenizer,
    texts: Sequence[str],
    batch_size: int,
) -> Callable[[], int]:
    """A function that tokenises all texts and returns the pieces made."""
    preprocessor = PairPreprocessor(tokenizer, sequence_length=_LENGTH)
    # Outside the graph, which must not create resources.
    preprocessor.pieces  # noqa: B018
    dataset = tf.data.Dataset.from_tensor_slices(list(texts))
    dataset = dataset.batch(batch_size).map(
        lambda batch: preprocessor.encode(batch, None).token_ids.flat_values
    )
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    dataset = dataset.with_options(options)
    return lambda: sum(len(ids) for ids in dataset.as_numpy_iterator())


def through_reference(
    reference: tokenizers.Tokenizer, texts: Sequence[str]
) -> Callable[[], int]:
    """The same with Hugging Face's tokenizer."""
    # Two special pieces come on top, in both.
    reference.enable_truncation(_LENGTH - 2)
    return lambda: sum(
        len(encoding.ids) + 2
        for encoding in reference.encode_batch_fast(
            list(texts), add_special_tokens=False
        )
    )


def main(_: Sequence[str] = ()) -> None:
    """Measures both kinds of vocabularies."""
    use_one_thread()
    source = task_data.source("xnli")
    texts: list[str] = []
    for language in source.available("test"):
        examples = source.load("test", language, FLAGS.texts_per_language)
        texts += [e.first for e in examples if isinstance(e, PairExample)]
    report = timing.Report("tokenizing", FLAGS.output_file)
    vocabulary = wordpiece_vocabulary(texts)
    preset = presets.load_tokenizer(FLAGS.preset)
    cases: list[tuple[str, Any, tokenizers.Tokenizer]] = [
        (
            "wordpiece",
            keras_hub.models.BertTokenizer(vocabulary=vocabulary),
            wordpiece_reference(vocabulary),
        )
    ]
    if hasattr(preset, "proto"):
        reference = sentencepiece_reference(preset.proto)
        cases.append(("sentencepiece", preset, reference))
    for name, tokenizer, reference in cases:
        ours = through_tf_data(tokenizer, texts, FLAGS.batch_size)
        theirs = through_reference(reference, texts)
        seconds = timing.time_interleaved(
            {"tf.data": ours, "hugging_face": theirs}, repeats=FLAGS.repeats
        )
        report.add(
            name,
            texts=len(texts),
            pieces=ours(),
            pieces_hugging_face=theirs(),
            texts_per_second=_rate(len(texts), seconds["tf.data"]),
            texts_per_second_hugging_face=_rate(
                len(texts), seconds["hugging_face"]
            ),
            speed_ratio=timing.ratios(
                seconds["hugging_face"], seconds["tf.data"]
            ),
            tokenizers_version=tokenizers.__version__,
        )
    if hasattr(preset, "proto"):
        for characters in map(int, FLAGS.unknown_characters):
            report.add(
                f"{characters} unknown characters",
                **time_unknown(preset, characters),
            )
    report.write()


def time_unknown(
    tokenizer: keras_hub.models.XLMRobertaTokenizer, characters: int
) -> dict[str, Any]:
    """Seconds for a text of unknown characters: TensorFlow Text's, and ours."""
    text = _UNKNOWN * characters
    library = tensorflow_text.SentencepieceTokenizer(model=tokenizer.proto)
    tokenize, _resource = sentencepiece.sentencepiece_function(tokenizer)
    seconds = timing.time_interleaved(
        {
            "tensorflow_text": lambda: library.tokenize([text]),
            "cut": lambda: tokenize(tf.constant([text])),
        },
        repeats=FLAGS.repeats,
    )
    return {f"{k}_seconds": timing.spread(v) for k, v in seconds.items()}


def _rate(texts: int, seconds: Sequence[float]) -> dict[str, float | int]:
    return timing.spread([texts / s for s in seconds])


if __name__ == "__main__":
    define_flags()
    app.run(main)
