"""The steps of a probe as observations: lookups, connections, handshakes, requests. The same for every test."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kholo.model import MAX_BODY, Layer, Observation, Vantage
from kholo.sources import formats as raw
from kholo.sources.envelope import hostname
from kholo.sources.titles import title

MAX_FAILURE = 120
MAX_TEXT = 2_048
MAX_ANSWERS = 64
MAX_HEADERS = 64

DNS, TCP, TLS, QUIC, HTTP = Layer.DNS, Layer.TCP, Layer.TLS, Layer.QUIC, Layer.HTTP
PROBE = Vantage.PROBE

#: Names that DNS engines have had over the years; anything unknown is taken for the system's resolver.
_ENGINES: dict[str | None, str] = {"udp": "udp", "doh": "doh", "dot": "dot", "https": "doh", "tcp": "udp"}

#: Older spellings of the same failure (df-007).
_RENAMED = {
    "connection_refused_error": "connection_refused",
    "dns_name_error": "dns_nxdomain_error",
    "deferred_timeout_error": "generic_timeout_error",
    "task_timed_out": "generic_timeout_error",
    "tcp_timed_out_error": "generic_timeout_error",
    "timed_out": "generic_timeout_error",
    "connect_timeout": "generic_timeout_error",
}
#: Texts of operating systems that old probes wrote instead of a failure string.
_SPELT = (
    ("no such host", "dns_nxdomain_error"),
    ("connection refused", "connection_refused"),
    ("connection reset by peer", "connection_reset"),
    ("i/o timeout", "generic_timeout_error"),
    ("context deadline exceeded", "generic_timeout_error"),
)
CERTIFICATE = frozenset({"ssl_invalid_hostname", "ssl_unknown_authority", "ssl_invalid_certificate"})


def failure(value: str | bool | None) -> str | None:
    """OONI's failure string in its present spelling; None where the step worked (`false` in old reports)."""
    if not value:
        return None
    if value is True:
        return "unknown_failure"
    if known := _RENAMED.get(value):
        return known
    if value.startswith("unknown_failure"):
        return next((name for text, name in _SPELT if text in value), value[:MAX_FAILURE])
    return value[:MAX_FAILURE]


def observe(steps: raw.Steps, target: str = "") -> list[Observation]:
    """The observations of a probe's steps, in the order of the layers. `target` is put on each."""
    found = [query(made, target) for made in steps.queries or ()]
    found += [_connect(connect, target) for connect in steps.tcp_connect or ()]
    reads = _Reads(steps)
    found += [handshake(shake, TLS, reads, target) for shake in steps.tls_handshakes or ()]
    if steps.quic_handshakes:
        found += [handshake(shake, QUIC, reads, target) for shake in steps.quic_handshakes]
    if steps.requests:
        found += _exchanges(steps.requests, reads, target)
    return found


#: The tag of each redirect that a probe may follow (ten are its limit).
_DEPTHS = {f"depth={depth}": depth for depth in range(100)}


def _depth(tags: list[str]) -> int:
    for tag in tags:
        if tag in _DEPTHS:
            return _DEPTHS[tag]
    return 0


def query(made: raw.Query, target: str = "") -> Observation:
    """One lookup."""
    answers: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    if made.answers:
        answers, networks = _answers(made.answers)
    return Observation(
        DNS,
        PROBE,
        name(made.hostname),
        "",
        0,
        failure(made.failure) if made.failure else None,
        _depth(made.tags) if made.tags else 0,
        made.t0,
        made.t,
        _ENGINES.get(made.engine, "system"),
        target,
        made.resolver_address[:128] if made.resolver_address else "",
        made.query_type[:16] if made.query_type else "",
        answers,
        networks,
    )


