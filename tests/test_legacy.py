"""Legacy reports in YAML: every document is an item or a named reject, whatever it holds."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.judge import Judge
from kholo.model import Reject
from kholo.pipeline.work import work
from kholo.sources import archives, legacy, registry
from kholo.sources.items import Item
from kholo.sources.source import Context

from . import raw
from .conftest import NOW

HEADER = {
    "probe_asn": "AS64496", "probe_cc": "PK", "probe_ip": "127.0.0.1", "start_time": 1388563200.0,
    "test_name": "web_connectivity", "software_name": "ooniprobe", "report_id": "abc", "test_version": "0.1.0",
}  # fmt: skip


def report(*entries: object, header: object = HEADER) -> bytes:
    return yaml.safe_dump_all([header, *entries], explicit_start=True, explicit_end=True).encode()


def entry(url: str = "https://www.example.com/") -> dict[str, object]:
    return {"input": url, "test_start_time": 1388566800.0, "test_runtime": 3.0, **raw.measurement(url)["test_keys"]}


def read(data: bytes) -> list[Item | Reject]:
    return list(legacy.entries("old.yaml", io.BytesIO(data)))


def test_an_entry_becomes_a_measurement_and_is_judged_like_one(judge: Judge) -> None:
    blocked = entry() | {"tls_handshakes": [raw.handshake("connection_reset")], "requests": []}
    items = [item for item in read(report(entry(), blocked)) if isinstance(item, Item)]
    done = work(items, Context(NOW), judge)
    assert done.rejects == []
    verdicts = [msgspec.json.decode(line.verdict) for line in done.lines]
    assert [(v["state"], v["mechanism"]) for v in verdicts] == [("ok", None), ("blocked", "tls.reset")]
    assert verdicts[0]["measured_at"] == "2014-01-01T09:00:00Z"
    assert (verdicts[0]["place"], verdicts[0]["network"]) == ("PK", "AS64496")


def test_the_digest_is_of_the_bytes_as_received() -> None:
    (item,) = read(report(entry()))
    assert isinstance(item, Item)
    document = report(entry()).split(b"---\n")[2].removesuffix(b"...\n")
    assert item.digest == hashlib.sha256(document).hexdigest()
    assert item.line == 2


DAMAGED = {
    "no header": (report(header=entry()), "no_header"),
    "nested deeply": (report() + b"---\n" + b"[" * 200_000 + b"\n...\n", "too_deep"),
    "nested deeply in another way": (report() + b"---\n" + b"- " * 200_000 + b"a\n...\n", "too_deep"),
    "a list that holds itself": (report() + b"---\na: &x [*x]\n...\n", "not_yaml"),
    "small, and large once repeated": (
        report() + b"---\n" + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n) if n else b"1"] * 12)) for n in range(9)
        ), "too_large"),
    "not YAML": (report() + b"---\na: [\n...\n", "not_yaml"),
    "not a table": (report() + b"---\n- 1\n...\n", "not_yaml"),
    "a long text, repeated": (
        report() + b"---\na: &a " + b"x" * 1_000_000 + b"\nb: [" + b"*a," * 100_000 + b"]\n...\n", "too_large"),
    "deep only once repeated": (
        report() + b"---\n" + b"".join(
            b"a%d: &a%d %s%s%s\n" % (n, n, b"[" * 50, b"*a%d" % (n - 1) if n else b"", b"]" * 50) for n in range(90)
        ), "too_deep"),
    "a text alone": (report() + b"---\nb\n", "not_yaml"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_document_that_does_harm_is_a_reject_and_the_rest_goes_on(name: str) -> None:
    data, reason = DAMAGED[name]
    found = read(data + report(entry()) if reason != "no_header" else data)
    assert isinstance(found[0], Reject)
    assert found[0].reason == reason
    assert found[0].detail.isprintable()
    if reason != "no_header":
        assert isinstance(found[-1], Item)


ODD = {
    "a number of a hundred thousand digits": b"9" * 100_000,
    "a number of hours and minutes without end": b"1" + b":30" * 100_000,
    "a hexadecimal number that is too long": b"0x" + b"f" * 100_000,
    "no number": b"!!int abc",
    "an empty number": b"!!int ''",
    "an empty fraction": b"!!float ''",
    "no truth value": b"!!bool maybe",
}


@pytest.mark.parametrize("name", ODD)
def test_a_value_that_is_not_what_its_tag_says_is_text(name: str) -> None:
    (item,) = read(report() + b"---\ninput: x\na: " + ODD[name] + b"\n...\n")
    assert isinstance(item, Item)
    assert isinstance(msgspec.json.decode(item.data)["test_keys"]["a"], str)


def decoded(data: bytes) -> list[dict[str, Any]]:
    found = read(data)
    assert all(isinstance(item, Item) for item in found), found
    return [msgspec.json.decode(item.data) for item in found if isinstance(item, Item)]


def test_marks_in_every_form_part_documents() -> None:
    old = b"###\n# OONI Probe Report\n###\n" + report()
    inline = b"\n--- {input: a, x: 1}\n--- # a comment\ninput: b\n... # the end\n%YAML 1.1\n---\tinput\n"
    found = read(old + inline + report(entry("http://c/")))
    kinds = [msgspec.json.decode(item.data)["input"] if isinstance(item, Item) else item.reason for item in found]
    assert kinds == ["a", "b", "not_yaml", "http://c/"]
    lines = b"\xef\xbb\xbf" + report(entry("http://c/"))
    assert [row["input"] for row in decoded(lines.replace(b"\n", b"\r\n"))] == ["http://c/"]


def test_a_mark_inside_a_text_parts_nothing() -> None:
    (row,) = decoded(report() + b"---\ninput: x\nbody: |\n  ---\n  ...\n...\n")
    assert row["test_keys"]["body"] == "---\n...\n"


def test_each_report_of_a_file_has_its_own_header() -> None:
    both = report(entry()) + report(entry(), header=HEADER | {"probe_cc": "IR"})
    assert [row["probe_cc"] for row in decoded(both)] == ["PK", "IR"]


def test_entries_after_a_damaged_header_are_nobodys() -> None:
    damaged = report(entry(), header=HEADER | {"probe_cc": "IR"}).replace(b"probe_ip:", b"probe_ip: [")
    kinds = [item.reason if isinstance(item, Reject) else "item" for item in read(report(entry()) + damaged)]
    assert kinds == ["item", "not_yaml", "no_header"]


def test_reports_of_the_first_years_are_put_into_the_present_form() -> None:
    header: dict[str, object] = {
        "probe_asn": None, "probe_cc": "PK", "software_name": "ooniprobe", "start_time": 1359401639.0,
        "test_name": "HTTP Requests Test", "test_version": 0.1,
        "options": {"subargs": [], "collector": None, "help": 0},
    }  # fmt: skip
    old = {"input": "http://a/", "test_name": "test_get", "test_started": 1359401700.0, "report": {"requests": [1]}}
    (row,) = decoded(report(old, header=header))
    assert (row["test_name"], row["test_version"], row["options"]) == ("http_requests", "0.1", [])
    assert row["measurement_start_time"] == "2013-01-28 19:35:00"
    assert row["test_keys"] == {"requests": [1]}


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("HTTP Host", "http_host"), ("TCP Connect", "tcp_connect"), ("DNS tamper", "dns_consistency"),
        ("tls-handshake", "tls_handshake"), ("Multi Protocol Traceroute Test", "multi_protocol_traceroute"),
    ],
)  # fmt: skip
def test_tests_are_called_as_they_are_today(name: str, today: str) -> None:
    (row,) = decoded(report(entry(), header=HEADER | {"test_name": name}))
    assert row["test_name"] == today


@pytest.mark.parametrize(
    ("started", "measured"),
    [
        ("2014-01-01 08:00:09", "2014-01-01 09:00:00"),
        ("2014-01-01 13:00:09", "2014-01-01 14:00:00"),
        ("2014-01-01 02:30:09", "2014-01-01 03:30:00"),
        ("2014-01-01 08:07:00", "2014-01-01 09:00:00"),
        ("2014-01-03 08:00:00", "2014-01-01 09:00:00"),
        ("soon", "2014-01-01 09:00:00"),
    ],
)
def test_a_clock_read_in_the_wrong_zone_is_set_right_where_the_header_shows_it(started: str, measured: str) -> None:
    (row,) = decoded(report(entry(), header=HEADER | {"test_start_time": started}))
    assert row["measurement_start_time"] == measured


def test_the_real_report(data: Path) -> None:
    """Its header says 23:37 UTC in words and 15:37 as a number: a probe in Singapore."""
    path = data / "ooni" / "measurements" / "http_invalid_request_line.yaml"
    with path.open("rb") as stream:
        (item,) = archives.read_file(path, path.name, stream)
    assert isinstance(item, Item)
    ((measurement, _),) = (found for found in registry.decode(item, Context(NOW)) if isinstance(found, tuple))
    assert measurement.test_name == "http_invalid_request_line"
    assert (measurement.place, measurement.network) == ("SG", "AS7472")
    assert f"{measurement.measured_at:%Y-%m-%d %H:%M:%S}" == "2018-07-26 23:50:22"
    assert item.digest == hashlib.sha256(path.read_bytes().split(b"---\n")[2].removesuffix(b"...\n")).hexdigest()
    assert item.line == 2


def test_a_document_that_is_too_long_is_read_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy, "MAX_ITEM", 4_096)
    long = entry() | {"body": "x" * 9_000}
    kinds = [item.reason if isinstance(item, Reject) else "item" for item in read(report(entry(), long, entry()))]
    assert kinds == ["item", "too_large", "item"]


def test_no_tag_makes_anything_but_data() -> None:
    (item,) = read(report() + b'---\ninput: x\na: !!python/object/apply:os.system ["true"]\n...\n')
    assert isinstance(item, Item)
    assert msgspec.json.decode(item.data)["test_keys"] == {"a": ["true"]}


def test_bytes_stand_as_base64() -> None:
    (item,) = read(report({"input": None, "received": [b"\x00\xff"]}))
    assert isinstance(item, Item)
    assert msgspec.json.decode(item.data)["test_keys"]["received"] == [{"data": "AP8=", "format": "base64"}]


def test_packed_reports_and_cut_ones(tmp_path: Path) -> None:
    packed = gzip.compress(report(*[entry() for _ in range(50)]), mtime=0)
    for name, data in (("whole.yaml.gz", packed), ("cut.yaml.gz", packed[: len(packed) // 2])):
        (tmp_path / name).write_bytes(data)
    found = []
    for name in ("whole.yaml.gz", "cut.yaml.gz"):
        with (tmp_path / name).open("rb") as stream:
            found.append(list(archives.read_file(tmp_path / name, name, stream)))
    whole, cut = found
    assert len(whole) == 50
    assert isinstance(cut[-1], Reject)
    assert cut[-1].reason == "damaged_gzip"


_WHOLE = report(entry(), entry())
_ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates(),
)  # fmt: skip
_VALUES = st.recursive(
    _ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), _VALUES, max_size=5), max_size=4))
def test_every_document_is_an_item_or_a_reject(judge: Judge, tables: list[dict[str, Any]]) -> None:
    found = read(report(*[{"input": None, **table} for table in tables]))
    assert [item.line for item in found] == list(range(2, 2 + len(tables)))
    done = work([item for item in found if isinstance(item, Item)], Context(NOW), judge)
    rejects = sum(isinstance(item, Reject) for item in found)
    assert len(done.lines) + len(done.rejects) + rejects == len(tables)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [b"---", b"...", b"\n", b" ", b"- ", b"? ", b": ", b"[", b"]", b"{", b"}", b",", b"&a ", b"*a", b"!!int ",
             b"!!bool ", b"!!float ", b"!!null ", b"!!binary ", b"!!python/unicode ", b"|", b">", b"'", b'"', b"#",
             b"%", b"input", b"report", b"probe_cc", b"test_keys", b"start_time", b"options", b"1", b"0x", b"1:2", b"x",
             b"<<", b"\xff", b"\x00", b"\r", b"\\u"]
        ),
        max_size=40,
    )
)  # fmt: skip
def test_no_tokens_escape(judge: Judge, tokens: list[bytes]) -> None:
    found = read(report() + b"---\ninput: x\na: " + b"".join(tokens) + b"\n...\n" + _WHOLE)
    assert all(item.reason and item.detail.isprintable() for item in found if isinstance(item, Reject))
    assert isinstance(found[-1], Item)
    work([item for item in found if isinstance(item, Item)], Context(NOW), judge)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32))
def test_no_change_of_bytes_escapes(judge: Judge, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(_WHOLE)
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(data))
        if dice.random() < 0.5:
            data[place] = dice.randrange(256)
        else:
            del data[place : place + dice.randint(1, 60)]
    found = read(bytes(data))
    assert all(item.reason and item.detail.isprintable() for item in found if isinstance(item, Reject))
    work([item for item in found if isinstance(item, Item)], Context(NOW), judge)
