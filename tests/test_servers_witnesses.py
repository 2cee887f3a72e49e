"""IODA, Cloudflare Radar and M-Lab as the servers play them."""

from __future__ import annotations

import json
import statistics
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .servers import Ioda, MLab, Radar, Running, serve
from .servers.ioda import NATIVE, Alert, Entity
from .servers.radar import TOKEN
from .test_servers import get

START = 1_708_128_000
PAKISTAN = Entity("country", "PK", "Pakistan", {"fqid": "geo.netacuity.AS.PK"}, frozenset({("asn", "9541")}))
NETWORK = Entity("asn", "9541", "AS9541 (CYBERNET-AP)", {"org": "Cyber Internet"}, frozenset({("country", "PK")}))
PROBED: dict[int, float | None] = {
    START + 600 * step: None if step == 7 else 100 - 90 * (20 <= step < 30) for step in range(60)
}
ALERTS = [
    Alert("ping-slash24", PAKISTAN, START + 12_000, "critical", 10, 100, "< 0.8"),
    Alert("ping-slash24", PAKISTAN, START + 18_000, "normal", 100, 100),
    Alert("bgp", PAKISTAN, START + 12_300, "warning", 90, 100),
    Alert("bgp", NETWORK, START + 12_000, "critical", 0, 8),
]
IODA = Ioda(
    [PAKISTAN, NETWORK], {("country", "PK", "ping-slash24"): PROBED, ("asn", "9541", "bgp"): {START: 8}}, ALERTS
)
WINDOW = {"from": str(START), "until": str(START + 36_000)}


def ioda(running: Running, path: str, **query: str) -> Any:
    answer = get(running, f"/v2/{path}?{urlencode(query)}")
    whole = json.loads(answer.body)
    assert (answer.status == 200) == (whole["error"] is None)
    assert (whole["data"] is None) == (whole["error"] is not None)
    return whole["data"] if answer.status == 200 else whole["error"]


def test_entities() -> None:
    with serve(IODA) as running:
        found = ioda(running, "entities/query", entityType="asn", relatedTo="country/PK")
        assert [entity["code"] for entity in found] == ["9541"]
        assert ioda(running, "entities/query", search="pakis")[0]["attrs"] == {"fqid": "geo.netacuity.AS.PK"}
        assert ioda(running, "entities/query", entityType="country", entityCode="ZZ") == []


def test_signals_are_points_at_a_step() -> None:
    with serve(IODA) as running:
        [[series]] = ioda(running, "signals/raw/country/PK", **WINDOW)
        both = ioda(running, "signals/raw/asn/9541,1", **WINDOW)
        assert ioda(running, "signals/raw/country/ZZ", **WINDOW).startswith("cannot find")
        assert ioda(running, "signals/raw/country/PK", **WINDOW | {"until": "1"}).startswith("from must be earlier")
        assert ioda(running, "signals/raw/country/PK", **WINDOW, datasource="x").startswith("invalid datasource")
    assert [series[name] for name in ("entityCode", "datasource", "step")] == ["PK", "ping-slash24", 600]
    assert {series["from"] + 600 * place: value for place, value in enumerate(series["values"])} == PROBED
    assert series["until"] == START + 36_000
    assert len(both) == 1
    assert len(both[0][0]["values"]) == 36_000 / NATIVE["bgp"]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 80), st.integers(0, 20_000))
def test_fewer_points_are_means(most: int, later: int) -> None:
    window = {"from": str(START + later), "until": str(START + 36_000)}
    with serve(IODA) as running:
        [[series]] = ioda(running, "signals/raw/country/PK", **window, maxPoints=str(most))
    step = series["step"]
    assert step % series["nativeStep"] == series["from"] % step == 0
    first = (START + later) // 600 * 600
    for place, value in enumerate(series["values"]):
        bin_start = series["from"] + place * step
        inside = [known for time, known in PROBED.items() if max(first, bin_start) <= time < bin_start + step]
        known = [value for value in inside if value is not None]
        assert value == (pytest.approx(statistics.fmean(known)) if known else None)


