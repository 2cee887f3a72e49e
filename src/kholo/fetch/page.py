"""One page as it was answered, and as a WARC (ISO 28500), the format in which web archives keep what they saw."""

from __future__ import annotations

import ipaddress
import socket
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from urllib.parse import urlsplit

import msgspec
import urllib3
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from kholo import __version__
from kholo.model import NetworkFault

from .wait import Patience, Timing
from .web import USER_AGENT, Web, pieces

#: Bytes of one page.
MAX_PAGE = 64 << 20
#: Headers that are not kept: what names the visitor's session, and what the body as kept is no longer in.
_LEFT_OUT = frozenset({"set-cookie", "transfer-encoding", "content-encoding", "content-length", "connection"})


class Hop(msgspec.Struct, frozen=True):
    """One address that was asked, and the head of its answer."""

    address: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]


class Page(msgspec.Struct, frozen=True):
    """An answer with everything that led to it; the last hop is the page itself, `body` is its content, decoded."""

    hops: tuple[Hop, ...]
    body: bytes


class Visitor(Web):
    """Asks for pages one after the other, not from several threads.

    `is_allowed` is asked for each address before it is visited, those that a page sends on to as well.
    """

    def __init__(self, timing: Timing, patience: Patience, is_allowed: Callable[[str], bool]) -> None:
        super().__init__(timing, patience, connections=1)
        self._is_allowed = is_allowed
        self._trail: list[Hop] = []

    def page(self, address: str) -> Page:
        """The page at an address. Raises `NotThere` where it is gone, else `NetworkFault`."""

        def once() -> Page:
            self._trail = []
            with self.answer(address, {}) as response:
                body = b"".join(pieces(response, MAX_PAGE))
            return Page(tuple(self._trail), body)

        return self.persist("page", address, once)

    def _once(self, address: str, headers: Mapping[str, str], body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        if not self._is_allowed(address):
            raise NetworkFault(
                f"{urlsplit(address).hostname}: is an address of this machine or its network; not visited"
            )
        response = super()._once(address, headers, body)
        kept = tuple(pair for pair in response.headers.items() if pair[0].lower() not in _LEFT_OUT)
        self._trail.append(Hop(address, response.status, response.reason or "", kept))
        return response


def is_public(address: str) -> bool:
    """Whether every address of the host is a public one; true where it can't be looked up from here, as behind a proxy.

    A case from elsewhere could otherwise have this machine read what only its own network may see.
    """
    host = urlsplit(address).hostname or ""
    try:
        found = {str(line[4][0]).partition("%")[0] for line in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return True
    return all(ipaddress.ip_address(one).is_global for one in found)


def warc(page: Page, at: datetime) -> bytes:
    """The page as a WARC 1.1, gzipped: then request and answer of each hop. Same in, same out."""
    out = BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def write(kind: str, address: str, head: StatusAndHeaders | None, body: bytes, number: int) -> None:
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {number} {stamp} {address}")
        record = writer.create_warc_record(
            address,
            kind,
            payload=BytesIO(body),
            length=len(body),
            http_headers=head,
            warc_headers_dict={"WARC-Record-ID": f"<urn:uuid:{name}>", "WARC-Date": stamp},
        )
        writer.write_record(record)

    about = f"software: kholo/{__version__}\r\nformat: WARC File Format 1.1\r\n"
    write("warcinfo", "", None, f"{about}description: cookies were left out, contents are decoded\r\n".encode(), 0)
    for number, hop in enumerate(page.hops, 1):
        parts = urlsplit(hop.address)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        asked = [("Host", parts.netloc), ("User-Agent", USER_AGENT), ("Accept-Encoding", "identity")]
        write(
            "request", hop.address, StatusAndHeaders(f"GET {target} HTTP/1.1", asked, is_http_request=True), b"", number
        )
        body = page.body if number == len(page.hops) else b""
        told = [*hop.headers, ("Content-Length", str(len(body)))]
        answer = StatusAndHeaders(f"{hop.status} {hop.reason}".strip(), told, protocol="HTTP/1.1")
        write("response", hop.address, answer, body, number)
    return out.getvalue()
