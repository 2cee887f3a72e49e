"""No rule without a case: each one holds for a measurement of the tests, and its example is of the field's test bed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kholo.judge import Judge, load_ruleset
from kholo.observe import observe
from kholo.simulate import load_scenario, shipped_scenarios, simulate
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context

from . import raw, remote, test_family, test_judge, test_platforms
from .conftest import NOW
from .raw import connect, exchange, handshake, query

TIMEOUT = "generic_timeout_error"
HTTP = "http://www.example.com/"
_ROW = {
    "measurement_start_time": "2024-02-17 18:00:00", "probe_cc": "PK", "probe_asn": 64496, "input": "https://x.com/",
    "test_name": "web_connectivity",
} | {f"{layer}_{kind}": 0.0 for layer in ("dns", "tcp", "tls") for kind in ("blocked", "down", "ok")}  # fmt: skip


def row(**scores: Any) -> bytes:
    return raw.encode(_ROW | scores)


ARCHIVE = [
    row(dns_blocked=1.0, dns_ok=1.0), row(dns_blocked=0.9), row(dns_blocked=0.9, resolver_asn=15169),
    row(tcp_blocked=0.8), row(tls_blocked=0.8), row(tcp_down=1.0), row(dns_ok=1.0, tcp_ok=1.0, tls_ok=1.0),
    *(row(tcp_blocked=0.8, top_tcp_failure=failed) for failed in (TIMEOUT, "connection_refused",
                                                                 "connection_reset")),
    *(row(tls_blocked=0.8, top_tls_failure=failed) for failed in (TIMEOUT, "connection_reset")),
    *(raw.encode({key: value for key, value in _ROW.items() if not isinstance(value, float)}
                 | {"anomaly": anomaly, "confirmed": confirmed, "failure": failed})
      for anomaly, confirmed, failed in ((True, True, False), (True, False, False), (False, False, True))),
]  # fmt: skip
QUIC = {f"{raw.IP}:443": {"status": True, "failure": None}}
PLAIN: dict[str, Any] = {"tcp_connect": [connect(port=80)], "tls_handshakes": []}
FURTHER = [
    raw.measurement(queries=None, tcp_connect=None, tls_handshakes=None, requests=None, control=None),
    raw.measurement(quic_handshakes=[handshake(TIMEOUT)], control=raw.control(quic_handshake=QUIC)),
    raw.measurement(HTTP, **PLAIN, requests=[exchange(HTTP, body="a filter")]),
    raw.measurement(HTTP, **PLAIN, requests=[exchange(HTTP, status=503, headers={"Server": "cloudflare"})]),
    raw.measurement(tcp_connect=[connect(TIMEOUT)], tls_handshakes=[], requests=[], control=raw.control(
        tcp_connect={f"{raw.IP}:443": {"status": False, "failure": TIMEOUT}})),
    raw.measurement(queries=[query(None, "10.10.34.35", asn=0), query(None, raw.IP, engine="doh")], probe_cc="IR"),
    raw.measurement(HTTP, queries=[query(None, "198.41.0.4", asn=1)], **PLAIN, requests=[], control=raw.control(
        dns={"failure": "dns_name_error", "addrs": []}, http_request=None)),
    raw.platform("openvpn", failure="eof_error"),
]  # fmt: skip


def everything() -> Iterator[bytes]:
    for cases in (test_family.CASES, test_judge.CASES, test_platforms.CASES):
        yield from (raw.encode(case[0]) for case in cases.values())
    yield from map(raw.encode, FURTHER)
    yield from (remote.encode(row) for row, _ in remote.CASES.values())
    yield from ARCHIVE
    yield from list(simulate(load_scenario(shipped_scenarios()["mechanisms"])))[::40]


def test_every_rule_decides_for_some_measurement(with_a_filter: Judge) -> None:
    decided = {"measurement.conflict"}
    for data in everything():
        for decoded in registry.decode(Item("case", 1, data), Context(NOW)):
            assert isinstance(decoded, tuple), decoded
            measurement, payload = decoded
            units = with_a_filter.units(measurement, observe(payload, measurement.input))
            decided |= {with_a_filter.ruleset.decide(unit.facts).rule.id for unit in units}
    for case, _ in remote.HOSTED.values():
        decided |= {with_a_filter.ruleset.decide(unit.facts).rule.id for unit in with_a_filter.units(*case)}
    assert {rule.id for rule in with_a_filter.ruleset.rules} - decided == set()


def test_every_rule_says_why_where_from_and_for_example_what() -> None:
    for rule in load_ruleset().rules:
        assert rule.why.endswith("."), rule.id
        assert rule.source, rule.id
        assert rule.example, rule.id


def test_examples_name_networks_of_the_test_bed(data: Path) -> None:
    known = {path.stem for path in (data / "ooni" / "qa").iterdir()} | set(test_family.CASES)
    for rule in load_ruleset().rules:
        if rule.example.startswith("emulated: "):
            assert rule.example.removeprefix("emulated: ") in known, rule.id
