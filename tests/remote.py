"""Builds rows of Censored Planet for tests, in its formats, and observations of hosted devices."""

from __future__ import annotations

from typing import Any

import msgspec

from kholo.model import Grade, Layer, Measurement, Observation, Vantage

from .conftest import NOW

#: The address of the server measured through. It must be in nothing that is kept.
SERVER = "93.184.216.99"
NAME = "x.com"
BLOCK_PAGE = "<title>Stop</title> See surfsafely.pk for the list."
FILTER_PAGE = "this is a filter of an institution"
RESET = f"read tcp 141.212.123.235:11397->{SERVER}:443: read: connection reset by peer"
SILENCE = f'Get "http://{SERVER}:80/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)'
HANDSHAKE = f'Get "https://{SERVER}:443/": net/http: TLS handshake timeout'
REFUSED = f"dial tcp 141.212.123.235:0->{SERVER}:443: connect: connection refused"
EOF = f'Get "https://{SERVER}:443/": EOF'
START = "2021-04-26T04:22:27.172011795-04:00"

TLS = Layer.TLS
Row = dict[str, Any]


def page(body: str = "", status: str = "403 Forbidden", **headers: str) -> Row:
    return {"status_line": status, "headers": {name: [value] for name, value in headers.items()}, "body": body}


def trial(error: str = "", response: Row | str | None = None, start: str = START) -> Row:
    """The name was sent; without an error or a page the server gave its usual answer."""
    row: Row = {"matches_template": not error and response is None, "start_time": start, "end_time": start}
    row |= {"error": error} if error else {}
    return row | ({"response": response} if response is not None else {})


def control(error: str = "", start: str = START) -> Row:
    return trial(error, start=start) | {"control_url": "control-871d61ac277df48c.com"}


def hyperquack(*trials: Row, service: str = "https", **more: Any) -> Row:
    return {
        "vp": SERVER, "location": {"country_name": "Pakistan", "country_code": "PK"}, "service": service,
        "test_url": NAME, "response": list(trials), "anomaly": True, "controls_failed": False, "stateful_block": False,
        "tag": "2021-04-26T04:21:46",
    } | more  # fmt: skip


def between(*trials: Row, service: str = "https", **more: Any) -> Row:
    """Trials between two controls that went through."""
    return hyperquack(control(), *trials, control(), service=service, **more)


def satellite(answers: dict[str, list[str]] | None = None, rcode: int = 0, **more: Any) -> Row:
    response = {ip: {"http": "", "cert": "", "asnum": 64500, "matched": tags} for ip, tags in (answers or {}).items()}
    trip = {"url": NAME, "has_type_a": bool(answers), "response": response, "error": "null", "rcode": rcode}
    return {
        "vp": SERVER, "location": {"country_name": "Pakistan", "country_code": "PK"}, "test_url": NAME,
        "start_time": "2021-10-20 14:51:41.221546144 -0400 EDT", "end_time": "2021-10-20 14:51:41.32 -0400 EDT",
        "passed_liveness": True, "connect_error": False, "in_control_group": True, "anomaly": True, "excluded": False,
        "exclude_reason": [], "response": [trip],
    } | more  # fmt: skip


def fetched(body: str, ip: str = "185.0.0.7", **more: Any) -> Row:
    """A resolver's odd answer, and the page that was fetched from the address."""
    pages = [{"ip": ip, "keyword": NAME, "http": page(body, "200 OK")}]
    return {"satellite_row": satellite({ip: []}, **more), "pages": pages}


def hosted(*rows: Observation, name: str = NAME) -> tuple[Measurement, list[Observation]]:
    made = Measurement(
        "hosted-1", "0" * 64, Grade.A, "test", "dns", "", name, name, NOW, "PK", "AS64500", "AS0", "", "r1",
        simulated=False, file="test", line=1, vantage=Vantage.HOSTED,
    )  # fmt: skip
    return made, list(rows)


def answer(*ips: str, failure: str | None = None) -> Observation:
    return Observation(Layer.DNS, Vantage.PROBE, NAME, engine="system", answers=ips, failure=failure)


def encode(row: Row) -> bytes:
    return msgspec.json.encode(row)


def drops(error: str) -> list[Row]:
    return [trial(error)] * 4


