"""What a text of the record may hold, and what was probably meant where it is wrong."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

IDENTITY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_IDENTITY = 80
#: Characters that turn the direction of reading: a name could show as another one.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Format characters that scripts need: joining and not joining (Urdu, Persian, Hindi), signs around Arabic numbers.
_NEEDED = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_UNSEEN = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})
#: An element of HTML, closed or not, as a browser would take it.
_MARKUP = re.compile(
    r"<(?:[a-z][a-z0-9-]*(?:[\s/][^<>]*)?>|/[a-z]|!--|(?:script|iframe|img|svg|style|object|embed|a|form|meta|link)[\s/])",
    re.IGNORECASE,
)
_SHOWN = 60


def fault_of_text(value: str, is_line: bool = False) -> str:
    """What is wrong with a text, in words; "" where nothing is. `is_line`: it must stand on one line."""
    if not value.strip():
        return "is empty; write something or leave the key out"
    for char in value:
        if char in BIDI:
            return f"holds the invisible character U+{ord(char):04X}, which turns the direction of reading; take it out"
        if unicodedata.category(char) in _UNSEEN and char != "\n" and char not in _NEEDED:
            return f"holds the invisible character U+{ord(char):04X}; take it out"
    if is_line and "\n" in value.strip():
        return "must stand on one line"
    if found := _MARKUP.search(value):
        return f"holds {shown(found[0])}, which is HTML; the record is plain text, say it without"
    return ""


def fault_of_identity(value: str) -> str:
    """What is wrong with an id, in words; "" where nothing is."""
    if IDENTITY.fullmatch(value):
        return f"has {len(value)} characters; {MAX_IDENTITY} are allowed" if len(value) > MAX_IDENTITY else ""
    for char in value:
        if ord(char) > 127:
            name = unicodedata.name(char, "without a name")
            return (
                f"{shown(value)} is no id: it holds {char!r} (U+{ord(char):04X}, {name}), which may look like another"
                " letter; use a-z, 0-9 and single hyphens"
            )
    return f"{shown(value)} is no id; use a-z, 0-9 and single hyphens, such as f14 or shc-order"


def shown(value: object) -> str:
    """A value as a message shows it: short, and with nothing in it that a terminal would act on."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def closest(value: str, known: Iterable[str]) -> str:
    """The one of the known words that is most like it; "" where none is."""
    words = {word.casefold(): word for word in known}
    plain = value[:_SHOWN].casefold()
    found = difflib.get_close_matches(plain, words, n=1, cutoff=0.55)
    longer = [word for word in words if len(plain) > 2 and word.startswith(plain)]
    return words[(found or longer)[0]] if found or longer else ""


def nearest(value: str, known: Iterable[str]) -> str:
    """What is allowed, the nearest first."""
    names = list(known)
    allowed = f"allowed: {', '.join(names[:40])}{', …' if len(names) > 40 else ''}" if names else "there is none yet"
    close = closest(value, names)
    return f"did you mean {close!r}? {allowed}" if close else allowed
