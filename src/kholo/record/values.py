"""One value of a case file as its type, or what is wrong with it in the words of the person who wrote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kholo.reference.places import names as place_names
from kholo.reference.places import place_code

from .format import Among, Key, What
from .text import closest, fault_of_identity, fault_of_text, nearest, shown

#: Called with what is wrong, and for an item of a list with its place.
Note = Callable[..., None]

MAX_ITEMS = 5_000
NETWORK = re.compile(r"AS[1-9]\d{0,9}")
DIGEST = re.compile(r"[0-9a-f]{64}")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?")
#: Names that people write for the commonest languages of such records.
_LANGUAGES = {
    "arabic": "ar", "bengali": "bn", "english": "en", "french": "fr", "german": "de", "hausa": "ha", "hindi": "hi",
    "persian": "fa", "portuguese": "pt", "punjabi": "pa", "russian": "ru", "sindhi": "sd", "spanish": "es",
    "swahili": "sw", "turkish": "tr", "urdu": "ur", "اردو": "ur", "سنڌي": "sd",
}  # fmt: skip
#: Codes that ISO 3166 leaves to users; `ZZ` is what invented cases have.
_OWN_PLACE = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")
_USUAL_PLACES = {"UK": "GB", "EN": "GB"}
_NOT_IN_ADDRESS = re.compile(r"[\s\"<>\\^`{|}]")


class Words(msgspec.Struct, frozen=True):
    """The words that are not closed lists: ids of services and of the case's actors."""

    services: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()

    def of(self, among: tuple[str, ...] | Among) -> tuple[str, ...]:
        """The words that a key may be one of."""
        if among is Among.SERVICES:
            return self.services
        return self.actors if among is Among.ACTORS else tuple(str(word) for word in among)


def value_of(key: Key, raw: Any, words: Words, note: Note) -> Any:
    """The value as its type (texts in NFC, times in UTC); None, and a note, where it is wrong."""
    if key.what in _LISTS:
        return _list(key, raw, note)
    if key.what in (What.FLAG, What.DAY, What.MOMENT):
        return _PLAIN[key.what](raw, note)
    text = _text(raw, key.longest, key.what is not What.TEXT, note)
    if text is None:
        return None
    if key.what is What.CHOICE:
        return _choice(text, words.of(key.among), key.called, note)
    return _SPECIAL[key.what](text, note) if key.what in _SPECIAL else text


def _text(raw: Any, longest: int, is_line: bool, note: Note) -> str | None:
    if not isinstance(raw, str):
        note(f"must be a text in quotes, not {_kind(raw)}")
    elif len(raw) > longest:
        note(f"has {len(raw)} characters; {longest} are allowed")
    elif fault := fault_of_text(raw, is_line):
        note(fault)
    else:
        return unicodedata.normalize("NFC", raw.strip())
    return None


def _choice(text: str, known: Iterable[str], called: str, note: Note) -> str | None:
    known = sorted(known)
    if text in known:
        return text
    note(f"{shown(text)} is not {called}; {nearest(text, known)}")
    return None


def _identity(text: str, note: Note) -> str | None:
    fault = fault_of_identity(text)
    if fault:
        note(fault)
    return None if fault else text


def _place(text: str, note: Note) -> str | None:
    if text in place_names() or _OWN_PLACE.fullmatch(text):
        return text
    upper = text.upper()
    meant = _USUAL_PLACES.get(upper) or (upper if upper in place_names() else "") or place_code(text)
    meant = meant or place_code(closest(text, place_names().values()))
    hint = f"did you mean {meant!r}? " if meant else ""
    note(f"{shown(text)} is no country code; {hint}two capitals (ISO 3166), such as PK")
    return None


def _language(text: str, note: Note) -> str | None:
    if LANGUAGE.fullmatch(text):
        return text
    meant = _LANGUAGES.get(text.casefold()) or _LANGUAGES.get(closest(text, _LANGUAGES), "")
    hint = f"did you mean {meant!r}? " if meant else ""
    note(f"{shown(text)} is no language code; {hint}BCP 47, such as en, ur or pt-BR")
    return None


def _address(text: str, note: Note) -> str | None:
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        note(f"{shown(text)} must be a web address that begins with https:// or http://")
    elif parts.username is not None or parts.password is not None:
        note("holds a user name or a password before the @; take them out")
    elif found := _NOT_IN_ADDRESS.search(text):
        note(f"holds {shown(found[0])}, which no address has; write it percent-encoded, such as %20 for a space")
    elif any(ord(char) > 127 for char in parts.hostname or ""):
        note(f"its host {shown(parts.hostname)} holds letters that may look like others; write it in its xn-- form")
    else:
        return text
    return None


