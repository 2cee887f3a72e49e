"""Text from outside, made harmless: what is hidden is shown, what is no plain web address is no link."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import urlsplit

from kholo.model import CaseError, Problem

_CASE_ID = re.compile(r"[a-z0-9-]{1,100}")
_ANCHOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")

#: Joiners that Urdu, Persian and Indic scripts need, and Arabic number signs that have a glyph of their own.
_NEEDED = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: A cell that starts so is read as a formula by spreadsheets when a table is copied into one.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    """The text with control characters, bidi overrides and the like written out as `[U+202E]`."""
    if text.isprintable():
        return text
    plain = text.replace("\r\n", "\n")
    return "".join(f"[U+{ord(char):04X}]" if _is_hidden(char) else char for char in plain)


def _is_hidden(char: str) -> bool:
    return char not in _NEEDED and unicodedata.category(char) in _HIDDEN


def cell(text: str) -> str:
    """The text for the start of a table cell: an apostrophe keeps spreadsheets from running it."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def web_address(address: str) -> str | None:
    """The address when a page may link to it, else None: http or https, an ASCII host, no user name."""
    if not address.isprintable() or any(char in ' <>"\\^`{|}' for char in address):
        return None
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not host.isascii() or "@" in parts.netloc:
        return None
    return address


def explorer_address(measurement_uid: str) -> str | None:
    """OONI Explorer's page of a measurement, or None when the uid is not shaped like one."""
    if not _UID.fullmatch(measurement_uid):
        return None
    return f"https://explorer.ooni.org/m/{measurement_uid}"


def language(code: str) -> str | None:
    """The code when it can stand in a `lang` attribute (BCP 47, shortened), else None."""
    return code if _LANGUAGE.fullmatch(code) else None


def anchor(prefix: str, identifier: str, number: int) -> str:
    """A fragment for an id; an id with odd characters gets the row's number instead."""
    return f"{prefix}-{identifier}" if _ANCHOR.fullmatch(identifier) else f"{prefix}-n{number}"


def folder_name(case_id: str) -> str:
    """The case id when it can name a folder; raises `CaseError` when it can't."""
    if not _CASE_ID.fullmatch(case_id):
        raise CaseError([Problem("case.toml", 0, "id", f"{case_id!a} can't name a page: a-z, 0-9 and - are allowed")])
    return case_id


def segment(identifier: str) -> str:
    """One part of an address: the id itself where it can stand there, else a digest of it."""
    if _SEGMENT.fullmatch(identifier) and not identifier.endswith("."):
        return identifier
    return f"_{hashlib.sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}"
