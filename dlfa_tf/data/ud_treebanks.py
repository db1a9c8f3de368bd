"""Treebanks of Universal Dependencies -> the benchmark's POS data.

As XTREME makes them of release 2.5: multiword tokens are joined (see
`dlfa_tf.data.formats.conllu`), spaces and U+200C within words go, sentences
whose words the release withholds go, and the treebanks of a language follow one
another in the order of their file names.

Reference:
    - google-research/xtreme, scripts/download_data.sh (`download_udpos`) and
      utils_preprocess.py (`udpos_preprocess`).
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator

from dlfa_tf import words
from dlfa_tf.data.formats import conllu
from dlfa_tf.data.original_files import Found
from dlfa_tf.data.task import SPLITS

_DROPPED_IN_WORDS = re.compile("[ \u200c]")
_WITHHELD = "_"

TaggedWords = list[tuple[str, str]]


def language_and_split(name: str) -> tuple[str, str] | None:
    """What a treebank's file is of, by its name.

    The prefix decides, not the folder: UD_Hindi_English is `qhe`.

    Args:
        name: str, name of the file without its folder.

    Returns:
        Language and split; None for another file.

    Example:
        >>> from dlfa_tf.data import ud_treebanks
        >>> ud_treebanks.language_and_split("de_hdt-ud-train-a-1.conllu")
        ('de', 'train')
    """
    language, _, rest = name.partition("_")
    if not name.endswith(".conllu"):
        return None
    # In this order, as XTREME does.
    split = next((x for x in SPLITS if x in rest), None)
    return None if split is None else (language, split)


def joined_sentences(
    path: str, lines: Iterable[tuple[int, str]], language: str
) -> Iterator[TaggedWords]:
    """Yields words and tags of the sentences of a treebank's file.

    Args:
        path: str, names the file in errors.
        lines: numbers and texts of its lines.
        language: str, code that chooses the tag of a joined word between
            equals.

    Returns:
        Iterator of words and tags; multiword tokens are one word.

    Raises:
        ValueError: with file and line, for what is not CoNLL-U.
    """
    for tree in conllu.trees_of_lines(path, lines):
        found = [
            (_DROPPED_IN_WORDS.sub("", form), member.columns[3].strip())
            for token, member in conllu.joined_tokens(tree, language)
            if (form := words.strip_space(token.columns[1]))
        ]
        withheld = sum(form == _WITHHELD for form, _ in found)
        # XTREME's bound: a sentence with two words of its own stays.
        if withheld and withheld >= len(found) - 1:
            continue
        found = [(form, tag) for form, tag in found if form]
        if found:
            yield found


def benchmark_files(
    treebanks: Iterable[Found],
) -> dict[tuple[str, str], dict[str, bytes]]:
    """The data of treebanks in the form of the benchmark.

    A text has a `word TAB tag` per line and a blank line between sentences. A
    treebank that comes a second time, packed and unpacked, is read once.

    Args:
        treebanks: files found, in any order.

    Returns:
        From split and language to file name and text in UTF-8.

    Raises:
        ValueError: with file and line, for what is not CoNLL-U.
    """
    texts: dict[tuple[str, str], dict[str, bytes]] = {}
    for found in treebanks:
        name = found.parts[-1]
        known = language_and_split(name)
        if known is None:
            continue
        language, split = known
        of_language = texts.setdefault((split, language), {})
        if name not in of_language:
            of_language[name] = "\n\n".join(
                "\n".join(f"{word}\t{tag}" for word, tag in sentence)
                for sentence in joined_sentences(
                    found.path, found.lines(), language
                )
            ).encode()
    return texts
