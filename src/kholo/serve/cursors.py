"""Where the next page begins: opaque, and good for the query it was given for only."""

from __future__ import annotations

import base64
import hashlib

import msgspec

from .problems import Problem

_TAG = 9
MAX = 1_000


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The key after which a page begins. Of verdicts also the generation that is read: nothing moves meanwhile."""

    key: int | str
    generation: int = 0


def write(cursor: Cursor, query: str) -> str:
    """The cursor as text. `query` names what it is bound to."""
    body = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(_tag(body, query) + body).decode().rstrip("=")


def read(text: str, query: str) -> Cursor:
    """The cursor in a text. Raises `Problem` when it is none, or of another query."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if data[:_TAG] == _tag(data[_TAG:], query):
            return msgspec.json.decode(data[_TAG:], type=Cursor)
    except (ValueError, msgspec.MsgspecError):
        pass
    raise Problem("bad-cursor", "cursor: not one of this query; begin anew without it")


def _tag(body: bytes, query: str) -> bytes:
    return hashlib.blake2b(body + b"\n" + query.encode(), digest_size=_TAG).digest()
