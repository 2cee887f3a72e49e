"""The field's emulated networks beyond those at hand, built from what their names say, in the format of 0.5."""

from __future__ import annotations

from typing import Any

import pytest

from kholo.judge import Judge

from . import raw
from .raw import connect, control, exchange, handshake, query
from .test_judge import judged

TIMEOUT, RESET, EOF, REFUSED = "generic_timeout_error", "connection_reset", "eof_error", "connection_refused"
SITE, SITE_IP, SHORT, SHORT_IP = "www.example.com", "93.184.216.34", "bit.ly", "67.199.248.11"
BAD, BAD_IP, PROXY = "104.154.89.105", "83.224.65.41", "130.192.182.17"
HTTP, HTTPS = f"http://{SITE}/", f"https://{SITE}/"
GOOD = {"status": True, "failure": None}
HOME = "<!doctype html><html><head><title>Home</title></head>" + "x" * 1_447
DENIED = "<!doctype html><html><head><title>Access Denied</title></head><body></body></html>"
CAPTCHA = {"Server": "cloudflare", "Cf-Ray": "68013f3b0c7d498b-SIN"}


def lookups(*system: str, failed: str | None = None, udp: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
    """The system's and another resolver's answers, and the right one by way of DNS over HTTPS."""
    others = system if udp is None else udp
    asn = {SITE_IP: 15133, PROXY: 64496, BAD: 396982, BAD_IP: 30722}.get((*system, SITE_IP)[0], 0)
    return [
        query(None, SITE_IP, engine="doh"),
        query("dns_no_answer", engine="doh", type="AAAA"),
        query(failed, *system, asn=asn, type="ANY"),
        query(failed, *others, engine="udp", asn=asn),
    ]


def wrong(ip: str, tcp: str | None = None, tls: str | None = None) -> dict[str, Any]:
    """What the control saw where the resolver leads to, and at the right address."""
    endpoint = GOOD if tcp is None else {"status": False, "failure": tcp}
    shake = GOOD if tls is None else {"status": False, "failure": tls}
    return control(
        tcp_connect={f"{ip}:443": endpoint, f"{ip}:80": endpoint, f"{SITE_IP}:443": GOOD, f"{SITE_IP}:80": GOOD},
        tls_handshake={f"{SITE_IP}:443": GOOD} | ({} if tcp else {f"{ip}:443": shake}),
    )


def redirected(url: str, **second: Any) -> dict[str, Any]:
    """A genuine redirect from a short link over https to `url`; `second` is what happened there."""
    encrypted = url.startswith("https")
    port = 443 if encrypted else 80
    answers = [query(None, SHORT_IP, host=SHORT, asn=396982), query(None, SHORT_IP, host=SHORT, engine="doh")]
    if "dns" in second:
        answers.append(query(second["dns"], host=SITE, depth=1))
        steps: dict[str, Any] = {}
    else:
        answers.append(query(None, SITE_IP, host=SITE, depth=1))
        steps = {"tcp_connect": [connect(second.get("tcp"), SITE_IP, port, 1)]}
        if encrypted and "tls" in second:
            steps["tls_handshakes"] = [handshake(second["tls"], SITE_IP, 1)]
        if "http" in second:
            steps["requests"] = [exchange(url, second["http"], 0, depth=1)]
            if encrypted:
                steps["tls_handshakes"] = [handshake(None, SITE_IP, 1)]
    return raw.measurement(
        f"https://{SHORT}/21645",
        queries=answers,
        tcp_connect=[connect(None, SHORT_IP), *steps.get("tcp_connect", [])],
        tls_handshakes=[handshake(None, SHORT_IP, host=SHORT), *steps.get("tls_handshakes", [])],
        requests=[
            *steps.get("requests", []),
            exchange(f"https://{SHORT}/21645", status=308, ip=SHORT_IP, headers={"Location": url}),
        ],
        control=control(
            dns={"failure": None, "addrs": [SHORT_IP]},
            tcp_connect={f"{SHORT_IP}:443": GOOD},
            tls_handshake={f"{SHORT_IP}:443": GOOD},
        ),
    )


def plain(*requests: dict[str, Any], ip: str = SITE_IP, **keys: Any) -> dict[str, Any]:
    """A measurement of the site without encryption; the handshake beside it is fine."""
    beside = {
        "tcp_connect": [connect(None, ip, 80), connect(None, ip)],
        "tls_handshakes": [handshake(None, ip)],
        "requests": list(requests),
    }
    return raw.measurement(HTTP, **(beside | keys))


def down(**http: Any) -> dict[str, Any]:
    return {"failure": "x", "status_code": -1, "body_length": -1, "title": "", "headers": {}} | http


CERTIFICATES = {
    name: (
        raw.measurement(
            HTTPS,
            tls_handshakes=[handshake(failed)],
            requests=[],
            control=control(
                tls_handshake={f"{SITE_IP}:443": {"status": False, "failure": failed}},
                http_request=down(failure=failed),
            ),
        ),
        "down", None,
    )
    for name, failed in {
        "badSSLWithWrongServerName": "ssl_invalid_hostname",
        "badSSLWithUnknownAuthorityWithConsistentDNS": "ssl_unknown_authority",
        "badSSLWithExpiredCertificate": "ssl_invalid_certificate",
    }.items()
}  # fmt: skip
REDIRECTS = {
    f"redirectWithConsistentDNSAndThen{name}For{scheme}": (redirected(url, **failing), "blocked", mechanism)
    for scheme, url in (("HTTP", HTTP), ("HTTPS", HTTPS))
    for name, failing, mechanism in (
        ("ConnectionRefused", {"tcp": REFUSED}, "tcp.refused"),
        ("ConnectionReset", {"tls": RESET} if scheme == "HTTPS" else {"http": RESET},
         "tls.reset" if scheme == "HTTPS" else "http.reset"),
        ("EOF", {"tls": EOF} if scheme == "HTTPS" else {"http": EOF}, "tls.eof" if scheme == "HTTPS" else "http.eof"),
        ("Timeout", {"tls": TIMEOUT} if scheme == "HTTPS" else {"http": TIMEOUT},
         "tls.timeout" if scheme == "HTTPS" else "http.timeout"),
        ("NXDOMAIN", {"dns": "dns_nxdomain_error"}, "dns.nxdomain"),
    )
}  # fmt: skip
OTHERS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "successWithHTTP": (plain(exchange(HTTP, body=HOME)), "ok", None),
    "cloudflareCAPTCHAWithHTTPS": (
        raw.measurement(HTTPS, requests=[exchange(HTTPS, status=503, headers=CAPTCHA)]), "ok", None),
    "controlFailureWithSuccessfulHTTPWebsite": (
        plain(exchange(HTTP, body=HOME), control=None, control_failure=REFUSED), "insufficient", None),
    "controlFailureWithResetWebsite": (
        raw.measurement(HTTPS, tls_handshakes=[handshake(RESET)], requests=[], control=None, control_failure=REFUSED),
        "insufficient", None),
    "dnsBlockingAndroidDNSCacheNoData": (
        raw.measurement(HTTPS, queries=lookups(failed="android_dns_cache_no_data"), requests=[exchange(HTTPS)]),
        "blocked", "dns.no_answer"),
    "dnsHijackingToLocalhostWithHTTP": (
        raw.measurement(HTTP, queries=lookups("127.0.0.1"), requests=[], tls_handshakes=[handshake()],
                        tcp_connect=[connect(REFUSED, "127.0.0.1", 80), connect(None, port=80)]),
        "blocked", "dns.bogon"),
    "dnsHijackingToProxyWithHTTPSURL": (
        raw.measurement(HTTPS, queries=lookups(PROXY), tcp_connect=[connect(None, PROXY), connect()],
                        tls_handshakes=[handshake(None, PROXY), handshake()], requests=[exchange(HTTPS, ip=PROXY)],
                        control=wrong(PROXY)), "ok", None),
    "ghostDNSBlockingWithHTTP": (
        raw.measurement(
            HTTP, queries=[query("dns_nxdomain_error", engine="doh"), query(None, BAD_IP, asn=30722),
                           query(None, BAD_IP, engine="udp", asn=30722)],
            tcp_connect=[connect(REFUSED, BAD_IP, 80)], tls_handshakes=[], requests=[],
            control=control(dns={"failure": "dns_name_error", "addrs": []},
                            tcp_connect={f"{BAD_IP}:80": {"status": False, "failure": "connection_refused_error"}},
                            tls_handshake={}, http_request=down(failure="dns_lookup_error"))),
        "blocked", "dns.injected"),
    "httpDiffWithConsistentDNS": (plain(exchange(HTTP, body=DENIED)), "blocked", "http.blockpage"),
    "httpDiffWithInconsistentDNS": (
        plain(exchange(HTTP, body=DENIED, ip=PROXY), ip=PROXY, queries=lookups(PROXY), control=wrong(PROXY)),
        "blocked", "dns.blockpage"),
    "idnaWithoutCensorshipUppercase": (
        raw.measurement("http://\u042f\u043d\u0434\u0435\u043a\u0441.\u0440\u0444/", requests=[
            exchange(HTTPS, depth=1), exchange("http://xn--d1acpjx3f.xn--p1ai/", status=308,
                                               headers={"Location": HTTPS})],
            tcp_connect=[connect(port=80), connect(depth=1)], tls_handshakes=[handshake(depth=1)],
            queries=[query(None, SITE_IP, host="xn--d1acpjx3f.xn--p1ai"), query(None, SITE_IP, depth=1)]), "ok", None),
    "largeFileWithHTTP": (
        plain(exchange(HTTP, body="\x00" * 70_000, truncated=True),
              control=control(http_request={"failure": None, "status_code": 200, "body_length": 16_777_216,
                                            "title": "", "headers": {}})), "ok", None),
    "localhostWithHTTPS": (
        raw.measurement("https://localhost.example.com/", queries=[query(None, "127.0.0.1", engine=engine)
                                                                   for engine in ("getaddrinfo", "udp", "doh")],
                        tcp_connect=[connect(REFUSED, "127.0.0.1")], tls_handshakes=[], requests=[],
                        control=control(dns={"failure": None, "addrs": ["127.0.0.1"]}, tcp_connect={},
                                        tls_handshake={}, http_request=down(failure="connection_refused"))),
        "down", None),
    "redirectWithBrokenLocationForHTTP": (
        plain(exchange(HTTP, "http_invalid_redirect_location_host", 302)), "down", None),
    "redirectWithMoreThanTenRedirectsAndHTTPS": (
        raw.measurement(HTTPS, requests=[exchange(HTTPS, status=302, depth=depth, headers={"Location": HTTPS})
                                         for depth in range(10, -1, -1)],
                        control=control(http_request=down(failure="unknown_failure: stopped after 10 redirects"))),
        "ok", None),
    "tcpBlockingConnectionRefusedWithInconsistentDNS": (
        raw.measurement(HTTPS, queries=lookups(BAD_IP), tls_handshakes=[], requests=[],
                        tcp_connect=[connect(REFUSED, BAD_IP), connect(REFUSED)],
                        control=wrong(BAD_IP, tcp="connection_refused_error")), "blocked", "dns.wrong_answer"),
    "tcpBlockingConnectionRefusedWithConsistentDNS": (
        raw.measurement(HTTPS, tcp_connect=[connect(REFUSED)], tls_handshakes=[], requests=[]),
        "blocked", "tcp.refused"),
    "throttlingWithHTTP": (
        plain(exchange(HTTP, TIMEOUT, body="", truncated=True)), "throttled", "throttle.rate"),
    "tlsBlockingConnectionResetWithInconsistentDNS": (
        raw.measurement(HTTPS, queries=lookups(BAD_IP), requests=[], tls_handshakes=[handshake(RESET)],
                        tcp_connect=[connect(REFUSED, BAD_IP), connect()],
                        control=wrong(BAD_IP, tcp="connection_refused_error")), "blocked", "dns.wrong_answer"),
    "websiteDownNoAddrs": (
        raw.measurement(HTTPS, queries=[query("dns_no_answer", engine=engine)
                                        for engine in ("getaddrinfo", "udp", "doh")],
                        tcp_connect=[], tls_handshakes=[], requests=[],
                        control=control(dns={"failure": "dns_no_answer", "addrs": []}, tcp_connect={},
                                        tls_handshake={}, http_request=down(failure="dns_lookup_error"))),
        "down", None),
    "websiteDownTLSHandshake": (
        raw.measurement(HTTPS, tls_handshakes=[handshake(EOF)], requests=[],
                        control=control(tls_handshake={f"{SITE_IP}:443": {"status": False, "failure": EOF}},
                                        http_request=down(failure=EOF))), "down", None),
    "websiteDownHTTPTimeout": (
        raw.measurement(HTTPS, requests=[exchange(HTTPS, TIMEOUT, 0)],
                        control=control(http_request=down(failure=TIMEOUT))), "down", None),
}  # fmt: skip
CASES = CERTIFICATES | REDIRECTS | OTHERS


@pytest.mark.parametrize("name", CASES)
def test_emulated_networks_of_the_family_are_judged_as_their_names_say(name: str, judge: Judge) -> None:
    measurement, state, mechanism = CASES[name]
    verdict = judged(judge, measurement)
    assert (verdict.state, verdict.mechanism) == (state, mechanism), (verdict.rule_id, verdict.also)


def test_a_poisoned_lookup_does_not_hide_what_happens_at_the_right_address(judge: Judge) -> None:
    assert "tls.reset" in judged(judge, OTHERS["tlsBlockingConnectionResetWithInconsistentDNS"][0]).also
    assert "tcp.refused" in judged(judge, OTHERS["tcpBlockingConnectionRefusedWithInconsistentDNS"][0]).also
