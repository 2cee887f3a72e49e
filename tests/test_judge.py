"""The rules one by one, on measurements built for them. What may never happen is a false "blocked"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.judge import Judge, load_ruleset
from kholo.judge.facts import BITS
from kholo.model import IMPAIRED, Verdict
from kholo.observe import observe
from kholo.reference import load_reference
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context

from . import raw
from .conftest import NOW
from .raw import HOST, IP, connect, control, exchange, handshake, query

HTTP = f"http://{HOST}/"
HTTPS = f"https://{HOST}/"
TIMEOUT, RESET = "generic_timeout_error", "connection_reset"
DEAD = {"status": False, "failure": TIMEOUT}


def judged(judge: Judge, measurement: dict[str, Any]) -> Verdict:
    ((decoded, payload),) = registry.decode(Item("test", 1, raw.encode(measurement)), Context(NOW))  # type: ignore[misc]
    return judge.verdict(decoded, observe(payload, decoded.input))


GOOD = {"status": True, "failure": None}


def redirected(lookup: dict[str, Any], *connections: dict[str, Any]) -> dict[str, Any]:
    """A redirect over a verified connection, to a name of which no more is known than this."""
    steps = [connect(), *connections]
    there = "https://other.example.com/"
    return raw.measurement(
        queries=[query(None, IP), lookup], tcp_connect=steps,
        requests=[exchange(HTTPS, status=302, headers={"Location": there})])  # fmt: skip


CASES: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "all fine": (raw.measurement(), "ok", None),
    "reset after the name": (
        raw.measurement(tls_handshakes=[handshake(RESET)], requests=[]), "blocked", "tls.reset"),
    "closed after the name": (
        raw.measurement(tls_handshakes=[handshake("eof_error")], requests=[]), "blocked", "tls.eof"),
    "silent after the name": (
        raw.measurement(tls_handshakes=[handshake(TIMEOUT)], requests=[]), "blocked", "tls.timeout"),
    "somebody else's certificate": (
        raw.measurement(tls_handshakes=[handshake("ssl_unknown_authority")], requests=[]), "blocked", "tls.mitm"),
    "a certificate expired for the probe only": (
        raw.measurement(tls_handshakes=[handshake("ssl_invalid_certificate")], requests=[]), "insufficient", None),
    "reset, and for the control too": (
        raw.measurement(tls_handshakes=[handshake(RESET)], requests=[],
                        control=control(tls_handshake={f"{IP}:443": DEAD})), "down", None),
    "reset, and no control": (
        raw.measurement(tls_handshakes=[handshake(RESET)], requests=[], control=None,
                        control_failure=TIMEOUT), "insufficient", None),
    "no connection": (
        raw.measurement(tcp_connect=[connect(TIMEOUT)], tls_handshakes=[], requests=[]), "blocked", "tcp.timeout"),
    "no route, the device's own line": (
        raw.measurement(tcp_connect=[connect("network_unreachable")], tls_handshakes=[], requests=[]),
        "insufficient", None),
    "no connection, to an address nobody vouches for": (
        raw.measurement(queries=[query(None, "198.41.0.4", asn=1)], tcp_connect=[connect(TIMEOUT, "198.41.0.4")],
                        tls_handshakes=[], requests=[]), "insufficient", None),
    "one of two addresses is dead": (
        raw.measurement(queries=[query(None, IP, "93.184.216.35")],
                        tcp_connect=[connect(), connect(TIMEOUT, "93.184.216.35")]), "ok", None),
    "only the second address family has no route": (
        raw.measurement(tcp_connect=[connect(), connect("host_unreachable", "2606:2800:220:1::1")]), "ok", None),
    "an answer from elsewhere that a certificate proves": (
        raw.measurement(queries=[query(None, "198.41.0.4", asn=1)], tcp_connect=[connect(None, "198.41.0.4")],
                        tls_handshakes=[handshake(None, "198.41.0.4")],
                        requests=[exchange(HTTPS, ip="198.41.0.4")]), "ok", None),
    "a private address from a resolver of another network": (
        raw.measurement(resolver_asn="AS15169", queries=[query(None, "0.0.0.0")], tcp_connect=[],
                        tls_handshakes=[], requests=[]), "insufficient", None),
    "no such name, from a resolver of another network": (
        raw.measurement(resolver_asn="AS15169", queries=[query("dns_nxdomain_error")], tcp_connect=[],
                        tls_handshakes=[], requests=[]), "insufficient", None),
    "the lookup timed out, and nothing else worked": (
        raw.measurement(queries=[query(TIMEOUT), query(TIMEOUT, engine="doh")], tcp_connect=[], tls_handshakes=[],
                        requests=[]), "insufficient", None),
    "the lookup timed out, an encrypted one did not": (
        raw.measurement(queries=[query(TIMEOUT), query(None, IP, engine="doh")]), "blocked", "dns.timeout"),
    "the resolver is broken": (
        raw.measurement(queries=[query("dns_server_misbehaving"), query(None, IP, engine="doh")]),
        "insufficient", None),
    "no such name, for the encrypted lookup either": (
        raw.measurement(queries=[query("dns_nxdomain_error"), query("dns_nxdomain_error", engine="doh")],
                        tcp_connect=[], tls_handshakes=[], requests=[]), "insufficient", None),
    "a page in another language": (
        raw.measurement(HTTP, tcp_connect=[connect(port=80)], tls_handshakes=[], requests=[
            exchange(HTTP, body="<title>Startseite</title>" + "x" * 90)]), "insufficient", None),
    "the provider's block page": (
        raw.measurement(HTTP, tcp_connect=[connect(port=80)], tls_handshakes=[], requests=[
            exchange(HTTP, body="<p>see surfsafely.pk</p>")]), "blocked", "http.blockpage"),
    "the same words in a verified page are the page's own": (
        raw.measurement(requests=[exchange(HTTPS, body="<p>see surfsafely.pk</p>")]), "ok", None),
    "a refusal with status 403 is the server's": (
        raw.measurement(HTTP, tcp_connect=[connect(port=80)], tls_handshakes=[], requests=[
            exchange(HTTP, status=403, body="<title>Access Denied</title>")]), "insufficient", None),
    "a challenge over a verified connection": (
        raw.measurement(requests=[exchange(HTTPS, status=403, headers={"Server": "cloudflare"})]), "ok", None),
    "a server error for the probe only": (
        raw.measurement(requests=[exchange(HTTPS, status=503)]), "insufficient", None),
    "poisoned lookup and a reset at the right address: both are named": (
        raw.measurement(queries=[query(None, "10.10.34.35", asn=0), query(None, IP, engine="doh")],
                        tcp_connect=[connect(TIMEOUT, "10.10.34.35"), connect()], tls_handshakes=[handshake(RESET)],
                        requests=[]), "blocked", "dns.bogon"),
    "a redirect to a name that is given a private address": (
        redirected(query(None, "10.10.34.35", depth=1)), "blocked", "dns.bogon"),
    "a redirect to an address that resets connections": (
        redirected(query(None, IP, depth=1), connect(RESET, depth=1)), "blocked", "tcp.reset"),
    "a redirect to an address that never answers": (
        redirected(query(None, IP, depth=1), connect(TIMEOUT, depth=1)), "blocked", "tcp.timeout"),
    "no such name, from a probe that asks its own resolver only": (
        raw.measurement(queries=[query("dns_nxdomain_error")], tcp_connect=[], tls_handshakes=[], requests=[]),
        "blocked", "dns.nxdomain"),
    "the resolver refuses one name": (
        raw.measurement(queries=[query("dns_refused_error"), query(None, IP, engine="doh")]),
        "blocked", "dns.refused"),
    "two answers to one question": (
        raw.measurement(queries=[query(None, "8.7.198.45", asn=1), query(None, "8.7.198.46", engine="udp", asn=1)],
                        x_dns_duplicate_responses=[query(None, IP, engine="udp")], tls_handshakes=[], requests=[],
                        tcp_connect=[connect(TIMEOUT, "8.7.198.45")],
                        control=control(tcp_connect={f"{IP}:443": GOOD, "8.7.198.45:443": DEAD})),
        "blocked", "dns.injected"),
    "connections are reset": (
        raw.measurement(tcp_connect=[connect(RESET)], tls_handshakes=[], requests=[]), "blocked", "tcp.reset"),
    "one address refuses, one is silent": (
        raw.measurement(queries=[query(None, IP, "93.184.216.35")], tls_handshakes=[], requests=[],
                        tcp_connect=[connect(TIMEOUT), connect("connection_refused", "93.184.216.35")]),
        "blocked", "tcp.failure"),
    "a clock that is ahead of the archive's": (
        raw.measurement(tls_handshakes=[handshake(RESET)], requests=[],
                        measurement_start_time="2024-05-17 18:00:00"), "insufficient", None),
    "damaged: what is missing might be what worked": (
        raw.measurement(tls_handshakes=[handshake(RESET), {"address": 7}], requests=[]), "insufficient", None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_rule_holds_where_it_should(case: str, judge: Judge) -> None:
    measurement, state, mechanism = CASES[case]
    verdict = judged(judge, measurement)
    assert (verdict.state, verdict.mechanism) == (state, mechanism), verdict.rule_id


def test_one_cause_never_hides_another(judge: Judge) -> None:
    poisoned = CASES["poisoned lookup and a reset at the right address: both are named"][0]
    assert judged(judge, poisoned).also == ("tls.reset",)


def test_a_trickle_is_throttling_and_silence_is_not(judge: Judge) -> None:
    """The pattern measured in Russia on 27 February 2022: bytes come over ten seconds, then time runs out."""
    events = [
        {"operation": "write", "num_bytes": 517, "t": 0.2, "transaction_id": 7},
        {"operation": "read", "num_bytes": 517, "t": 4.8, "transaction_id": 7},
        {"operation": "read", "num_bytes": 336, "t": 10.1, "transaction_id": 7},
    ]
    keys: dict[str, Any] = {"tls_handshakes": [handshake(TIMEOUT)], "requests": []}
    assert judged(judge, raw.measurement(**keys, network_events=events)).state == "throttled"
    assert judged(judge, raw.measurement(**keys, network_events=events[:1])).state == "blocked"


def test_the_place_of_the_interference_is_named_as_far_as_it_shows(judge: Judge) -> None:
    lie = query(None, "10.10.34.35", asn=0)
    other_fine, other_lies = (query(None, ip, engine="udp") for ip in (IP, "10.10.34.35"))
    doh = query(None, IP, engine="doh")
    assert judged(judge, raw.measurement(queries=[lie, other_fine, doh])).locus == "resolver"
    assert judged(judge, raw.measurement(queries=[lie, other_lies, doh])).locus == "network"
    assert judged(judge, raw.measurement(queries=[lie, doh])).locus == "unknown"


def test_a_verdict_names_the_service_and_says_when_it_is_simulated(judge: Judge) -> None:
    verdict = judged(judge, raw.measurement("https://twitter.com/", annotations={"simulated": "true"}))
    assert verdict.service == "x"
    assert verdict.simulated
    assert judged(judge, raw.measurement()).service is None


@given(st.sets(st.sampled_from(sorted(BITS))))
def test_any_set_of_facts_has_a_verdict_and_no_block_rests_on_missing_control(seen: set[str]) -> None:
    rules = load_ruleset()
    facts = sum(BITS[name] for name in seen)
    rule = rules.decide(facts).rule
    vouched = {name for name in seen if name.startswith("control.") and name.endswith(".ok")}
    independent = vouched | (seen & _INDEPENDENT)
    if rule.state in IMPAIRED:
        assert independent, f"{rule.id} says {rule.state} on {sorted(seen)} alone"


#: What stands for itself without a control that worked in the same measurement.
_INDEPENDENT = {
    "archive.row", "dns.fingerprint", "http.blockpage", "dns.encrypted.ok", "dns.encrypted.nxdomain", "service.known",
    "ech.plain.ok", "dns.disproven",
}  # fmt: skip


LAYERS = {
    "measurement", "test", "platform", "archive", "remote", "hosted", "dns", "tcp", "tls", "quic", "http", "throttle",
    "ech", "echo",
}  # fmt: skip


def test_rules_are_well_formed() -> None:
    for rule in load_ruleset().rules:
        assert rule.why.endswith("."), rule.id
        assert rule.id.split(".")[0] in LAYERS, rule.id


def test_shipped_reference_has_a_stable_digest() -> None:
    assert load_reference().digest == load_reference().digest
    assert load_reference().services.of_host("video.twimg.com") == "x"
    assert load_reference().services.of_host("notx.com") is None
