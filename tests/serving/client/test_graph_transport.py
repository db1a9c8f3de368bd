"""Tests of asking an export in this process, and of finding one."""

import pytest

from dlfa_tf.serving import CallerError
from dlfa_tf.serving import Client
from dlfa_tf.serving.client.graph_transport import find_export


def test_export_is_asked_like_a_server(toy_tagger):
    with Client.of_export(toy_tagger, max_batch_size=2) as client:
        assert client.kind == "tagger"
        assert client.status() == {0: ("AVAILABLE", "")}
        answer = client.tag(["The cat", "", "東京"])
        assert [[word.tag for word in words] for words in answer] == [
            ["UP", "LOW"],
            [],
            ["LOW"],
        ]
        assert client.tag_words([["a", "B"]])[0][1].tag == "UP"
        assert client.embed([b"abcd"]) == [[4.0, 2.0]]


@pytest.mark.parametrize(
    ("inputs", "signature"),
    [
        ({"text": ["a"]}, "nothing"),
        ({"no": ["a"]}, "embed"),
        ({"text": [["a"]]}, "embed"),
    ],
)
def test_wrong_requests_are_the_callers_fault(toy_tagger, inputs, signature):
    with Client.of_export(toy_tagger) as client:
        with pytest.raises(CallerError) as caught:
            client.predict(inputs, signature)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_folder_of_a_model_is_its_highest_version(toy_tagger, tmp_path):
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "2").symlink_to(toy_tagger)
    with Client.of_export(tmp_path / "pos") as client:
        assert client.kind == "tagger"


@pytest.mark.parametrize("name", ["nothing", "a.txt", ""])
def test_what_is_no_export_is_refused(tmp_path, name):
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileNotFoundError, match="`folder` holds no export. R"):
        Client.of_export(tmp_path / name)


def test_pairs_of_unequal_number_are_refused(toy_classifier):
    with Client.of_export(toy_classifier) as client:
        assert client.kind == "classifier"
        with pytest.raises(CallerError, match="of one length"):
            client.classify(["a"], [])
        assert client.classify(["a"], ["a"])[0].label == "same"


def test_highest_version_is_found(toy_tagger, tmp_path):
    assert find_export(toy_tagger) == toy_tagger
    assert find_export(toy_tagger.parent) == toy_tagger
    assert find_export(tmp_path) is None
    for name in ("2", "10", "writing-11"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "12").mkdir()
    assert find_export(tmp_path) == tmp_path / "10"
