"""RIPE Atlas: results on the wire's own terms, nothing that leads to a probe, and a plan from a real socket."""

from __future__ import annotations

import base64
import ipaddress
import json
import random
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.fetch.plan import Wanted
from kholo.fetch.wait import Timing
from kholo.fetch.web import Web
from kholo.judge import Judge
from kholo.model import EnvironmentFault, Measurement, Observation, Reject, UsageError, Vantage
from kholo.pipeline.fetch import fetch
from kholo.pipeline.ingest import ingest
from kholo.pipeline.verdicts import judged
from kholo.reference.snapshots import New, add
from kholo.sources import registry, ripeatlas_fetch, wire
from kholo.sources.items import Item
from kholo.sources.ripeatlas_own import Own
from kholo.sources.source import Context, Observed
from kholo.store import Store

from .conftest import NOW
from .servers.base import Answer, Request, serve

#: An id and addresses that stand nowhere else in the results here.
PROBE, SEEN_FROM, INSIDE = 61873, "203.0.113.77", "192.168.178.23"
V6 = "2001:db8:abcd:12::77"
MOMENT = 1_708_200_000
RESOLVER = "9.9.9.9"


def line_of(address: str, day: date) -> tuple[str, str]:
    """A table of networks for the addresses of these tests."""
    found = ipaddress.ip_address(address)
    for network, line in {
        "203.0.113.0/24": ("AS17557", "PK"),
        "9.9.9.0/24": ("AS19281", "CH"),
        "8.8.8.0/24": ("AS15169", "US"),
        "2001:db8::/32": ("AS17557", "PK"),
    }.items():
        if found in ipaddress.ip_network(network):
            return line
    return "AS0", ""


def answer(name: str, *addresses: str, kind: str = "A", rcode: int = 0, cut: bool = False) -> str:
    """A DNS answer as `abuf`."""
    message = dns.message.make_response(dns.message.make_query(name, kind, id=7))
    message.set_rcode(dns.rcode.Rcode(rcode))
    # One set each, or the library would shuffle them.
    message.answer += [dns.rrset.from_text(name + ".", 60, "IN", kind, address) for address in addresses]
    if cut:
        message.flags |= dns.flags.TC
    return base64.b64encode(message.to_wire()).decode()


def question(name: str, kind: str = "A") -> str:
    return base64.b64encode(dns.message.make_query(name, kind, id=7).to_wire()).decode()


def result(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "fw": 5080, "mver": "2.6.2", "lts": 20, "msm_id": 1_001, "msm_name": "X", "prb_id": PROBE, "type": kind,
        "timestamp": MOMENT, "stored_timestamp": MOMENT + 60, "from": SEEN_FROM, "group_id": 1_001, **more,
    }  # fmt: skip


def lookup(**more: Any) -> dict[str, Any]:
    base = {"af": 4, "dst_addr": "8.8.8.8", "dst_name": "8.8.8.8", "dst_port": "53", "proto": "UDP"}
    return result("dns", **{"src_addr": INSIDE, **base, **more})


