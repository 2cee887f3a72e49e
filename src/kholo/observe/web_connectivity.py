"""web_connectivity as observations of probe and control (the test helper).

0.4 tests the addresses of the system resolver only and writes `requests` newest first; 0.5 tests the addresses of
several resolvers and marks each step with the redirect it belongs to (`depth=N`).
"""

from __future__ import annotations

from kholo.model import Layer, Observation, Vantage
from kholo.sources import keys as raw
from kholo.sources.envelope import hostname
from kholo.sources.formats import headers

from . import steps
from .steps import CERTIFICATE, DNS, HTTP, MAX_ANSWERS, MAX_HEADERS, QUIC, TCP, TLS, endpoint, failure, number

CONTROL = Vantage.CONTROL
#: The target of answers that came after the first one to the same question.
DUPLICATE = "duplicate"


def observe(keys: raw.WebConnectivity, url: str) -> list[Observation]:
    """All observations of one measurement, probe first, in the order of the measurement."""
    found = steps.observe(keys)
    # Versions of the probe call them by one of two names.
    if again := keys.x_dns_duplicate_responses or keys.x_dns_late_replies:
        found += [steps.query(late, DUPLICATE) for late in again[:MAX_ANSWERS]]
    return found + _control(keys, hostname(url), found)


def _control(keys: raw.WebConnectivity, host: str, probe: list[Observation]) -> list[Observation]:
    """What the test helper saw. Its own failure is one observation with engine `helper`."""
    found = []
    failed = failure(keys.control_failure) if keys.control_failure else None
    if failed:
        found.append(Observation(HTTP, CONTROL, host, "", 0, failed, engine="helper"))
    control = keys.control
    if control is None:
        return found
    if control.dns is not None and (control.dns.addrs or control.dns.failure):
        found.append(_control_dns(control.dns, control.ip_info or {}, host))
    if control.tcp_connect:
        found += _endpoints(TCP, control.tcp_connect, "")
    if control.tls_handshake:
        found += _endpoints(TLS, control.tls_handshake, host)
    if control.quic_handshake:
        found += _endpoints(QUIC, control.quic_handshake, host)
    if control.http_request is not None and not failed:
        found.append(_control_http(control.http_request, host, any(row.header_names for row in probe)))
    return found


def _control_dns(dns: raw.ControlDns, info: dict[str, raw.AddressInfo | None], host: str) -> Observation:
    # Old test helpers list names (CNAMEs) among the addresses.
    addresses = [addr[:64] for addr in (dns.addrs or ())[:MAX_ANSWERS] if addr and (addr[-1].isdigit() or ":" in addr)]
    networks = [number(known.asn) if (known := info.get(addr)) else 0 for addr in addresses]
    return Observation(
        DNS,
        CONTROL,
        host,
        failure=failure(dns.failure) if dns.failure else None,
        answers=tuple(addresses),
        answer_networks=tuple(networks),
    )


def _endpoints(layer: Layer, endpoints: dict[str, raw.ControlEndpoint], host: str) -> list[Observation]:
    return [_endpoint(layer, *endpoint(address), seen, host) for address, seen in list(endpoints.items())[:MAX_ANSWERS]]


def _endpoint(layer: Layer, ip: str, port: int, seen: raw.ControlEndpoint, host: str) -> Observation:
    failed = failure(seen.failure) if seen.failure else None
    if failed is None and seen.status is False:
        failed = "unknown_failure"
    if layer is TCP:
        return Observation(TCP, CONTROL, "", ip, port, failed)
    proven = True if failed is None else False if failed in CERTIFICATE else None
    return Observation(layer, CONTROL, (seen.server_name or host)[:253], ip, port, failed, proven=proven)


def _control_http(http: raw.ControlHttp, host: str, is_compared: bool) -> Observation:
    """`is_compared`: the probe has headers to compare with, those of an unencrypted page."""
    status = http.status_code or 0
    return Observation(
        HTTP,
        CONTROL,
        host,
        failure=failure(http.failure) if http.failure else None,
        status=status if 0 <= status < 1_000 else 0,
        length=max(0, http.body_length or 0),
        title=" ".join(http.title.split())[:128] if http.title else "",
        header_names=_names(headers(http.headers)) if is_compared else (),
    )


def _names(found: dict[str, object]) -> tuple[str, ...]:
    return tuple(sorted([name.lower()[:64] for name in list(found)[:MAX_HEADERS]]))