def test_alerts_come_to_events() -> None:
    with serve(IODA) as running:
        alerts = ioda(running, "outages/alerts", entityType="country", entityCode="PK", **WINDOW)
        events = ioda(running, "outages/events", entityType="country", **WINDOW)
        second = ioda(running, "outages/events", **WINDOW, limit="1", page="1")
        every = ioda(running, "outages/events", **WINDOW)
        inner = ioda(running, "outages/events", entityCode="PK", format="ioda", includeAlerts="true", **WINDOW)
        after = ioda(running, "outages/events", **{"from": str(START + 12_400), "until": WINDOW["until"]})
        assert "timestamp" in ioda(running, "outages/events")
    assert [alert["level"] for alert in alerts] == ["critical", "warning", "normal"]
    assert [alert["condition"] for alert in alerts] == ["< 0.8", "< 0.99", "normal"]
    assert [
        (event["location"], event["datasource"], event["duration"], event["overlaps_window"]) for event in events
    ] == [
        ("country/PK", "ping-slash24", 6_000, False),
        ("country/PK", "bgp", 23_700, True),
    ]
    assert events[0]["score"] == pytest.approx(90 * 100)
    assert second == every[1:2]
    assert [len(event["alerts"]) for event in inner] == [2, 1]
    assert after == []


HOUR = datetime(2024, 2, 17, tzinfo=UTC)
OUTAGE = {
    "id": "1070",
    "dataSource": "ALL",
    "description": "Shutdown of mobile networks",
    "scope": None,
    "startDate": "2024-02-08T02:00:00Z",
    "endDate": "2024-02-08T15:00:00Z",
    "locations": ["PK"],
    "asns": [45669],
    "eventType": "OUTAGE",
    "linkedUrl": None,
    "asnsDetails": [{"asn": "45669", "name": "MOBILINK", "location": {"code": "PK", "name": "Pakistan"}}],
    "locationsDetails": [{"code": "PK", "name": "Pakistan"}],
    "outage": {"outageCause": "GOVERNMENT_DIRECTED", "outageType": "NATIONWIDE"},
}
ANOMALY = {
    "uuid": "55a57f33-8bc0-4984-b4df-fdaff72df39d",
    "type": "LOCATION",
    "status": "VERIFIED",
    "startDate": "2024-02-08T02:15:00Z",
    "endDate": None,
    "locationDetails": {"code": "PK", "name": "Pakistan"},
    "visibleInDataSources": ["HTTP"],
}
OTHER = OUTAGE | {"id": "1071", "startDate": "2024-03-01T00:00:00Z", "endDate": None, "locations": ["SD"], "asns": []}
TRAFFIC = {HOUR + timedelta(minutes=15 * step): float(step % 7 + 1) for step in range(4 * 24 * 7)}
RADAR = Radar([OUTAGE, OTHER], [ANOMALY], {("http", "PK"): TRAFFIC}, now=lambda: HOUR + timedelta(7))


def radar(running: Running, path: str, token: str = TOKEN, **query: str) -> tuple[int, Any]:
    answer = get(running, f"/client/v4/radar/{path}?{urlencode(query)}", Authorization=f"Bearer {token}")
    whole = json.loads(answer.body)
    assert whole["success"] == (answer.status == 200)
    return answer.status, whole["result"] if whole["success"] else whole["errors"][0]["code"]


def test_outages_and_anomalies() -> None:
    with serve(RADAR) as running:
        for query, found in (
            ({}, ["1071", "1070"]),
            ({"location": "pk"}, ["1070"]),
            ({"asn": "45669"}, ["1070"]),
            ({"dateStart": "2024-02-08T00:00:00Z", "dateEnd": "2024-02-09T00:00:00Z"}, ["1070"]),
            ({"limit": "1", "offset": "1"}, ["1070"]),
        ):
            _, result = radar(running, "annotations/outages", **query)
            assert [item["id"] for item in result["annotations"]] == found
        assert radar(running, "traffic_anomalies", location="PK", status="VERIFIED")[1] == {
            "trafficAnomalies": [ANOMALY]
        }
        assert radar(running, "traffic_anomalies", status="UNVERIFIED")[1] == {"trafficAnomalies": []}


