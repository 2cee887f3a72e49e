"""OONI's web_connectivity measurements, typed. Only the parts that say something are decoded.

Sources: ooni/spec `nettests/ts-017-web-connectivity.md`, `data-formats/df-001-httpt.md`, `df-002-dnst.md`,
`df-005-tcpconnect.md`, `df-006-tlshandshake.md`, `df-008-netevents.md`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

Text = str | None
Number = float | None


class Binary(msgspec.Struct, gc=False):
    """Bytes that are not UTF-8 stand as base64 (df-001, MaybeBinaryData)."""

    data: Text = None
    format: Text = None


Maybe = str | Binary | None


class Answer(msgspec.Struct, gc=False):
    answer_type: Text = None
    ipv4: Text = None
    ipv6: Text = None
    hostname: Text = None
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
    transaction_id: int | None = None


class Handshake(msgspec.Struct, gc=False):
    address: Text = None
    server_name: Text = None
    failure: str | bool | None = None
    no_tls_verify: bool | None = None
    network: Text = None
    tags: list[str] | None = None
    t0: Number = None
    t: Number = None
    transaction_id: int | None = None


class Request(msgspec.Struct, gc=False):
    url: Text = None


class Response(msgspec.Struct, gc=False):
    code: int | None = None
    headers: dict[str, Any] | None = None
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
    failure: Text = None
    transaction_id: int | None = None
    address: Text = None
    t: Number = None


class ControlDns(msgspec.Struct, gc=False):
    failure: str | bool | None = None
    addrs: list[str] | None = None


class ControlEndpoint(msgspec.Struct, gc=False):
    status: bool | None = None
    failure: str | bool | None = None
    server_name: Text = None


class ControlHttp(msgspec.Struct, gc=False):
    failure: str | bool | None = None
    status_code: int | None = None
    body_length: int | None = None
    title: Text = None
    headers: dict[str, Any] | None = None


class AddressInfo(msgspec.Struct, gc=False):
    asn: int | None = None


class Control(msgspec.Struct, gc=False):
    dns: ControlDns | None = None
    tcp_connect: dict[str, ControlEndpoint] | None = None
    tls_handshake: dict[str, ControlEndpoint] | None = None
    http_request: ControlHttp | None = None
    ip_info: dict[str, AddressInfo | None] | None = None


class WebConnectivity(msgspec.Struct, gc=False):
    """`test_keys` of web_connectivity 0.4 and 0.5. `damaged` counts items that had to be left out."""

    queries: list[Query] | None = None
    tcp_connect: list[Connect] | None = None
    tls_handshakes: list[Handshake] | None = None
    quic_handshakes: list[Handshake] | None = None
    requests: list[Exchange] | None = None
    network_events: Raw = Raw(b"null")
    control: Control | None = None
    control_failure: str | bool | None = None
    http_experiment_failure: str | bool | None = None
    damaged: int = 0


_DECODER = msgspec.json.Decoder(WebConnectivity)
_EVENTS = msgspec.json.Decoder(list[Event] | None)
_LISTS = {
    "queries": Query,
    "tcp_connect": Connect,
    "tls_handshakes": Handshake,
    "quic_handshakes": Handshake,
    "requests": Exchange,
}


def decode(test_keys: Raw) -> WebConnectivity | None:
    """The typed test keys; None where they are null. Items of a wrong type are left out and counted.

    Raises `msgspec.DecodeError` when the bytes are no JSON, `RecursionError` when nested too deep.
    """
    if bytes(test_keys) == b"null":
        return None
    try:
        keys = _DECODER.decode(test_keys)
        keys.damaged = 0
        return keys
    except msgspec.ValidationError:
        return _salvage(msgspec.json.decode(test_keys))


def events(keys: WebConnectivity) -> list[Event]:
    """The network events, decoded when asked for: they are long and seldom needed."""
    try:
        return _EVENTS.decode(keys.network_events) or []
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []


def _salvage(raw: Any) -> WebConnectivity:
    """Keep every item that has the right shape; count the others."""
    keys = WebConnectivity()
    if not isinstance(raw, dict):
        keys.damaged = 1
        return keys
    for name, kind in _LISTS.items():
        section = raw.get(name)
        if section is None:
            continue
        if not isinstance(section, list):
            keys.damaged += 1
            continue
        good = [item for item in (_convert(item, kind) for item in section) if item is not None]
        keys.damaged += len(section) - len(good)
        setattr(keys, name, good)
    if raw.get("control") is not None:
        keys.control = _convert(raw["control"], Control)
        keys.damaged += keys.control is None
    for name in ("control_failure", "http_experiment_failure"):
        value = raw.get(name)
        if value is None or isinstance(value, str | bool):
            setattr(keys, name, value)
        else:
            keys.damaged += 1
    return keys


def _convert(item: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(_raw_body(item), kind)
    except msgspec.ValidationError:
        return None


def _raw_body(item: Any) -> Any:
    """`convert` takes no bytes where Raw stands: put the body back into JSON."""
    if isinstance(item, dict) and isinstance(item.get("response"), dict):
        response = dict(item["response"])
        response["body"] = Raw(msgspec.json.encode(response.get("body")))
        return {**item, "response": response}
    return item
