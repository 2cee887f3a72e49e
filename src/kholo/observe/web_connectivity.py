"""web_connectivity 0.4 and 0.5 as observations of probe and control.

0.4 tests the addresses of the system resolver only and writes `requests` newest first; 0.5 tests the addresses of
several resolvers and marks each step with the redirect it belongs to (`depth=N`).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kholo.model import MAX_BODY, Layer, Observation, Vantage
from kholo.sources import web_connectivity as raw
from kholo.sources.envelope import hostname

MAX_FAILURE = 120
MAX_TEXT = 2_048
MAX_ANSWERS = 64
MAX_HEADERS = 64

#: Names that DNS engines have had over the years; anything unknown is taken for the system's resolver.
_ENGINES = {"udp": "udp", "doh": "doh", "dot": "dot", "https": "doh", "tcp": "udp"}

#: Older spellings of the same failure (df-007).
_RENAMED = {
    "connection_refused_error": "connection_refused",
    "dns_name_error": "dns_nxdomain_error",
    "deferred_timeout_error": "generic_timeout_error",
    "task_timed_out": "generic_timeout_error",
    "tcp_timed_out_error": "generic_timeout_error",
    "connect_timeout": "generic_timeout_error",
}
_CERTIFICATE = ("ssl_invalid_hostname", "ssl_unknown_authority", "ssl_invalid_certificate")


def failure(value: str | bool | None) -> str | None:
    """OONI's failure string in its present spelling; None where the step worked (`false` in old reports)."""
    if not value:
        return None
    if value is True:
        return "unknown_failure"
    return _RENAMED.get(value, value[:MAX_FAILURE])


def observe(keys: raw.WebConnectivity, url: str) -> list[Observation]:
    """All observations of one measurement, probe first, in the order of the measurement."""
    found = [_query(query) for query in keys.queries or ()]
    found += [_connect(connect) for connect in keys.tcp_connect or ()]
    timed_out = _Reads(keys)
    found += [_handshake(shake, Layer.TLS, timed_out) for shake in keys.tls_handshakes or ()]
    found += [_handshake(shake, Layer.QUIC, timed_out) for shake in keys.quic_handshakes or ()]
    found += _exchanges(keys.requests or [], timed_out)
    found += _control(keys, hostname(url))
    if keys.damaged:
        found.append(Observation(Layer.HTTP, Vantage.PROBE, engine="damaged", length=keys.damaged))
    return found


#: The tag of each redirect that a probe may follow (ten are its limit).
_DEPTHS = {f"depth={depth}": depth for depth in range(100)}


def _depth(tags: list[str] | None) -> int:
    for tag in tags or ():
        if tag in _DEPTHS:
            return _DEPTHS[tag]
    return 0


def _query(query: raw.Query) -> Observation:
    answers, networks = [], []
    for answer in (query.answers or ())[:MAX_ANSWERS]:
        if address := answer.ipv4 or answer.ipv6:
            answers.append(address[:64])
            networks.append(_number(answer.asn))
    return Observation(
        Layer.DNS,
        Vantage.PROBE,
        hostname=(query.hostname or "").lower()[:253],
        failure=failure(query.failure),
        depth=_depth(query.tags),
        t0=query.t0,
        t=query.t,
        engine=_ENGINES.get(query.engine or "", "system"),
        resolver=(query.resolver_address or "")[:128],
        query_type=(query.query_type or "")[:16],
        answers=tuple(answers),
        answer_networks=tuple(networks),
    )


def _number(value: int | str | None) -> int:
    if isinstance(value, str):
        digits = value.removeprefix("AS")
        value = int(digits) if digits.isdigit() and len(digits) < 11 else 0
    return value if value and 0 < value < 2**32 else 0


def _connect(connect: raw.Connect) -> Observation:
    status = connect.status
    failed = failure(status.failure) if status else "unknown_failure"
    if failed is None and status and status.success is False:
        failed = "unknown_failure"
    return Observation(
        Layer.TCP,
        Vantage.PROBE,
        ip=(connect.ip or "")[:64],
        port=_number(connect.port) % 65_536,
        failure=failed,
        depth=_depth(connect.tags),
        t0=connect.t0,
        t=connect.t,
    )


class _Reads:
    """Bytes that arrived on a connection that later timed out: a trickle is not silence."""

    def __init__(self, keys: raw.WebConnectivity) -> None:
        self._keys = keys
        self._events: list[raw.Event] | None = None

    def of(self, failed: str | None, transaction: int | None, start: float | None) -> tuple[int, float]:
        """Bytes read and the seconds from `start` (or the first write) to the last of them."""
        if failed != "generic_timeout_error":
            return 0, 0.0
        if self._events is None:
            self._events = raw.events(self._keys)
        mine = [event for event in self._events if transaction is None or event.transaction_id == transaction]
        reads = [e for e in mine if (e.operation or "").startswith("read") and (e.num_bytes or 0) > 0]
        writes = [e.t for e in mine if (e.operation or "").startswith("write") and e.t is not None]
        times = [event.t for event in reads if event.t is not None]
        if not times:
            return 0, 0.0
        begin = min(writes) if writes else start if start is not None else min(times)
        return sum(event.num_bytes or 0 for event in reads) & 0x7FFFFFFF, max(0.0, max(times) - begin)


def _handshake(shake: raw.Handshake, layer: Layer, reads: _Reads) -> Observation:
    ip, port = _endpoint(shake.address)
    failed = failure(shake.failure)
    proven: bool | None = None
    if failed is None and not shake.no_tls_verify:
        proven = True
    elif failed in _CERTIFICATE:
        proven = False
    bytes_read, span = reads.of(failed, shake.transaction_id, shake.t0)
    return Observation(
        layer,
        Vantage.PROBE,
        hostname=(shake.server_name or "").lower()[:253],
        ip=ip,
        port=port,
        failure=failed,
        depth=_depth(shake.tags),
        t0=shake.t0,
        t=shake.t,
        proven=proven,
        bytes_read=bytes_read,
        read_span=span,
    )