def certificate(*names: str, subject: str = "A server") -> str:
    """A certificate for these names, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2021, 1, 1))  # noqa: DTZ001
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def decoded(row: Any) -> list[Any]:
    data = row if isinstance(row, bytes) else json.dumps(row).encode()
    return list(registry.decode(Item("r.jsonl", 1, data), Context(NOW, line_of)))


def seen(row: Any) -> tuple[Measurement, list[Observation]]:
    ((measurement, payload),) = decoded(row)
    assert isinstance(payload, Observed)
    return measurement, payload.rows


def refused(row: Any) -> str:
    (reject,) = decoded(row)
    assert isinstance(reject, Reject)
    return reject.reason


def test_an_answer_is_read_from_its_bytes() -> None:
    measurement, (row,) = seen(lookup(result={"abuf": answer("X.com", "104.244.42.1", "104.244.42.65"), "rt": 12.5}))
    assert (measurement.vantage, measurement.source, measurement.test_name) == (Vantage.HOSTED, "ripeatlas", "dns")
    assert (measurement.place, measurement.network, measurement.hostname) == ("PK", "AS17557", "x.com")
    assert (measurement.resolver_network, measurement.resolver_place) == ("AS15169", "US")
    assert measurement.measured_at == datetime(2024, 2, 17, 20, tzinfo=UTC)
    assert (row.layer, row.vantage, row.hostname, row.query_type) == ("dns", Vantage.PROBE, "x.com", "A")
    assert (row.answers, row.failure, row.t) == (("104.244.42.1", "104.244.42.65"), None, 0.0125)
    assert (row.engine, row.resolver) == ("udp", "chosen")


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ({"abuf": answer("x.com", rcode=3)}, "dns_nxdomain_error"),
        ({"abuf": answer("x.com", rcode=2)}, "dns_servfail_error"),
        ({"abuf": answer("x.com", rcode=5)}, "dns_refused_error"),
        ({"abuf": answer("x.com", rcode=4)}, "dns_server_misbehaving"),
        ({"abuf": answer("x.com")}, "dns_no_answer"),
        ({"abuf": answer("x.com", "y.example.", kind="CNAME")}, None),
        ({"abuf": answer("x.com", cut=True)}, "unknown_failure"),
        ({"abuf": answer("x.com", "2001:db8::1", kind="AAAA")}, None),
    ],
)
def test_what_a_resolver_says_in_the_words_of_ooni(reply: dict[str, Any], failure: str | None) -> None:
    _, (row,) = seen(lookup(result=reply))
    assert row.failure == failure


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"timeout": 5000}, "generic_timeout_error"),
        ({"TUCONNECT": "Connection refused"}, "connection_refused"),
        ({"getaddrinfo": "ns.example: unknown"}, "unknown_failure"),
        ("a text", "unknown_failure"),
        (None, "unknown_failure"),
    ],
)
def test_a_lookup_without_an_answer(error: Any, failure: str) -> None:
    measurement, (row,) = seen(lookup(error=error, qbuf=question("x.com")))
    assert (row.failure, row.hostname, row.query_type, measurement.input) == (failure, "x.com", "A", "x.com")
    measurement, (row,) = seen(lookup(error=error))
    assert (row.failure, row.hostname, measurement.input) == (failure, "", None)


def test_the_resolvers_of_a_line_are_told_from_one_that_was_chosen() -> None:
    sets = [
        {"subid": 1, "submax": 2, "dst_addr": "192.168.178.1", "proto": "UDP", "src_addr": INSIDE,
         "result": {"abuf": answer("x.com", "10.10.34.34"), "rt": 3}},
        {"subid": 2, "submax": 2, "dst_addr": RESOLVER, "proto": "TCP", "src_addr": INSIDE, "error": {"timeout": 1}},
    ]  # fmt: skip
    measurement, rows = seen(result("dns", resultset=sets))
    assert [(row.engine, row.resolver, row.hostname) for row in rows] == [("system", "own", "x.com")] * 2
    assert [row.failure for row in rows] == [None, "generic_timeout_error"]
    assert measurement.resolver_network == "AS0", "two resolvers, of which one is of the house: no network is theirs"
    measurement, _ = seen(result("dns", resultset=sets[1:]))
    assert (measurement.resolver_network, measurement.resolver_place) == ("AS19281", "CH")


CHAIN = [certificate("example.org", "*.x.com"), certificate()]
OLD = certificate(subject="api.x.com")
TLS = {"dst_name": "api.x.com", "dst_addr": "104.244.42.2", "dst_port": "443", "src_addr": INSIDE, "af": 4}


@pytest.mark.parametrize(
    ("more", "failure", "said"),
    [
        ({"cert": CHAIN, "rt": 90.0, "ttc": 30.0}, None, wire.NAMED),
        ({"cert": [certificate("x.com")]}, None, wire.OTHERS),
        ({"cert": CHAIN[1:]}, None, wire.OTHERS),
        ({"cert": [OLD]}, None, wire.NAMED),
        ({"cert": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]}, None, wire.UNREADABLE),
        ({"cert": [CHAIN[0][:43] + "/" + CHAIN[0][44:]]}, None, wire.UNREADABLE),  # of version 63
        ({"alert": {"level": 2, "description": 40}}, "ssl_failed_handshake", "alert 40"),
        ({"alert": {"level": 2, "decription": 112}}, "ssl_failed_handshake", "alert 112"),
        ({"err": "timeout reading hello"}, "generic_timeout_error", ""),
        ({"err": "bad type"}, "ssl_failed_handshake", ""),
        ({}, "unknown_failure", ""),
    ],
)
def test_a_certificate_is_never_called_valid(more: dict[str, Any], failure: str | None, said: str) -> None:
    measurement, (tcp, tls) = seen(result("sslcert", **TLS, **more))
    assert (measurement.input, measurement.hostname) == ("api.x.com", "api.x.com")
    assert (tcp.layer, tcp.ip, tcp.port, tcp.failure) == ("tcp", "104.244.42.2", 443, None)
    assert (tls.layer, tls.hostname, tls.failure, tls.server, tls.proven) == ("tls", "api.x.com", failure, said, None)


@pytest.mark.parametrize(
    ("more", "layer", "failure"),
    [
        ({"err": "connect: Connection refused"}, "tcp", "connection_refused"),
        ({"err": "connect: timeout"}, "tcp", "generic_timeout_error"),
        ({"err": "connect: Connection reset by peer"}, "tcp", "connection_reset"),
        ({"sockerr": "No buffer space"}, "tcp", "unknown_failure"),
        ({"error": "address not allowed"}, "tcp", "unknown_failure"),
        ({"dnserr": "non-recoverable failure in name resolution"}, "dns", "unknown_failure"),
        ({"dnserr": "temporary failure in name resolution"}, "dns", "dns_temporary_failure"),
    ],
)
def test_what_ends_before_a_handshake_is_no_handshake(more: dict[str, Any], layer: str, failure: str) -> None:
    _, (row,) = seen(result("sslcert", **TLS, **more))
    assert (row.layer, row.failure) == (layer, failure)


def test_pages_have_a_status_and_sizes() -> None:
    got = {"af": 4, "dst_addr": "193.0.6.158", "src_addr": INSIDE, "method": "GET", "ver": "1.1"}
    requests = [
        got | {"res": 200, "rt": 27.3, "hsize": 279, "bsize": 22_383},
        got | {"err": "timeout reading status"},
        got | {"err": "connect: Connection refused"},
        {"dnserr": "nodename nor servname provided, or not known"},
        got,
    ]
    measurement, rows = seen(result("http", uri="http://www.example.org:8080/a?b=c", result=requests))
    assert (measurement.input, measurement.hostname) == ("http://www.example.org:8080/a?b=c", "www.example.org")
    assert [(row.layer, row.failure, row.status) for row in rows] == [
        ("tcp", None, 0), ("http", None, 200), ("tcp", None, 0), ("http", "generic_timeout_error", 0),
        ("tcp", "connection_refused", 0), ("dns", "unknown_failure", 0), ("tcp", None, 0),
        ("http", "unknown_failure", 0),
    ]  # fmt: skip
    assert (rows[1].length, rows[1].bytes_read, rows[1].port) == (22_383, 22_662, 8_080)


def test_fields_of_old_firmware() -> None:
    _, (row,) = seen(result("dns", fw=4430, addr="8.8.8.8", result={"abuf": answer("x.com", "1.2.3.4")}))
    assert (row.answers, row.resolver) == (("1.2.3.4",), "")
    _, rows = seen(result("sslcert", fw=4430, addr="1.2.3.4", dst_name="x.com", dst_port="https", cert=CHAIN))
    assert (rows[1].ip, rows[1].port) == ("1.2.3.4", 443)
    got = {"addr": "1.2.3.4", "srcaddr": INSIDE, "mode": "GET4", "res": 200, "bsize": 5}
    _, rows = seen(result("http", fw=4430, uri="http://x.com/", result=[got]))
    assert (rows[1].ip, rows[1].length) == ("1.2.3.4", 5)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (result("ping", result=[{"rtt": 1.0}, {"x": "*"}]), "other_test"),
        (result("traceroute", result=[{"hop": 1, "result": [{"x": "*"}]}]), "other_test"),
        (result("ntp", result=[{"x": "*"}]), "other_test"),
        (result("\x1b[31m"), "other_test"),
        (result("http", result="GET4 193.0.6.139 0.03 200 263 1406"), "wrong_type"),
        (lookup(result={"abuf": "!!!"}), "not_dns"),
        (lookup(result={"abuf": base64.b64encode(b"short").decode()}), "not_dns"),
        (lookup(result={"abuf": "A" * 200_000}), "not_dns"),
        (lookup(result={"abuf": question("x.com")}), "not_dns"),
        (lookup(error={"timeout": 1}, qbuf=answer("x.com")), "not_dns"),
        (lookup(timestamp=10**30), "bad_time"),
        (lookup(timestamp=-(10**9)), "time_implausible"),
        (lookup(timestamp=4_000_000_000), "time_in_future"),
        (lookup(**{"from": "192.0.2.1"}, error={"timeout": 1}), "no_place"),
        (lookup(**{"from": None}, error={"timeout": 1}), "no_place"),
        (result("dns", resultset=[{}] * 65), "too_large"),
        (result("sslcert", **TLS, cert=["a"] * 65), "too_large"),
        (result("http", uri="http://x.com/", result=[{}] * 65), "too_large"),
    ],
)
def test_what_can_not_be_used_is_a_named_reject(row: Any, reason: str) -> None:
    assert refused(row) == reason


def test_without_the_libraries_a_reject_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.message", None)
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    for row in (lookup(result={"abuf": answer("x.com", "1.2.3.4")}), result("sslcert", **TLS, cert=CHAIN)):
        (reject,) = decoded(row)
        assert reject.reason == "needs_extra"
        assert "pip install 'kholo[ripeatlas]'" in reject.detail
    with pytest.raises(EnvironmentFault, match=r"kholo\[ripeatlas\]"):
        ripeatlas_fetch.plan(wanted(), {"api": ""}, WEB, lambda _done, _all: None)


def test_one_result_is_one_measurement_however_it_was_downloaded() -> None:
    row = lookup(result={"abuf": answer("x.com", "1.2.3.4")})
    spaced = json.dumps(row, indent=1, sort_keys=True).encode()
    assert seen(row)[0].measurement_uid == seen(spaced)[0].measurement_uid
    other = seen(row | {"prb_id": PROBE + 1})[0]
    assert other.measurement_uid != seen(row)[0].measurement_uid
    assert other.report != seen(row)[0].report


def test_a_probe_is_one_witness_a_day_and_a_simulated_one_says_so() -> None:
    first = seen(lookup(error={"timeout": 1}))[0]
    later = seen(lookup(error={"timeout": 1}, timestamp=MOMENT + 3_600, msm_id=2))[0]
    assert first.report == later.report != ""
    assert not first.simulated
    assert seen(lookup(error=None, simulated=True))[0].simulated
    assert seen(lookup(error=None, stored_timestamp=MOMENT - 200_000))[0].is_clock_ahead


def everything() -> list[dict[str, Any]]:
    """Results with the probe's addresses and its id wherever they can stand."""
    own = f"{PROBE}.{MOMENT}.x.com"
    back = ".".join(reversed(SEEN_FROM.split("."))) + ".in-addr.arpa"
    return [
        lookup(result={"abuf": answer(own, "104.244.42.1")}, dst_addr=RESOLVER, dst_name="resolver.example"),
        lookup(result={"abuf": answer("whoami.example", SEEN_FROM, INSIDE)}, msm_id=2),
        result("dns", resultset=[{"dst_addr": RESOLVER, "result": {"abuf": answer("whoami.example", RESOLVER)}}]),
        lookup(result={"abuf": answer("whoami.example", V6, V6[:-2] + "99", kind="AAAA")}, msm_id=3, src_addr=V6),
        lookup(error={"timeout": 1, "socket": SEEN_FROM}, qbuf=question(back, "PTR"), msm_id=4),
        lookup(error={"timeout": 1}, qbuf=question(f"p-{PROBE}-x.example"), msm_id=5, dst_addr=SEEN_FROM),
        result("sslcert", **(TLS | {"dst_name": SEEN_FROM, "dst_addr": SEEN_FROM}), cert=CHAIN),
        result("sslcert", **TLS, err=f"connect: from {SEEN_FROM}", msm_id=6, ttr=3.0),
        result("http", uri=f"http://x.com/{PROBE}/{SEEN_FROM}?p={PROBE}", msm_id=7, src_addr=V6,
               result=[{"dst_addr": V6, "src_addr": V6, "res": 200}, {"err": f"timeout {V6}"}]),
        lookup(result={"abuf": "no DNS"}, msm_id=8),
        result("ping", src_addr=INSIDE, msm_id=9),
    ]  # fmt: skip


