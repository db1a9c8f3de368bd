"""CoNLL-U -> sentences: Universal Dependencies' words, or joined ones.

XTREME's POS data keep a multiword token (`4-5 au`) as it is written and give it
the tag of one of its members: of the one nearest the root, between equals of
the one whose tag comes first in a fixed order. Nearness is counted on all edges
of a sentence, enhanced ones too: a word is the farther, the more words it can
be reached from.

Reference:
    - google-research/xtreme, third_party/ud-conversion-tools (`conllu_to_conll`
      with `--replace_subtokens_with_fused_forms`).
    - https://universaldependencies.org/format.html
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

from dlfa_tf import checks
from dlfa_tf import words
from dlfa_tf.data.formats import text_lines
from dlfa_tf.data.formats.columns import Sentence
from dlfa_tf.data.formats.tables import SHOWN
from dlfa_tf.data.formats.tables import Path

COLUMNS = (
    "id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps",
    "misc",
)  # fmt: skip
# Order of UPOS tags between members that are equally near the root; languages
# without one of their own take the default. What is not named comes last.
_ORDERS = {
    "": "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X "
    "PUNCT",
    "es": "VERB AUX PRON ADP DET",
    "fr": "VERB AUX PRON NOUN ADJ ADV ADP DET PART SCONJ CONJ",
    "it": "VERB AUX ADV PRON ADP DET INTJ",
}


class Token(NamedTuple):
    """A line of a sentence, of a word or of a multiword token.

    Attributes:
        line: int, from 1.
        first: int, id of the word, or of the first one of a multiword token.
        last: int, id of the last word.
        columns: list of the ten columns.
    """

    line: int
    first: int
    last: int
    columns: list[str]


@dataclasses.dataclass(slots=True)
class Tree:
    """A sentence of CoNLL-U, empty nodes and comments left out.

    Attributes:
        words: syntactic words by their id.
        ranges: multiword tokens by the id of their first word.
    """

    words: dict[int, Token] = dataclasses.field(default_factory=dict)
    ranges: dict[int, Token] = dataclasses.field(default_factory=dict)


def conllu_sentences(
    path: Path,
    *,
    joined: bool = True,
    language: str = "",
    tag_column: str = "upos",
) -> Iterator[Sentence]:
    """Yields the sentences of a CoNLL-U file.

    With `joined`, multiword tokens are one word each, as in the benchmark;
    `language` chooses the order of tags between equals. Otherwise words are the
    syntactic ones. `tag_column` is a name of `COLUMNS`.
    """
    checks.check_choice("tag_column", tag_column, COLUMNS)
    for tree in read_trees(path):
        yield as_sentence(path, tree, joined, language, tag_column)


def as_sentence(
    path: Path,
    tree: Tree,
    joined: bool = True,
    language: str = "",
    tag_column: str = "upos",
) -> Sentence:
    """Words and tags of a tree; see `conllu_sentences`."""
    place = COLUMNS.index(tag_column)
    found = []
    for token, member in (
        joined_tokens(tree, language)
        if joined
        else ((word, word) for word in tree.words.values())
    ):
        word = words.strip_space(token.columns[1])
        if not word:
            raise ValueError(
                f"{path}, line {token.line}: the word is empty. Accepted: a "
                "word in the second column."
            )
        found.append((word, words.strip_space(member.columns[place])))
    line = next(iter(tree.words.values())).line
    return Sentence(line, *map(tuple, zip(*found, strict=True)))


def joined_tokens(
    tree: Tree, language: str = ""
) -> Iterator[tuple[Token, Token]]:
    """Yields every token as it is written, and the word that gives its tag."""
    end = 0
    for number, word in tree.words.items():
        if number in tree.ranges:
            token = tree.ranges[number]
            end = token.last
            yield token, head_of(tree, token, language)
        elif number > end:
            yield word, word


def head_of(tree: Tree, token: Token, language: str = "") -> Token:
    """The member of a multiword token that gives it its tag."""
    members = [
        tree.words[i]
        for i in range(token.first, token.last + 1)
        if i in tree.words
    ]
    above = _heads(tree)
    distances = [len(_ancestors(word.first, above)) for word in members]
    nearest = [
        word
        for word, distance in zip(members, distances, strict=True)
        if distance == min(distances)
    ]
    order = _ORDERS.get(language, _ORDERS[""]).split()
    return min(
        nearest,
        key=lambda word: (
            order.index(word.columns[3])
            if word.columns[3] in order
            else len(order)
        ),
    )


def _heads(tree: Tree) -> dict[int, set[int]]:
    """Heads of every word, those of enhanced dependencies too."""
    heads = {}
    for number, word in tree.words.items():
        deps = word.columns[8]
        names = [] if deps == "_" else [x for x in deps.split("|")]
        found = {x.partition(":")[0] for x in names} | {word.columns[6]}
        heads[number] = {int(x) for x in found if x.isdigit()}
    return heads


def _ancestors(number: int, heads: dict[int, set[int]]) -> set[int]:
    """All nodes, the root's 0 included, from which a word can be reached."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        for head in heads.get(waiting.pop(), ()):
            if head not in found:
                found.add(head)
                waiting.append(head)
    return found - {number}


def read_trees(path: Path) -> Iterator[Tree]:
    """Yields the sentences of a file; see `trees_of_lines`."""
    return trees_of_lines(path, text_lines.read_lines(path))


def trees_of_lines(
    path: Path, lines: Iterable[tuple[int, str]]
) -> Iterator[Tree]:
    """Yields the sentences of numbered lines, `path` being the file's name.

    Comments and empty nodes are left out. ValueError with file and line for a
    line without ten columns, an id that is none, or a multiword token whose
    words do not follow.
    """
    tree = Tree()
    for number, line in lines:
        if words.is_blank(line):
            if tree.words:
                yield _whole(path, tree)
            tree = Tree()
        elif not line.startswith("#"):
            _add_line(path, number, line, tree)
    if tree.words:
        yield _whole(path, tree)


def _add_line(path: Path, number: int, line: str, tree: Tree) -> None:
    columns = line.split("\t")
    if len(columns) != len(COLUMNS):
        raise ValueError(
            f"{path}, line {number}: expected the {len(COLUMNS)} columns of "
            f"CoNLL-U, separated by TAB. Received: {len(columns)}: "
            f"{line[:SHOWN]!r}."
        )
    first, dash, last = columns[0].partition("-")
    if "." in first:
        return
    expected = len(tree.words) + 1
    if not first.isdecimal() or (dash and not last.isdecimal()):
        problem = f"the id {columns[0]!r} is none"
    elif int(first) != expected:
        problem = f"the id {columns[0]!r} does not follow {expected - 1}"
    elif dash and int(last) < int(first):
        problem = f"the range {columns[0]!r} ends before it begins"
    else:
        token = Token(number, int(first), int(last or first), columns)
        (tree.ranges if dash else tree.words)[int(first)] = token
        return
    raise ValueError(
        f"{path}, line {number}: {problem}. Accepted: 1, 2, ... of words, 2-3 "
        "of multiword tokens before their words, 2.1 of empty nodes."
    )


def _whole(path: Path, tree: Tree) -> Tree:
    for token in tree.ranges.values():
        if token.last not in tree.words:
            raise ValueError(
                f"{path}, line {token.line}: the words of the multiword token "
                f"{token.columns[0]!r} do not follow. Accepted: a line for "
                "each of them."
            )
    return tree
