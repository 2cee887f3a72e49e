"""From the observations of one measurement to facts, hop by hop: the first address, then each redirect.

A hop has two units: the addresses that the person's own resolver gave (what the person would meet), and the other
addresses that were tried (what else is wrong: one cause never hides another).
"""

from __future__ import annotations

import msgspec

from kholo.model import Layer, Measurement, Observation

from . import dns, pages
from .facts import BITS
from .view import Hop, View

_TLS_KINDS = {
    "connection_reset": BITS["tls.reset"],
    "generic_timeout_error": BITS["tls.timeout"],
    "eof_error": BITS["tls.eof"],
    "ssl_unknown_authority": BITS["tls.unknown_authority"],
    "ssl_invalid_hostname": BITS["tls.wrong_name"],
    "ssl_invalid_certificate": BITS["tls.invalid"],
}
_TCP_KINDS = {
    "connection_reset": BITS["tcp.reset"],
    "generic_timeout_error": BITS["tcp.timeout"],
    "connection_refused": BITS["tcp.refused"],
}
_HTTP_KINDS = {
    "connection_reset": BITS["http.reset"],
    "generic_timeout_error": BITS["http.timeout"],
    "eof_error": BITS["http.eof"],
}
UNREACHABLE = frozenset({"network_unreachable", "host_unreachable", "address_family_not_supported_error"})
_TCP_OK, _TLS_OK, _QUIC_OK = BITS["tcp.ok"], BITS["tls.ok"], BITS["quic.ok"]
_ANSWERED, _VERIFIED = BITS["http.answered"], BITS["http.verified"]
_REDIRECTED = BITS["hop.redirected"]
_UNKNOWN_TCP = BITS["tcp.failed"]
#: Seconds over which bytes of a handshake must be spread to count as a trickle. A handshake is a few round trips;
#: in the pattern seen in Russia in 2022 the bytes of one came over ten seconds.
TRICKLE_SECONDS = 3.0
#: For an address without encryption the probe tries the handshake as well; it stands beside, it does not decide.
PLAIN_PORT, TLS_PORT = 80, 443


class Unit(msgspec.Struct, gc=False):
    """The facts of one unit. `decides` is False for the addresses that the person would not have met.

    `role` is the part of the service that the unit stands for, in tests made for a service; `is_needed` is False for a
    part that a person can do without.
    """

    depth: int
    decides: bool
    facts: int
    role: str = ""
    is_needed: bool = True


def gather(view: View) -> list[Unit]:
    """The units of a measurement with a control, in the order in which the person meets them. Never empty."""
    base = common(view) | _control_facts(view)
    if not view.hops:
        return [Unit(0, True, base)]
    if len(view.hops) == 1:
        return _hop_units(view, view.hops[0], base, True)
    units: list[Unit] = []
    last = view.hops[-1]
    for hop in view.hops:
        units += _hop_units(view, hop, base, hop is last)
    return units


def common(view: View) -> int:
    """The facts that every unit of a measurement shares."""
    facts = 0
    if not view.has_observations:
        facts |= BITS["measurement.empty"]
    if view.is_damaged:
        facts |= BITS["measurement.damaged"]
    if view.measurement.is_clock_ahead:
        facts |= BITS["measurement.clock"]
    if view.is_resolver_foreign:
        facts |= BITS["resolver.foreign"]
    return facts


def _control_facts(view: View) -> int:
    facts = BITS["control.failed"] if view.is_control_failed else 0
    if (page := view.control_http) is not None:
        fine = page.failure is None and 0 < page.status < 500
        facts |= BITS["control.http.ok" if fine else "control.http.failed"]
    return facts


def _hop_units(view: View, hop: Hop, base: int, last: bool) -> list[Unit]:
    depth, port = hop.depth, hop.port
    facts = base | _REDIRECTED if depth else base
    path, mine = dns.facts(view, hop)
    chosen = mine or None
    path |= page_facts(view, hop, chosen, last) | connections(view, hop, chosen, port)
    units = [Unit(depth, True, facts | path)]
    if port == PLAIN_PORT and hop.tls:
        units.append(Unit(depth, False, facts | connections(view, hop, chosen, TLS_PORT)))
    others = {row.ip for row in hop.tcp if row.ip not in mine} if mine else None
    if others:
        units.append(Unit(depth, False, facts | connections(view, hop, others, port)))
    if hop.quic:
        units.append(Unit(depth, False, facts | quic(view, hop)))
    return units


def connections(view: View, hop: Hop, addresses: set[str] | None, port: int | None) -> int:
    """TCP and TLS facts of the endpoints at `addresses` on `port` (None: all)."""
    facts = 0
    if hop.tcp:
        tcp = _at(hop.tcp, addresses, port)
        facts = _tcp(view, hop, tcp) if tcp else 0
    if hop.tls:
        tls = _at(hop.tls, addresses, port)
        return facts | _tls(view, hop, tls) if tls else facts
    return facts


def _at(rows: list[Observation], addresses: set[str] | None, port: int | None) -> list[Observation]:
    if addresses is None:
        return rows if port is None else [row for row in rows if row.port == port]
    if port is None:
        return [row for row in rows if row.ip in addresses]
    return [row for row in rows if row.port == port and row.ip in addresses]