def lines_file(folder: Path, rows: list[dict[str, Any]], name: str = "results.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


#: The networks of these tests as iptoasn.com writes them.
TABLE = b"""9.9.9.0\t9.9.9.255\t19281\tCH\tA resolver
8.8.8.0\t8.8.8.255\t15169\tUS\tA resolver
203.0.113.0\t203.0.113.255\t17557\tPK\tA provider
2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t17557\tPK\tA provider
"""


def knowing(path: Path) -> Store:
    """A store that knows these networks."""
    store = Store(path, create=True)
    kept = New("networks", [("table.tsv", TABLE)], ("a test",), date(2024, 2, 1), datetime(2024, 5, 1, tzinfo=UTC), "-")
    add(path / "reference", kept)
    return store


def test_nothing_in_a_store_leads_to_a_probe(tmp_path: Path, judge: Judge) -> None:
    store = knowing(tmp_path / "store")
    summary = ingest(store, [lines_file(tmp_path, everything())], None, NOW)
    assert (summary.read, summary.rejected, summary.reasons) == (9, 2, {"not_dns": 1, "other_test": 1})
    tables = ("measurements", "observations", "verdicts", "rejects", "signals", "counted", "judged")
    with judged(store, judge) as db:
        text = "".join(str(db.execute(f"SELECT * FROM {name}").fetchall()) for name in tables)
        counted = db.execute("SELECT count(*) FROM counted").fetchone()
    assert "104.244.42.1" in text, "what was measured is there"
    for secret in (SEEN_FROM, "77.113.0.203", INSIDE, "178.23", V6, V6[:-2], str(PROBE), RESOLVER, "resolver.example"):
        assert secret not in text, secret
    assert counted == (0,), "a hosted probe is nobody's line"


def test_only_an_address_that_no_public_name_has_is_a_block_and_it_is_not_counted(tmp_path: Path, judge: Judge) -> None:
    lie = {"abuf": answer("x.com", "10.10.34.34")}
    rows = [
        result("dns", msm_id=1, resultset=[{"dst_addr": "192.168.178.1", "result": lie}]),
        lookup(msm_id=10, result=lie),  # of a resolver abroad
        lookup(msm_id=2, result={"abuf": answer("x.com", rcode=3)}),
        lookup(msm_id=3, error={"timeout": 5_000}, qbuf=question("x.com")),
        lookup(msm_id=4, result={"abuf": answer("x.com")}),
        result("sslcert", msm_id=5, **TLS, cert=CHAIN),
        result("sslcert", msm_id=6, **TLS, cert=CHAIN[1:]),
        result("sslcert", msm_id=7, **TLS, err="connect: Connection reset by peer"),
        result("sslcert", msm_id=8, **TLS, err="timeout reading hello"),
        result("sslcert", msm_id=9, **TLS, alert={"level": 2, "description": 112}),
    ]
    store = knowing(tmp_path / "store")
    ingest(store, [lines_file(tmp_path, rows)], None, NOW)
    with judged(store, judge) as db:
        states = db.execute("SELECT state, count(*) FROM judged GROUP BY 1 ORDER BY 1").fetchall()
        assert db.execute("SELECT count(*) FROM counted").fetchone() == (0,)
    assert states == [("blocked", 1), ("insufficient", 9)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"{PROBE}.1708200000.x.com", "probe.1708200000.x.com"),
        (f"a{PROBE}b.x.com", f"a{PROBE}b.x.com"),
        ("203-0-113-77.dyn.example", "probe.dyn.example"),
        ("1203.0.113.77", "1203.0.113.77"),
    ],
)
def test_what_hides_a_probe_hides_nothing_else(text: str, kept: str) -> None:
    assert Own(PROBE, [SEEN_FROM]).hide(text) == kept