@pytest.mark.parametrize(("step", "points"), [("15m", 672), ("1h", 168), ("1d", 7)])
def test_traffic_is_relative_to_its_largest_value(step: str, points: int) -> None:
    with serve(RADAR) as running:
        _, result = radar(running, "http/timeseries", location="PK", dateRange="7d", aggInterval=step, name="main")
        _, nothing = radar(running, "netflows/timeseries", location="PK")
    values = [float(text) for text in result["main"]["values"]]
    assert len(result["main"]["timestamps"]) == len(values) == points
    assert max(values) == 1
    assert result["main"]["timestamps"][0] == "2024-02-17T00:00:00Z"
    assert nothing["serie_0"] == {"timestamps": [], "values": []}
    sums: dict[int, float] = {}
    seconds = {"15m": 900, "1h": 3600, "1d": 86400}[step]
    for time, value in TRAFFIC.items():
        place = int(time.timestamp()) // seconds
        sums[place] = sums.get(place, 0) + value
    assert values == pytest.approx([total / max(sums.values()) for total in sums.values()], abs=1e-6)


def test_tokens_and_parameters_are_refused() -> None:
    api = Radar(weak=["w" * 40])
    with serve(api) as running:
        assert get(running, "/client/v4/radar/annotations/outages").status == 400
        assert radar(running, "annotations/outages", token="short") == (400, 6003)
        assert radar(running, "annotations/outages", token="a" * 40) == (401, 1000)
        assert radar(running, "annotations/outages", token="w" * 40) == (403, 10000)
        assert radar(running, "nothing") == (404, 7003)
        queries = [{"location": "PAK"}, {"asn": "AS1"}, {"dateRange": "7x"}, {"dateStart": "2024"}, {"limit": "-1"}]
        for query in queries:
            assert radar(running, "annotations/outages", **query) == (400, 2001)
        assert radar(running, "http/timeseries", aggInterval="2h") == (400, 2001)


RUNS = st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000), st.floats(1, 900)), min_size=1, max_size=12)
DAYS = st.dictionaries(st.dates(date(2023, 12, 28), date(2024, 1, 4)), RUNS, min_size=1, max_size=4)


@settings(deadline=None, max_examples=40)
@given(DAYS)
def test_speeds_stand_in_their_year_and_bucket(days: dict[date, list[tuple[float, float, float]]]) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    with serve(MLab({"AS/PK/asn/AS9541": days})) as running:
        for year in (2023, 2024):
            answer = get(running, f"/v0/AS/PK/asn/AS9541/{year}/histogram_daily_stats.json")
            assert answer.status == (200 if any(day.year == year for day in days) else 404)
            for row in json.loads(answer.body) if answer.status == 200 else []:
                assert row["date"].startswith(str(year))
                found.setdefault(row["date"], []).append(row)
    assert set(found) == {str(day) for day in days}
    for day, runs in days.items():
        rows = found[str(day)]
        assert len(rows) == 8
        assert [row["bucket_max"] for row in rows[:-1]] == [row["bucket_min"] for row in rows[1:]]
        assert sum(row["dl_samples_bucket"] for row in rows) == len(runs) == rows[0]["dl_samples_day"]
        assert rows[0]["download_MED"] == pytest.approx(statistics.median(run[0] for run in runs), abs=1e-3)
        assert rows[0]["upload_MAX"] == pytest.approx(max(run[1] for run in runs), abs=1e-3)
        assert rows[0]["download_minRTT_MED"] == pytest.approx(statistics.median(run[2] for run in runs), abs=1e-3)
