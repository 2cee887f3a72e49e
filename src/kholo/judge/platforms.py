"""Facts of the tests that have no control of their own: tests made for a service, tests of any address, of the path.

What vouches for the line and the service is what else worked in the same measurement, and the registry of services.
"""

from __future__ import annotations

from kholo.model import Observation
from kholo.reference import Role, Service

from . import dns, gather
from .facts import BITS
from .gather import Unit
from .view import Hop, View

_NO_CONTROL, _KNOWN, _DARK, _LINE = (
    BITS["test.no_control"],
    BITS["service.known"],
    BITS["service.dark"],
    BITS["line.ok"],
)
_PASSED, _FAILED = BITS["test.passed"], BITS["test.failed"]
_HTTP_ANSWERED = BITS["http.answered"]
_HTTP_FAILED = sum(BITS[f"http.{kind}"] for kind in ("reset", "timeout", "eof", "failed", "begun"))
_SERVER_ERROR = BITS["http.server_error"]
#: So many endpoints must have been tried in vain before it is the service that is dark, and not an endpoint.
DARK = 3
#: Tests that try what one address names.
_OF_ADDRESS = frozenset({"urlgetter", "dnscheck"})
#: Tests that say of the whole whether it works, with no steps that would show why not.
_SUMMARISED = frozenset({"browser_web", "dnscheck", "psiphon", "stunreachability", "stun_reachability", "vanilla_tor"})


def units(view: View) -> list[Unit]:
    """The units of a measurement, needed parts first. Never empty."""
    base = gather.common(view) | _NO_CONTROL | _marks(view)
    if view.measurement.test_name == "echcheck":
        return [Unit(0, True, base | _ech(view))]
    service = view.reference.services.of_test(view.measurement.test_name)
    found = _of_roles(view, service, base) if service and service.roles else []
    if found or not view.hops:
        return found or [Unit(0, True, base)]
    if view.measurement.test_name in _OF_ADDRESS:
        return [Unit(0, True, base | _of_address(view))]
    return [Unit(0, True, base | _names(view))]


def _marks(view: View) -> int:
    """What the test says of itself, and whether it may be believed."""
    measurement, facts = view.measurement, 0
    service = view.reference.services.of_test(measurement.test_name)
    day = measurement.measured_at.date()
    if service and any(bad.holds(measurement.test_name, measurement.test_version, day) for bad in service.untrusted):
        facts |= BITS["test.untrusted"]
    if measurement.is_custom and measurement.test_name in _OF_ADDRESS:
        facts |= BITS["test.custom"]
    results = [row.failure for row in view.marks if row.engine in ("result", "lookup")]
    if results and measurement.test_name in _SUMMARISED:
        facts |= _PASSED if None in results else _FAILED
    for row in view.marks:
        if row.engine == "echo":
            facts |= BITS["echo.tampered" if row.failure else "echo.same"]
    return facts


def _names(view: View) -> int:
    """Only what the lookups show: for tests whose other steps go by way of something else."""
    facts, _ = dns.facts(view, view.hops[0])
    return facts & (BITS["dns.bogon"] | BITS["dns.fingerprint"])


# ---- tests made for a service ------------------------------------------------------------------------------------


def _of_roles(view: View, service: Service, base: int) -> list[Unit]:
    rows = [row for hop in view.hops for row in (*hop.dns, *hop.tcp, *hop.tls, *hop.http)]
    day = view.measurement.measured_at.date()
    parts = [
        (role, hop)
        for role in service.roles
        if role.test == view.measurement.test_name and (role.until is None or day < role.until)
        for hop in _hops(role, rows)
    ]
    base |= _line(rows) | _other_names(rows)
    dark_service = _DARK if _is_dark([hop for _, hop in parts]) else 0
    made = []
    for role, hop in parts:
        facts = base | _facts(view, hop, role.needs == "any_of") | (_KNOWN if role.is_vouched else 0)
        facts |= dark_service or (_DARK if _is_dark([hop]) else 0)
        made.append(Unit(0, True, facts, role.name, role.is_needed))
    return sorted(made, key=lambda unit: not unit.is_needed)


