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
_ASKED, _ANSWERED, _BOGON = BITS["dns.asked"], BITS["dns.answered"], BITS["dns.bogon"]
_FINGERPRINT, _PROVEN, _DISPROVEN = BITS["dns.fingerprint"], BITS["dns.proven"], BITS["dns.disproven"]
_LIKE_CONTROL, _IN_PROBE_NETWORK = BITS["dns.like_control"], BITS["dns.in_probe_network"]
_ENCRYPTED_OK, _ENCRYPTED_NXDOMAIN = BITS["dns.encrypted.ok"], BITS["dns.encrypted.nxdomain"]
_OTHER_SAME, _OTHER_OK, _DUPLICATE = (
    BITS["dns.other_resolver.same"],
    BITS["dns.other_resolver.ok"],
    BITS["dns.duplicate"],
)
_CONTROL_OK, _CONTROL_NONE, _CONTROL_BOGON = (
    BITS["control.dns.ok"],
    BITS["control.dns.none"],
    BITS["control.dns.bogon"],
)
_FAILED = BITS["dns.failed"]


def facts(view: View, hop: Hop) -> tuple[int, set[str]]:
    """All DNS facts of the hop, and the addresses that the person's own resolver gave."""
    system, encrypted, other = _by_resolver(hop.dns)
    if not system:
        return 0, set()
    given = {ip for row in system for ip in row.answers}
    seen = _ASKED | (_answered(view, hop, given, system) if given else _failed(system))
    if encrypted:
        seen |= _encrypted(view, encrypted)
    if other:
        seen |= _other_resolver(view, other, given, seen)
    if view.duplicates and not hop.depth:
        seen |= _duplicates(view, hop)
    return (seen if hop.depth else seen | _control(view)), given


def _by_resolver(
    rows: list[Observation],
) -> tuple[list[Observation], list[Observation], list[Observation]]:
    system: list[Observation] = []
    encrypted: list[Observation] = []
    other: list[Observation] = []
    for row in rows:
        engine = row.engine
        (system if engine == "system" else other if engine == "udp" else encrypted).append(row)
    return system, encrypted, other


def _failed(system: list[Observation]) -> int:
    failures = {row.failure for row in system}
    return next((bit for failure, bit in _KINDS if failure in failures), _FAILED)


def _answered(view: View, hop: Hop, given: set[str], system: list[Observation]) -> int:
    seen = _ANSWERED
    if all([view.is_bogon(ip) for ip in given]):
        seen |= _BOGON
    match, place = view.fingerprints.match, view.measurement.place
    if any([match("dns", ip, place) for ip in given]):
        seen |= _FINGERPRINT
    proven = {row.ip for row in hop.tls if row.proven} if hop.depth else view.proven
    if not given.isdisjoint(proven):
        seen |= _PROVEN
    elif all([_is_disproven(view, hop, ip) for ip in given]):
        seen |= _DISPROVEN
    networks = {network for row in system for network in row.answer_networks}
    networks.discard(0)
    if not hop.depth and (
        not given.isdisjoint(view.control_addresses)
        or not networks.isdisjoint(view.control_networks)
        or view.is_near_control(system)
    ):
        seen |= _LIKE_CONTROL
    if int(view.measurement.network[2:]) in networks:
        seen |= _IN_PROBE_NETWORK
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


def _encrypted(view: View, rows: list[Observation]) -> int:
    addresses = {ip for row in rows for ip in row.answers}
    if addresses and not all([view.is_bogon(ip) for ip in addresses]):
        return _ENCRYPTED_OK
    if any(row.failure == "dns_nxdomain_error" for row in rows):
        return _ENCRYPTED_NXDOMAIN
    return 0


def _other_resolver(view: View, rows: list[Observation], given: set[str], seen: int) -> int:
    addresses = {ip for row in rows for ip in row.answers}
    if addresses:
        if given and addresses <= given:
            return _OTHER_SAME
        return 0 if all([view.is_bogon(ip) for ip in addresses]) else _OTHER_OK
    same = not given and _failed([row for row in rows if row.query_type != "AAAA"] or rows) & seen
    return _OTHER_SAME if same else 0


def _duplicates(view: View, hop: Hop) -> int:
    """Two answers to one question that share nothing: one of them was put in on the path."""
    late = {ip for row in view.duplicates for ip in row.answers}
    first = {ip for row in hop.dns if row.engine == "udp" for ip in row.answers}
    return _DUPLICATE if late and first and late.isdisjoint(first) else 0


def _control(view: View) -> int:
    row = view.control_dns
    if row is None:
        return 0
    if not row.answers:
        return _CONTROL_NONE if not view.is_control_failed else 0
    return _CONTROL_BOGON if all([view.is_bogon(ip) for ip in row.answers]) else _CONTROL_OK
