"""From the observations of one measurement to facts, hop by hop: the first address, then each redirect.

A hop has two units: the addresses that the person's own resolver gave (what the person would meet), and the other
addresses that were tried (what else is wrong: one cause never hides another).
"""

from __future__ import annotations

import msgspec

from kholo.model import Layer, Measurement, Observation, Vantage
from kholo.reference import Reference

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
_UNREACHABLE = frozenset({"network_unreachable", "host_unreachable", "address_family_not_supported_error"})
#: Seconds over which bytes of a handshake must be spread to count as a trickle. A handshake is a few round trips;
#: in the pattern seen in Russia in 2022 the bytes of one came over ten seconds.
TRICKLE_SECONDS = 3.0
#: For an address without encryption the probe tries the handshake as well; it stands beside, it does not decide.
PLAIN_PORT, TLS_PORT = 80, 443


class Unit(msgspec.Struct, gc=False):
    """The facts of one unit. `decides` is False for the addresses that the person would not have met."""

    depth: int
    last: bool
    decides: bool
    facts: int


def gather(measurement: Measurement, observations: list[Observation], reference: Reference) -> list[Unit]:
    """The units of a measurement in the order in which the person meets them. Never empty."""
    view = View(measurement, observations, reference)
    base = _base(view)
    if not view.hops:
        return [Unit(0, True, True, base)]
    units = []
    for hop in view.hops:
        units += _hop_units(view, hop, base)
    return units


def _base(view: View) -> int:
    facts = 0
    if not view.observations:
        known = view.measurement.test_name == "web_connectivity"
        facts |= BITS["measurement.empty" if known else "measurement.not_judged"]
    if view.is_damaged:
        facts |= BITS["measurement.damaged"]
    if view.is_resolver_foreign:
        facts |= BITS["resolver.foreign"]
    if view.is_control_failed:
        facts |= BITS["control.failed"]
    if (page := view.control_http) is not None:
        fine = page.failure is None and 0 < page.status < 500
        facts |= BITS["control.http.ok" if fine else "control.http.failed"]
    return facts


def _hop_units(view: View, hop: Hop, base: int) -> list[Unit]:
    last = hop is view.hops[-1]
    facts = base | (BITS["hop.redirected"] if hop.depth else 0)
    mine = dns.person_addresses(hop)
    others = {row.ip for row in hop.tcp if row.ip not in mine} if mine else set()
    path = dns.facts(view, hop) | _pages(view, hop, mine or None, last)
    path |= _connections(view, hop, mine or None, hop.port)
    units = [Unit(hop.depth, last, True, facts | path)]
    if hop.port == PLAIN_PORT:
        units.append(Unit(hop.depth, last, False, facts | _connections(view, hop, mine or None, TLS_PORT)))
    if others:
        units.append(Unit(hop.depth, last, False, facts | _connections(view, hop, others, hop.port)))
    return units


def _connections(view: View, hop: Hop, addresses: set[str] | None, port: int) -> int:
    """TCP and TLS facts of the endpoints at `addresses` (None: all) on one port."""
    tcp = [row for row in hop.tcp if row.port == port and (addresses is None or row.ip in addresses)]
    tls = [row for row in hop.tls if row.port == port and (addresses is None or row.ip in addresses)]
    facts = _tcp(view, hop, tcp) if tcp else 0
    return facts | _tls(view, hop, tls) if tls else facts


def _tcp(view: View, hop: Hop, rows: list[Observation]) -> int:
    if any(row.failure is None for row in rows):
        return BITS["tcp.ok"]
    failed = [row for row in rows if row.failure not in _UNREACHABLE]
    if not failed:
        return BITS["tcp.unreachable"]
    kinds = {_TCP_KINDS.get(row.failure or "", BITS["tcp.failed"]) for row in failed}
    # One failure of unknown cause, and what the others show is not all there was.
    unknown = BITS["tcp.failed"] in kinds
    facts = BITS["tcp.failed"] if unknown else kinds.pop() if len(kinds) == 1 else BITS["tcp.mixed"]
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
    if any(row.proven for row in rows):
        return BITS["tls.ok"]
    facts = 0
    for row in rows:
        facts |= _TLS_KINDS.get(row.failure or "", BITS["tls.failed"])
        if row.bytes_read > 0 and row.read_span >= TRICKLE_SECONDS:
            facts |= BITS["tls.trickle"]
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


def _pages(view: View, hop: Hop, addresses: set[str] | None, last: bool) -> int:
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
    facts = BITS["http.verified"] if encrypted and below else 0
    if row.status:
        facts |= BITS["http.answered"]
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


def is_archive(observations: list[Observation]) -> bool:
    """Whether these are an archive's results rather than a raw measurement's."""
    return any(row.engine == "archive" and row.vantage is Vantage.PROBE for row in observations)


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
