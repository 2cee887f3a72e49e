"""Tests without a control of their own: parts of a service count by what a person needs of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kholo.judge import Judge
from kholo.model import Grade, Verdict
from kholo.observe import observe
from kholo.pipeline.work import judged as judged_items
from kholo.sources import archives, registry
from kholo.sources.items import Item
from kholo.sources.source import Context

from . import raw
from .conftest import NOW
from .raw import connect, exchange, handshake, platform, query

TIMEOUT, RESET, EOF, REFUSED = "generic_timeout_error", "connection_reset", "eof_error", "connection_refused"
DEAD, SILENT = {"tcp": TIMEOUT}, {"tls": TIMEOUT}
ACCESS_POINTS = ("149.154.175.50", "149.154.167.51", "149.154.175.100", "149.154.167.91", "149.154.171.5")
CHAT = [f"e{number}.whatsapp.net" for number in range(1, 17)]


def judged(judge: Judge, measurement: dict[str, Any]) -> Verdict:
    ((decoded, payload),) = registry.decode(Item("test", 1, raw.encode(measurement)), Context(NOW))  # type: ignore[misc]
    return judge.verdict(decoded, observe(payload, decoded.input))


def host(name: str, ip: str, tcp: str | None = None, tls: str | None = None, http: str | None = None) -> dict[str, Any]:
    """The steps of one https request, up to the first that fails."""
    url = f"https://{name}/"
    failed = tcp or tls or http
    return {
        "queries": [query(None, ip, host=name)],
        "tcp_connect": [connect(tcp, ip)],
        "tls_handshakes": [] if tcp else [handshake(tls, ip, host=name)],
        "requests": [exchange(url, failed, 0 if failed else 200, ip=ip)],
    }


def joined(*parts: dict[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {"queries": [], "tcp_connect": [], "tls_handshakes": [], "requests": []}
    for part in parts:
        for name, rows in part.items():
            keys[name] = keys[name] + rows
    return keys


def telegram(tcp: str | None = None, http: str | None = None, alive: int = 0, **web: Any) -> dict[str, Any]:
    """`alive` access points work, the others fail as said."""
    points: dict[str, Any] = {"tcp_connect": [], "requests": []}
    for place, ip in enumerate(ACCESS_POINTS):
        fine = place < alive
        for port in (80, 443):
            points["tcp_connect"].append(connect(None if fine else tcp, ip, port))
            failed = None if fine else tcp or http
            points["requests"].append(exchange(f"http://{ip}:{port}/", failed, 0 if failed else 501, ip=ip))
    return platform("telegram", **joined(points, host("web.telegram.org", "149.154.167.99", **web)))


def whatsapp(chat: str | None = None, alive: int = 0, registration: Any = None, web: Any = None) -> dict[str, Any]:
    pool: dict[str, Any] = {"queries": [], "tcp_connect": []}
    for place, name in enumerate(CHAT):
        ip = f"15.197.206.{place + 1}"
        pool["queries"].append(query(None, ip, host=name))
        pool["tcp_connect"] += [connect(None if place < alive else chat, ip, port) for port in (443, 5222)]
    return platform(
        "whatsapp",
        **joined(
            pool,
            host("v.whatsapp.net", "31.13.73.60", **(registration or {})),
            host("web.whatsapp.com", "31.13.73.52", **(web or {})),
        ),
    )


def signal(version: str = "0.2.4", when: str = "2024-02-17 18:00:00", **failing: Any) -> dict[str, Any]:
    names = ("chat", "storage", "cdn", "cdn2", "cdsi")
    parts = [
        host(f"{name}.signal.org", f"76.223.92.{place + 1}", **failing.get(name, {}))
        for place, name in enumerate(names)
    ]
    return platform("signal", test_version=version, measurement_start_time=when, **joined(*parts))


def messenger(tcp: str | None = None, bogon: bool = False) -> dict[str, Any]:
    names = ("b-api.facebook.com", "b-graph.facebook.com", "edge-mqtt.facebook.com", "star.c10r.facebook.com")
    keys: dict[str, Any] = {"queries": [], "tcp_connect": []}
    for place, name in enumerate(names):
        ip = "10.10.34.35" if bogon else f"31.13.86.{place + 1}"
        keys["queries"].append(query(None, ip, host=name))
        keys["tcp_connect"].append(connect(tcp, ip))
    return platform("facebook_messenger", **keys)


def tor(authorities: str | None = None, bridges: str | None = None, alive: int = 0) -> dict[str, Any]:
    targets = {}
    for place in range(8):
        failed = None if place < alive else authorities
        address = f"128.31.0.{place + 1}"
        targets[f"authority {place}"] = {
            "target_protocol": "or_port_dirauth",
            "target_address": f"{address}:9101",
            "failure": failed,
            "tcp_connect": [connect(failed, address, 9101)],
            "tls_handshakes": None if failed else [{"address": f"{address}:9101", "failure": None}],
        }
    for place in range(5):
        address = f"37.218.240.{place + 1}"
        targets[f"bridge {place}"] = {
            "target_protocol": "obfs4",
            "target_address": f"{address}:443",
            "failure": bridges,
            "tcp_connect": [connect(bridges, address, 443)],
        }
    return platform("tor", targets=targets)


def dnscheck(tls: str | None = None, failed: str | None = None) -> dict[str, Any]:
    lookups = {
        f"https://{ip}/dns-query": {
            "failure": tls or failed,
            "tcp_connect": [connect(None, ip)],
            "tls_handshakes": [handshake(tls, ip, host="dns.google")],
        }
        for ip in ("8.8.8.8", "8.8.4.4")
    }
    bootstrap = {"queries": [query(None, "8.8.8.8", "8.8.4.4", host="dns.google")]}
    return platform("dnscheck", "https://dns.google/dns-query", bootstrap=bootstrap, lookups=lookups)


def ech(plain: str | None, with_ech: str | None) -> dict[str, Any]:
    shakes = [handshake(plain, host="example.org"), {**handshake(with_ech, host="example.org"), "echconfig": "GREASE"}]
    return platform("echcheck", "https://example.org", tls_handshakes=shakes)


def urlgetter(url: str, **steps: Any) -> dict[str, Any]:
    name = urlsplit(url).hostname or ""
    return platform("urlgetter", url, failure=next(iter(steps.values()), None), **host(name, "104.244.42.1", **steps))


#: measurement, state, mechanism, reachable
CASES: dict[str, tuple[dict[str, Any], str, str | None, bool | None]] = {
    "telegram: all fine": (telegram(), "ok", None, True),
    "telegram: one access point of five is enough": (telegram(TIMEOUT, alive=1), "ok", None, True),
    "telegram: no access point answers a connection": (telegram(TIMEOUT), "blocked", "tcp.timeout", False),
    "telegram: connections open, and nothing answers": (telegram(http=TIMEOUT), "blocked", "http.timeout", False),
    "telegram: connections are cut once something is asked": (telegram(http=RESET), "blocked", "http.reset", False),
    "telegram: connections are closed once something is asked": (telegram(http=EOF), "blocked", "http.eof", False),
    "telegram: one handshake runs out of time, as on a slow line": (telegram(tls=TIMEOUT), "ok", None, True),
    "telegram: only the web client is reset": (telegram(tls=RESET), "blocked", "tls.reset", True),
    "telegram: only the web client is slow to answer": (telegram(http=TIMEOUT, alive=5), "ok", None, True),
    "telegram: nothing at all works, which a dead line would do": (
        platform("telegram", tcp_connect=telegram(TIMEOUT)["test_keys"]["tcp_connect"][:10],
                 queries=[query(TIMEOUT, host="web.telegram.org")]), "insufficient", None, None),
    "whatsapp: all fine": (whatsapp(), "ok", None, True),
    "whatsapp: one of sixteen is enough": (whatsapp(TIMEOUT, alive=1), "ok", None, True),
    "whatsapp: none of sixteen answers": (whatsapp(TIMEOUT), "blocked", "tcp.timeout", False),
    "whatsapp: registration is reset after its name": (
        whatsapp(registration={"tls": RESET}), "blocked", "tls.reset", False),
    "whatsapp: only the web client is closed": (whatsapp(web={"tls": EOF}), "blocked", "tls.eof", True),
    "whatsapp: one endpoint times out, and nothing says it's a block": (
        whatsapp(registration={"tcp": TIMEOUT}), "insufficient", None, None),
    "whatsapp: chat in two ways": (
        platform("whatsapp", queries=[query(None, "15.197.206.1", "15.197.206.2", host=CHAT[0])], tcp_connect=[
            connect(TIMEOUT if port == 443 else REFUSED, ip, port) for ip in ("15.197.206.1", "15.197.206.2")
            for port in (443, 5222)]), "blocked", "tcp.failure", False),
    "whatsapp: all refuse": (whatsapp(REFUSED), "blocked", "tcp.refused", False),
    "whatsapp: all reset": (whatsapp(RESET), "blocked", "tcp.reset", False),
    "whatsapp: a certificate of somebody else, which an old device finds too": (
        whatsapp(web={"tls": "ssl_unknown_authority"}), "ok", None, True),
    "signal: all fine": (signal(), "ok", None, True),
    "signal: the chat server is reset": (signal(chat={"tls": RESET}), "blocked", "tls.reset", False),
    "signal: the resolver denies the chat server and finds the rest": (
        platform("signal", test_version="0.2.4", **joined(
            {"queries": [query("dns_nxdomain_error", host="chat.signal.org")]},
            host("storage.signal.org", "76.223.92.2"))), "blocked", "dns.nxdomain", False),
    "signal: pictures only": (signal(cdn={"tls": RESET}), "blocked", "tls.reset", True),
    "signal: all hosts time out": (
        signal(chat=DEAD, storage=DEAD, cdn=DEAD, cdn2=DEAD, cdsi=DEAD),
        "blocked", "tcp.timeout", False),
    "signal: all hosts go silent after their names": (
        signal(chat=SILENT, storage=SILENT, cdn=SILENT, cdn2=SILENT, cdsi=SILENT), "blocked", "tls.timeout", False),
    "signal: one host goes silent, as on a slow line": (signal(chat=SILENT), "insufficient", None, None),
    "signal: a server error is the server's": (
        signal(chat={"http": "http_request_failed"}), "insufficient", None, None),
    "signal: a test that does not know the new certificates": (
        signal("0.2.1", "2022-11-01 00:00:00", chat={"tls": "ssl_unknown_authority"}), "insufficient", None, None),
    "signal: the same, and a year later the next": (
        signal("0.2.3", "2023-11-10 00:00:00", chat={"tls": RESET}), "insufficient", None, None),
    "messenger: all fine": (messenger(), "ok", None, True),
    "messenger: nothing answers": (messenger(TIMEOUT), "blocked", "tcp.timeout", False),
    "messenger: private addresses": (messenger(TIMEOUT, bogon=True), "blocked", "dns.bogon", False),
    "tor: all fine": (tor(), "ok", None, True),
    "tor: one authority is enough": (tor(TIMEOUT, alive=1), "ok", None, True),
    "tor: no authority answers, the bridges do": (tor(TIMEOUT), "blocked", "tcp.timeout", False),
    "tor: bridges are down, which volunteers' machines often are": (tor(bridges=TIMEOUT), "ok", None, True),
    "tor: nothing answers, which a dead line would do": (tor(TIMEOUT, TIMEOUT), "insufficient", None, None),
    "vanilla_tor: came up": (platform("vanilla_tor", success=True), "ok", None, True),
    "vanilla_tor: did not, in time": (
        platform("vanilla_tor", success=False, failure=TIMEOUT, tor_progress=5), "insufficient", None, None),
    "psiphon: came up": (platform("psiphon", failure=None, bootstrap_time=3.0), "ok", None, True),
    "psiphon: did not": (platform("psiphon", failure=TIMEOUT), "insufficient", None, None),
    "dnscheck: works": (dnscheck(), "ok", None, True),
    "dnscheck: reset after the name": (dnscheck(tls=RESET), "blocked", "tls.reset", False),
    "dnscheck: a lookup fails, and why, nothing says": (dnscheck(failed="dns_no_answer"), "insufficient", None, None),
    "stunreachability: works": (platform("stunreachability", "stun://stun.l.google.com:19302"), "ok", None, True),
    "stunreachability: does not": (
        platform("stunreachability", "stun://stun.l.google.com:19302", failure=TIMEOUT), "insufficient", None, None),
    "echcheck: works": (ech(None, None), "ok", None, True),
    "echcheck: only with ECH it is reset": (ech(None, RESET), "blocked", "tls.reset", None),
    "echcheck: only with ECH it is closed": (ech(None, EOF), "blocked", "tls.eof", None),
    "echcheck: without it too": (ech(RESET, RESET), "insufficient", None, None),
    "echcheck: the first version's names": (
        platform("echcheck", "https://example.org", control=handshake(None), target=handshake(TIMEOUT)),
        "blocked", "tls.timeout", None),
    "urlgetter: works": (urlgetter("https://x.com/"), "ok", None, True),
    "urlgetter: a known service, reset after its name": (
        urlgetter("https://x.com/", tls=RESET), "blocked", "tls.reset", False),
    "urlgetter: an address that nobody vouches for": (
        urlgetter("https://www.example.com/", tls=RESET), "insufficient", None, None),
    "urlgetter: with options of one's own": (
        {**urlgetter("https://x.com/", tls=RESET), "options": ["TLSServerName=example.org"]},
        "insufficient", None, None),
    "urlgetter: nothing over QUIC": (
        platform("urlgetter", "https://www.example.com/", failure=TIMEOUT, queries=[query(None, raw.IP)],
                 quic_handshakes=[handshake(TIMEOUT)]), "insufficient", None, None),
    "browser_web: loaded": (platform("browser_web", "https://x.com/", result="ok"), "ok", None, True),
    "browser_web: not loaded": (
        platform("browser_web", "https://x.com/", result="error"), "insufficient", None, None),
    "http_invalid_request_line: as sent": (
        platform("http_invalid_request_line", tampering=False), "ok", None, True),
    "http_invalid_request_line: changed on the way": (
        platform("http_invalid_request_line", tampering=True), "insufficient", None, None),
    "http_header_field_manipulation: as sent": (
        platform("http_header_field_manipulation", tampering={"total": False, "header_name_diff": [],
                                                              "request_line_capitalization": False}), "ok", None, True),
    "http_header_field_manipulation: changed": (
        platform("http_header_field_manipulation", tampering={"total": False, "header_name_diff": ["Via"]}),
        "insufficient", None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_platform_is_judged_by_what_a_person_needs_of_it(case: str, judge: Judge) -> None:
    measurement, state, mechanism, reachable = CASES[case]
    verdict = judged(judge, measurement)
    assert (verdict.state, verdict.mechanism, verdict.reachable) == (state, mechanism, reachable), verdict.rule_id


def test_a_test_made_for_a_service_names_it(judge: Judge) -> None:
    for measurement, service in ((telegram(), "telegram"), (whatsapp(), "whatsapp"), (tor(), "tor")):
        assert judged(judge, measurement).service == service


def test_every_other_cause_is_named_beside_the_one_that_decides(judge: Judge) -> None:
    verdict = judged(judge, telegram(TIMEOUT, tls=RESET))
    assert (verdict.mechanism, "tls.reset" in verdict.also) == ("tcp.timeout", True)


@pytest.mark.parametrize("name", ["torsf", "openvpn", "riseupvpn", "http_host", "a_test_of_tomorrow"])
def test_a_test_that_is_not_judged_is_stored_and_counted(name: str, judge: Judge) -> None:
    assert judged(judge, platform(name, failure=RESET)).rule_id == "measurement.not_judged"


def test_telegram_in_kenya_is_blocked_in_the_weeks_of_the_examinations_only(data: Path, judge: Judge) -> None:
    """Blocked on several networks from 8 to 24 November 2023, at first in examination hours only."""
    path = data / "ooni" / "series" / "ke-telegram-2023" / "2023-KE-telegram.csv.gz"
    states: Counter[tuple[str, bool]] = Counter()
    networks = set()
    with path.open("rb") as stream:
        items = [item for item in archives.read_file(path, path.name, stream) if isinstance(item, Item)]
        for found in judged_items(items, Context(NOW), judge):
            assert isinstance(found, tuple), found
            measurement, _, verdict = found
            assert (measurement.kind, verdict.grade) == (Grade.B, Grade.B)
            during = datetime(2023, 11, 8, tzinfo=UTC) <= verdict.measured_at < datetime(2023, 11, 25, tzinfo=UTC)
            states[verdict.state, during] += 1
            networks |= {verdict.network} if verdict.state == "blocked" and during else set()
    assert sum(states.values()) == 2_344
    assert states["blocked", True] > 150
    assert networks >= {"AS33771", "AS36926", "AS37061"}
    # Single resets of the web client, weeks apart: measurements alone can tell no more. No incident is made of them.
    assert states["blocked", False] == 5
    assert states["ok", False] > 950
