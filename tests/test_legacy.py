"""Legacy reports in YAML: every document is an item or a named reject, whatever it holds."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.judge import Judge
from kholo.model import Reject
from kholo.pipeline.work import work
from kholo.sources import archives, legacy
from kholo.sources.items import Item

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
    done = work(items, NOW, judge)
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
    "a number of a hundred thousand digits": (report() + b"---\na: " + b"9" * 100_000 + b"\n...\n", "not_yaml"),
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


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32))
def test_no_change_of_bytes_escapes(judge: Judge, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(report(entry(), entry()))
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(data))
        if dice.random() < 0.5:
            data[place] = dice.randrange(256)
        else:
            del data[place : place + dice.randint(1, 60)]
    found = read(bytes(data))
    assert all(item.reason and item.detail.isprintable() for item in found if isinstance(item, Reject))
    work([item for item in found if isinstance(item, Item)], NOW, judge)
