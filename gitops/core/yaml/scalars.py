"""What a plain YAML scalar means, and how a value is written so that every reader understands it alike.

Read as the core schema of YAML 1.2 where JSON can say the same, and as the text that stands there otherwise: dates,
`012`, `1:30`, `yes` and `.inf` are strings. Written plain only where YAML 1.1 and 1.2 agree that it is a string.
"""

from __future__ import annotations

import math
import re
from json.encoder import encode_basestring

from gitops.core.yaml.memo import Memo

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_INITIALS = frozenset("~ntfNTF")
_NUMBER_INITIALS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,999})")
_OCTAL = re.compile(r"0o[0-7]{1,999}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,999}")
# What _DECIMAL matches, and what has a fraction or an exponent.
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+(?:[eE][-+][0-9]+)?|(?:0|[1-9][0-9]{0,999})(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)")


def resolve(text: str) -> Scalar:
    """Return the value of the plain scalar *text*."""
    if not text or text[0] in _WORD_INITIALS:
        return _WORDS.get(text, text)
    return _number(text) if text[0] in _NUMBER_INITIALS else text


def _number(text: str) -> Scalar:
    if _FLOAT.fullmatch(text):
        return int(text) if _DECIMAL.fullmatch(text) else _finite(text)
    if text.startswith("0o") and _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    return int(text, 16) if text.startswith("0x") and _HEXADECIMAL.fullmatch(text) else text


def _finite(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


# With a letter first it can only be a word of _AMBIGUOUS. An id in hex with one of a, c, d, f is no number in any YAML.
_PLAIN = re.compile(r"(?:[A-Za-z]|[0-9](?=[0-9be]*[acdf]))[A-Za-z0-9_./+@()-]*+(?:[ ,]++[A-Za-z0-9_./+@()-]++)*")
_AMBIGUOUS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_UNPRINTABLE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]"
)


def render(value: object) -> str:
    """Return *value* as one line of YAML. TypeError for what JSON cannot say."""
    if isinstance(value, str):
        return text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _float(value)
    raise TypeError(f"YAML of JSON's data model has no {value!r}")


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and (len(value) > len("false") or value.lower() not in _AMBIGUOUS):
        return value
    quoted = encode_basestring(value)
    return quoted if value.isascii() and "\x7f" not in value else _UNPRINTABLE.sub(_escape, quoted)


text = Memo(_text).__getitem__
"""Return a string as it stands in a file: plain where that is safe, otherwise quoted as in JSON."""


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"  # no UTF-8 file can hold a lone surrogate


def _float(value: float) -> str:
    digits, e, exponent = repr(value).partition("e")
    if "." not in digits:
        digits += ".0"  # YAML 1.1 wants a point, and a sign in the exponent
    return f"{digits}e{exponent if exponent[0] in '+-' else '+' + exponent}" if e else digits
