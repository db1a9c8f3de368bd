"""The same text is the same text in every place that a word goes through.

Words of every kind of white space, of control and format characters, joiners
and nothing at all go through file -> training arrays -> model -> predict ->
file, and model -> export -> client. As many words and tags come out as went in,
in order, or every place refuses them.
"""

import codecs
import functools
import json
import os

import hypothesis
import keras_hub
import pytest
from hypothesis import strategies as st

from dlfa_tf import words
from dlfa_tf.data import arrays
from dlfa_tf.data import packed_arrays
from dlfa_tf.data import readers
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.preprocessing import piece_tokenizer
from dlfa_tf.scoring import prediction_files
from dlfa_tf.serving import Client
from dlfa_tf.serving.bulk import lines
from dlfa_tf.serving.bulk import word_lines
from dlfa_tf.serving.client import rest_transport
from dlfa_tf.serving.client import tensors
from tests.eager_mode import eagerly
from tests.serving.conftest import TAGS
from trainers.labellers import ModelLabeller

EXAMPLES = int(os.environ.get("DLFA_TF_FUZZ_EXAMPLES", "8"))
HOSTILE = [
    *words.WHITE_SPACE,
    *"\x00\x01\x08\x1b\x1c\x1d\x1e\x1f\x7f\x80\x85\x9f",  # control
    *"\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f",  # format
    *"\u2060\u2066\ufeff",
    *"\ufffd\ue000\u0378\U000e0001\U000f0000",  # replaced, private, none
    *"\u0301\u0e31\u3099\ufe0f\u20e3",  # marks that join
    *"a'é日ก한\u0915\u0643\U0001f468",
    "e\u0301", "\u2581", "##a", "[UNK]", "[SEP]", "<s>", "/", "\\", '"', "#",
    "-DOCSTART-", "O", "\u2028\u2029",
]  # fmt: skip
some_words = st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)
some_sentences = st.lists(
    st.lists(some_words, min_size=1, max_size=5), min_size=1, max_size=3
)
many = functools.partial(
    hypothesis.settings,
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="module")
def model(tagger):
    with eagerly():
        yield tagger


@pytest.fixture(scope="module")
def client(tagger_export):
    with Client.of_export(tagger_export) as client:
        yield client


def as_lines(sentences):
    """The benchmark's file of these words, or None where it cannot be."""
    ends = ("\n", "\t")
    if any(x in word for row in sentences for word in row for x in ends):
        return None
    rows = [
        "".join(f"{word}\t{TAGS[i % 4]}\n" for i, word in enumerate(sentence))
        for sentence in sentences
    ]
    return "\n".join(rows).encode()


def read(path):
    try:
        return readers.read_tagged(path, TAGS)
    except ValueError as error:
        assert str(path) in str(error)
        return None


@many()
@hypothesis.given(some_sentences)
@hypothesis.example([["\ufeff"]])
@hypothesis.example([["\ufeffa", "\ufeffb"]])
def test_file_to_arrays_to_model_to_file(model, tmp_path_factory, sentences):
    content = as_lines(sentences)
    if content is None:
        return
    path = tmp_path_factory.getbasetemp() / "dev-en.tsv"
    path.write_bytes(content)
    found = read(path)
    reported = []
    labeller = ModelLabeller(model, 32)
    # Bytes are split at LF alone, as a file is.
    batch = list(word_lines.sentences(_file_lines(content)))
    answer = word_lines.label_word_lines(
        labeller, batch, lambda *problem: reported.append(problem)
    )
    if found is None:
        # What cannot be trained on is no word for `predict` either.
        assert reported
        return
    assert not reported
    expected = [w for s in sentences for w in s]
    # A byte order mark is no text where a file begins.
    expected[:1] = [w.removeprefix("\ufeff") for w in expected[:1]]
    expected = list(map(words.strip_space, expected))
    assert [w for s in found for w in s.words] == expected
    # Every word has a label in training.
    made = arrays.tokenize_examples(found, model.preprocessor)
    gold = packed_arrays.gold_names(made, tuple(TAGS))
    assert gold == [list(s.tags) for s in found]
    # And a tag in the answer, which reads back as data.
    tags = model.tag([list(s.words) for s in found])
    assert list(map(len, tags)) == [len(s.words) for s in found]
    path.write_bytes("".join(f"{line}\n" for line in answer).encode())
    assert readers.read_tagged(path, TAGS) == [
        TaggedSentence(s.words, tuple(t))
        for s, t in zip(found, tags, strict=True)
    ]
    # So do prediction files.
    prediction_files.write_predictions(path.parent, "dev", "en", tags)
    written = path.parent / "predictions" / "dev-en.tsv"
    assert readers.read_label_file(written, TAGS, "tagging") == tags


