"""Names, families and scripts of the benchmark's languages.

Families as in Glottolog and Ethnologue, Indo-European by its branches: the
branch is what says how near to English a language is.
"""

from collections.abc import Collection
from collections.abc import Iterable

from dlfa_tf.options import SOURCE_LANGUAGES

# Family -> languages: English's own branch first, then the other branches of
# Indo-European, then the other families.
FAMILIES = {
    "Germanic": {"en": "English", "de": "German", "nl": "Dutch",
                 "af": "Afrikaans"},
    "Romance": {"fr": "French", "es": "Spanish", "it": "Italian",
                "pt": "Portuguese"},
    "Slavic": {"bg": "Bulgarian", "ru": "Russian"},
    "Greek": {"el": "Greek"},
    "Iranian": {"fa": "Persian"},
    "Indo-Aryan": {"hi": "Hindi", "ur": "Urdu", "mr": "Marathi",
                   "bn": "Bengali"},
    "Uralic": {"et": "Estonian", "fi": "Finnish", "hu": "Hungarian"},
    "Basque": {"eu": "Basque"},
    "Turkic": {"tr": "Turkish", "kk": "Kazakh"},
    "Kartvelian": {"ka": "Georgian"},
    "Semitic": {"ar": "Arabic", "he": "Hebrew"},
    "Niger-Congo": {"sw": "Swahili", "yo": "Yoruba"},
    "Dravidian": {"ta": "Tamil", "te": "Telugu", "ml": "Malayalam"},
    "Austronesian": {"id": "Indonesian", "ms": "Malay", "jv": "Javanese",
                     "tl": "Tagalog"},
    "Austroasiatic": {"vi": "Vietnamese"},
    "Kra-Dai": {"th": "Thai"},
    "Sino-Tibetan": {"zh": "Chinese", "my": "Burmese"},
    "Koreanic": {"ko": "Korean"},
    "Japonic": {"ja": "Japanese"},
}  # fmt: skip

# Those that the benchmark's files write in Latin letters.
LATIN_SCRIPT = frozenset(
    (
        "af", "de", "en", "es", "et", "eu", "fi", "fr", "hu", "id", "it",
        "jv", "ms", "nl", "pt", "sw", "tl", "tr", "vi", "yo",
    )
)  # fmt: skip


def family(language: str) -> str:
    """Family of a language; an empty text for one that is not known here."""
    for name, languages in FAMILIES.items():
        if language in languages:
            return name
    return ""


def by_family(languages: Iterable[str]) -> list[str]:
    """Orders languages from English outwards, relatives together.

    The order is that of `FAMILIES`; unknown codes come at the end, in
    alphabetical order.
    """
    order = [code for codes in FAMILIES.values() for code in codes]
    places = {code: i for i, code in enumerate(order)}
    return sorted(
        languages, key=lambda code: (places.get(code, len(order)), code)
    )


def kin_groups(
    languages: Iterable[str], sources: Collection[str] = SOURCE_LANGUAGES
) -> dict[str, list[str]]:
    """Groups languages other than the sources by script and by family.

    A group is called `"Latin script (12)"` or `"Romance (4)"`, say. Those of
    fewer than two languages are left out.
    """
    others = [code for code in by_family(languages) if code not in sources]
    groups = {
        "Latin script": [x for x in others if x in LATIN_SCRIPT],
        "other scripts": [x for x in others if x not in LATIN_SCRIPT],
    }
    for name, members in FAMILIES.items():
        groups[name] = [x for x in others if x in members]
    return {
        f"{name} ({len(codes)})": codes
        for name, codes in groups.items()
        if len(codes) > 1
    }