def test_each_form_of_a_download_gives_the_same(tmp_path: Path) -> None:
    rows = everything()
    (tmp_path / "array.json").write_text(json.dumps(rows))
    (tmp_path / "pretty.json").write_text(json.dumps(rows, indent=2))
    lines_file(tmp_path, rows, "RIPE-Atlas-measurement-1001.txt")
    (tmp_path / "one.json").write_text(json.dumps(rows[0]))
    found = []
    for name in ("array.json", "pretty.json", "RIPE-Atlas-measurement-1001.txt", "one.json"):
        store = knowing(tmp_path / f"store-{name}")
        summary = ingest(store, [tmp_path / name], None, NOW)
        with store.connect() as db:
            uids = db.execute("SELECT measurement_uid, content FROM measurements ORDER BY 1").fetchall()
        found.append((summary.read, summary.rejected, uids))
    assert found[0] == found[1] == found[2]
    assert [one[:2] for one in found] == [(9, 2), (9, 2), (9, 2), (1, 0)]


# Bytes that were made to do harm.


def loop() -> bytes:
    """A name that points to itself."""
    return bytes.fromhex("000781800001000000000000") + b"\xc0\x0c\x00\x01\x00\x01"


def chains() -> bytes:
    """Pointers to pointers, and many names that go through all of them."""
    links = b"\x00" + b"".join((0xC000 | (23 + max(0, 2 * n - 1))).to_bytes(2, "big") for n in range(8_000))
    head = bytes.fromhex("000781800000ffff00000000") + b"\x00\x03\xe7\x00\x01\x00\x00\x00\x00" + len(links).to_bytes(2)
    return head + links + 3_000 * (b"\xff\xff\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04")


