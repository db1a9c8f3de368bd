"""What the tests of the preprocessing package share.

The reference BERT tokenizer is written here from the rules of
google-research/bert, tokenization.py (cased), in plain Python: clean the
text, put spaces around CJK characters, split at spaces and punctuation, match
the longest piece first. It shares no code with the package.
"""

import types
import unicodedata

import keras_hub
import pytest

from dlfa_tf.models.presets import load_tokenizer

ASCII_PUNCTUATION = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
CJK_BLOCKS = (
    range(0x4E00, 0xA000),
    range(0x3400, 0x4DC0),
    range(0x20000, 0x2A6E0),
    range(0x2A700, 0x2B740),
    range(0x2B740, 0x2B820),
    range(0x2B820, 0x2CEB0),
    range(0xF900, 0xFB00),
    range(0x2F800, 0x2FA20),
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# Short texts of 16 scripts; the vocabulary is made of their characters.
SCRIPTS = {
    "latin": "Straße naïve façade coöperate İstanbul łódź",
    "vietnamese": "Tiếng Việt được viết bằng chữ Quốc ngữ",
    "cyrillic": "Быстрая лиса прыгает, ёжик спит",
    "greek": "Η γρήγορη αλεπού· ποιος είναι;",
    "arabic": "هٰذَا كِتَابٌ جَدِيدٌ، أَلَيْسَ كَذٰلِكَ؟",
    "persian": "می‌خواهم کتاب‌ها را بخوانم",
    "hebrew": "שָׁלוֹם עוֹלָם, מה־נשמע״",
    "devanagari": "क्षत्रिय हिन्दी में लिखा हुआ है।",
    "bengali": "আমি বাংলায় গান গাই।",
    "tamil": "தமிழ் மொழி அழகானது",
    "telugu": "తెలుగు భాష తీయనిది",
    "thai": "ภาษาไทยไม่มีช่องว่างระหว่างคำ",
    "burmese": "မြန်မာစာသည်စကားလုံးများကြားတွင်နေရာမခြားပါ။",
    "georgian": "ქართული ენა ძალიან ლამაზია",
    "korean": "한국어는 띄어쓰기를 한다",
    "japanese": "日本語のテキスト、ひらがなとカタカナ。",
    "chinese": "中文文本没有空格，「引号」也在。",
}


def is_dropped(character):
    """Whether cleaning removes a character.

    The original removes Cc and Cf, Hugging Face's version every C*; private
    use (Co) goes here too, unassigned code points (Cn) stay.
    """
    if character in "\t\n\r":
        return False
    category = unicodedata.category(character)
    return category in ("Cc", "Cf", "Co") or character == "\ufffd"


def is_space(character):
    return character in " \t\n\r" or unicodedata.category(character) == "Zs"


def is_punctuation(character):
    category = unicodedata.category(character)
    return character in ASCII_PUNCTUATION or category.startswith("P")


def is_cjk(character):
    return any(ord(character) in block for block in CJK_BLOCKS)


def clean(text):
    """Cleans a text, and turns the separators of str.split() into spaces."""
    kept = [c for c in text if not is_dropped(c)]
    cleaned = "".join(" " if is_space(c) else c for c in kept)
    return cleaned.replace("\u2028", " ").replace("\u2029", " ")


def basic_tokens(text):
    """Cleans and splits a text into words and single punctuation marks."""
    spaced = "".join(f" {c} " if is_cjk(c) else c for c in clean(text))
    tokens = []
    for word in spaced.split():
        open_word = False
        for character in word:
            if is_punctuation(character):
                tokens.append(character)
                open_word = False
            elif open_word:
                tokens[-1] += character
            else:
                tokens.append(character)
                open_word = True
    return tokens


def word_pieces(word, vocabulary, limit=100):
    """Splits a word greedily into the longest known pieces."""
    if len(word) > limit:
        return ["[UNK]"]
    pieces = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def bert_pieces(text, vocabulary):
    """Pieces of a text by the reference rules."""
    known = set(vocabulary)
    return [p for w in basic_tokens(text) for p in word_pieces(w, known)]


def make_vocabulary():
    """Characters of the scripts, alone and as followers, and longer pieces."""
    characters = sorted({c for text in SCRIPTS.values() for c in text})
    characters += [*"abcxyzABC019", *sorted(ASCII_PUNCTUATION), "“", "„", "—"]
    pieces = []
    for text in SCRIPTS.values():
        for word in basic_tokens(text):
            # Two and three characters at a time, so that the longest match
            # matters.
            pieces += [word[:2], word[:3]]
            pieces += [f"##{word[i : i + 2]}" for i in range(1, len(word), 3)]
            pieces += [f"##{word[i : i + 3]}" for i in range(2, len(word), 5)]
    vocabulary = [*SPECIAL, *characters]
    vocabulary += [f"##{character}" for character in characters]
    # Some are missing on purpose: their words become [UNK].
    missing = {"##ж", "ह", "##か", "文", "##é", "”"}
    unique = dict.fromkeys([*vocabulary, *pieces])
    return [piece for piece in unique if piece not in missing]


@pytest.fixture(scope="session")
def bert_reference():
    """Functions of the reference BERT tokenizer."""
    return types.SimpleNamespace(
        clean=clean,
        basic_tokens=basic_tokens,
        pieces=bert_pieces,
        scripts=SCRIPTS,
        is_cjk=is_cjk,
        is_dropped=is_dropped,
        is_punctuation=is_punctuation,
    )


@pytest.fixture(scope="session")
def script_tokenizer():
    """A keras-hub BERT tokenizer that knows the characters of 17 texts."""
    return keras_hub.models.BertTokenizer(vocabulary=make_vocabulary())


@pytest.fixture(scope="session")
def bert_tokenizer():
    """[PAD] [UNK] [CLS] [SEP] [MASK], a to z are 5 to 30, ##a to ##z 31 on."""
    return load_tokenizer("tiny")


@pytest.fixture(scope="session")
def xlmr_tokenizer():
    """A SentencePiece tokenizer with XLM-R's special pieces and ids."""
    return load_tokenizer("tiny_sentencepiece")
