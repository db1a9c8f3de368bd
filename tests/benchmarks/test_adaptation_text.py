"""Text to adapt on, out of the benchmark's own files."""

from benchmarks import adaptation_text
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence


def test_texts_come_in_turn_and_once():
    pairs = [PairExample("a b", "c", "x"), PairExample("d", "a b", "x")]
    sentences = [TaggedSentence(("e", "f"), ("X", "X"))]
    found = list(adaptation_text.texts_in_turn([pairs, sentences], 9))
    assert found == ["a b", "c", "e f", "d"]
    assert list(adaptation_text.texts_in_turn([pairs], 2)) == ["a b", "c"]


def test_what_is_scored_and_what_is_tested_stays_out(tmp_path):
    data, texts = tmp_path / "data", tmp_path / "texts"
    texts.mkdir()
    for task, line in {
        "xnli": "{}x premise\t{}x hypothesis\tneutral\n",
        "pawsx": "{}p first\t{}p second\t0\n",
        "panx": "{}n\tO\n\n",
        "udpos_fused": "{}u\tX\n\n",
    }.items():
        (data / task).mkdir(parents=True)
        for name, count in {"train-en": 2, "dev-de": 3, "test-de": 3}.items():
            rows = [line.format(*[f"{name}{row}"] * 2) for row in range(count)]
            (data / task / f"{name}.tsv").write_text("".join(rows), "utf-8")
    counts = adaptation_text.write_texts(str(data), texts, 2, 100)
    assert counts == {"de": 6, "en": 12}
    german = (texts / "texts-de.txt").read_text("utf-8").splitlines()
    assert german == [
        "dev-de2x premise",
        "dev-de2x hypothesis",
        "dev-de2p first",
        "dev-de2p second",
        "dev-de2n",
        "dev-de2u",
    ]
    assert adaptation_text.write_texts(str(data), texts, 3, 100) == {"en": 12}