@pytest.mark.parametrize("data", [loop(), chains(), bytes.fromhex("00078180" + "ffff" * 4), b"\xff" * 60_000])
def test_messages_made_to_do_harm_are_none(data: bytes) -> None:
    assert refused(lookup(result={"abuf": base64.b64encode(data).decode()})) == "not_dns"


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_none(data: bytes) -> None:
    row = decoded(lookup(result={"abuf": base64.b64encode(data).decode()}))[0]
    assert isinstance(row, tuple) or row.reason == "not_dns"


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damage_to_a_message_never_escapes(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(answer("www.x.com", "104.244.42.1", "104.244.42.2")))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    row = decoded(lookup(result={"abuf": base64.b64encode(bytes(raw)).decode()}))[0]
    assert isinstance(row, tuple) or row.reason == "not_dns"


_NAMES = st.sampled_from(
    ["result", "resultset", "cert", "err", "alert", "error", "from", "src_addr", "dst_addr", "dst_name", "dst_port",
     "uri", "qbuf", "type", "timestamp", "prb_id", "msm_id", "rt", "ttc", "fw", "dnserr", "stored_timestamp"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(everything()), st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_any_value_in_any_field_is_a_measurement_or_a_reject(row: dict[str, Any], more: dict[str, Any]) -> None:
    for found in decoded(row | more):
        assert isinstance(found, Reject) or isinstance(found[1], Observed)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_damage_to_the_text_never_escapes(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(everything()).encode())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    decoded(bytes(raw))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_damage_to_a_certificate_never_escapes(data: st.DataObject) -> None:
    raw = bytearray(CHAIN[0].encode())
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(32, 126))
    assert wire.certificate(raw.decode(), "api.x.com") in (wire.NAMED, wire.OTHERS, wire.UNREADABLE)


# The plan, against a server on the loopback.


WEB = Web(Timing(lambda _seconds: None, time.monotonic, lambda: 0.5))


class Api:
    """RIPE Atlas's API, as far as a plan asks it."""

    def __init__(self, probes: list[dict[str, Any]], measurements: dict[int, dict[str, Any]]) -> None:
        self.probes, self.measurements = probes, measurements
        self.rows: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        if request.path == "/api/v2/probes/":
            size, page = int(request.query["page_size"]), int(request.query["page"])
            here = [probe for probe in self.probes if probe["country_code"] == request.query["country_code"]]
            more = "there is more" if page * size < len(here) else None
            return self._json({"count": len(here), "next": more, "results": here[(page - 1) * size : page * size]})
        if request.path.endswith("/results/"):
            rows = self.rows if str(PROBE) in request.query["probe_ids"].split(",") else []
            inside = [
                one for one in rows if int(request.query["start"]) <= one["timestamp"] <= int(request.query["stop"])
            ]
            return Answer(200, {}, b"".join(json.dumps(one).encode() + b"\n" for one in inside))
        found = self.measurements.get(int(request.path.split("/")[4]))
        return self._json(found) if found is not None else Answer(404, {}, b"{}")

    @staticmethod
    def _json(value: Any) -> Answer:
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


SINCE = datetime(2024, 2, 17, tzinfo=UTC)


def wanted(**more: Any) -> Wanted:
    base: dict[str, Any] = {
        "place": "PK", "since": SINCE, "until": SINCE + timedelta(days=2), "now": NOW, "options": {"measurement": "7"},
    }  # fmt: skip
    return Wanted(**(base | more))


def probe(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "country_code": "PK", "asn_v4": 17_557, "asn_v6": None, "first_connected": 1_500_000_000,
            "last_connected": None, "address_v4": SEEN_FROM, **more}  # fmt: skip


PROBES = [
    *(probe(1_000 + number) for number in range(601)),
    probe(2_000, asn_v4=9_541),
    probe(2_001, last_connected=1_600_000_000),
    probe(2_002, first_connected=1_900_000_000),
    probe(2_003, country_code="IN"),
]
MEASUREMENTS: dict[int, dict[str, Any]] = {
    7: {"type": "dns", "query_argument": "x.com", "interval": 3_600, "start_time": 1_500_000_000, "stop_time": None},
    8: {"type": "sslcert", "target": "example.org", "interval": None, "stop_time": int(SINCE.timestamp()) - 90_000},
    9: {"type": "ping", "target": "example.org"},
}


def planned(asked: Wanted, api: Api | None = None) -> Any:
    with serve(api or Api(PROBES, MEASUREMENTS)) as server:
        return ripeatlas_fetch.plan(asked, {"api": server.url}, WEB, lambda _done, _all: None)


def test_a_plan_has_the_days_and_the_probes_that_were_there() -> None:
    plan = planned(wanted())
    assert [one.name for one in plan.objects[:5]] == [
        "7/PK/2024-02-17-0.jsonl", "7/PK/2024-02-17-1.jsonl", "7/PK/2024-02-17-2.jsonl", "7/PK/2024-02-17-3.jsonl",
        "7/PK/2024-02-18-0.jsonl",
    ]  # fmt: skip
    assert len(plan.objects) == 8
    asked = urlsplit(plan.objects[3].address)
    assert asked.path == "/api/v2/measurements/7/results/"
    assert asked.query == "start=1708128000&stop=1708214399&format=txt&probe_ids=1600,2000"
    assert plan.objects[3].guess == 2 * 24 * 900
    assert all(one.is_settled for one in plan.objects)
    assert plan.notes == ()


def test_a_plan_for_one_network_and_for_days_that_still_grow() -> None:
    (one,) = planned(wanted(networks=("AS9541",), until=SINCE + timedelta(hours=3))).objects
    assert "probe_ids=2000" in one.address
    assert one.name.startswith("7/PK/2024-02-17-3-")
    recent = planned(wanted(networks=("AS9541",), now=SINCE + timedelta(days=5))).objects
    assert [one.is_settled for one in recent] == [False, False]


def test_a_plan_says_what_does_not_fit() -> None:
    note = planned(wanted(service="x", hosts=("x.com",), options={"measurement": "8"})).notes
    assert note == ("measurement 8 looks at example.org, which is no host of x",)
    plan = planned(wanted(options={"measurement": "8"}))
    assert plan.objects == (), "it ended a day before"
    plan = planned(wanted(place="ZW"))
    assert (plan.objects, plan.notes) == ((), ("RIPE Atlas had no probe in ZW on these days",))


@pytest.mark.parametrize(
    ("ids", "says"),
    [("", "ids with commas"), ("x", "ids with commas"), ("9", "'ping'"), ("10", "no such measurement")],
)
def test_a_wrong_measurement_is_a_sentence(ids: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        planned(wanted(options={"measurement": ids}))


def test_a_fetch_brings_the_results_of_the_country_and_of_the_days(tmp_path: Path) -> None:
    api = Api([probe(PROBE), probe(PROBE + 1)], MEASUREMENTS)
    api.rows = [*everything(), lookup(timestamp=MOMENT + 90_000_000, error={"timeout": 1})]
    store = knowing(tmp_path / "store")
    with serve(api) as server:
        plan = ripeatlas_fetch.plan(wanted(), {"api": server.url}, WEB, lambda _done, _all: None)
        done = fetch(store, "ripeatlas", plan, WEB, NOW)
        again = fetch(store, "ripeatlas", plan, WEB, NOW)
    assert (done.objects, done.ingested.read, done.ingested.rejected, done.failed) == (2, 9, 2, {})
    assert (again.objects, again.known, again.ingested.read) == (0, 2, 0)
    with store.connect() as db:
        files = db.execute("SELECT DISTINCT file FROM measurements").fetchall()
    assert files == [("ripeatlas/7/PK/2024-02-17-0.jsonl",)]


def test_results_in_any_order_are_the_same(tmp_path: Path) -> None:
    rows = everything()
    found = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        store = knowing(tmp_path / str(seed))
        ingest(store, [lines_file(tmp_path, rows)], None, NOW)
        with store.connect() as db:
            columns = "measurement_uid, content, report, input, place, network"
            found.append(db.execute(f"SELECT {columns} FROM measurements ORDER BY ALL").fetchall())
    assert found[0] == found[1] == found[2]
