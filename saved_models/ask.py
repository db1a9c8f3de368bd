"""Asks an exported model, with nothing but TensorFlow and TensorFlow Text.

What it imports is the whole point: an export needs neither this project nor
Keras. Usage:

    python saved_models/ask.py saved_models/pos/1 "The cat sleeps ." ...
    python saved_models/ask.py saved_models/xnli/1 "premise" "hypothesis"
    python saved_models/ask.py saved_models/intents/1 "turn it up" ...
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers the tokenizer's ops


def main(folder: str, texts: list[str]) -> None:
    """Prints the answers of the default signature."""
    ask = tf.saved_model.load(folder).signatures["serving_default"]
    if "first" in ask.structured_input_signature[1]:
        if len(texts) % 2:
            sys.exit(f"Pairs are needed. Received: {len(texts)} text(s).")
        pairs = list(zip(texts[::2], texts[1::2], strict=True))
        answer = ask(
            first=tf.constant([a for a, _ in pairs]),
            second=tf.constant([b for _, b in pairs]),
        )
        print_labels(answer, [" | ".join(pair) for pair in pairs])
        return
    answer = ask(text=tf.constant(texts))
    if "label" in answer:
        print_labels(answer, texts)
        return
    for words, tags, length in zip(
        answer["words"].numpy(), answer["tags"].numpy(),
        answer["length"].numpy(), strict=True,
    ):  # fmt: skip
        print(
            " ".join(
                f"{word.decode()}/{tag.decode()}"
                for word, tag in zip(words[:length], tags[:length], strict=True)
            )
        )


def print_labels(answer: dict, texts: list[str]) -> None:
    """Prints a line per text: its label, the probability of it, the text."""
    for text, label, row in zip(
        texts, answer["label"].numpy(), answer["probabilities"].numpy(),
        strict=True,
    ):  # fmt: skip
        print(f"{label.decode()} ({row.max():.2f})  {text}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
