"""Answers as bytes: JSON, JSON Lines, CSV. What a store holds is other people's text: none of it may do anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kholo.publish.csvtext import csv_bytes

from .problems import Problem
from .resources import FORMATS

_ENCODER = msgspec.json.Encoder()
#: Characters of ASCII that a page could be made of, or that can't be seen, and how JSON writes them otherwise.
_ASCII = tuple((sign, b"\\u%04x" % sign[0]) for sign in (b"<", b">", b"&", b"\x7f"))
#: What a page could be made of, and what can't be seen or turns the order of letters around: written as escapes, which
#: in JSON are the same text.
_HARMFUL = re.compile(
    "[<>&\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e0fff]"
)
#: Media types that mean one of the formats.
_ALSO = {"application/x-ndjson": "jsonl", "application/jsonlines": "jsonl", "application/problem+json": "json"}
_MOST_ACCEPTED = 30


def json_bytes(content: Any) -> bytes:
    """JSON in which nothing is left that a browser, a terminal or an eye could be misled by."""
    body = _ENCODER.encode(content)
    if not body.isascii():
        return _HARMFUL.sub(_escaped, body.decode()).encode()
    # The same for what most answers are, in a tenth of the time.
    for sign, escape in _ASCII:
        body = body.replace(sign, escape)
    return body


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def lines_bytes(rows: Iterable[Any]) -> bytes:
    """JSON Lines."""
    return b"".join(json_bytes(row) + b"\n" for row in rows)


def table_bytes(rows: Iterable[Any], kind: type[msgspec.Struct]) -> bytes:
    """CSV with the fields of a type as columns; rows are mappings, or JSON of that type."""
    columns = [field.encode_name for field in msgspec.structs.fields(kind)]
    return csv_bytes((_flat(row, columns) for row in rows), columns)


def _flat(row: Any, columns: Sequence[str]) -> dict[str, Any]:
    known = msgspec.json.decode(row) if isinstance(row, msgspec.Raw) else row
    return {name: _cell(known.get(name)) for name in columns}


def _cell(value: Any) -> Any:
    """What has parts of its own is JSON; lists of words stay lists."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict | list) for item in value)):
        return _ENCODER.encode(value).decode()
    return value


def chosen(accept: str, given: str | None, offered: Sequence[str]) -> str:
    """The name of the format that is wanted most of those offered. Raises `Problem` where none of them is."""
    if given is not None:
        return given
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:_MOST_ACCEPTED]]
    best = max(offered, key=lambda name: (_quality(name, ranges), -offered.index(name)))
    if _quality(best, ranges) <= 0:
        raise Problem("not-acceptable", f"there is: {', '.join(FORMATS[name] for name in offered)}")
    return best


def _range(part: str) -> tuple[str, float]:
    kind, *more = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in more if piece.startswith("q=")), "1")
    try:
        return kind, min(1.0, max(0.0, float(quality))) if quality.isascii() else 0.0
    except ValueError:
        return kind, 0.0


def _quality(name: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the narrowest range that a format is in."""
    kind = FORMATS[name]
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        for said, quality in ranges:
            if said == wanted or (wanted == kind and _ALSO.get(said) == name):
                return quality
    return 0.0