def _endpoint(address: str | None) -> tuple[str, int]:
    """`1.2.3.4:443` and `[2001:db8::1]:443` as address and port; ("", 0) when it is neither."""
    ip, separator, port = (address or "").rpartition(":")
    if not separator or not port.isdigit() or len(port) > 5:
        return "", 0
    return ip.removeprefix("[").removesuffix("]")[:64], int(port) % 65_536


def _exchanges(exchanges: list[raw.Exchange], reads: _Reads) -> list[Observation]:
    """HTTP requests. Without depth tags their place in the list, newest first, tells the redirect."""
    tagged = any(tag.startswith("depth=") for exchange in exchanges for tag in exchange.tags or ())
    last = len(exchanges) - 1
    return [
        _exchange(exchange, _depth(exchange.tags) if tagged else last - place, reads)
        for place, exchange in enumerate(exchanges)
    ]


def _exchange(exchange: raw.Exchange, depth: int, reads: _Reads) -> Observation:
    url = ((exchange.request and exchange.request.url) or "")[:MAX_TEXT]
    response = exchange.response or raw.Response()
    plain = url.startswith("http://")
    body = _body(response.body) if plain else ""
    headers = {name.lower(): value for name, value in list((response.headers or {}).items())[:MAX_HEADERS]}
    ip, port = _endpoint(exchange.address)
    failed = failure(exchange.failure)
    bytes_read, span = reads.of(failed, exchange.transaction_id, exchange.t0)
    status = response.code or 0
    return Observation(
        Layer.HTTP,
        Vantage.PROBE,
        hostname=hostname(url),
        ip=ip,
        port=port or _port(url),
        failure=failed,
        depth=depth,
        t0=exchange.t0,
        t=exchange.t,
        url=url,
        status=status if 0 <= status < 1_000 else 0,
        length=len(body),
        truncated=bool(response.body_is_truncated) or len(body) > MAX_BODY,
        title=title(body),
        server=_header(headers, "server"),
        location=_header(headers, "location"),
        via=_header(headers, "via"),
        header_names=tuple(sorted(name[:64] for name in headers)) if plain else (),
        body=body[:MAX_BODY],
        bytes_read=bytes_read,
        read_span=span,
    )


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


def _header(headers: dict[str, Any], name: str) -> str:
    value = headers.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return text(value)[:MAX_TEXT]


def title(body: str) -> str:
    """The text of the first title element, white space folded, cut at 128 characters. Linear in the body."""
    low = body[:MAX_BODY].lower()
    start = low.find("<title")
    opened = low.find(">", start) if start >= 0 else -1
    end = low.find("</title", opened) if opened >= 0 else -1
    return " ".join(body[opened + 1 : end].split())[:128] if end >= 0 else ""


def _control(keys: raw.WebConnectivity, host: str) -> list[Observation]:
    """What the test helper saw. Its own failure is one observation with engine `helper`."""
    found = []
    if failed := failure(keys.control_failure):
        found.append(Observation(Layer.HTTP, Vantage.CONTROL, hostname=host, engine="helper", failure=failed))
    control = keys.control
    if control is None:
        return found
    if control.dns is not None and (control.dns.addrs or control.dns.failure):
        found.append(_control_dns(control, host))
    for layer, endpoints in ((Layer.TCP, control.tcp_connect), (Layer.TLS, control.tls_handshake)):
        for address, endpoint in list((endpoints or {}).items())[:MAX_ANSWERS]:
            found.append(_control_endpoint(layer, address, endpoint, host))
    if control.http_request is not None and not failed:
        found.append(_control_http(control.http_request, host))
    return found


def _control_dns(control: raw.Control, host: str) -> Observation:
    dns = control.dns or raw.ControlDns()
    # Old test helpers list names (CNAMEs) among the addresses.
    addresses = [addr[:64] for addr in (dns.addrs or ())[:MAX_ANSWERS] if addr and (addr[-1].isdigit() or ":" in addr)]
    info = control.ip_info or {}
    return Observation(
        Layer.DNS,
        Vantage.CONTROL,
        hostname=host,
        failure=failure(dns.failure),
        answers=tuple(addresses),
        answer_networks=tuple(_number(known.asn if (known := info.get(addr)) else 0) for addr in addresses),
    )


def _control_endpoint(layer: Layer, address: str, endpoint: raw.ControlEndpoint, host: str) -> Observation:
    ip, port = _endpoint(address)
    failed = failure(endpoint.failure)
    if failed is None and endpoint.status is False:
        failed = "unknown_failure"
    proven = None
    if layer is Layer.TLS:
        proven = True if failed is None else False if failed in _CERTIFICATE else None
    name = (endpoint.server_name or host)[:253] if layer is Layer.TLS else ""
    return Observation(layer, Vantage.CONTROL, hostname=name, ip=ip, port=port, failure=failed, proven=proven)


def _control_http(http: raw.ControlHttp, host: str) -> Observation:
    status = http.status_code or 0
    return Observation(
        Layer.HTTP,
        Vantage.CONTROL,
        hostname=host,
        failure=failure(http.failure),
        status=status if 0 <= status < 1_000 else 0,
        length=max(0, http.body_length or 0),
        title=" ".join((http.title or "").split())[:128],
        header_names=tuple(sorted(name.lower()[:64] for name in list(http.headers or {})[:MAX_HEADERS])),
    )
