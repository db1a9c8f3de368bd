"""Scripts of languages, and of texts."""

import collections
import itertools
import unicodedata
from collections.abc import Iterable

# Language -> beginnings of the names that Unicode gives its letters.
_SCRIPTS = {
    "LATIN": "af az ca cs cy da de en es et eu fi fr ga hr hu id is it "
    "jv lt lv ms mt nb nl nn no pl pt qu ro sk sl sq sv sw tl tr vi wo yo",
    "CYRILLIC": "be bg kk ky mk mn ru sr tg uk",
    "GREEK": "el",
    "ARABIC": "ar fa ug ur",
    "HEBREW": "he yi",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "as bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "MYANMAR": "my",
    "KHMER": "km",
    "TIBETAN": "bo",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am ti",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "ja ko zh",
}
# More letters of a file say no more.
_MOST_CHARACTERS = 200_000


def scripts_of(language: str) -> frozenset[str]:
    """Scripts that a language is written in; empty where it is not known.

    Serbian, Kazakh and others have a second script, which is taken as well.
    """
    found = {k for k, codes in _SCRIPTS.items() if language in codes.split()}
    if language in ("az", "sr", "kk", "uz", "mn"):
        found |= {"CYRILLIC", "LATIN"}
    return frozenset(found)


def names_of_scripts(language: str) -> str:
    """The scripts of a language in words."""
    return ", ".join(x.capitalize() for x in sorted(scripts_of(language)))


def share_of_script(language: str, texts: Iterable[str]) -> float | None:
    """Share of the letters of texts that are of the language's scripts.

    Of the first 200,000 characters. None without letters, or where the scripts
    of the language are not known.
    """
    wanted = scripts_of(language)
    characters = itertools.islice(
        itertools.chain.from_iterable(texts), _MOST_CHARACTERS
    )
    counts = collections.Counter(characters)
    fits = total = 0
    for character, count in counts.items():
        if character.isalpha():
            name = unicodedata.name(character, "")
            total += count
            fits += count * name.startswith(tuple(wanted))
    return fits / total if total and wanted else None
