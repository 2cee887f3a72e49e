"""OONI's data formats, typed: the steps that all of its tests write down in the same way.

Only the parts that say something are decoded. Sources: ooni/spec `data-formats/df-001-httpt.md`, `df-002-dnst.md`,
`df-005-tcpconnect.md`, `df-006-tlshandshake.md`, `df-008-netevents.md`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

Text = str | None
Number = float | None


class Answer(msgspec.Struct, gc=False):
    ipv4: Text = None
    ipv6: Text = None
    asn: int | str | None = None


class Query(msgspec.Struct, gc=False):
    engine: Text = None
    hostname: Text = None
    query_type: Text = None
    failure: str | bool | None = None
    answers: list[Answer] | None = None
    resolver_address: Text = None
    tags: list[str] | None = None
    t0: Number = None
    t: Number = None


class Status(msgspec.Struct, gc=False):
    failure: str | bool | None = None
    success: bool | None = None


class Connect(msgspec.Struct, gc=False):
    ip: Text = None
    port: int | str | None = None
    status: Status | None = None
    tags: list[str] | None = None
    t0: Number = None
    t: Number = None


class Handshake(msgspec.Struct, gc=False):
    address: Text = None
    server_name: Text = None
    failure: str | bool | None = None
    no_tls_verify: bool | None = None
    echconfig: Text = None
    tags: list[str] | None = None
    t0: Number = None
    t: Number = None
    transaction_id: int | None = None


class Request(msgspec.Struct, gc=False):
    url: Text = None


class Response(msgspec.Struct, gc=False):
    code: int | None = None
    headers: Raw = Raw(b"null")
    body: Raw = Raw(b"null")
    body_is_truncated: bool | None = None


class Exchange(msgspec.Struct, gc=False):
    """One HTTP request with its response."""

    address: Text = None
    failure: str | bool | None = None
    request: Request | None = None
    response: Response | None = None
    tags: list[str] | None = None
    t0: Number = None
    t: Number = None
    transaction_id: int | None = None


class Event(msgspec.Struct, gc=False):
    """One network event: bytes read or written on a connection (df-008)."""

    operation: Text = None
    num_bytes: int | None = None
    transaction_id: int | None = None
    t: Number = None


class Steps(msgspec.Struct, gc=False):
    """What a probe did, step by step. `damaged` counts items that had to be left out."""

    queries: list[Query] | None = None
    tcp_connect: list[Connect] | None = None
    tls_handshakes: list[Handshake] | None = None
    quic_handshakes: list[Handshake] | None = None
    requests: list[Exchange] | None = None
    network_events: Raw = Raw(b"null")
    damaged: int = 0


_HEADERS = msgspec.json.Decoder(dict[str, Any] | None)
_EVENTS = msgspec.json.Decoder(list[Event] | None)
_NONE = (b"null", b"[]")


def events(steps: Steps) -> list[Event]:
    """The network events, decoded when asked for: they are long. Empty where they are not what they should be."""
    if bytes(steps.network_events) in _NONE:
        return []
    try:
        return _EVENTS.decode(steps.network_events) or []
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []


def headers(encoded: Raw) -> dict[str, Any]:
    """Headers by name, decoded when asked for. Empty where they are not what they should be."""
    try:
        return _HEADERS.decode(encoded) or {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
