"""Archives in the form of those that TensorFlow Datasets prepares from."""

import csv
import io
import tarfile
import zipfile

import pytest

XNLI_LANGUAGES = "ar bg de el en es fr hi ru sw th tr ur vi zh".split()
NLI = ("contradictory", "entailment", "neutral")


def _tsv(rows):
    out = io.StringIO()
    csv.writer(
        out,
        delimiter="\t",
        lineterminator="\n",
        quoting=csv.QUOTE_NONE,
        quotechar=None,
    ).writerows(rows)
    return out.getvalue()


def _write_tar(path, texts):
    with tarfile.open(path, "w:gz" if "gz" in path.name else "w") as tar:
        for name, content in texts.items():
            if isinstance(content, str):
                content = content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _xnli(folder):
    header = ["language", "gold_label", "sentence1", "sentence2", "pairID"]
    with zipfile.ZipFile(folder / "XNLI-1.0.zip", "w") as archive:
        for split, count in (("dev", 2), ("test", 3)):
            rows = [
                [lang, "neutral", f'{lang} "{split} {i}', f"{lang} hyp {i}", i]
                for i in range(count)
                for lang in XNLI_LANGUAGES
            ]
            archive.writestr(
                f"XNLI-1.0/xnli.{split}.tsv", _tsv([header, *rows])
            )
    for lang in XNLI_LANGUAGES:
        rows = [
            [f"premise {i}", f"hyp {i}", f"{lang} p {i}", f"{lang} h {i}", nli]
            for i, nli in enumerate(NLI)
        ]
        path = folder / f"en-{lang}-translated.tsv"
        path.write_text(_tsv(rows), "utf-8")


def _paws(folder):
    def table(label, count):
        rows = [[i, f"{label} a {i}", f"b {i}", i % 2] for i in range(count)]
        return _tsv([["id", "sentence1", "sentence2", "label"], *rows])

    _write_tar(
        folder / "paws_wiki_labeled_final.tar.gz",
        {f"final/{s}.tsv": table(f"wiki {s}", 4) for s in ("train", "dev")}
        | {"final/test.tsv": table("wiki test", 1)},
    )
    # The builder fetches these, whichever of its sets is asked for.
    for name in (
        "paws_wiki_labeled_swap",
        "paws_wiki_unlabeled_final",
        "wiki_raw_and_mapping",
    ):
        _write_tar(folder / f"{name}.tar.gz", {"none": ""})
    _write_tar(
        folder / "x-final.tar.gz",
        {
            f"x-final/{lang}/{name}.tsv": table(f"{lang} {name}", count)
            for lang in ("de", "en")
            for name, count in (
                ("train" if lang == "en" else "translated_train", 1),
                ("dev_2k", 2),
                ("test_2k", 3),
            )
        },
    )


def _wikiann(folder):
    def one(lang):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for split in ("train", "dev", "test"):
                text = (
                    f"{lang}:{split}\tB-ORG\n{lang}:a:b\tI-ORG\n{lang}:.\tO\n\n"
                    f"{lang}:Köln\tB-LOC\n\n"
                )
                info = tarfile.TarInfo(split)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        return out.getvalue()

    _write_tar(
        folder / "panx_dataset.tar",
        {f"{lang}.tar.gz": one(lang) for lang in ("de", "en")},
    )


def _conllu(*sentences):
    text = ""
    for words in sentences:
        for number, (form, tag) in enumerate(words, start=1):
            text += "\t".join(
                [str(number), form, form, tag, *["_"] * 2, "0", *["_"] * 3]
            )
            text += "\n"
        text += "\n"
    return text


def _universal_dependencies(folder):
    root = "ud-treebanks-v2.5"
    english = _conllu(
        [("The", "DET"), ("10 000", "NUM"), ("a\u200cb", "X")],
        [("_", "_"), ("_", "_")],
        [("Go", "VERB")],
    )
    _write_tar(
        folder / "ud-treebanks-v2.5.tgz",
        {
            **{
                f"{root}/UD_English-EWT/en_ewt-ud-{split}.conllu": english
                for split in ("train", "dev", "test")
            },
            **{
                f"{root}/UD_Tamil-TTB/ta_ttb-ud-{split}.conllu": _conllu(
                    [("தமிழ்", "PROPN")]
                )
                for split in ("train", "dev", "test")
            },
            f"{root}/UD_Hindi_English-HIENCS/qhe_hiencs-ud-test.conllu": (
                _conllu([("chalo", "VERB")])
            ),
            f"{root}/UD_Tagalog-TRG/tl_trg-ud-test.conllu": _conllu(
                [("Tumakbo", "VERB")]
            ),
        },
    )


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """A folder with small archives of all four tasks."""
    folder = tmp_path_factory.mktemp("archives")
    for write in (_xnli, _paws, _wikiann, _universal_dependencies):
        write(folder)
    return folder


@pytest.fixture
def no_network(monkeypatch):
    """Makes any attempt to reach another machine an error."""
    import socket

    def refuse(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def any_archive(monkeypatch):
    """Lets TFDS take archives whose sums it does not know."""
    import tensorflow_datasets as tfds

    monkeypatch.setattr(
        tfds.download.DownloadManager,
        "_register_or_validate_checksums",
        lambda *_, **__: None,
    )
