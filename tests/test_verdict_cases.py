"""Verdicts on the field's own test bed: each expectation with a reason that a person can read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from kholo.judge import Judge
from kholo.model import Reject, Verdict
from kholo.observe import observe
from kholo.sources import archives, registry
from kholo.sources.items import Item
from kholo.sources.source import Context

from .conftest import NOW


def verdicts_of(path: Path, judge: Judge) -> list[Verdict | Reject]:
    """Everything that one file gives, by way of the same reading as an ingest."""
    found: list[Verdict | Reject] = []
    with path.open("rb") as stream:
        for item in archives.read_file(path, path.name, stream):
            for decoded in registry.decode(item, Context(NOW)) if isinstance(item, Item) else [item]:
                if isinstance(decoded, Reject):
                    found.append(decoded)
                elif isinstance(decoded, tuple):
                    measurement, payload = decoded
                    found.append(judge.verdict(measurement, observe(payload, measurement.input)))
    return found


class Expected(NamedTuple):
    state: str
    layer: str | None
    mechanism: str | None
    reason: str


QA = {
    "badSSLWithExpiredCertificate": Expected(
        "down", "tls", None, "the control was served the same expired certificate: the site's own fault"
    ),
    "badSSLWithUnknownAuthorityWithInconsistentDNS": Expected(
        "blocked",
        "dns",
        "dns.wrong_answer",
        "the resolver leads to a host that serves the name to nobody, the encrypted lookup to the right one",
    ),
    "cloudflareCAPTCHAWithHTTP": Expected(
        "insufficient", "http", None, "a CDN asks for a person; that is no block page"
    ),
    "controlFailureWithSuccessfulHTTPSWebsite": Expected(
        "ok", "http", None, "the control failed, but the page came over a verified connection"
    ),
    "dnsBlockingBOGON": Expected("blocked", "dns", "dns.bogon", "a private address for a public name"),
    "dnsBlockingNXDOMAIN": Expected(
        "blocked", "dns", "dns.nxdomain", "the name exists, for control and encrypted lookup"
    ),
    "dnsHijackingToLocalhostWithHTTPS": Expected("blocked", "dns", "dns.bogon", "loopback for a public name"),
    "dnsHijackingToProxyWithHTTPURL": Expected(
        "ok", "http", None, "led through the provider's proxy, but the page is the one that the control saw"
    ),
    "ghostDNSBlockingWithHTTPS": Expected(
        "blocked", "dns", "dns.injected", "an address for a name that is gone, even from another network's resolver"
    ),
    "httpBlockingConnectionReset": Expected(
        "blocked", "http", "http.reset", "the request is reset, the control got the page"
    ),
    "httpDiffWithInconsistentDNS": Expected(
        "blocked", "dns", "dns.blockpage", "the name leads into the provider's network, to a page that denies access"
    ),
    "idnaWithoutCensorshipLowercase": Expected("ok", "http", None, "redirects end in a verified page"),
    "largeFileWithHTTPS": Expected("ok", "http", None, "a body cut by the probe itself is no failure"),
    "localhostWithHTTP": Expected("down", "dns", None, "the site's own DNS says loopback, to the control too"),
    "redirectWithBrokenLocationForHTTPS": Expected(
        "down", "http", None, "the genuine site redirects to an address that can't be one"
    ),
    "redirectWithConsistentDNSAndThenConnectionResetForHTTPS": Expected(
        "blocked", "tls", "tls.reset", "the site redirected to is reset after its name was sent"
    ),
    "redirectWithConsistentDNSAndThenNXDOMAIN": Expected(
        "blocked", "dns", "dns.nxdomain", "the site redirected to does not exist for this resolver only"
    ),
    "redirectWithConsistentDNSAndThenTimeoutForHTTP": Expected(
        "blocked", "http", "http.timeout", "the request to the site redirected to is never answered"
    ),
    "successWithHTTPS": Expected("ok", "http", None, "a verified page"),
    "tcpBlockingConnectTimeout": Expected("blocked", "tcp", "tcp.timeout", "no answer where the control connects"),
    "throttlingWithHTTPS": Expected(
        "throttled", "throttle", "throttle.rate", "the answer begins and never finishes; the control got all of it"
    ),
    "tlsBlockingConnectionResetWithConsistentDNS": Expected(
        "blocked", "tls", "tls.reset", "reset after the name, on an address where the control's handshake is valid"
    ),
    "websiteDownNXDOMAIN": Expected("down", "dns", None, "the name does not exist for the control either"),
    "websiteDownTCPConnect": Expected("down", "tcp", None, "the control is refused as well"),
}

MEASUREMENTS = {
    "20250527233111.802678_ID_webconnectivity_5a37ec909dbf14e3.json": Expected(
        "blocked", "http", "http.blockpage", "redirected to the landing page of Indonesia's ministry"
    ),
    "bug_351.json": Expected("insufficient", None, None, "the request was never made: a bug of the probe"),
    "http_invalid_request_line.yaml": Expected(
        "insufficient", None, None, "a middlebox changed the requests; that anything is blocked, it does not show"
    ),
    "meek.json": Expected("insufficient", None, None, "a test that is not judged yet is stored and counted"),
    "openvpn.json": Expected("insufficient", None, None, "not judged yet"),
    "report1blocked.json": Expected("ok", "http", None, "same status and the site's own unusual headers"),
    "requests_none.json": Expected("down", "dns", None, "the control found a name without an address"),
    "riseupvpn.json": Expected("insufficient", None, None, "not judged yet"),
    "signal_022.json": Expected("ok", "http", None, "every host that the app needs answered over a valid certificate"),
    "telegram_nourl.json": Expected(
        "ok", "tcp", None, "the access points took connections; what was asked is not there"
    ),
    "test_keys_none.json": Expected("insufficient", None, None, "nothing was measured"),
    "tor.json": Expected("ok", "http", None, "directory authorities answered"),
    "vanilla_tor.json": Expected("insufficient", None, None, "Tor did not come up in time; why, nothing shows"),
    "web_connectivity_b64_incorrect.json": Expected("ok", "http", None, "bad base64 in a body that is the site's own"),
    "web_connectivity_ir_fp.json": Expected(
        "blocked", "dns", "dns.blockpage", "the address Iran gives for blocked names"
    ),
    "web_connectivity_null.json": Expected("insufficient", "tcp", None, "connecting failed, and so did the control"),
    "web_connectivity_odd_hdr.json": Expected(
        "insufficient", "dns", None, "a resolver that answers for a name that does not exist is no block"
    ),
    "whatsapp.json": Expected(
        "ok", "tcp", None, "endpoints and registration worked; the web client's status 400 is the server's"
    ),
    "yaml16_0.json": Expected("insufficient", None, None, "not judged yet"),
}


@pytest.mark.parametrize("name", QA)
def test_emulated_networks_are_judged_as_their_names_say(name: str, data: Path, judge: Judge) -> None:
    _agrees(data / "ooni" / "qa" / f"{name}.json", QA[name], judge)


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_odd_and_old_measurements_are_judged_for_the_right_reason(name: str, data: Path, judge: Judge) -> None:
    _agrees(data / "ooni" / "measurements" / name, MEASUREMENTS[name], judge)


def _agrees(path: Path, expected: Expected, judge: Judge) -> None:
    (verdict,) = verdicts_of(path, judge)
    assert isinstance(verdict, Verdict), verdict
    got = (verdict.state, verdict.layer, verdict.mechanism)
    assert got == (expected.state, expected.layer, expected.mechanism), f"{expected.reason}; rule {verdict.rule_id}"


def test_every_file_of_the_test_bed_has_an_expectation(data: Path) -> None:
    assert {path.stem for path in (data / "ooni" / "qa").iterdir()} == set(QA)
    others = {path.name for path in (data / "ooni" / "measurements").iterdir()}
    assert others == set(MEASUREMENTS)
