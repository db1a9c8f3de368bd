"""Functions of an exported model: raw strings in, named outputs out."""

from typing import Any

from dlfa_tf.lazy import tf
from dlfa_tf.preprocessing import base_preprocessor
from dlfa_tf.preprocessing import text_cleaning
from dlfa_tf.serving.export import row_groups
from dlfa_tf.serving.export.row_groups import ROWS_AT_A_TIME


def classifier_signatures(
    model: Any, forward: Any, rows_at_a_time: int = ROWS_AT_A_TIME
) -> dict[str, Any]:
    """Builds the signatures of a classifier of pairs, a `tf.function` by name.

    The model has a preprocessor and labels; `forward` goes from features, and
    the name of what is read, `"logits"` or `"vector"`, to `(logits,
    sentence_vector)`; for `rows_at_a_time` see `map_by_length`.

    `serving_default`: `first`, `second` string `(batch,)` -> `label` string
    `(batch,)`, `probabilities` float32 `(batch, classes)`.
    `embed`: the same inputs -> `embedding` float32 `(batch, dim)`, what the
    head reads of the fused representation: position 0, or the mean with
    `sentence_pooling="mean"`.
    """
    text = tf.TensorSpec([None], tf.string)

    @tf.function(input_signature=[text, text])
    def classify(first: Any, second: Any) -> dict[str, Any]:
        rows = _encoded(model, first, second)
        return _answer(model, forward, rows, rows_at_a_time)

    @tf.function(input_signature=[text, text])
    def embed(first: Any, second: Any) -> dict[str, Any]:
        rows = _encoded(model, first, second)
        return _embedding(model, forward, rows, rows_at_a_time)

    return {"serving_default": classify, "embed": embed}


