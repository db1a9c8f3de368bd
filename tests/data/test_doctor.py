"""What the doctor of data finds, file by file."""

import dataclasses

import pytest

from dlfa_tf.data import doctor
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import TASKS

LONG = "a sentence of more than twenty letters"


def tagged(*sentences):
    """Text of `word/TAG word/TAG` sentences."""
    return "\n".join(
        "".join(x.replace("/", "\t") + "\n" for x in sentence.split())
        for sentence in sentences
    )


def words_of(text, tag="O"):
    return " ".join(f"{word}/{tag}" for word in text.split())


@pytest.fixture
def check(tmp_path):
    """Looks at files, given by name, of a task."""

    def check(task, languages=None, **files):
        folder = tmp_path / TASKS[task].folder
        folder.mkdir()
        for name, text in files.items():
            path = folder / f"{name.replace('_', '-')}.tsv"
            path.write_text(text, encoding="utf-8")
        source = Source(task=TASKS[task], name="files", data_dir=str(tmp_path))
        return doctor.check_data(source, None, languages)

    return check


def found(checkup, what):
    return [(x.is_wrong, x.text) for x in checkup.findings if x.what == what]


def test_good_data_have_no_findings(check):
    # A POS task without all tags would have a finding on the missing ones.
    text = "".join(f"{LONG} {x}\tb b\t{x}\n" for x in "01")
    other = "".join(f"noch ein Satz {x}\tb b\t{x}\n" for x in "01")
    checkup = check("pawsx", train_en=text, test_de=other)
    assert checkup.findings == ()
    assert not checkup.is_wrong
    assert [x.in_train for x in checkup.files] == [None, 0]


def test_training_items_in_a_test_file_are_wrong(check):
    rows = "".join(f"{LONG} {i}\tb b\t{i % 2}\n" for i in range(4))
    test = f"{LONG}  2\tb b\t0\nneu\tnew\t1\n"
    checkup = check("pawsx", train_en=rows, test_en=test, test_de=test)
    ((is_wrong, text),) = found(checkup, "overlap")
    assert is_wrong and checkup.is_wrong
    assert "test-en 1 of 2 (50.0%), test-de" in text or "test-de 1 of 2" in text


def test_short_items_may_be_alike(check):
    rows = "Ja\tYes\t0\nNein\tNo\t1\n"
    checkup = check("pawsx", train_en=rows, dev_en=rows, test_en=rows)
    assert [x[0] for x in found(checkup, "overlap")] == [False]
    assert not checkup.is_wrong


def test_duplicates_and_single_characters_are_worth_a_look(check):
    checkup = check("pawsx", train_en="a b\tc d\t0\na  b\tc d\t1\nx\ty y\t1\n")
    ((is_wrong, text),) = found(checkup, "duplicates")
    assert (is_wrong, "train-en 1 of 3 (33.3%)" in text) == (False, True)
    ((is_wrong, text),) = found(checkup, "short")
    assert (is_wrong, "train-en 1 of 3" in text) == (False, True)
    assert not checkup.is_wrong


def test_unknown_labels_are_all_named(check):
    text = tagged("a/O b/B-FOO c/I-FOO d/B-FOO", "a/O b/B-PER")
    ((is_wrong, text),) = found(check("ner", dev_de=text), "labels")
    assert is_wrong
    assert "dev-de: 'B-FOO' (2), 'I-FOO' (1) are no labels" in text


def test_labels_that_only_test_has(check):
    train = tagged("a/O b/B-PER c/I-PER", "d/O")
    checkup = check("ner", train_en=train, test_en=tagged("x/O y/B-LOC"))
    texts = [text for is_wrong, text in found(checkup, "labels")]
    assert any("train-en: no item has ['B-ORG'" in x for x in texts)
    assert any("test-en: 'B-LOC' (1) do not occur in the" in x for x in texts)
    assert not checkup.is_wrong


def test_broken_iob2_is_wrong_where_it_is_scored(check):
    text = tagged("a/I-PER b/O c/B-LOC")
    checkup = check("ner", train_en=text, test_en=text)
    assert sorted(x[0] for x in found(checkup, "scheme")) == [False, True]
    assert "test-en 1 of 2 (50.0%)" in found(checkup, "scheme")[0][1]


def test_script_that_does_not_fit_is_wrong(check):
    checkup = check("ner", test_ru=tagged(words_of(LONG), "x/B-PER"))
    ((is_wrong, text),) = found(checkup, "script")
    assert is_wrong
    assert "test-ru: 0% of the letters are of the script of 'ru'" in text


def test_unreadable_files_do_not_hide_the_others(check):
    checkup = check("ner", dev_de="a O\n", dev_en=tagged("a/O b/B-PER"))
    ((is_wrong, text),) = found(checkup, "file")
    assert is_wrong and "dev-de.tsv, line 1: expected a token" in text
    assert [x.language for x in checkup.files] == ["en"]


def test_files_without_labels_are_no_fault(check):
    checkup = check("ner", dev_de=tagged("a/O b/B-PER"), test_de="a\nb\n")
    assert [x[0] for x in found(checkup, "labels")] == [False]
    assert "Test files without labels: de" in found(checkup, "labels")[0][1]
    assert not checkup.is_wrong


def test_one_label_for_all_is_wrong_where_it_is_no_chance(check):
    rows = [f"Satz {x}\tsentence {x}\t1\n" for x in range(20)]
    checkup = check("pawsx", test_de="".join(rows), test_fr="".join(rows[:19]))
    findings = {x[1].partition(":")[0]: x[0] for x in found(checkup, "labels")}
    assert findings == {"test-de": True, "test-fr": False}


def test_parallel_files_of_other_lengths(check):
    row = "eins zwei\tdrei vier\t{}\n"
    one = row.format(0) + row.format(1).replace("eins", "zwei")
    checkup = check("pawsx", test_de=one, test_en=one, test_fr=row.format(0))
    ((is_wrong, text),) = found(checkup, "parallel")
    assert not is_wrong and "not all have 2 rows: 'fr' (1)" in text


def test_nothing_to_look_at_is_wrong(check):
    ((is_wrong, text),) = found(check("pawsx"), "file")
    assert is_wrong and "No data of task 'pawsx'" in text


def test_the_sample_is_sound():
    for task in TASKS.values():
        checkup = doctor.check_data(Source(task=task, name="sample"))
        assert not checkup.is_wrong, checkup.findings


def test_source_is_not_changed(check):
    checkup = check("ner", dev_de=tagged("a/O b/B-FOO"))
    assert checkup.task == TASKS["ner"]
    assert dataclasses.is_dataclass(checkup)


def test_languages_are_checked_beside_the_training_data_alone(check):
    rows = "".join(f"{LONG} {i}\tb b\t{i % 2}\n" for i in range(4))
    checkup = check(
        "pawsx", ["de"], train_en=rows * 2, test_de=rows, test_fr=rows + "x\n"
    )
    assert [(x.split, x.language) for x in checkup.files] == [("test", "de")]
    assert [x.what for x in checkup.findings] == ["overlap"]


@pytest.mark.parametrize(
    ("language", "message"),
    [("sw", "Language 'sw' is not one of"), ("fr", r"no file.*\['de', 'en'\]")],
)
def test_language_that_is_not_there_is_refused(check, language, message):
    rows = f"{LONG}\tb b\t0\n"
    with pytest.raises((ValueError, FileNotFoundError), match=f"(?i){message}"):
        check("pawsx", ["de", language], train_en=rows, test_de=rows)