def _answers(given: list[raw.Answer]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if len(given) == 1:
        address = given[0].ipv4 or given[0].ipv6
        return ((address[:64],), (number(given[0].asn),)) if address else ((), ())
    found = [(address[:64], number(answer.asn)) for answer in given if (address := answer.ipv4 or answer.ipv6)]
    return tuple([address for address, _ in found[:MAX_ANSWERS]]), tuple([asn for _, asn in found[:MAX_ANSWERS]])


@lru_cache(maxsize=16_384)
def name(text: str | None) -> str:
    """A host name in small letters."""
    return text.lower()[:253] if text else ""


@lru_cache(maxsize=16_384)
def number(value: int | str | None) -> int:
    """The number of a network; 0 where there is none that can be one."""
    if isinstance(value, str):
        digits = value.removeprefix("AS")
        value = int(digits) if digits.isdigit() and len(digits) < 11 else 0
    return value if value and 0 < value < 2**32 else 0


def _connect(connect: raw.Connect, target: str) -> Observation:
    status = connect.status
    if status is None:
        failed: str | None = "unknown_failure"
    else:
        failed = failure(status.failure) if status.failure else None
        if failed is None and status.success is False:
            failed = "unknown_failure"
    return Observation(
        TCP,
        PROBE,
        "",
        connect.ip[:64] if connect.ip else "",
        number(connect.port) % 65_536,
        failed,
        _depth(connect.tags) if connect.tags else 0,
        connect.t0,
        connect.t,
        "",
        target,
    )


class _Reads:
    """Bytes that arrived on each connection, and over what time: a trickle is not silence."""

    def __init__(self, steps: raw.Steps) -> None:
        self._events = raw.events(steps)
        self._is_alone = len(steps.tls_handshakes or ()) == 1

    def of_handshake(self, shake: raw.Handshake) -> tuple[int, float]:
        """Bytes read in a handshake, and the seconds from its first write to the last of them."""
        if not self._events:
            return 0, 0.0
        if not shake.transaction_id and self._is_alone:
            # Older probes don't say which connection an event is of; of a single handshake they are all.
            starts = [e.t for e in self._events if e.operation == "tls_handshake_start" and e.t is not None]
            return _sum([e for e in self._events if starts and e.t is not None and e.t >= starts[-1]], shake.t)
        return self.of(shake.transaction_id, shake.t)

    def of(self, transaction: int | None, end: float | None) -> tuple[int, float]:
        """Bytes read in a transaction up to `end`, and the seconds from its first write to the last of them."""
        if not self._events or not transaction:
            return 0, 0.0
        return _sum([event for event in self._events if event.transaction_id == transaction], end)


#: Seconds by which the clock of an event may differ from that of its step.
_SLACK = 0.001
MAX_BYTES = 2**31 - 1


def _sum(events: list[raw.Event], end: float | None) -> tuple[int, float]:
    timed = [(e.t, e.operation or "", e.num_bytes or 0) for e in events if e.t is not None]
    timed = [step for step in timed if end is None or step[0] <= end + _SLACK]
    reads = [(moment, count) for moment, operation, count in timed if operation.startswith("read") and count > 0]
    if not reads:
        return 0, 0.0
    writes = [moment for moment, operation, _ in timed if operation.startswith("write")]
    begin = min(writes, default=reads[0][0])
    return min(sum(count for _, count in reads), MAX_BYTES), max(0.0, max(reads)[0] - begin)


def handshake(shake: raw.Handshake, layer: Layer, reads: _Reads | None = None, target: str = "") -> Observation:
    """One handshake. It proves the address when its certificate was checked and found valid for the name."""
    ip, port = endpoint(shake.address)
    failed = failure(shake.failure) if shake.failure else None
    proven: bool | None = None
    if failed is None:
        proven = None if shake.no_tls_verify else True
    elif failed in CERTIFICATE:
        proven = False
    count, span = reads.of_handshake(shake) if reads else (0, 0.0)
    return Observation(
        layer,
        PROBE,
        name(shake.server_name),
        ip,
        port,
        failed,
        _depth(shake.tags) if shake.tags else 0,
        shake.t0,
        shake.t,
        "",
        target,
        "",
        "",
        (),
        (),
        proven,
        count,
        span,
    )


@lru_cache(maxsize=16_384)
def endpoint(address: str | None) -> tuple[str, int]:
    """`1.2.3.4:443` and `[2001:db8::1]:443` as address and port; ("", 0) when it is neither."""
    ip, separator, port = (address or "").rpartition(":")
    if not separator or not port.isdigit() or len(port) > 5:
        return "", 0
    return ip.removeprefix("[").removesuffix("]")[:64], int(port) % 65_536


def _exchanges(exchanges: list[raw.Exchange], reads: _Reads, target: str) -> list[Observation]:
    """HTTP requests. Without depth tags their place in the list, newest first, tells the redirect."""
    tagged = any(tag in _DEPTHS for exchange in exchanges if exchange.tags for tag in exchange.tags)
    last = len(exchanges) - 1
    return [
        _exchange(exchange, _depth(exchange.tags or []) if tagged else last - place, reads, target)
        for place, exchange in enumerate(exchanges)
    ]


REDIRECT = 300
_NO_RESPONSE = raw.Response()
_NO_HEADERS: tuple[str, str, str, tuple[str, ...]] = "", "", "", ()


def _exchange(exchange: raw.Exchange, depth: int, reads: _Reads, target: str) -> Observation:
    url = ((exchange.request and exchange.request.url) or "")[:MAX_TEXT]
    response = exchange.response or _NO_RESPONSE
    is_plain = url.startswith("http://")
    body = _body(response.body) if is_plain else ""
    status = response.code or 0
    # Of an encrypted page only the headers of a redirect or a refusal say something.
    server, location, via, names = _headers(response, is_plain) if is_plain or status >= REDIRECT else _NO_HEADERS
    ip, port = endpoint(exchange.address)
    count, span = reads.of(exchange.transaction_id, exchange.t)
    return Observation(
        HTTP,
        PROBE,
        hostname(url),
        ip,
        port or _port(url),
        failure(exchange.failure) if exchange.failure else None,
        depth,
        exchange.t0,
        exchange.t,
        "",
        target,
        "",
        "",
        (),
        (),
        None,
        count,
        span,
        url,
        status if 0 <= status < 1_000 else 0,
        len(body),
        bool(response.body_is_truncated) or len(body) > MAX_BODY,
        title(body) if body else "",
        server,
        location,
        via,
        names,
        body[:MAX_BODY],
    )


def _headers(response: raw.Response, is_plain: bool) -> tuple[str, str, str, tuple[str, ...]]:
    """Server, location and via; and of a plain page the names of all."""
    headers = {name.lower(): value for name, value in raw.headers(response.headers).items()}
    server, location, via = [_header(headers.get(wanted)) for wanted in ("server", "location", "via")]
    return server, location, via, _names(headers) if is_plain else ()


def _names(headers: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted([name[:64] for name in list(headers)[:MAX_HEADERS]]))


@lru_cache(maxsize=16_384)
def _port(url: str) -> int:
    try:
        return urlsplit(url).port or (443 if url.startswith("https:") else 80)
    except ValueError:
        return 0


def _body(encoded: msgspec.Raw) -> str:
    try:
        return text(msgspec.json.decode(encoded))
    except (msgspec.DecodeError, UnicodeError):
        # Bodies are passed over undecoded at first; one that is not what JSON allows is no page that we can read.
        return ""


def text(value: Any) -> str:
    """Text that may stand as base64 (df-001); "" where it is neither, unreadable base64 as far as it goes."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("data"), str):
        data = value["data"]
        try:
            return base64.b64decode(data + "=" * (-len(data) % 4)).decode("utf-8", "replace")
        except (ValueError, binascii.Error):
            return ""
    return ""


def _header(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = value[0] if value else None
    return text(value)[:MAX_TEXT]
