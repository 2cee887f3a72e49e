"""Asking an authority for a timestamp (RFC 3161, 3.4: over HTTP)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kholo.fetch.web import Web
from kholo.model import TimestampError, UsageError

from . import timestamp

if TYPE_CHECKING:
    from cryptography import x509

#: Authorities that answer everybody for free, and lead to a root that is shipped. Their answers are signed, so that it
#: is no loss that they answer in the clear; they learn a digest, and who asks.
AUTHORITIES = MappingProxyType(
    {
        "digicert": "http://timestamp.digicert.com",
        "globalsign": "http://timestamp.globalsign.com/tsa/r6advanced1",
        "sectigo": "http://timestamp.sectigo.com",
        "ssl.com": "http://ts.ssl.com",
    }
)
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def address_of(name: str) -> str:
    """The address of a well-known authority, or the address that was given. Raises `UsageError`."""
    address = AUTHORITIES.get(name, name)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{name!r} is no authority: give an http(s) address, or one of {', '.join(AUTHORITIES)}")
    return address


def ask(web: Web, address: str, data: bytes, nonce: int, roots: Sequence[x509.Certificate] | None = None) -> bytes:
    """A response over the data, checked, in the form that `timestamp.check` takes. Without `roots`: the pinned ones.

    Raises `NetworkFault`, `TimestampError` where the answer proves nothing, and `UsageError` for the address.
    """
    trusted = timestamp.pinned() if roots is None else roots
    asked = timestamp.request(hashlib.sha256(data).digest(), nonce)
    where = address_of(address)
    answer = web.post(where, asked, _HEADERS, "a timestamp", timestamp.MAX_RESPONSE)
    try:
        response = timestamp.tidy(answer, trusted)
        timestamp.check(response, data, trusted, nonce)
    except TimestampError as error:
        raise TimestampError(f"{urlsplit(where).hostname}: {error}") from None
    return response
