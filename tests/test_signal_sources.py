"""IODA, Cloudflare Radar and M-Lab: what their answers say of whole lines, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.fetch.plan import Plan, Wanted
from kholo.model import LOST, Reject, Signal, SignalKind, UsageError
from kholo.sources import archives, registry
from kholo.sources.continents import CONTINENT
from kholo.sources.guard import MAX_SIGNALS
from kholo.sources.items import Item
from kholo.sources.source import Aside, Context, Given
from kholo.store import Store

from . import lines
from .commands import kholo
from .conftest import NOW

_HIST = "https://statistics.measurementlab.net/v0/AF/UG/{}2026/histogram_daily_stats.json"


def read(data: bytes, file: str = "answer.json") -> list[Given]:
    return list(registry.decode(Item(file, 1, data), Context(NOW)))


def signals(data: bytes, file: str = "answer.json") -> list[Signal]:
    found = [one for one in read(data, file) if not isinstance(one, Aside)]
    assert all(isinstance(one, Signal) for one in found), found
    return [one for one in found if isinstance(one, Signal)]


def reason(data: bytes, file: str = "answer.json") -> str:
    (found,) = read(data, file)
    assert isinstance(found, Reject), found
    return found.reason


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_series_of_ioda_is_a_level_each_step() -> None:
    first, second = signals(lines.ioda(lines.series([4_182, None, 0.0])))
    assert (first.source, first.signal, first.kind) == ("ioda", "bgp", SignalKind.LEVEL)
    assert (first.place, first.network, first.value, first.unit) == ("UG", "", 4_182.0, "/24s visible")
    assert (first.since, first.until) == (time("2026-01-14T00:00"), time("2026-01-14T01:00"))
    assert (second.since, second.value) == (time("2026-01-14T02:00"), 0.0)
    (network,) = signals(lines.ioda(lines.series([7], "asn", "20294", "gtr", subtype="WEB_SEARCH")))
    assert (network.place, network.network, network.signal) == ("", "AS20294", "gtr/WEB_SEARCH")


def test_regions_and_counties_are_never_kept() -> None:
    for kind in ("region", "county", "geoasn", "continent"):
        assert signals(lines.ioda(lines.series([1, 2], kind, "4107"))) == []
        assert signals(lines.ioda(lines.event(f"{kind}/4107", "2026-01-14T00:00", "2026-01-15T00:00"))) == []
        assert signals(lines.ioda(lines.alert("2026-01-14T00:00", "critical", 1, kind=kind))) == []


def test_an_event_of_ioda_is_an_outage_that_says_how_much_was_lost() -> None:
    (found,) = signals(lines.ioda(lines.event("asn/20294", "2026-01-13T16:00", "2026-01-17T20:00", share=80)))
    assert (found.kind, found.network, found.place) == (SignalKind.OUTAGE, "AS20294", "")
    assert (found.since, found.until) == (time("2026-01-13T16:00"), time("2026-01-17T20:00"))
    assert found.until is not None
    assert found.unit == LOST
    assert (found.value or 0) / ((found.until - found.since).total_seconds() / 60) == pytest.approx(80)


def test_an_event_that_ends_later_than_now_still_lasts() -> None:
    (found,) = signals(lines.ioda(lines.event("country/UG", "2026-11-20T16:00", "2026-11-30T00:00")))
    assert found.until is None


def test_the_score_of_merged_sources_is_not_read_as_a_share() -> None:
    (found,) = signals(lines.ioda(lines.event("country/UG", "2026-01-13T16:00", "2026-01-17T20:00", source="overall")))
    assert found.unit != LOST


def test_alerts_are_paired_in_any_order_and_scored_as_ioda_scores_events() -> None:
    rows = [
        lines.alert("2026-01-13T16:00", "critical", 100),
        lines.alert("2026-01-14T16:00", "warning", 900),
        lines.alert("2026-01-15T16:00", "normal", 1_000),
        lines.alert("2026-01-12T00:00", "normal", 1_000),
    ]
    for order in (rows, rows[::-1]):
        (found,) = signals(lines.ioda(*order))
        assert (found.since, found.until) == (time("2026-01-13T16:00"), time("2026-01-15T16:00"))
        assert found.value == pytest.approx((90 + 10) * 24 * 60)
    (cut,) = signals(lines.ioda(*rows[:2]))
    assert cut.until == time("2026-01-14T16:00"), "its end is not in the answer: known up to the last alert only"


def test_a_nationwide_annotation_is_of_the_country_and_its_words_are_cleaned() -> None:
    (found,) = signals(lines.radar(annotations=[lines.annotation(description="shut\u202e down\u0007\n" + "x" * 900)]))
    assert (found.source, found.signal, found.place, found.network) == ("radar", "annotation", "UG", "")
    assert (found.since, found.until) == (time("2026-01-13T15:00"), time("2026-01-17T20:00"))
    assert found.detail.startswith("nationwide, government_directed, shut")
    assert found.detail.isprintable()
    assert len(found.detail) < 310


def test_a_regional_annotation_does_not_name_the_region() -> None:
    (found,) = signals(lines.radar(annotations=[lines.annotation("REGIONAL", description="Outage in Kampala")]))
    assert found.signal == "annotation-part"
    assert "Kampala" not in msgspec.json.encode(found).decode()
    (network,) = signals(lines.radar(annotations=[lines.annotation("NETWORK", endDate=None, locations=[])]))
    assert (network.place, network.network, network.until) == ("UG", "AS20294", None)
    as_sent = [{"asn": "20294", "name": "MTN", "location": {"code": "UG", "name": "Uganda"}}]
    (network,) = signals(lines.radar(annotations=[lines.annotation("NETWORK", asnsDetails=as_sent, locations=[])]))
    assert (network.place, network.network) == ("UG", "AS20294")


def test_an_anomaly_says_whether_somebody_looked() -> None:
    answer = lines.radar(trafficAnomalies=[lines.anomaly(), lines.anomaly(status="UNVERIFIED")])
    seen, unseen = signals(answer)
    assert (seen.signal, seen.place, seen.network) == ("anomaly", "UG", "AS20294")
    assert unseen.signal == "anomaly-unverified"
    assert signals(lines.radar(trafficAnomalies=[lines.anomaly(type="ORIGIN", asnDetails=None)])) == []


def test_levels_of_radar_say_how_they_were_normalised_and_over_which_days() -> None:
    first, *_, last = signals(lines.timeseries(["1.0", 0.5, None, "0.01"]))
    assert (first.signal, first.place, first.network, first.value) == ("netflows", "UG", "AS20294", 1.0)
    assert first.unit == "bytes, normalised (MIN0_MAX) within 2026-01-13 to 2026-01-13"
    assert (last.since, last.until) == (time("2026-01-13T03:00"), time("2026-01-13T04:00"))


def test_a_series_may_be_empty_or_of_one_hour() -> None:
    assert signals(lines.timeseries([])) == []
    (only,) = signals(lines.timeseries(["0.5"]))
    assert only.until == time("2026-01-13T01:00")


def test_a_series_without_a_name_is_told_by_its_address() -> None:
    address = "https://api.cloudflare.com/client/v4/radar/http/timeseries?location=UG&dateRange=7d"
    (found, _) = signals(lines.timeseries(["1", "0"], "serie_0"), address)
    assert (found.signal, found.place, found.network) == ("http", "UG", "")
    assert reason(lines.timeseries(["1", "0"], "serie_0")) == "unknown_line"


def test_a_day_of_mlab_is_its_medians_once() -> None:
    found = signals(lines.mlab([("2026-01-13", 9.5)]), _HIST.format("asn/AS20294/"))
    assert {(one.signal, one.value) for one in found} == {
        ("download", 9.5), ("upload", 4.75), ("download-tests", 200.0), ("upload-tests", 180.0)}  # fmt: skip
    assert {(one.place, one.network) for one in found} == {("UG", "AS20294")}
    assert {(one.since, one.until) for one in found} == {(time("2026-01-13"), time("2026-01-14"))}


def test_where_a_file_of_mlab_is_of_must_be_known_and_no_finer_than_a_country() -> None:
    days = lines.mlab([("2026-01-13", 9.5)])
    assert {one.network for one in signals(days, "downloads/mlab-UG-AS20294-2026.json")} == {"AS20294"}
    assert {one.place for one in signals(days, _HIST.format(""))} == {"UG"}
    for file in ("histogram_daily_stats.json", _HIST.format("UG-C/"), _HIST.format("UG-C/Kampala/")):
        assert all(isinstance(one, Reject) and one.reason == "unknown_line" for one in read(days, file)), file
    assert signals(lines.mlab([("2026-01-13", 9.5)], country_code="UG", city="Kampala")) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (lines.ioda(error="cannot find corresponding metadata entity"), "archive_error"),
        (lines.ioda(lines.series([1], code="uganda")), "bad_place"),
        (lines.ioda(lines.series([1], "asn", "0")), "bad_network"),
        (lines.ioda(lines.series([1], "asn", "20294-UG")), "bad_network"),
        (lines.ioda(lines.series([1], source="<b>")), "bad_signal"),
        (lines.ioda(lines.series([1], step=0)), "bad_time"),
        (lines.ioda(lines.series([1], step=2**60)), "bad_time"),
        (lines.ioda(lines.series([1], start=2**60)), "bad_time"),
        (lines.ioda(lines.series([1], start=0)), "time_implausible"),
        (lines.ioda(lines.series([1] * 9_000, start=lines.seconds("2026-01-01T00:00"))), "time_in_future"),
        (lines.ioda(lines.series([1e300])), "bad_value"),
        (lines.ioda(lines.series("1 2 3")), "wrong_type"),  # type: ignore[arg-type]
        (lines.ioda(lines.event("country/UG", "2026-01-14T00:00", "2026-01-13T00:00")), "bad_time"),
        (lines.radar(annotations=[lines.annotation(startDate="yesterday")]), "bad_time"),
        (lines.radar(annotations=[lines.annotation(endDate="2026-01-13T15:00:00Z")]), "bad_time"),
        (lines.radar(annotations=[lines.annotation(locations=["ug"])]), "bad_place"),
        (lines.radar(annotations=[lines.annotation(locations=[], asns=[])]), "unknown_line"),
        (lines.radar(annotations=[lines.annotation(locations=["UG"] * 501)]), "too_large"),
        (lines.radar(trafficAnomalies=[lines.anomaly(asnDetails=None)]), "unknown_line"),
        (lines.timeseries(["much", "0"]), "bad_value"),
        (lines.timeseries(["nan", "0"]), "bad_value"),
        (lines.timeseries(["1", "2"]).replace(b"T01:", b"T00:"), "bad_time"),
        (b'{"success":false,"errors":[{"code":10000,"message":"Refused"}],"result":null}', "archive_error"),
        (lines.mlab([("2026-01-13", -1.0)], country_code="UG")[:-1].split(b"},{")[0] + b"}]", "bad_value"),
        (b'{"download_MED": 3, "date": "13/01/2026", "country_code": "UG"}', "bad_time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_one_wrong_row_does_not_cost_the_others() -> None:
    good = lines.event("country/UG", "2026-01-13T16:00", "2026-01-17T20:00")
    bad = lines.event("country/uganda", "2026-01-13T16:00", "2026-01-17T20:00")
    found = read(lines.ioda(bad, good, {"location": 7}))
    assert [getattr(one, "reason", "signal") for one in found] == ["bad_place", "signal", "wrong_type"]
    assert isinstance(found[0], Reject)
    assert (found[0].file, found[0].line) == ("answer.json#data", 1)


def test_an_answer_says_no_more_than_memory_holds() -> None:
    found = read(lines.ioda(*[lines.series([0] * 9_000, step=60) for _ in range(3)]))
    assert sum(isinstance(one, Signal) for one in found) == MAX_SIGNALS
    assert isinstance(found[-1], Reject)
    assert found[-1].reason == "too_large"


_GOOD = [
    lines.ioda(lines.series([1, 2, None])),
    lines.ioda(lines.event("asn/20294", "2026-01-13T16:00", "2026-01-17T20:00"), kind="outages.events"),
    lines.ioda(lines.alert("2026-01-13T16:00", "critical", 1), lines.alert("2026-01-14T16:00", "normal", 1_000)),
    lines.radar(annotations=[lines.annotation()]),
    lines.radar(trafficAnomalies=[lines.anomaly()]),
    lines.timeseries(["1", "0.5"]),
    lines.mlab([("2026-01-13", 9.5)], country_code="UG"),
]
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


def checked(found: Iterator[Given]) -> None:
    for one in found:
        if isinstance(one, Signal):
            assert one.place == "" or (len(one.place) == 2 and one.place.isalpha())
            assert one.network == "" or (one.network.startswith("AS") and one.network[2:].isdigit())
            assert one.place or one.network
            assert one.until is None or one.until > one.since
            assert one.detail.isprintable()
            assert one.signal.isprintable()
            assert one.unit.isprintable()
            msgspec.json.encode(one)
        elif isinstance(one, Reject):
            assert one.detail.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_GOOD), st.data())
def test_no_change_of_an_answer_escapes(good: bytes, data: st.DataObject) -> None:
    """Any value anywhere in an answer replaced by any other."""
    answer = msgspec.json.decode(good)
    at = answer
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            at[key] = data.draw(_ANY)
            break
        at = at[key]
    try:
        changed = msgspec.json.encode(answer)
    except (OverflowError, UnicodeEncodeError):
        return
    checked(registry.decode(Item("answer.json", 1, changed), Context(NOW)))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_GOOD), st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 40))
def test_no_bytes_escape(good: bytes, at: int, put: bytes, skip: int) -> None:
    at %= len(good)
    checked(registry.decode(Item("answer.json", 1, good[:at] + put + good[at + skip :]), Context(NOW)))


def wanted(*networks: str, place: str = "UG", **options: str) -> Wanted:
    return Wanted(place, time("2026-01-13"), time("2026-02-02"), NOW, networks=networks, options=options)


def plan(source: str, asked: Wanted) -> Plan:
    (fetch,) = (one.fetch for one in registry.sources() if one.id == source)
    assert fetch is not None
    told: list[tuple[int, int]] = []
    # These plans are made of dates alone: nothing is asked of the network, and what would be asked is an error.
    made = fetch.plan(asked, fetch.endpoints, None, lambda done, of: told.append((done, of)))  # type: ignore[arg-type]
    assert told[-1][0] == told[-1][1]
    assert len({one.name for one in made.objects}) == len(made.objects)
    assert not any("token" in one.address.lower() for one in made.objects)
    return made


def test_series_of_ioda_are_asked_for_by_whole_weeks_and_never_of_regions() -> None:
    made = plan("ioda", wanted("AS20294", what="levels"))
    spans = {tuple(map(int, (q["from"][0], q["until"][0]))) for q in map(_query, (o.address for o in made.objects))}
    assert [datetime.fromtimestamp(start, UTC).strftime("%a %d") for start, _ in sorted(spans)] == [
        "Mon 12", "Mon 19", "Mon 26"]  # fmt: skip
    assert all(end - start == 7 * 86_400 for start, end in spans)
    assert not any("region" in one.address for one in plan("ioda", wanted("AS20294")).objects)
    assert any("/signals/raw/asn/20294?" in one.address for one in made.objects)
    sooner = msgspec.structs.replace(
        wanted("AS20294", what="levels"), since=time("2026-01-15"), until=time("2026-01-20")
    )
    assert set(plan("ioda", sooner).objects) < set(made.objects), "the same days are always in the same piece"


def test_what_lasted_over_a_border_of_pieces_is_in_the_window_of_the_one_it_began_in() -> None:
    made = plan("ioda", wanted(what="outages"))
    queries = [_query(one.address) for one in made.objects]
    spans = sorted({(int(query["from"][0]), int(query["until"][0])) for query in queries})
    assert all(one[1] - one[0] == 56 * 86_400 and other[0] - one[0] == 28 * 86_400 for one, other in pairwise(spans))
    assert spans[0][0] <= lines.seconds("2025-12-16T00:00"), "what began four weeks before is asked for too"
    assert {query["entityType"][0] for query in queries} == {"country", "asn"}
    assert not any("signals" in one.address for one in made.objects)


def test_what_may_still_change_is_fetched_again() -> None:
    late = msgspec.structs.replace(wanted(), now=time("2026-02-03T10:20"))
    for source, open_pieces in (
        ("ioda", {"country-20260119", "networks-20260119", "bgp-20260126", "nt-20260126", "slash24-20260126",
                  "country-20251222", "networks-20251222"}),
        ("radar", {"anomalies-202601", "anomalies-202602", "outages-202601", "outages-202602", "netflows_UG-202601",
                   "netflows_UG-202602", "http_UG-202601", "http_UG-202602"}),
        ("mlab", {"histogram_daily_stats"}),
    ):  # fmt: skip
        again = [one for one in plan(source, late).objects if not one.is_settled]
        names = {"-".join(one.name.split("/")[-1].removesuffix(".json").split("-")[-2:]) for one in again}
        assert names == open_pieces, source
        assert not any("2026-02-03T11" in one.address for one in again)
    assert all(one.is_settled for source in ("ioda", "radar") for one in plan(source, wanted()).objects)
    ends = {int(_query(one.address)["until"][0]) for one in plan("ioda", late).objects}
    assert max(ends) == lines.seconds("2026-02-03T10:00"), "what is to come is not asked for"


def test_before_the_first_full_hour_of_a_piece_nothing_is_asked_for() -> None:
    now = time("2026-02-02T00:20")
    early = msgspec.structs.replace(wanted(what="levels"), since=time("2026-02-02"), until=now, now=now)
    assert plan("ioda", early).objects == ()


def test_radar_is_asked_by_whole_months_under_names_that_say_of_what() -> None:
    made = plan("radar", wanted("AS20294", what="levels"))
    names = {_query(one.address)["name"][0] for one in made.objects}
    assert names == {"netflows_UG", "netflows_UG_AS20294", "http_UG", "http_UG_AS20294"}
    starts = {_query(one.address)["dateStart"][0] for one in made.objects}
    assert starts == {"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"}
    outages = {_query(one.address)["dateStart"][0] for one in plan("radar", wanted(what="outages")).objects}
    assert outages == starts | {"2025-12-01T00:00:00Z"}, "what began the month before may still have lasted"


def test_mlab_is_asked_by_year_under_the_continent() -> None:
    made = plan("mlab", wanted("AS20294"))
    assert {one.address for one in made.objects} == {_HIST.format(""), _HIST.format("asn/AS20294/")}
    with pytest.raises(UsageError, match="ZZ"):
        plan("mlab", wanted(place="ZZ"))
    assert (CONTINENT["PK"], CONTINENT["UG"], CONTINENT["RU"], CONTINENT["VE"]) == ("AS", "AF", "EU", "SA")
    assert len(CONTINENT) > 240


def _query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_answers_saved_by_hand_are_ingested(tmp_path: Path) -> None:
    given_files = {
        "levels.json": lines.ioda(lines.series([1, 2])),
        "radar.json": lines.radar(annotations=[lines.annotation()]),
        "AF/UG/asn/AS20294/2026/histogram_daily_stats.json": lines.mlab([("2026-01-13", 9.5)]),
        "export.csv": b"date,country_code,asn,download_MED,dl_samples_day\n2026-01-14,UG,20294,3.5,120\n",
        "export.jsonl": b'{"date":"2026-01-15","country_code":"UG","asn":"20294","download_MED":4.5}\n',
    }
    for name, data in given_files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = kholo("ingest", tmp_path / "in", "--store", tmp_path / "store")
    assert done.returncode == 0, done.stderr + done.stdout
    with Store(tmp_path / "store").connect() as db:
        count = dict(db.execute("SELECT source, count(*) FROM signals GROUP BY source").fetchall())
        speeds = db.execute("SELECT since, value FROM signals WHERE signal = 'download' ORDER BY since").fetchall()
    assert count == {"ioda": 2, "radar": 1, "mlab": 7}
    assert [speed for _, speed in speeds] == [9.5, 3.5, 4.5]
    assert len(list(archives.find([tmp_path / "in"]))) == len(given_files)
    assert timedelta(days=1) == speeds[1][0] - speeds[0][0]
