"""OONI's counts: levels with a unit that says what they are, from JSON, from CSV and from a real socket."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.fetch.plan import Wanted
from kholo.fetch.wait import Timing
from kholo.fetch.web import Web
from kholo.model import Reject, Signal, SignalKind
from kholo.pipeline.fetch import fetch
from kholo.pipeline.ingest import ingest
from kholo.sources import archives, ooni_aggregation, registry
from kholo.sources.items import Item
from kholo.sources.ooni_aggregation import UNITS
from kholo.sources.source import Context
from kholo.store import Store

from .conftest import NOW
from .servers.base import serve
from .servers.ooni_api import OoniApi

ROW = {
    "anomaly_count": 3, "confirmed_count": 1, "failure_count": 2, "measurement_count": 16, "ok_count": 10,
    "measurement_start_day": "2024-02-17", "probe_cc": "PK", "probe_asn": 17_557, "domain": "x.com",
}  # fmt: skip


def answer(*rows: Any) -> bytes:
    return json.dumps({"v": 0, "dimension_count": 2, "db_stats": {}, "result": list(rows)}).encode()


def decoded(data: bytes, name: str = "counts.json") -> list[Any]:
    items = [one for one in archives.read_file(Path(name), name, io.BytesIO(data)) if isinstance(one, Item)]
    return [found for item in items for found in registry.decode(item, Context(NOW))]


def test_a_row_is_five_levels_and_none_of_them_is_a_block() -> None:
    found = decoded(answer(ROW))
    assert {(one.signal, one.value) for one in found} == {
        ("measurement_count domain=x.com", 16.0), ("ok_count domain=x.com", 10.0), ("anomaly_count domain=x.com", 3.0),
        ("confirmed_count domain=x.com", 1.0), ("failure_count domain=x.com", 2.0),
    }  # fmt: skip
    one = found[0]
    assert isinstance(one, Signal)
    assert (one.source, one.kind, one.place, one.network) == ("ooni_aggregation", SignalKind.LEVEL, "PK", "AS17557")
    assert (one.since, one.until) == (datetime(2024, 2, 17, tzinfo=UTC), None)
    assert (one.usual, one.service, one.simulated) == (None, "", False)
    assert {one.unit for one in found} == set(UNITS.values())


def test_a_table_says_the_same_as_json() -> None:
    columns = sorted(ROW)
    table = ",".join(columns) + "\n" + ",".join(str(ROW[name]) for name in columns) + "\n"
    told = [[(one.signal, one.value, one.place, one.network, one.since) for one in found]
            for found in (decoded(answer(ROW)), decoded(table.encode(), "counts.csv"))]  # fmt: skip
    assert told[0] == told[1]
    assert len(told[0]) == 5


def test_an_hour_says_how_long_it_was_and_a_name_says_the_rest() -> None:
    hour = decoded(answer(ROW | {"measurement_start_day": "2024-02-17T18:00:00Z"}))[0]
    assert hour.until - hour.since == timedelta(hours=1)
    bare = {name: value for name, value in ROW.items() if name not in ("probe_cc", "domain", "probe_asn")}
    (reject,) = decoded(answer(bare))
    assert reject.reason == "bad_place"
    named = decoded(answer(bare), "probe_cc=PK/domain=x.com/time_grain=day/counts.json")[0]
    assert (named.place, named.network, named.signal) == ("PK", "", "measurement_count domain=x.com")
    assert named.until - named.since == timedelta(days=1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW | {"measurement_start_day": "last week"}, "bad_time"),
        ({name: value for name, value in ROW.items() if name != "measurement_start_day"}, "bad_time"),
        (ROW | {"probe_cc": "Pakistan"}, "bad_place"),
        (ROW | {"probe_asn": -1}, "bad_network"),
        (ROW | {"ok_count": "many"}, "wrong_type"),
        (ROW | {"anomaly_count": 10**40}, "wrong_type"),
        (ROW | {"anomaly_count": -1}, "wrong_type"),
        (None, "wrong_type"),
        ([[]], "wrong_type"),
    ],
)
def test_what_is_wrong_is_a_named_reject_and_the_rest_goes_on(row: Any, reason: str) -> None:
    found = decoded(answer(ROW, row, ROW))
    assert [one.reason for one in found if isinstance(one, Reject)] == [reason]
    assert sum(isinstance(one, Signal) for one in found) == 10


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damage_never_escapes(data: st.DataObject) -> None:
    raw = bytearray(answer(ROW, ROW))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for found in decoded(bytes(raw)):
        assert isinstance(found, Signal | Reject)


SINCE = datetime(2024, 2, 1, tzinfo=UTC)


def measured(number: int, host: str, asn: int) -> dict[str, Any]:
    start = SINCE + timedelta(days=number % 40, hours=number % 24)
    return {
        "measurement_uid": f"{start:%Y%m%d%H%M%S}.{number:06}_PK_webconnectivity_{number:016x}", "probe_cc": "PK",
        "probe_asn": f"AS{asn}", "measurement_start_time": f"{start:%Y-%m-%d %H:%M:%S}", "report_id": f"r{number}",
        "test_name": "web_connectivity", "input": f"https://{host}/",
        "test_keys": {"blocking": "dns" if number % 3 == 0 else False},
    }  # fmt: skip


def test_a_fetch_brings_every_count_once(tmp_path: Path) -> None:
    hosts = ("x.com", "t.co")
    rows = [measured(n, [*hosts, "other.example"][n % 3], 17_557 if n % 2 else 9_541) for n in range(360)]
    wanted = Wanted("PK", SINCE, SINCE + timedelta(days=40), NOW, service="x", hosts=hosts)
    web = Web(Timing(lambda _seconds: None, time.monotonic, lambda: 0.5))
    store = Store(tmp_path / "store", create=True)
    with serve(OoniApi(rows)) as server:
        plan = ooni_aggregation.plan(wanted, {"api": server.url}, web, lambda _done, _all: None)
        done = fetch(store, "ooni_aggregation", plan, web, NOW)
        again = fetch(store, "ooni_aggregation", plan, web, NOW)
    assert (len(plan.objects), done.objects, done.failed, done.ingested.rejected) == (4, 4, {}, 0)
    assert (again.objects, again.ingested.signals) == (0, 0)
    with store.connect() as db:
        query = "SELECT signal, sum(value)::INT FROM signals GROUP BY 1 ORDER BY 1"
        counts = dict(db.execute(query).fetchall())
        lines = db.execute("SELECT DISTINCT network FROM signals ORDER BY 1").fetchall()
        (apart,) = db.execute("SELECT count(DISTINCT until - since) FROM signals").fetchone() or (0,)
    assert {name: counts[f"measurement_count domain={name}"] for name in hosts} == {"x.com": 120, "t.co": 120}
    assert counts["anomaly_count domain=x.com"] == sum(row["input"] == "https://x.com/" and n % 3 == 0
                                                       for n, row in enumerate(rows))  # fmt: skip
    assert (lines, apart) == ([("AS17557",), ("AS9541",)], 1)
    assert not any("other" in name for name in counts)


def test_a_plan_without_a_service_counts_all_there_is() -> None:
    wanted = Wanted("PK", SINCE, SINCE + timedelta(hours=30), NOW, networks=("AS9541",))
    (one,) = ooni_aggregation.plan(wanted, {"api": "http://127.0.0.1"}, None, lambda _done, _all: None).objects  # type: ignore[arg-type]
    assert one.name == "probe_cc=PK/time_grain=day/AS9541/2024-02-01_2024-02-03.json"
    assert "domain" not in one.address
    assert "probe_asn=AS9541" in one.address


def test_the_same_counts_twice_are_stored_once(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_bytes(answer(ROW, ROW | {"domain": "t.co"}))
    store = Store(tmp_path / "store", create=True)
    assert ingest(store, [tmp_path / "counts.json"], None, NOW).new_signals == 10, "two hosts with the same counts"
    assert ingest(store, [tmp_path / "counts.json"], None, NOW).new_signals == 0
