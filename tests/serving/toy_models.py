"""Exports with the signatures of real ones that load and answer at once."""

import pathlib

import tensorflow as tf

from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import write_warmup

TEXT = tf.TensorSpec([None], tf.string)
WORDS = tf.TensorSpec([None, None], tf.string)


def save(functions, folder, warmup):
    """Writes `functions` as signatures of an export with warm-up records."""
    module = tf.Module()
    module.one = tf.Variable(1.0)
    tf.saved_model.save(module, str(folder), signatures=functions)
    write_warmup(folder, "toy", warmup)
    return pathlib.Path(folder)


def tagger_functions():
    """Tag a word "UP" when it has a capital letter, else "LOW"."""

    def tag(words):
        dense = tf.concat(
            [words.to_tensor(""), tf.fill([words.nrows(), 1], "")], axis=1
        )
        upper = tf.strings.regex_full_match(dense, ".*[A-Z].*")
        tags = tf.where(upper, "UP", "LOW")
        return {
            "words": dense,
            "tags": tf.where(dense == "", "", tags),
            "scores": tf.where(dense == "", 0.0, 0.5),
            "length": tf.cast(words.row_lengths(), tf.int32),
        }

    @tf.function(input_signature=[TEXT])
    def serving_default(text):
        return tag(tf.strings.split(tf.ensure_shape(text, [None])))

    @tf.function(input_signature=[WORDS])
    def tag_words(words):
        words = tf.ensure_shape(words, [None, None])
        return tag(tf.RaggedTensor.from_tensor(words, padding=""))

    @tf.function(input_signature=[TEXT])
    def embed(text):
        text = tf.ensure_shape(text, [None])
        size = tf.cast(tf.strings.length(text), tf.float32)
        return {"embedding": tf.stack([size, size * 0.5], axis=1)}

    return {
        "serving_default": serving_default,
        "tag_words": tag_words,
        "embed": embed,
    }


def save_tagger(folder):
    """Writes `tagger_functions` as an export."""
    warmup = [("serving_default", {"text": as_strings(["a"])})]
    return save(tagger_functions(), folder, warmup)


def save_single_classifier(folder):
    """Says "long" of texts of more than two bytes, "short" of others."""

    @tf.function(input_signature=[TEXT])
    def serving_default(text):
        text = tf.ensure_shape(text, [None])
        long = tf.cast(tf.strings.length(text) > 2, tf.int32)
        return {
            "label": tf.gather(["short", "long"], long),
            "probabilities": tf.gather([[1.0, 0.0], [0.0, 1.0]], long),
        }

    @tf.function(input_signature=[TEXT])
    def embed(text):
        return {"embedding": tf.zeros([tf.size(text), 3])}

    functions = {"serving_default": serving_default, "embed": embed}
    warmup = [("serving_default", {"text": as_strings(["a"])})]
    return save(functions, folder, warmup)


def save_classifier(folder):
    """Says "same" of equal texts, "other" of others."""

    @tf.function(input_signature=[TEXT, TEXT])
    def serving_default(first, second):
        first = tf.ensure_shape(first, [None])
        same = tf.cast(first == tf.ensure_shape(second, [None]), tf.int32)
        return {
            "label": tf.gather(["other", "same"], same),
            "probabilities": tf.gather([[0.75, 0.25], [0.0, 1.0]], same),
        }

    @tf.function(input_signature=[TEXT, TEXT])
    def embed(first, second):
        both = tf.strings.join([first, second])
        size = tf.cast(tf.strings.length(both), tf.float32)
        return {"embedding": size[:, None]}

    functions = {"serving_default": serving_default, "embed": embed}
    pair = {"first": as_strings(["a"]), "second": as_strings(["b"])}
    return save(functions, folder, [("serving_default", pair)])