#: A row and the rule that decides on it. The page and the address of a block page are of `with_a_filter`.
CASES: dict[str, tuple[Row, str]] = {
    "https goes through": (hyperquack(control(), trial()), "remote.tls.ok"),
    "http goes through": (hyperquack(control(), trial(), service="http"), "remote.http.ok"),
    "https goes through at last": (between(*drops(RESET), trial()), "remote.tls.ok"),
    "https reset": (between(*drops(RESET)), "remote.tls.reset"),
    "http reset": (between(*drops(RESET), service="http"), "remote.http.reset"),
    "echo reset": (between(*drops(RESET), service="echo"), "remote.http.reset"),
    "https silence in the handshake": (between(*drops(HANDSHAKE)), "remote.tls.timeout"),
    "https silence after the handshake": (between(*drops(SILENCE)), "remote.unclear"),
    "http silence": (between(*drops(SILENCE), service="http"), "remote.http.timeout"),
    "http block page": (between(*[trial(response=page(BLOCK_PAGE))] * 2, service="http"), "remote.http.blockpage"),
    "discard block page": (
        between(*[trial("discard response is not empty", BLOCK_PAGE)] * 2, service="discard"), "remote.http.blockpage"
    ),
    "block page over https": (between(*[trial(response=page(BLOCK_PAGE))] * 2), "remote.other_page"),
    "block page of another country": (
        between(*[trial(response=page(BLOCK_PAGE))] * 2, service="http", location={"country_code": "SE"}),
        "remote.other_page",
    ),
    "http filter": (between(*[trial(response=page(FILTER_PAGE))] * 2, service="http"), "remote.filterpage"),
    "refusal of a CDN": (
        between(*[trial(response=page(Server="AkamaiGHost"))] * 4, service="http"), "remote.other_page"
    ),
    "redirect": (between(*[trial(response=page(status="302 Found", Location="/"))] * 4), "remote.other_page"),
    "once": (between(trial(RESET)), "remote.single"),
    "in two ways": (between(trial(RESET), trial(HANDSHAKE)), "remote.mixed"),
    "not connected": (between(*drops(REFUSED)), "remote.not_connected"),
    "closed": (between(*drops(EOF)), "remote.unclear"),
    "control after fails": (hyperquack(control(), *drops(RESET), control(RESET)), "remote.control_failed"),
    "control before fails": (hyperquack(control(RESET), *drops(RESET), control()), "remote.control_failed"),
    "no control after": (hyperquack(control(), *drops(RESET)), "remote.control_failed"),
    "no control before": (hyperquack(*drops(RESET), control()), "remote.control_failed"),
    "the archive says that controls failed": (between(*drops(RESET), controls_failed=True), "remote.control_failed"),
    "residual resets": (
        hyperquack(control(), *drops(RESET), control(RESET), control(), stateful_block=True), "remote.tls.reset"
    ),
    "residual silence": (
        hyperquack(control(), *drops(HANDSHAKE), control(HANDSHAKE), control(), stateful_block=True),
        "remote.residual_timeout",
    ),
    "residual in another way": (
        hyperquack(control(), *drops(RESET), control(HANDSHAKE), control(), stateful_block=True),
        "remote.control_failed",
    ),
    "resolver not alive": (satellite(rcode=-1, passed_liveness=False), "remote.dns.not_alive"),
    "same certificate": (satellite({"185.0.0.7": ["cert"]}), "remote.dns.ok.certificate"),
    "same address": (satellite({"185.0.0.7": ["ip", "http"], "185.0.0.8": []}), "remote.dns.ok.address"),
    "bogon": (satellite({"10.10.34.36": []}), "remote.dns.bogon"),
    "bogon that the control has too": (satellite({"10.10.34.36": ["ip"]}), "remote.dns.other"),
    "bogon without a control": (satellite({"10.10.34.36": []}, in_control_group=False), "remote.dns.other"),
    "bogon beside another": (satellite({"10.10.34.36": [], "185.0.0.7": []}), "remote.dns.other"),
    "address of a block page": (satellite({"185.0.0.9": []}), "remote.dns.fingerprint"),
    "block page behind the answer": (fetched(BLOCK_PAGE), "remote.dns.blockpage"),
    "block page behind an excluded answer": (fetched(BLOCK_PAGE, excluded=True), "remote.dns.other"),
    "filter behind the answer": (fetched(FILTER_PAGE), "remote.dns.filterpage"),
    "another page behind the answer": (fetched("hello"), "remote.dns.other"),
    "same network": (satellite({"185.0.0.7": ["asnum", "asname"]}), "remote.dns.same_network"),
    "refused": (satellite(rcode=5), "remote.dns.failed"),
    "no such name": (satellite(rcode=3), "remote.dns.failed"),
}  # fmt: skip

_PROVEN = Observation(Layer.TLS, Vantage.PROBE, NAME, "185.0.0.7", 443, proven=True)
_PAGE = Observation(Layer.HTTP, Vantage.PROBE, NAME, "185.0.0.7", 80, status=200, url=f"http://{NAME}/")
_SILENT = Observation(Layer.TLS, Vantage.PROBE, NAME, "185.0.0.7", 443, "generic_timeout_error")
#: The same of hosted devices.
HOSTED: dict[str, tuple[tuple[Measurement, list[Observation]], str]] = {
    "certificate": (hosted(_PROVEN), "hosted.tls.ok"),
    "page": (hosted(_PAGE), "hosted.http.ok"),
    "answer with a certificate": (hosted(answer("185.0.0.7"), _PROVEN), "hosted.tls.ok"),
    "answer that the archive proves": (
        hosted(answer("185.0.0.7"), Observation(TLS, Vantage.PROBE, NAME, "185.0.0.7", engine="archive", proven=True)),
        "hosted.dns.ok",
    ),
    "bogon": (hosted(answer("10.10.34.36")), "hosted.dns.bogon"),
    "bogon for a name that nobody knows": (hosted(answer("10.10.34.36"), name="nobody.example"), "hosted.dns.unproven"),
    "address of a block page": (hosted(answer("185.0.0.9")), "hosted.dns.fingerprint"),
    "answer": (hosted(answer("185.0.0.7")), "hosted.dns.unproven"),
    "no answer": (hosted(answer(failure="dns_nxdomain_error")), "hosted.failed"),
    "silence": (hosted(_SILENT), "hosted.failed"),
}  # fmt: skip