def single_signatures(
    model: Any, forward: Any, rows_at_a_time: int = ROWS_AT_A_TIME
) -> dict[str, Any]:
    """Builds the signatures of a classifier of single texts.

    As `classifier_signatures`, but both take `text`, string `(batch,)`.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(text: Any) -> dict[str, Any]:
        rows = _encoded(model, text, None)
        return _answer(model, forward, rows, rows_at_a_time)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed(text: Any) -> dict[str, Any]:
        rows = _encoded(model, text, None)
        return _embedding(model, forward, rows, rows_at_a_time)

    return {"serving_default": classify, "embed": embed}


def _encoded(model: Any, first: Any, second: Any | None) -> Any:
    """Rows of pieces of texts or pairs."""
    # The model server does not check shapes; a request of another rank would
    # reach kernels that crash the whole server.
    first = tf.ensure_shape(first, [None])
    if second is not None:
        second = tf.ensure_shape(second, [None])
    return model.preprocessor.encode(first, second)


def _answer(
    model: Any, forward: Any, rows: Any, rows_at_a_time: int
) -> dict[str, Any]:
    """Labels and probabilities of rows."""
    logits = _read(
        model, forward, rows, rows_at_a_time, _logits, len(model.labels)
    )
    return {
        "label": tf.gather(
            tf.constant(model.labels), tf.argmax(logits, axis=-1)
        ),
        "probabilities": tf.nn.softmax(logits),
    }


def _embedding(
    model: Any, forward: Any, rows: Any, rows_at_a_time: int
) -> dict[str, Any]:
    """Vectors of rows."""
    width = model.backbone.hidden_dim
    return {
        "embedding": _read(model, forward, rows, rows_at_a_time, _vector, width)
    }


def _read(
    model: Any,
    forward: Any,
    rows: Any,
    rows_at_a_time: int,
    read: Any,
    width: int,
) -> Any:
    """What `read` reads of the answers of `forward`, `(batch, width)`."""

    def compute(group: Any) -> Any:
        features = model.preprocessor.features(
            tf.gather(rows.token_ids, group),
            tf.gather(rows.segment_ids, group),
        )
        return read(forward, features)

    values, order = row_groups.map_by_length(
        rows.token_ids.row_lengths(), compute, width, rows_at_a_time
    )
    return row_groups.rows_in_order(values, order)


def tagger_signatures(
    model: Any, forward: Any, rows_at_a_time: int = ROWS_AT_A_TIME
) -> dict[str, Any]:
    """Builds the signatures of a token classifier, as `classifier_signatures`.

    A long text is split into rows and merged again in the graph: every word
    gets a tag.

    `serving_default`: `text` string `(batch,)`, split at white space ->
    `words`, `tags` string `(batch, max_words)` padded with "", `scores`
    float32 `(batch, max_words)` (probability of the tag), `length` int32
    `(batch,)`.
    `tag_words`: `words` string `(batch, max_words)`, padded with "" at the end
    -> the same outputs.
    `embed`: `text` -> `embedding` float32 `(batch, dim)`, of the first row of
    the text, as for a classifier.
    """
    preprocessor = model.preprocessor
    labels = tf.constant(model.labels)

    def tag(words: Any) -> dict[str, Any]:
        rows = preprocessor.encode_words(words)
        logits = _word_logits(model, forward, rows, rows_at_a_time)
        probabilities = tf.nn.softmax(logits)
        tags = tf.gather(labels, tf.argmax(probabilities, axis=-1))
        scores = tf.reduce_max(probabilities, axis=-1)

        lengths = words.row_lengths()
        width = base_preprocessor.width_of(lengths)

        def dense(values: Any, filler: Any) -> Any:
            return base_preprocessor.padded(
                words.with_flat_values(values), filler, width
            )

        return {
            "words": dense(words.flat_values, ""),
            "tags": dense(tags, ""),
            "scores": dense(scores, 0.0),
            "length": tf.cast(lengths, tf.int32),
        }

    def split(text: Any) -> Any:
        return text_cleaning.split_words(
            text_cleaning.valid_utf8(tf.ensure_shape(text, [None]))
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def tag_text(text: Any) -> dict[str, Any]:
        return tag(split(text))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def tag_words(words: Any) -> dict[str, Any]:
        words = text_cleaning.valid_utf8(tf.ensure_shape(words, [None, None]))
        # Only empty strings at the end are padding.
        position = tf.range(1, tf.shape(words)[1] + 1)
        length = tf.reduce_max(
            tf.where(words == "", 0, position),
            axis=1,
        )
        # reduce_max over no columns gives the smallest int.
        length = tf.maximum(length, 0)
        real = tf.where(position <= length[:, None])
        return tag(
            tf.RaggedTensor.from_row_lengths(
                tf.gather_nd(words, real),
                tf.cast(length, tf.int64),
                validate=False,
            )
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed(text: Any) -> dict[str, Any]:
        rows = preprocessor.encode_words(split(text))
        # The further rows of a long text are not needed: not computed either.
        sentence = rows.row_sentence
        before = tf.concat([[-1], sentence[:-1]], axis=0)
        first = tf.where(sentence != before[: tf.size(sentence)])[:, 0]
        token_ids = tf.gather(rows.token_ids, first)

        def compute(group: Any) -> Any:
            features = preprocessor.features(tf.gather(token_ids, group), None)
            return _vector(forward, features)

        values, order = row_groups.map_by_length(
            token_ids.row_lengths(),
            compute,
            model.backbone.hidden_dim,
            rows_at_a_time,
        )
        return {"embedding": row_groups.rows_in_order(values, order)}

    return {"serving_default": tag_text, "tag_words": tag_words, "embed": embed}


# One of two answers is read, never both.
def _logits(forward: Any, features: dict[str, Any]) -> Any:
    return forward(features, "logits")[0]


def _vector(forward: Any, features: dict[str, Any]) -> Any:
    return tf.cast(forward(features, "vector")[1], tf.float32)


def _word_logits(
    model: Any, forward: Any, rows: Any, rows_at_a_time: int
) -> Any:
    """Logits of all words of a batch, in their order, `(words, classes)`."""
    preprocessor = model.preprocessor
    # In the sign of the ids, because everything that a loop reads costs seven
    # ops beside those that pick out and pad its rows.
    ids = rows.token_ids.flat_values
    signed = rows.token_ids.with_flat_values(
        tf.where(rows.label_mask.flat_values, tf.bitwise.invert(ids), ids)
    )

    def compute(group: Any) -> Any:
        features = preprocessor.features(tf.gather(signed, group), None)
        ids = features["token_ids"]
        carries_label = ids < 0
        features["token_ids"] = tf.maximum(ids, tf.bitwise.invert(ids))
        logits = _logits(forward, features)
        # What tf.boolean_mask does, in two ops.
        return tf.gather_nd(logits, tf.where(carries_label))

    values, order = row_groups.map_by_length(
        rows.token_ids.row_lengths(),
        compute,
        len(model.labels),
        rows_at_a_time,
    )
    words = rows.word_splits[1:] - rows.word_splits[:-1]
    return row_groups.parts_in_order(values, order, words)
