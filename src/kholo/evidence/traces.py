"""What must not be seen, in the bytes of files: texts in all ways of writing them, and what points at files."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection
from urllib.parse import quote, quote_plus

BLACK = b"[redacted]"
#: Between two words of a text: spaces and line ends, also as JSON, TOML, HTML and addresses write them.
_GAP = rb"(?:\s|\\[nrt]|&nbsp;|&#(?:160|32|x20|xa0);|%20|\+)+"
#: A name that nobody chose: an id of a measurement, or a digest.
_TOKEN = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]{6,126}[A-Za-z0-9_]")
#: Digits of a digest that a page shows of it at least.
_SHORT = 12
_HEX = re.compile(rb"[0-9a-f]{12,64}")


def pattern(texts: Collection[str]) -> re.Pattern[bytes] | None:
    """What finds texts however TOML, JSON, HTML and addresses write them, in any case of letters; None for no texts."""
    forms: set[bytes] = {form for text in texts for form in _forms(text)}
    longest_first = sorted(sorted(forms), key=len, reverse=True)
    return re.compile(b"|".join(longest_first), re.IGNORECASE) if forms else None


def _forms(text: str) -> set[bytes]:
    forms: set[bytes] = set()
    for one in {unicodedata.normalize(form, text) for form in ("NFC", "NFD")} | {text}:
        entities = "".join(char if char.isascii() else f"&#{ord(char)};" for char in one)
        hexes = "".join(char if char.isascii() else f"&#x{ord(char):x};" for char in one)
        quoted = json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1]
        escaped = html.escape(one), html.escape(one, quote=False), one.replace("'", "&#39;"), entities, hexes
        # Within a script or an attribute of a page, and twice.
        twice = *(html.escape(form) for form in quoted), *(json.dumps(form)[1:-1] for form in quoted)
        for form in (one, *quoted, *escaped, *twice, quote(one), quote_plus(one)):
            words = re.split(r"(?:\s|%20|\+)+", form)
            forms.add(_GAP.join(re.escape(word.encode()) for word in words))
    return forms


class Tokens:
    """Ids of measurements and digests of files, found wherever they stand."""

    def __init__(self) -> None:
        self._ids: set[bytes] = set()
        self._digests: set[bytes] = set()

    def add_id(self, uid: bytes) -> None:
        """An id as it stands."""
        self._ids.add(uid)

    def add_digest(self, digest: str) -> None:
        """A digest (hex), found also where only its first digits stand."""
        self._digests.add(digest[:_SHORT].encode())

    def black(self, data: bytes) -> bytes:
        """The data with each of them blacked out."""
        return _TOKEN.sub(self._instead, data) if self._ids or self._digests else data

    def _instead(self, match: re.Match[bytes]) -> bytes:
        token = match[0]
        return BLACK if any(self._is_known(part) for part in (token, *token.split(b"."))) else token

    def _is_known(self, part: bytes) -> bool:
        return part in self._ids or (part[:_SHORT] in self._digests and bool(_HEX.fullmatch(part)))
