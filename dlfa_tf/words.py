r"""What a word is: white space, line ends, marks, columns, empty words.

Readers, programs, the client and the scores take it from here, so that a token
in training is a token in every other place. Standard library only. The rules:

- White space is what `WHITE_SPACE` holds: Unicode's property White_Space but
  for U+0085, a control character. It separates words and is no part of their
  ends; within a word that came in a column of its own it stays.
- A line ends at LF or CRLF, nowhere else: U+2028 and a CR within are white
  space.
- A byte order mark is no text where a file or a stream begins. Elsewhere U+FEFF
  is a format character.
- An empty word is no word. A line of white space alone is blank; where TABs
  separate columns, one with a TAB is not: its columns are empty.
- Format and control characters (U+200B, U+200C, U+00AD, U+FEFF, ...) belong to
  words. One that holds nothing else is a word, with a tag of its own: the
  tokenizer reads it as unknown.
- Columns are separated by TABs, in CoNLL's files also by spaces. Fields of
  tables lose the quotes that a csv writer put, and no others.
"""

import re
from collections.abc import Callable

# As `dlfa_tf.preprocessing.text_cleaning` splits texts in graphs.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
BYTE_ORDER_MARK = "\ufeff"
# A line that separates documents in CoNLL's files.
DOCUMENT_START = "-DOCSTART-"
_SPACES = re.compile("[ \t]+")
_COMMENT = re.compile(
    r"#\s*(\w+ ?=|(id|sent_id|newdoc|newpar|text|global\.columns)\b)"
)
# What Python alone takes for white space.
_OTHER_SPACE = re.compile("[\x1c-\x1f\x85]")
_SPLIT = re.compile(f"[^{WHITE_SPACE}]+")


def split_words(text: str) -> list[str]:
    r"""The words of a text: what stands between white space, never empty.

    Example:
        >>> from dlfa_tf import words
        >>> words.split_words(" Le\u00a0prix :  3\u202f000\u3000€ ")
        ['Le', 'prix', ':', '3', '000', '€']
    """
    return _SPLIT.findall(text)


def split_function(texts: list[str]) -> Callable[[str], list[str]]:
    """`split_words`, or what does the same to these texts faster.

    Python takes some control characters for white space; without them its own
    method agrees, and needs no pattern.
    """
    has_any = _OTHER_SPACE.search("\n".join(texts))
    return split_words if has_any else str.split


def strip_space(text: str) -> str:
    """A text or word without white space at its ends."""
    return text.strip(WHITE_SPACE)


def is_blank(text: str) -> bool:
    """Whether there is no word: nothing, or white space alone."""
    return not text.strip(WHITE_SPACE)


def is_blank_row(line: str) -> bool:
    """Whether a line of columns is blank and so separates sentences."""
    return is_blank(line) and "\t" not in line


def without_line_end(line: bytes) -> bytes:
    """A line of a file without its end: LF, and any CR before it."""
    return line.rstrip(b"\r\n")


def without_mark(text: str) -> str:
    """The beginning of a file or stream, without its byte order mark."""
    return text.removeprefix(BYTE_ORDER_MARK)


def decode_line(line: bytes, is_first: bool = False) -> str:
    """The text of a line of a file, without its end.

    `is_first` says that the file begins with it: a byte order mark goes.
    UnicodeDecodeError for what is not UTF-8.
    """
    text = without_line_end(line).decode("utf-8")
    return without_mark(text) if is_first else text


def unquoted(field: str) -> str:
    """A field of a TSV file as it was before a csv writer quoted it.

    Quotes go only where a writer must have put them: the field begins and ends
    with one, all quotes inside are doubled, and there is such a pair. So
    XTREME's files, which were written with quoting, and files whose quotes are
    literal both read right.

    Example:
        >>> from dlfa_tf import words
        >>> words.unquoted('"the ""old"" man"'), words.unquoted('"Tucho"')
        ('the "old" man', '"Tucho"')
    """
    if len(field) < 4 or field[0] != '"' or field[-1] != '"':
        return field
    inner = field[1:-1]
    if '""' not in inner or '"' in inner.replace('""', ""):
        return field
    return inner.replace('""', '"')


def split_tabs(line: str) -> list[str]:
    """The fields of a line of a TSV file."""
    fields = line.split("\t")
    return [unquoted(x) for x in fields] if '"' in line else fields


def split_columns(line: str) -> list[str]:
    """The columns of a line of CoNLL: by TAB, or by spaces if it has none.

    Other white space, such as U+00A0, is part of a column.
    """
    if "\t" in line:
        return line.split("\t")
    return _SPACES.split(strip_space(line))


def is_comment(line: str, width: int) -> bool:
    """Whether a line before the first word of a sentence of CoNLL is a comment.

    It begins with `#`. As that is a word, too, the line must have another
    number of columns than `width`, that of the file, or say `# KEY = VALUE`,
    `# id ...` or the like.
    """
    if not line.startswith("#"):
        return False
    return len(split_columns(line)) != width or bool(_COMMENT.match(line))
