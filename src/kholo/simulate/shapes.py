"""The test keys of one web_connectivity measurement, as each mechanism leaves them (ooni/spec ts-017)."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

from .scenario import BLOCK_PAGE
from .transfers import Transfer

BOGON = "10.10.34.35"
BLOCK_BODY = "<html><title>Notice</title><body>kholo-simulated-block-page</body></html>"
TIMEOUT, RESET, EOF, REFUSED = "generic_timeout_error", "connection_reset", "eof_error", "connection_refused"
#: Seconds at which a probe opens its connection.
CONNECTING = 0.06
_TAGS = ["classic", "tcptls_experiment", "depth=0"]

Keys = dict[str, Any]


@lru_cache(maxsize=64)
def page(host: str, *, is_long: bool = False) -> str:
    """The page of an invented host. A long one tells the speed of its transfer; pages of sites differ in length."""
    many = 380 + zlib.crc32(host.encode()) % 80 if is_long else 40
    return f"<html><title>{_title(host)}</title><body>{'A page of an invented service. ' * many}</body></html>"


def _title(host: str) -> str:
    return host.partition(".")[0].capitalize()


class Shape:
    """Builds the keys of one measurement of `url`, whose host is at `ip`; with `transfer` its page came like that."""

    def __init__(self, url: str, ip: str, transfer: Transfer | None = None) -> None:
        self.url, self.ip, self.transfer = url, ip, transfer
        self.host = url.split("/")[2]
        self.is_https = url.startswith("https")
        self.port = 443 if self.is_https else 80
        self.page = page(self.host, is_long=transfer is not None)
        self.mark = f"X-{_title(self.host)}"

    def keys(self, cause: str) -> Keys:
        """The test keys under a cause: "" (fine), a mechanism, or one of the other things that happen."""
        made = self._base()
        layer = cause.partition(".")[0]
        change = getattr(self, f"_{cause.replace('.', '_')}", None) or getattr(self, f"_any_{layer}", None)
        if change is not None:
            change(made, cause)
        if not made["tls_handshakes"] or made["tls_handshakes"][0]["failure"]:
            made["network_events"] = made["network_events"] or []
        if self.transfer is not None and not cause:
            self._transferred(made, self.transfer)
        return made

    def _transferred(self, keys: Keys, how: Transfer) -> None:
        """The times of the steps, and what the probe wrote down of the connection."""
        for name, t0, t in (
            ("tcp_connect", CONNECTING, how.connected),
            ("tls_handshakes", how.connected, how.shaken),
            ("requests", how.shaken, how.done),
        ):
            keys[name][0].update(t0=t0, t=t)
        where = {"address": f"{self.ip}:{self.port}", "proto": "tcp", "tags": _TAGS}
        keys["network_events"] = [where | event for event in how.events]

    def _base(self) -> Keys:
        return {
            "queries": [self._query("getaddrinfo", self.ip), self._query("udp", self.ip), self._query("doh", self.ip)],
            "tcp_connect": [self._connect(self.ip)],
            "tls_handshakes": [self._handshake(self.ip)] if self.is_https else [],
            "requests": [self._request(self.ip, self.page)],
            "network_events": None,
            "control": self._control(),
            "control_failure": None,
            "dns_experiment_failure": None,
            "http_experiment_failure": None,
            "blocking": False,
            "accessible": True,
        }

    def _query(self, engine: str, ip: str | None, failure: str | None = None) -> Keys:
        answers = [{"answer_type": "A", "ipv4": ip, "ttl": None}] if ip else None
        resolver = {"getaddrinfo": "", "udp": "198.51.100.53:53", "doh": "https://dns.example/dns-query"}[engine]
        tags = ["classic", "depth=0"] if engine == "getaddrinfo" else ["depth=0"]
        return {
            "engine": engine, "hostname": self.host, "query_type": "A", "failure": failure, "answers": answers,
            "resolver_address": resolver, "tags": tags, "t0": 0.01, "t": 0.05, "transaction_id": 1,
        }  # fmt: skip

    def _connect(self, ip: str, failure: str | None = None) -> Keys:
        status = {"failure": failure, "success": failure is None}
        return {
            "ip": ip,
            "port": self.port,
            "status": status,
            "tags": _TAGS,
            "t0": CONNECTING,
            "t": 0.18,
            "transaction_id": 2,
        }

    def _handshake(self, ip: str, failure: str | None = None) -> Keys:
        return {
            "network": "tcp", "address": f"{ip}:443", "server_name": self.host, "failure": failure,
            "no_tls_verify": False, "tags": _TAGS, "t0": 0.18, "t": 0.4, "transaction_id": 2,
        }  # fmt: skip

    def _request(self, ip: str, body: str, failure: str | None = None, status: int = 200) -> Keys:
        response = {
            "body": body, "body_is_truncated": False, "code": status,
            "headers": {"Content-Type": "text/html", self.mark: "1"} if status else {},
        }  # fmt: skip
        return {
            "network": "tcp", "address": f"{ip}:{self.port}", "failure": failure,
            "request": {"method": "GET", "url": self.url}, "response": response,
            "tags": _TAGS, "t0": 0.4, "t": 0.9, "transaction_id": 2,
        }  # fmt: skip

    def _control(self, failure: str | None = None) -> Keys:
        seen = {"status": failure is None, "failure": failure}
        http = {
            "failure": failure, "status_code": -1 if failure else 200, "body_length": -1 if failure else len(self.page),
            "title": "" if failure else _title(self.host), "headers": {} if failure else {self.mark: "1"},
        }  # fmt: skip
        return {
            "dns": {"failure": None, "addrs": [self.ip]},
            "tcp_connect": {f"{self.ip}:{self.port}": seen},
            "tls_handshake": {f"{self.ip}:443": {**seen, "server_name": self.host}} if self.is_https else {},
            "http_request": http,
            "ip_info": {self.ip: {"asn": 64496, "flags": 11}},
        }

    def _blocked(self, keys: Keys, blocking: str, failure: str | None) -> None:
        keys.update(blocking=blocking, accessible=False, http_experiment_failure=failure)

    def _bad_lookup(self, keys: Keys, ip: str | None, failure: str | None) -> None:
        keys["queries"] = [
            self._query("getaddrinfo", ip, failure), self._query("udp", self.ip), self._query("doh", self.ip),
        ]  # fmt: skip
        keys.update(tcp_connect=[], tls_handshakes=[], requests=[], dns_experiment_failure=failure)
        self._blocked(keys, "dns", failure)

    def _dns_bogon(self, keys: Keys, _cause: str) -> None:
        self._bad_lookup(keys, BOGON, None)
        keys["tcp_connect"] = [self._connect(BOGON, TIMEOUT)]

    def _dns_nxdomain(self, keys: Keys, _cause: str) -> None:
        self._bad_lookup(keys, None, "dns_nxdomain_error")

    def _dns_timeout(self, keys: Keys, _cause: str) -> None:
        self._bad_lookup(keys, None, TIMEOUT)

    def _dns_blockpage(self, keys: Keys, _cause: str) -> None:
        self._bad_lookup(keys, BLOCK_PAGE, None)
        keys["tcp_connect"] = [self._connect(BLOCK_PAGE, REFUSED if self.is_https else None)]
        if not self.is_https:
            keys["requests"] = [self._request(BLOCK_PAGE, BLOCK_BODY)]

    def _any_tcp(self, keys: Keys, cause: str) -> None:
        failure = {"timeout": TIMEOUT, "refused": REFUSED, "reset": RESET}[cause.partition(".")[2]]
        keys.update(tcp_connect=[self._connect(self.ip, failure)], tls_handshakes=[], requests=[])
        self._blocked(keys, "tcp_ip", failure)

    def _any_tls(self, keys: Keys, cause: str) -> None:
        kinds = {"reset": RESET, "timeout": TIMEOUT, "eof": EOF, "mitm": "ssl_unknown_authority"}
        failure = kinds[cause.partition(".")[2]]
        keys.update(tls_handshakes=[self._handshake(self.ip, failure)], requests=[])
        self._blocked(keys, "http-failure", failure)

    def _http_blockpage(self, keys: Keys, _cause: str) -> None:
        keys["requests"] = [self._request(self.ip, BLOCK_BODY)]
        self._blocked(keys, "http-diff", None)

    def _any_http(self, keys: Keys, cause: str) -> None:
        failure = {"reset": RESET, "timeout": TIMEOUT}[cause.partition(".")[2]]
        keys["requests"] = [self._request(self.ip, "", failure, 0)]
        self._blocked(keys, "http-failure", failure)

    def _throttle(self, keys: Keys, _cause: str) -> None:
        """As measured in Russia on 27 February 2022: bytes trickle over ten seconds, nothing is reset."""
        if not self.is_https:
            keys["requests"] = [{**self._request(self.ip, "", TIMEOUT), "t": 30.0}]
            keys["requests"][0]["response"]["body_is_truncated"] = True
        else:
            keys.update(tls_handshakes=[{**self._handshake(self.ip, TIMEOUT), "t": 10.2}], requests=[])
            moves = (("connect", 0.18, 0), ("write", 0.19, 517), ("read", 4.8, 517), ("read", 10.1, 336))
            keys["network_events"] = [
                {"operation": name, "t": t, "t0": t, "num_bytes": size, "transaction_id": 2, "failure": None}
                for name, t, size in moves
            ]
        self._blocked(keys, "http-failure", TIMEOUT)

    def _site_down(self, keys: Keys, _cause: str) -> None:
        self._any_tcp(keys, "tcp.timeout")
        keys.update(control=self._control(TIMEOUT), blocking=False)

    def _noise(self, keys: Keys, _cause: str) -> None:
        """The line was bad for a moment, for everything."""
        self._any_tcp(keys, "tcp.timeout")
        keys.update(control={}, control_failure=TIMEOUT, blocking=None, accessible=None)