def _hops(role: Role, rows: list[Observation]) -> list[Hop]:
    """One hop a host of an `all_of` role, one for a whole `any_of` pool; only what was tried."""
    groups = [(host,) for host in role.hosts] if role.needs == "all_of" else [role.hosts]
    found = [_hop(role, frozenset(group), rows) for group in groups]
    return [hop for hop in found if hop.dns or hop.tcp or hop.tls or hop.http]


def _hop(role: Role, hosts: frozenset[str], rows: list[Observation]) -> Hop:
    hop = Hop(0)
    addresses = {ip for row in rows if row.hostname in hosts for ip in row.answers} | set(role.addresses)
    for row in rows:
        if row.target in role.targets if role.targets else _is_of(row, hosts, addresses, role.ports):
            hop.add(row)
    hop.finish("")
    return hop


def _is_of(row: Observation, hosts: frozenset[str], addresses: set[str], ports: tuple[int, ...]) -> bool:
    if row.hostname:
        return row.hostname in hosts or row.hostname in addresses
    return row.ip in addresses and (not ports or row.port in ports)


def _facts(view: View, hop: Hop, is_pool: bool) -> int:
    lookups, _ = dns.facts(view, hop)
    seen = lookups | gather.connections(view, hop, None, None) | gather.page_facts(view, hop, None, last=False)
    if hop.quic:
        seen |= gather.quic(view, hop)
    if not seen & _HTTP_ANSWERED:
        return seen
    # In a pool any answer will do: access points answer what they were not made for with errors of their own.
    return seen & ~(_HTTP_FAILED | _SERVER_ERROR if is_pool else _HTTP_FAILED)


def _line(rows: list[Observation]) -> int:
    """The line is up when anything worked: a lookup with an answer, a connection, a handshake, a page."""
    return _LINE if any(row.failure is None and (row.answers or row.ip or row.status) for row in rows) else 0


def _other_names(rows: list[Observation]) -> int:
    found = {row.hostname for row in rows if row.engine == "system" and row.answers}
    lost = any(row.engine == "system" and row.failure and row.hostname not in found for row in rows)
    return BITS["dns.others.ok"] if found and lost else 0


def _is_dark(hops: list[Hop]) -> bool:
    """Whether nothing at all worked at three or more endpoints."""
    tried: set[tuple[str, int]] = set()
    for hop in hops:
        deepest = hop.http or hop.tls or hop.tcp
        if any(row.failure is None for row in deepest):
            return False
        connections = [row for row in hop.tcp if row.failure not in gather.UNREACHABLE]
        tried.update((row.ip, row.port) for row in connections or hop.tls or hop.http)
    return len(tried) >= DARK


# ---- tests of any address ----------------------------------------------------------------------------------------


def _of_address(view: View) -> int:
    hop = Hop(0)
    rows = [row for each in view.hops for row in (*each.dns, *each.tcp, *each.tls, *each.quic, *each.http)]
    host = view.measurement.hostname
    addresses = {ip for row in rows if row.hostname == host for ip in row.answers} | {host}
    for row in rows:
        if (not row.hostname and addresses == {host}) or _is_of(row, frozenset({host}), addresses, ()):
            hop.add(row)
    hop.finish(view.measurement.input or "")
    facts = _facts(view, hop, is_pool=False) | _line(rows)
    if view.reference.services.of_host(host):
        facts |= _KNOWN
    return facts | (_DARK if _is_dark([hop]) else 0)


def _ech(view: View) -> int:
    """The same handshake with and without ECH at one address: each is the other's control."""
    rows = [row for hop in view.hops for row in hop.tls]
    with_ech = [row for row in rows if row.target == "ech"]
    facts = BITS["ech.plain.ok"] if any(row.failure is None for row in rows if row.target != "ech") else 0
    if any(row.failure is None for row in with_ech):
        return facts | BITS["ech.ok"]
    return facts | (gather.tls_failures(with_ech) if with_ech else 0)