def _path(text: str, note: Note) -> str | None:
    parts = text.split("/")
    if text.startswith(("/", "~")) or "\\" in text or ":" in text:
        note(f"{shown(text)} must be a path inside the case folder, parts joined by /, such as sources/page.warc.gz")
    elif any(part in ("", ".", "..") for part in parts):
        note(f"{shown(text)} must be a plain path inside the case folder, without . or .. or //")
    else:
        return text
    return None


def _digest(text: str, note: Note) -> str | None:
    if DIGEST.fullmatch(text):
        return text
    if DIGEST.fullmatch(text.lower()):
        note("must be in small letters: 64 digits of 0-9a-f (sha256sum FILE)")
    else:
        note(f"has {len(text)} characters; a SHA-256 is 64 digits of 0-9a-f (sha256sum FILE)")
    return None


_SPECIAL: dict[What, Callable[[str, Note], str | None]] = {
    What.IDENTITY: _identity,
    What.PLACE: _place,
    What.LANGUAGE: _language,
    What.ADDRESS: _address,
    What.PATH: _path,
    What.DIGEST: _digest,
}


def _flag(raw: Any, note: Note) -> bool | None:
    if isinstance(raw, bool):
        return raw
    note(f"must be true or false, without quotes, not {_kind(raw)}")
    return None


def _day(raw: Any, note: Note) -> date | None:
    if isinstance(raw, datetime) or not isinstance(raw, date):
        note(f"must be a date without quotes, such as 2024-02-17, not {_kind(raw)}")
        return None
    return _within(raw, note)


def _moment(raw: Any, note: Note) -> datetime | None:
    if isinstance(raw, datetime):
        if raw.tzinfo is None:
            note("has no time zone; write 2024-02-17T18:00:00Z (UTC)")
            return None
        return raw.astimezone(UTC) if _within(raw.date(), note) else None
    if isinstance(raw, date):
        return datetime(raw.year, raw.month, raw.day, tzinfo=UTC) if _within(raw, note) else None
    note(f"must be a date or a time without quotes, such as 2024-02-17 or 2024-02-17T18:00:00Z, not {_kind(raw)}")
    return None


def _within(day: date, note: Note) -> date | None:
    if 1990 <= day.year <= 2100:
        return day
    note(f"is {day}; years from 1990 to 2100 are allowed")
    return None


_PLAIN: dict[What, Callable[[Any, Note], Any]] = {What.FLAG: _flag, What.DAY: _day, What.MOMENT: _moment}


def _list(key: Key, raw: Any, note: Note) -> tuple[str, ...] | None:
    if not isinstance(raw, list):
        note(f'must be a list of texts, such as ["one", "two"], not {_kind(raw)}')
        return None
    if len(raw) > MAX_ITEMS:
        note(f"has {len(raw)} items; {MAX_ITEMS} are allowed")
        return None
    found: list[str] = []
    for place, item in enumerate(raw):
        value = _item(key, item, lambda message, place=place: note(message, place))
        if value is not None and value in found:
            note(f"{shown(value)} stands twice; once is enough", place)
        elif value is not None:
            found.append(value)
    return tuple(found)


def _item(key: Key, raw: Any, note: Note) -> str | None:
    text = _text(raw, key.longest, key.what is not What.LINES, note)
    if text is None or key.what is What.LINES:
        return text
    if key.what is What.ENTRIES:
        return _identity(text, note)
    if NETWORK.fullmatch(text):
        return text
    digits = "".join(char for char in text if char.isascii() and char.isdigit()).lstrip("0")
    like = f"AS{digits}" if digits and re.fullmatch(r"(?i)asn?[ -]?\d+|\d+", text) else ""
    hint = f"did you mean {like!r}? " if like else ""
    note(f"{shown(text)} is no network; {hint}AS and a number, such as AS17557")
    return None


_LISTS = frozenset({What.LINES, What.ENTRIES, What.NETWORKS})


_KINDS: tuple[tuple[type, str], ...] = (
    (str, "a text"),
    (int, "a number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
    (time, "a time of day"),
)


def _kind(raw: Any) -> str:
    """What a value is instead, as a person says it."""
    if isinstance(raw, bool):
        return "true or false"
    if isinstance(raw, datetime):
        return "a time"
    return next((name for kind, name in _KINDS if isinstance(raw, kind)), "a date")
