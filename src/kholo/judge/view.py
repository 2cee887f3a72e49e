"""The observations of one measurement, sorted for judging: by hop, by vantage, by endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain, repeat
from urllib.parse import urlsplit

from kholo.model import Layer, Measurement, Observation, Vantage
from kholo.reference import Fingerprint, Fingerprints, Reference

_CONTROL, _DNS, _TCP, _TLS, _HTTP = Vantage.CONTROL, Layer.DNS, Layer.TCP, Layer.TLS, Layer.HTTP
_NOTHING: frozenset[str] = frozenset()


class Hop:
    """What the probe did for one address: the one asked for (depth 0) or one it was redirected to."""

    __slots__ = ("depth", "dns", "http", "is_https", "is_tcp_ok", "is_tls_ok", "port", "quic", "tcp", "tls", "url")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.url = ""
        self.is_https = self.is_tcp_ok = self.is_tls_ok = False
        self.port = 443
        self.dns: list[Observation] = []
        self.tcp: list[Observation] = []
        self.tls: list[Observation] = []
        self.quic: list[Observation] = []
        self.http: list[Observation] = []

    def add(self, row: Observation) -> None:
        """Take one observation of the probe."""
        layer = row.layer
        if layer is _DNS:
            self.dns.append(row)
        elif layer is _TCP:
            self.tcp.append(row)
        elif layer is _TLS:
            self.tls.append(row)
        elif layer is _HTTP:
            self.http.append(row)
        else:
            self.quic.append(row)

    def finish(self, url: str) -> None:
        """`url` is the address asked for, or the one that the hop before gave; the request itself knows better."""
        self.url = self.http[0].url if self.http and self.depth else url
        self.is_https = self.url.startswith("https:")
        self.port = _port(self.url)
        self.is_tcp_ok = not self.tcp or any([row.failure is None for row in self.tcp])
        self.is_tls_ok = any([row.proven for row in self.tls]) or (not self.tls and self.is_tcp_ok)

    @property
    def ips(self) -> set[str]:
        """Every address tried."""
        return {row.ip for row in self.tcp}


@lru_cache(maxsize=16_384)
def _port(url: str) -> int:
    """The port that an address asks for; 443 where nothing else is known."""
    try:
        return urlsplit(url).port or (80 if url.startswith("http:") else 443)
    except ValueError:
        return 443


class View:
    """One measurement, with what its control saw."""

    __slots__ = (
        "control_addresses", "control_dns", "control_http", "control_networks", "control_quic", "control_tcp",
        "control_tls", "duplicates", "has_observations", "hops", "is_damaged", "is_helper_failed", "marks",
        "measurement", "proven", "reference",
    )  # fmt: skip

    def __init__(self, measurement: Measurement, observations: list[Observation], reference: Reference) -> None:
        self.measurement = measurement
        self.reference = reference
        self.has_observations = bool(observations)
        self.is_damaged = self.is_helper_failed = False
        self.control_dns: Observation | None = None
        self.control_http: Observation | None = None
        self.control_tcp: dict[tuple[str, int], str | None] = {}
        self.control_tls: dict[str, str | None] = {}
        self.control_quic: dict[str, str | None] = {}
        self.duplicates: list[Observation] = []
        self.marks: list[Observation] = []
        self._sort(observations)
        dns = self.control_dns
        #: The addresses that the control's resolver gave, and their networks as far as the control knew them.
        self.control_addresses = frozenset(dns.answers) if dns else _NOTHING
        self.control_networks: frozenset[int] = frozenset(dns.answer_networks) - {0} if dns else frozenset()
        #: Addresses on which a certificate valid for the first name was served, to the probe or to the control.
        self.proven = {ip for ip, failed in self.control_tls.items() if failed is None}
        if self.hops and not self.hops[0].depth:
            self.proven.update([row.ip for row in self.hops[0].tls if row.proven])

    def _sort(self, observations: list[Observation]) -> None:
        hops: dict[int, Hop] = {}
        hop: Hop | None = None
        for row in observations:
            if row.vantage is _CONTROL:
                self._take_control(row)
                continue
            if row.engine in _MARKS or row.target == "duplicate":
                self._take_mark(row)
                continue
            if hop is None or row.depth != hop.depth:
                hop = hops.get(row.depth) or hops.setdefault(row.depth, Hop(row.depth))
            hop.add(row)
        url = self.measurement.input or ""
        self.hops = [hops[depth] for depth in sorted(hops)] if len(hops) > 1 else list(hops.values())
        for hop in self.hops:
            hop.finish(url)
            url = next((row.location for row in hop.http if row.location), "") if len(hops) > 1 else ""

    def _take_mark(self, row: Observation) -> None:
        if row.target == "duplicate":
            self.duplicates.append(row)
        elif row.engine == "damaged":
            self.is_damaged = True
        else:
            self.marks.append(row)

    def _take_control(self, row: Observation) -> None:
        if row.engine == "helper":
            self.is_helper_failed = True
        elif row.layer is _DNS:
            self.control_dns = row
        elif row.layer is _TCP:
            self.control_tcp[row.ip, row.port] = row.failure
        elif row.layer is _HTTP:
            self.control_http = row
        else:
            # One valid handshake at the address is enough to prove it.
            seen = self.control_tls if row.layer is _TLS else self.control_quic
            if seen.get(row.ip, "") is not None:
                seen[row.ip] = row.failure

    @property
    def is_control_failed(self) -> bool:
        """The control told nothing: it failed, or was not there."""
        return self.is_helper_failed or (self.control_dns is None and self.control_http is None)

    @property
    def is_control_page(self) -> bool:
        """The control got a page, whatever the page says."""
        page = self.control_http
        return page is not None and page.failure is None and 0 < page.status < 500 and not self.is_helper_failed

    @property
    def is_control_http_down(self) -> bool:
        """The control tried for a page and got none."""
        return self.control_http is not None and not self.is_control_page

    @property
    def is_resolver_foreign(self) -> bool:
        """The resolver is known and is not of the network the probe was on."""
        return self.measurement.resolver_network not in ("AS0", self.measurement.network)

    def is_genuine(self, ip: str) -> bool:
        """Whether the address is the service's own: as the control's, in a network of the control's, or proven."""
        if ip in self.control_addresses or ip in self.proven:
            return True
        return any(
            network in self.control_networks
            for hop in self.hops
            for row in hop.dns
            if ip in row.answers
            for address, network in zip(row.answers, row.answer_networks, strict=False)
            if address == ip
        )

    def is_near_control(self, rows: list[Observation]) -> bool:
        """Whether an answer is in a network of the control's addresses, by the table of networks of the day.

        Only where the measurement itself does not say in which networks they are. A table of another day may be wrong,
        so this must only ever take a "blocked" back (`docs/decisions/0011-reference-with-dates.md`).
        """
        control = self.control_dns
        if control is None or not control.answers:
            return False
        number = self.reference.networks.on(self.measurement.measured_at.date()).number
        theirs, given = _networks([control], number), _networks(rows, number)
        return not theirs.isdisjoint(given)

    def is_bogon(self, ip: str) -> bool:
        """Whether the address can't be the answer for a public name."""
        return self.reference.bogons.is_bogon(ip, self.measurement.simulated)

    @property
    def fingerprints(self) -> Fingerprints:
        """Those in force on the day of the measurement."""
        return self.reference.fingerprints.on(self.measurement.measured_at.date())

    def block_page(self, row: Observation) -> Fingerprint | None:
        """The fingerprint that an unencrypted answer matches, in its headers or its body."""
        headers = {"location": row.location, "server": row.server, "via": row.via}
        return self.fingerprints.page(headers, row.body, self.measurement.place)


def _networks(rows: list[Observation], number: Callable[[str], int]) -> set[int]:
    """The networks of all answers, as the rows say, else as `number` does."""
    found = set()
    for row in rows:
        # A row may know the networks of no answer at all.
        for address, network in zip(row.answers, chain(row.answer_networks, repeat(0)), strict=False):
            found.add(network or number(address))
    return found - {0}


#: Observations that are not of a step: what could not be read, and what a test says of itself.
_MARKS = frozenset({"damaged", "result", "lookup", "echo"})
