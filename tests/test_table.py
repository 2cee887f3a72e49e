"""OONI's observation rows as CSV: all rows are accounted for, in any order, whatever stands in them."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.judge import Judge
from kholo.model import Grade, Measurement, Reject
from kholo.observe import observe
from kholo.sources import archives, registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.sources.table import READ

from .conftest import NOW

UID = "20231108083533.1_KE_telegram_00"


def row(uid: str, **more: str) -> dict[str, str]:
    return {
        "measurement_uid": uid, "measurement_start_time": "2023-11-08 08:35:33+00:00", "probe_cc": "KE",
        "probe_asn": "12455", "test_name": "telegram", "hostname": "web.telegram.org", "ip": "149.154.167.99",
        "port": "443.0", "tcp_success": "1.0", "tls_success": "1", **more,
    }  # fmt: skip


def packed(rows: list[dict[str, str]], columns: tuple[str, ...] = READ) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read(data: bytes, name: str = "rows.csv") -> list[Item | Reject]:
    found = archives.read_file(Path(name), name, io.BytesIO(data))
    return [one for one in found if isinstance(one, Item | Reject)]


def decoded(data: bytes) -> list[Measurement | Reject]:
    made: list[Measurement | Reject] = []
    for item in read(data):
        if isinstance(item, Reject):
            made.append(item)
            continue
        for found in registry.decode(item, Context(NOW)):
            if isinstance(found, Reject):
                made.append(found)
            elif isinstance(found, tuple):
                observe(found[1], found[0].input)
                made.append(found[0])
    return made


def test_the_rows_of_a_measurement_may_stand_anywhere(judge: Judge) -> None:
    rows = [row(f"2023110808353{n % 3}.1_KE_telegram_{n % 3:016x}", ip=f"149.154.167.{n}") for n in range(30)]
    once = read(packed(rows))
    random.Random(1).shuffle(rows)
    assert {item.data for item in read(packed(rows)) if isinstance(item, Item)} == {
        item.data for item in once if isinstance(item, Item)
    }
    assert len(once) == 3
    found = [one for one in decoded(packed(rows)) if isinstance(one, Measurement)]
    assert {(one.kind, one.network, one.place) for one in found} == {(Grade.B, "AS12455", "KE")}


def test_a_step_that_was_not_made_is_no_step() -> None:
    (item,) = read(packed([row(UID, tls_success="0", tcp_success="")]))
    assert isinstance(item, Item)
    ((_, payload),) = registry.decode(item, Context(NOW))  # type: ignore[misc]
    assert observe(payload, None) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"name,value\n1,2\n", "wrong_columns"),
        (packed([]) + b"only,three,cells\n", "wrong_row"),
        (packed([row("")]), "wrong_row"),
        (packed([row(UID), row(UID, probe_asn="1")]), "rows_disagree"),
        (packed([row(UID, probe_cc="Kenya")]), "bad_place"),
        (packed([]) + b'"' + b"a" * 200_000 + b"\n", "not_csv"),
        (packed([]) + b"\xff\xfe,\n", "not_utf8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_named_reject(data: bytes, reason: str) -> None:
    found = decoded(data)
    assert [one.reason for one in found if isinstance(one, Reject)] == [reason]


def test_a_cut_file_gives_what_stood_before() -> None:
    rows = [row(f"20231108083533.{n}_KE_telegram_{n:016x}", ip=f"10.{n % 250}.{n % 7}.1") for n in range(3_000)]
    whole = gzip.compress(packed(rows))
    found = read(whole[: len(whole) // 2], "rows.csv.gz")
    assert [one.reason for one in found if isinstance(one, Reject)].count("damaged_gzip") == 1
    assert sum(isinstance(one, Item) for one in found) > 100


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damage_never_escapes(data: st.DataObject) -> None:
    rows = [row(f"20231108083533.{n}_KE_telegram_{n % 4:016x}") for n in range(12)]
    raw = bytearray(packed(rows))
    for _ in range(data.draw(st.integers(1, 30))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    assert decoded(bytes(raw))