def _tcp(view: View, hop: Hop, rows: list[Observation]) -> int:
    for row in rows:
        if row.failure is None:
            return _TCP_OK
    failed = [row for row in rows if row.failure not in UNREACHABLE]
    if not failed:
        return BITS["tcp.unreachable"]
    kinds = {_TCP_KINDS.get(row.failure or "", _UNKNOWN_TCP) for row in failed}
    # One failure of unknown cause, and what the others show is not all there was.
    unknown = _UNKNOWN_TCP in kinds
    facts = _UNKNOWN_TCP if unknown else kinds.pop() if len(kinds) == 1 else BITS["tcp.mixed"]
    if hop.depth:
        return facts
    genuine = [row for row in failed if view.is_genuine(row.ip)]
    if genuine:
        facts |= BITS["tcp.genuine"]
    checks = [view.control_tcp[key] for row in failed if (key := (row.ip, row.port)) in view.control_tcp]
    if any(view.control_tcp.get((row.ip, row.port), "") is None for row in genuine):
        facts |= BITS["control.tcp.ok"]
    elif checks and all(checks):
        facts |= BITS["control.tcp.failed"]
    return facts


def _tls(view: View, hop: Hop, rows: list[Observation]) -> int:
    for row in rows:
        if row.proven:
            return _TLS_OK
    facts = tls_failures(rows)
    if hop.depth:
        return facts
    checks = [view.control_tls[row.ip] for row in rows if row.ip in view.control_tls]
    if any(check is None for check in checks):
        facts |= BITS["control.tls.ok"]
    elif checks or (view.control_tls and view.is_control_http_down):
        facts |= BITS["control.tls.failed"]
    elif not view.control_tls and hop.is_https and view.is_control_page and any(map(view.is_genuine, hop.ips)):
        # Older test helpers made no handshakes of their own: their page over https stands for one.
        facts |= BITS["control.tls.ok"]
    return facts


def tls_failures(rows: list[Observation]) -> int:
    """How handshakes failed, of which none completed."""
    facts = 0
    for row in rows:
        facts |= _TLS_KINDS.get(row.failure, BITS["tls.failed"]) if row.failure else BITS["tls.unverified"]
        if row.bytes_read > 0 and row.read_span >= TRICKLE_SECONDS:
            facts |= BITS["tls.trickle"]
    return facts


def quic(view: View, hop: Hop) -> int:
    """QUIC facts of the hop."""
    if any(row.failure is None for row in hop.quic):
        return _QUIC_OK
    silent = all(row.failure == "generic_timeout_error" for row in hop.quic)
    facts = BITS["quic.timeout" if silent else "quic.failed"]
    if not hop.depth and any(view.control_quic.get(row.ip, "") is None for row in hop.quic):
        facts |= BITS["control.quic.ok"]
    return facts


def page_facts(view: View, hop: Hop, addresses: set[str] | None, last: bool) -> int:
    """HTTP facts of the requests to `addresses` (None: all). `last`: the control's page is the one to compare with."""
    facts = 0
    for row in hop.http:
        if addresses is None or not row.ip or row.ip in addresses:
            facts |= _page(view, hop, row, last)
    return facts


def _page(view: View, hop: Hop, row: Observation, last: bool) -> int:
    encrypted = row.url.startswith("https://")
    below = hop.is_tls_ok if encrypted else hop.is_tcp_ok
    if row.failure is not None:
        if row.failure.startswith("http_invalid_redirect"):
            return BITS["http.bad_redirect"]
        if not below:
            return 0
        return _HTTP_KINDS.get(row.failure, BITS["http.failed"]) | (BITS["http.begun"] if row.status else 0)
    facts = _VERIFIED if encrypted and below else 0
    if row.status:
        facts |= _ANSWERED
    if pages.is_challenge(row):
        return facts | BITS["http.challenge"]
    if row.status >= 500:
        facts |= BITS["http.server_error"]
    return facts if encrypted else facts | _plain_page(view, row, last)


def _plain_page(view: View, row: Observation, last: bool) -> int:
    facts = 0
    found = view.block_page(row)
    if found is not None:
        facts |= BITS["http.blockpage" if found.is_of_network else "http.filterpage"]
    control = view.control_http if view.is_control_page else None
    if pages.is_denial(row, control):
        facts |= BITS["http.denied"]
    if last and control is not None:
        facts |= BITS["http.like_control" if pages.is_like(row, control) else "http.differs"]
    return facts


def archive_facts(measurement: Measurement, observations: list[Observation]) -> int:
    """The facts of an archive's result: its own scores, weighed only as far as they go."""
    facts = BITS["archive.row"]
    if measurement.resolver_network not in ("AS0", measurement.network):
        facts |= BITS["resolver.foreign"]
    scored = [row for row in observations if row.scores is not None]
    for row in scored:
        facts |= _score(row)
    if scored and all(row.scores and row.scores[2] >= 0.5 for row in scored) and not facts & _ANY_BLOCKED:
        facts |= BITS["archive.ok"]
    for row in observations:
        if row.scores is None:
            facts |= BITS[_LISTED.get(row.failure or "", "archive.ok")]
    return facts


_ANY_BLOCKED = BITS["archive.dns"] | BITS["archive.tcp"] | BITS["archive.tls"] | BITS["archive.conflict"]
_LISTED = {
    "archive_confirmed": "archive.confirmed",
    "archive_anomaly": "archive.anomaly",
    "archive_failure": "archive.failed",
}


def _score(row: Observation) -> int:
    blocked, down, fine = row.scores or (0.0, 0.0, 0.0)
    if blocked >= 0.5 and fine >= 0.5:
        return BITS["archive.conflict"]
    if blocked >= 0.5:
        kinds = _TCP_KINDS if row.layer is Layer.TCP else _TLS_KINDS if row.layer is Layer.TLS else {}
        return BITS[f"archive.{row.layer}"] | kinds.get(row.failure or "", 0)
    return BITS["archive.down"] if down >= 0.5 else 0
