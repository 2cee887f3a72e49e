"""The observations of one measurement, sorted for judging: by hop, by vantage, by endpoint."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import urlsplit

from kholo.model import Layer, Measurement, Observation, Vantage
from kholo.reference import Fingerprint, Reference


class Hop:
    """What the probe did for one address: the one asked for (depth 0) or one it was redirected to."""

    def __init__(self, depth: int, rows: list[Observation], url: str) -> None:
        """`url` is the address asked for, or the one that the hop before gave; the request itself knows better."""
        self.depth = depth
        self.dns = [row for row in rows if row.layer is Layer.DNS]
        self.tcp = [row for row in rows if row.layer is Layer.TCP]
        self.tls = [row for row in rows if row.layer is Layer.TLS]
        self.http = [row for row in rows if row.layer is Layer.HTTP]
        self.url = self.http[0].url if self.http and depth else url
        self.is_https = self.url.startswith("https:")
        self.is_tcp_ok = any(row.failure is None for row in self.tcp) or not self.tcp
        self.is_tls_ok = any(row.proven for row in self.tls) or (not self.tls and self.is_tcp_ok)

    @cached_property
    def port(self) -> int:
        """The port that the address asks for; 443 where nothing else is known."""
        try:
            return urlsplit(self.url).port or (80 if self.url.startswith("http:") else 443)
        except ValueError:
            return 443

    @cached_property
    def ips(self) -> set[str]:
        """Every address tried."""
        return {row.ip for row in self.tcp}


class View:
    """One measurement, with what its control saw."""

    def __init__(self, measurement: Measurement, observations: list[Observation], reference: Reference) -> None:
        self.measurement = measurement
        self.observations = observations
        self.reference = reference
        self.is_damaged = False
        self.control_dns: Observation | None = None
        self.control_http: Observation | None = None
        self.control_tcp: dict[tuple[str, int], str | None] = {}
        self.control_tls: dict[str, str | None] = {}
        self._helper_failed = False
        by_depth: dict[int, list[Observation]] = {}
        for row in observations:
            if row.vantage is Vantage.CONTROL:
                self._take_control(row)
            elif row.engine == "damaged":
                self.is_damaged = True
            else:
                by_depth.setdefault(row.depth, []).append(row)
        self.hops: list[Hop] = []
        url = measurement.input or ""
        for depth in sorted(by_depth):
            self.hops.append(Hop(depth, by_depth[depth], url))
            url = next((row.location for row in self.hops[-1].http if row.location), "")

    def _take_control(self, row: Observation) -> None:
        if row.engine == "helper":
            self._helper_failed = True
        elif row.layer is Layer.DNS:
            self.control_dns = row
        elif row.layer is Layer.TCP:
            self.control_tcp[row.ip, row.port] = row.failure
        elif row.layer is Layer.TLS:
            # One valid handshake at the address is enough to prove it.
            if self.control_tls.get(row.ip, "") is not None:
                self.control_tls[row.ip] = row.failure
        else:
            self.control_http = row

    @property
    def is_control_failed(self) -> bool:
        """The control told nothing: it failed, or was not there."""
        return self._helper_failed or (self.control_dns is None and self.control_http is None)

    @property
    def is_control_page(self) -> bool:
        """The control got a page, whatever the page says."""
        page = self.control_http
        return page is not None and page.failure is None and 0 < page.status < 500 and not self._helper_failed

    @property
    def is_control_http_down(self) -> bool:
        """The control tried for a page and got none."""
        return self.control_http is not None and not self.is_control_page

    @property
    def is_resolver_foreign(self) -> bool:
        """The resolver is known and is not of the network the probe was on."""
        return self.measurement.resolver_network not in ("AS0", self.measurement.network)

    @cached_property
    def control_addresses(self) -> frozenset[str]:
        """The addresses that the control's resolver gave."""
        return frozenset(self.control_dns.answers) if self.control_dns else frozenset()

    @cached_property
    def control_networks(self) -> frozenset[int]:
        """The networks of those addresses, as far as the control knew them."""
        return frozenset(self.control_dns.answer_networks) - {0} if self.control_dns else frozenset()

    @cached_property
    def proven(self) -> frozenset[str]:
        """Addresses on which a certificate valid for the first name was served, to the probe or to the control."""
        served = {row.ip for hop in self.hops[:1] for row in hop.tls if row.proven}
        return frozenset(served | {ip for ip, failed in self.control_tls.items() if failed is None})

    @cached_property
    def _network_of(self) -> dict[str, int]:
        return {
            ip: network
            for hop in self.hops
            for row in hop.dns
            for ip, network in zip(row.answers, row.answer_networks, strict=False)
        }

    def is_genuine(self, ip: str) -> bool:
        """Whether the address is the service's own: as the control's, in a network of the control's, or proven."""
        if ip in self.control_addresses or ip in self.proven:
            return True
        return self._network_of.get(ip, 0) in self.control_networks

    def is_bogon(self, ip: str) -> bool:
        """Whether the address can't be the answer for a public name."""
        return self.reference.bogons.is_bogon(ip, self.measurement.simulated)

    def block_page(self, row: Observation) -> Fingerprint | None:
        """The fingerprint that an unencrypted answer matches, in its headers or its body."""
        match, place = self.reference.fingerprints.match, self.measurement.place
        return (
            match("header.location", row.location, place)
            or match("header.server", row.server, place)
            or match("header.via", row.via, place)
            or match("body", row.body, place)
        )