def _file_lines(content):
    content = content.removeprefix(codecs.BOM_UTF8)
    return [line + b"\n" for line in content.split(b"\n")[:-1]]


@many()
@hypothesis.given(some_sentences)
def test_model_to_export_to_client(model, client, sentences):
    """Lists of words: nothing is split, nothing is lost."""
    tags = model.tag(sentences)
    answers = client.tag_words(sentences)
    in_process = ModelLabeller(model, 32).tag_words(sentences)
    for found in (answers, in_process):
        assert [[x.word for x in row] for row in found] == sentences
        assert [[x.tag for x in row] for row in found] == tags


@many()
@hypothesis.given(st.lists(some_words, min_size=1, max_size=4))
def test_texts_are_split_alike(model, client, texts):
    expected = [words.split_words(text) for text in texts]
    tags = model.tag(texts)
    assert list(map(len, tags)) == list(map(len, expected))
    assert tags == [model.tag([row])[0] if row else [] for row in expected]
    for labeller in (client, ModelLabeller(model, 32)):
        found = labeller.tag(texts)
        assert [[x.word for x in row] for row in found] == expected
        assert [[x.tag for x in row] for row in found] == tags


@many()
@hypothesis.given(some_sentences, st.sampled_from(["text", "words"]))
def test_lines_of_json(model, sentences, key):
    values = [" ".join(s) if key == "text" else s for s in sentences]
    given = [json.dumps({key: value}).encode() + b"\n" for value in values]
    problems = []
    answers = lines.label_lines(
        ModelLabeller(model, 32),
        "tagger",
        "jsonl",
        given,
        lambda *problem: problems.append(problem),
    )
    assert not problems
    for value, answer in zip(values, map(json.loads, answers), strict=True):
        wanted = words.split_words(value) if key == "text" else value
        assert answer["words"] == wanted
        assert len(answer["tags"]) == len(wanted)


@many()
@hypothesis.given(st.lists(some_words, min_size=1, max_size=9))
def test_texts_on_the_wire(texts):
    """Over gRPC and over REST, a text is what was sent."""
    tensor = tensors.string_tensor(texts)
    assert tensors.from_tensor(tensor) == texts
    sent = json.loads(json.dumps(rest_transport._jsonable(texts)))
    assert sent == texts


def test_marks_at_the_start_of_a_file_are_no_text(tmp_path):
    content = "\ufeffder\tA\nFluss\tB\n".encode()
    (tmp_path / "dev-en.tsv").write_bytes(content)
    (found,) = readers.read_tagged(tmp_path / "dev-en.tsv", TAGS)
    assert found.words == ("der", "Fluss")


def test_composed_and_decomposed_letters_are_read_as_they_are():
    """As the reference does; docs/data.md says what to do."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary += ["caf\u00e9", "cafe", "##\u0301"]
    tokenizer = keras_hub.tokenizers.BertTokenizer(vocabulary=vocabulary)
    pieces = piece_tokenizer.build_piece_tokenizer(tokenizer)
    found = pieces.tokenize(["caf\u00e9", "cafe\u0301"]).to_list()
    assert found == [[5], [6, 7]]
