"""The facts of one hop's lookups: the person's resolver, an encrypted one, another network's, and the control's."""

from __future__ import annotations

from kholo.model import Observation

from .facts import BITS
from .view import Hop, View

#: Failures in the order in which they count when a resolver failed in several ways.
_KINDS = (
    ("dns_bogon_error", BITS["dns.bogon"]),
    ("dns_nxdomain_error", BITS["dns.nxdomain"]),
    ("generic_timeout_error", BITS["dns.timeout"]),
    ("dns_refused_error", BITS["dns.refused"]),
    ("dns_no_answer", BITS["dns.no_answer"]),
    ("android_dns_cache_no_data", BITS["dns.no_answer"]),
)


def _rows(hop: Hop, *engines: str) -> list[Observation]:
    return [row for row in hop.dns if row.engine in engines]


def _addresses(rows: list[Observation]) -> set[str]:
    return {ip for row in rows for ip in row.answers}


def person_addresses(hop: Hop) -> set[str]:
    """The addresses that the person's own resolver gave."""
    return _addresses(_rows(hop, "system"))


def facts(view: View, hop: Hop) -> int:
    """All DNS facts of the hop."""
    system = _rows(hop, "system")
    if not system:
        return 0
    given = _addresses(system)
    seen = BITS["dns.asked"] | (_answered(view, hop, given) if given else _failed(system))
    seen |= _encrypted(view, hop) | _other_resolver(view, hop, given, seen)
    return seen | _control(view) if not hop.depth else seen


def _failed(system: list[Observation]) -> int:
    failures = {row.failure for row in system}
    return next((bit for failure, bit in _KINDS if failure in failures), BITS["dns.failed"])


def _answered(view: View, hop: Hop, given: set[str]) -> int:
    seen = BITS["dns.answered"]
    if all(view.is_bogon(ip) for ip in given):
        seen |= BITS["dns.bogon"]
    match, place = view.reference.fingerprints.match, view.measurement.place
    if any(match("dns", ip, place) for ip in given):
        seen |= BITS["dns.fingerprint"]
    proven = {row.ip for row in hop.tls if row.proven} | (view.proven if not hop.depth else frozenset())
    if given & proven:
        seen |= BITS["dns.proven"]
    elif all(_is_disproven(view, hop, ip) for ip in given):
        seen |= BITS["dns.disproven"]
    networks = {network for row in _rows(hop, "system") for network in row.answer_networks if network}
    if not hop.depth and (given & view.control_addresses or networks & view.control_networks):
        seen |= BITS["dns.like_control"]
    if int(view.measurement.network[2:]) in networks:
        seen |= BITS["dns.in_probe_network"]
    return seen


def _is_disproven(view: View, hop: Hop, ip: str) -> bool:
    """Somebody tried the name on the address and was not served it."""
    if any(row.ip == ip and row.proven is False for row in hop.tls):
        return True
    if hop.depth:
        return False
    if view.control_tls.get(ip) is not None:
        return True
    tried = [failed for (address, _), failed in view.control_tcp.items() if address == ip]
    return bool(tried) and all(tried)


def _encrypted(view: View, hop: Hop) -> int:
    rows = _rows(hop, "doh", "dot")
    addresses = _addresses(rows)
    if addresses and not all(view.is_bogon(ip) for ip in addresses):
        return BITS["dns.encrypted.ok"]
    if any(row.failure == "dns_nxdomain_error" for row in rows):
        return BITS["dns.encrypted.nxdomain"]
    return 0


def _other_resolver(view: View, hop: Hop, given: set[str], seen: int) -> int:
    rows = _rows(hop, "udp")
    addresses = _addresses(rows)
    if addresses:
        if given and addresses <= given:
            return BITS["dns.other_resolver.same"]
        return 0 if all(view.is_bogon(ip) for ip in addresses) else BITS["dns.other_resolver.ok"]
    same = not given and rows and _failed([row for row in rows if row.query_type != "AAAA"] or rows) & seen
    return BITS["dns.other_resolver.same"] if same else 0


def _control(view: View) -> int:
    row = view.control_dns
    if row is None:
        return 0
    if not row.answers:
        return BITS["control.dns.none"] if not view.is_control_failed else 0
    return BITS["control.dns.bogon" if all(view.is_bogon(ip) for ip in row.answers) else "control.dns.ok"]
