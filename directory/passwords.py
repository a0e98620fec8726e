"""Which passwords will do. By NIST SP 800-63B: long enough, none that would be guessed, no other rule.

What is guessed first: lists of passwords that became known, a word with digits around it, rows of the keyboard, the
same few characters again and again. The words are those of such lists, and those of this trade.
"""

import unicodedata

from domain.errors import Invalid

LEAST, MOST = 12, 128
#: Of different characters.
_FEWEST = 5
#: So many characters beside the login.
_BESIDE = 8
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "!@#$%^&*()_+",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
_SEPARATORS = " -_.,;:!?@#$%^&*()+=~`'\"/\\|<>[]{}。，！？"
_LOOKS_LIKE = str.maketrans({"@": "a", "0": "o", "1": "i", "3": "e", "5": "s", "$": "s"})
#: Passwords made of nothing but these and digits are guessed.
_WORDS = (
    *("password", "pass", "passwd", "admin", "administrator", "root", "user", "guest", "test"),
    *("welcome", "letmein", "login", "changeme", "secret", "master", "default", "system", "manager", "operator"),
    *("iloveyou", "love", "dragon", "monkey", "sunshine", "princess", "football", "superman", "batman", "shadow"),
    *("qwerty", "qwertyuiop", "asdfgh", "asdfghjkl", "zxcvbn", "zxcvbnm", "qazwsx", "abc", "abcd", "aaa", "qq", "asd"),
    *("woaini", "woaiwojia", "nihao", "mima", "wode", "laopo", "baobao", "zhang", "wang", "li", "liu", "chen"),
    *("zhongguo", "china", "beijing", "gonganju", "zhengfu", "chengguan", "wenming", "chuangwen", "wangge", "duban"),
    *("rectify", "officer", "dispatcher", "supervisor", "resident", "unit", "sanitation"),
    *("密码", "管理员", "我爱你", "中国", "城管", "文明城市", "创文", "网格员", "督查", "初始密码"),
)


def check(login: str, password: str) -> None:
    """Invalid, without the password, for one that will not do."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(folded) < LEAST:
        raise Invalid("password_too_short", least=LEAST)
    if len(folded) > MOST:
        raise Invalid("password_too_long", most=MOST)
    if len(folded.replace(login, "")) < _BESIDE:
        raise Invalid("password_is_login")
    if is_common(folded):
        raise Invalid("password_too_common")


def is_common(folded: str) -> bool:
    inner = folded.strip(_SEPARATORS + "0123456789").translate(_LOOKS_LIKE)
    words = any(_is_made_of_words(_letters(each)) for each in (folded, inner))
    return words or len(set(folded)) < _FEWEST or _is_a_row(folded)


def _letters(folded: str) -> str:
    return "".join(char for char in folded if char not in _SEPARATORS and not char.isdigit())


def _is_a_row(folded: str) -> bool:
    """Keys side by side, there or back, more than once perhaps."""
    rows = [row for each in _ROWS for row in (each, each[::-1])]
    return any(_covers(row * 3, folded) for row in rows)


def _covers(row: str, folded: str) -> bool:
    """In two pieces at most: `qwertyqwerty`, `123456654321`."""
    back = row[::-1]
    pieces = [(folded[:cut], folded[cut:]) for cut in range(3, len(folded) - 2)]
    return folded in row or any(first in row and (then in row or then in back) for first, then in pieces)


def _is_made_of_words(bare: str) -> bool:
    """Of listed words in a row, and nothing else; also where nothing but digits was there."""
    reached = {0}
    for start in range(len(bare)):
        if start in reached:
            reached |= {start + len(word) for word in _WORDS if bare.startswith(word, start)}
    return len(bare) in reached
