"""Archives in a folder become sets of TensorFlow Datasets, offline."""

import shutil

import pytest

from dlfa_tf.data.tasks import TASKS
from dlfa_tf.data.tfds import prepared_folder
from dlfa_tf.data.tfds_archives import prepare_tfds

pytestmark = pytest.mark.usefixtures("no_network")


def test_prepares_what_is_missing_only(tmp_path, archives, any_archive):
    said = []
    for _ in range(2):
        prepare_tfds(
            TASKS["ner"], ["de", "en"], tmp_path, archives, said.append
        )
    assert said == ["preparing wikiann/en", "preparing wikiann/de"]
    assert prepared_folder(tmp_path, "wikiann/de") is not None


@pytest.mark.parametrize(
    ("task", "archive", "address"),
    [
        ("xnli", "en-ar-translated.tsv", "xtreme_translations"),
        ("pawsx", "paws_wiki_labeled_final.tar.gz", "storage.googleapis.com"),
        ("ner", "panx_dataset.tar", "dropbox.com"),
        ("pos", "ud-treebanks-v2.5.tgz", "lindat.mff.cuni.cz"),
    ],
)
def test_missing_archive_is_named_and_nothing_is_downloaded(
    tmp_path, task, archive, address
):
    (tmp_path / "manual").mkdir()
    with pytest.raises(FileNotFoundError) as error:
        prepare_tfds(
            TASKS[task], ["en"], tmp_path / "sets", tmp_path / "manual"
        )
    for part in (archive, address, str(tmp_path / "manual")):
        assert part in str(error.value)


def test_archive_of_other_content_is_refused(tmp_path, archives):
    manual = tmp_path / "manual"
    manual.mkdir()
    shutil.copy(archives / "ud-treebanks-v2.5.tgz", manual)
    with pytest.raises(ValueError, match=r"not the one .* wrong checksum"):
        prepare_tfds(TASKS["pos"], ["en"], tmp_path / "sets", manual)
    assert prepared_folder(tmp_path / "sets", "xtreme_pos") is None


def test_manual_dir_must_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match="`manual_dir` does not exist"):
        prepare_tfds(TASKS["pos"], ["en"], tmp_path, tmp_path / "none")


def test_other_archives_of_the_same_name_are_unpacked_anew(
    tmp_path, archives, any_archive
):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    shutil.copy(archives / "panx_dataset.tar", second)
    # Not an archive at all: leaves something behind, or nothing.
    (first / "panx_dataset.tar").write_bytes(b"\0" * 1024)
    with pytest.raises(Exception):  # noqa: B017 (of TFDS, whatever it is)
        prepare_tfds(TASKS["ner"], ["en"], tmp_path / "sets", first)
    prepare_tfds(TASKS["ner"], ["en"], tmp_path / "sets", second)
    assert prepared_folder(tmp_path / "sets", "wikiann/en") is not None
