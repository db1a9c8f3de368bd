"""Functions of an exported model: raw strings in, named outputs out."""

from typing import Any

from dlfa_tf.preprocessing.base_preprocessor import at_least_one_column
from dlfa_tf.preprocessing.tensorflow_import import require_tensorflow
from dlfa_tf.preprocessing.text_cleaning import split_words
from dlfa_tf.preprocessing.text_cleaning import valid_utf8

# Rows of the encoder at a time. One text may have thousands of rows, which
# together would take more memory than the server has.
ROWS_AT_A_TIME = 64


def classifier_signatures(model: Any, forward: Any) -> dict[str, Any]:
    """Builds the signatures of a text classifier.

    Args:
        model: `DLFATextClassifier` with a preprocessor and labels.
        forward: function from features to `(logits, sequence_output)`.

    Returns:
        dict from signature name to `tf.function`:
        `serving_default`: `first`, `second` string `(batch,)` -> `label`
        string `(batch,)`, `probabilities` float32 `(batch, classes)`;
        `embed`: the same inputs -> `embedding` float32 `(batch, dim)`,
        position 0 of the fused representation.
    """
    tf = require_tensorflow("classifier_signatures")
    preprocessor = model.preprocessor
    labels = tf.constant(model.labels)
    text = tf.TensorSpec([None], tf.string)

    def encode(first: Any, second: Any) -> Any:
        # The model server does not check shapes; a request of another rank
        # would reach kernels that crash the whole server.
        first = tf.ensure_shape(first, [None])
        second = tf.ensure_shape(second, [None])
        rows = preprocessor.encode(first, second)
        return forward(preprocessor.features(rows.token_ids, rows.segment_ids))

    @tf.function(input_signature=[text, text])
    def classify(first: Any, second: Any) -> dict[str, Any]:
        logits, _ = encode(first, second)
        return {
            "label": tf.gather(labels, tf.argmax(logits, axis=-1)),
            "probabilities": tf.nn.softmax(logits),
        }

    @tf.function(input_signature=[text, text])
    def embed(first: Any, second: Any) -> dict[str, Any]:
        _, sequence = encode(first, second)
        return {"embedding": tf.cast(sequence[:, 0, :], tf.float32)}

    return {"serving_default": classify, "embed": embed}


def tagger_signatures(model: Any, forward: Any) -> dict[str, Any]:
    """Builds the signatures of a token classifier.

    A long text is split into rows and merged again in the graph: every word
    gets a tag.

    Args:
        model: `DLFATokenClassifier` with a preprocessor and labels.
        forward: function from features to `(logits, sequence_output)`.

    Returns:
        dict from signature name to `tf.function`:
        `serving_default`: `text` string `(batch,)`, split at white space ->
        `words`, `tags` string `(batch, max_words)` padded with "", `scores`
        float32 `(batch, max_words)` (probability of the tag), `length` int32
        `(batch,)`;
        `tag_words`: `words` string `(batch, max_words)`, padded with "" at
        the end -> the same outputs;
        `embed`: `text` -> `embedding` float32 `(batch, dim)`, position 0 of
        the first row's fused representation.
    """
    tf = require_tensorflow("tagger_signatures")
    preprocessor = model.preprocessor
    labels = tf.constant(model.labels)

    def tag(words: Any) -> dict[str, Any]:
        rows = preprocessor.encode_words(words)
        logits = _word_logits(model, forward, rows)
        probabilities = tf.nn.softmax(logits)
        tags = tf.gather(labels, tf.argmax(probabilities, axis=-1))
        scores = tf.reduce_max(probabilities, axis=-1)

        def dense(values: Any, filler: Any) -> Any:
            return at_least_one_column(words.with_flat_values(values), filler)

        return {
            "words": dense(words.flat_values, ""),
            "tags": dense(tags, ""),
            "scores": dense(scores, 0.0),
            "length": tf.cast(words.row_lengths(), tf.int32),
        }

    def split(text: Any) -> Any:
        return split_words(valid_utf8(tf.ensure_shape(text, [None])))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def tag_text(text: Any) -> dict[str, Any]:
        return tag(split(text))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def tag_words(words: Any) -> dict[str, Any]:
        words = valid_utf8(tf.ensure_shape(words, [None, None]))
        # Only empty strings at the end are padding.
        position = tf.range(1, tf.shape(words)[1] + 1)
        length = tf.reduce_max(
            tf.where(words == "", 0, position),
            axis=1,
        )
        # reduce_max over no columns gives the smallest int.
        length = tf.maximum(length, 0)
        return tag(tf.RaggedTensor.from_tensor(words, length))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed(text: Any) -> dict[str, Any]:
        rows = preprocessor.encode_words(split(text))
        # The further rows of a long text are not needed: not computed either.
        sentence = rows.row_sentence
        first = tf.concat([[True], sentence[1:] != sentence[:-1]], axis=0)
        first = first[: tf.size(sentence)]
        token_ids = tf.ragged.boolean_mask(rows.token_ids, first)
        _, sequence = forward(preprocessor.features(token_ids, None))
        return {"embedding": tf.cast(sequence[:, 0, :], tf.float32)}

    return {"serving_default": tag_text, "tag_words": tag_words, "embed": embed}


def _word_logits(model: Any, forward: Any, rows: Any) -> Any:
    """Logits of all words of a batch, in their order, `(words, classes)`."""
    tf = require_tensorflow("tagger_signatures")
    preprocessor = model.preprocessor
    count = tf.size(rows.row_sentence)

    def more(start: Any, _: Any) -> Any:
        # Once for a batch of no rows: there must be something to join.
        return (start < count) | (start == 0)

    def step(start: Any, before: Any) -> tuple[Any, Any]:
        end = start + ROWS_AT_A_TIME
        token_ids = rows.token_ids[start:end]
        logits, _ = forward(preprocessor.features(token_ids, None))
        mask = rows.label_mask[start:end].to_tensor(False)
        part = tf.boolean_mask(logits, mask)
        return end, before.write(start // ROWS_AT_A_TIME, part)

    parts = tf.TensorArray(
        tf.float32,
        size=tf.maximum((count + ROWS_AT_A_TIME - 1) // ROWS_AT_A_TIME, 1),
        element_shape=[None, len(model.labels)],
        infer_shape=False,
    )
    _, parts = tf.while_loop(more, step, (0, parts), parallel_iterations=1)
    return parts.concat()
