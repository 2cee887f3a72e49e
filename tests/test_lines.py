"""Outages and blocks told apart: an outage is never called a block, a block never explained away by a blip."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.detect import Around, Outage, Report, Speed, confirmed, decided
from kholo.judge import Judge
from kholo.model import LOST, Collapse, Kind, Signal, SignalKind, State
from kholo.pipeline.events import Events, events
from kholo.pipeline.ingest import ingest
from kholo.pipeline.signals import SignalFilter, select
from kholo.pipeline.verdicts import Filter
from kholo.store import Store

from . import lines
from .commands import json_lines, kholo
from .conftest import NOW
from .sentences import spoken
from .test_detect import DAY, HOUR, START
from .test_events import blocked, near

OWN = "AS64496"
BEGIN = START + 20 * DAY


def out(since: float = 0, until: float | None = 10 * 24, **more: object) -> Outage:
    """An outage of the incident's own network, times in hours from its onset."""
    fields: dict[str, object] = {
        "since": BEGIN + since * HOUR, "network": OWN, "witness": "ioda bgp", "source": "ioda", "signal": "bgp",
        "until": None if until is None else BEGIN + until * HOUR, "drop": 0.9,
    }  # fmt: skip
    return msgspec.convert(fields | more, Outage)


def reports(hours: Sequence[float], own: bool = True, failed: bool = True, network: str = OWN) -> list[Report]:
    return [
        Report(BEGIN + hour * HOUR, BEGIN + hour * HOUR + timedelta(minutes=9), network, own, failed) for hour in hours
    ]


def kind(outages: Sequence[Outage], *more: Sequence[Report]) -> tuple[Kind, str]:
    found = decided(blocked(), [], Around(list(outages), [one for some in more for one in some]))
    assert tuple(map(spoken, found.said)) == found.because
    return found.kind, " ".join(found.because)


EVERY_HOUR = reports(range(1, 200))
COUNTRY: dict[str, Any] = {"network": ""}
PINGS: dict[str, Any] = {"witness": "ioda ping-slash24", "signal": "ping-slash24"}


def test_what_failed_while_the_networks_own_line_was_out_is_no_block() -> None:
    found, why = kind([out()], EVERY_HOUR)
    assert found is Kind.SHUT_DOWN
    assert f"on {OWN} 199 of 199 failed reports lie in hours in which the line was out (ioda bgp, {OWN}, 2024-" in why
    assert "90% lost" in why


def test_an_incident_taken_back_says_so_everywhere() -> None:
    found = decided(blocked(), [], Around([out()], EVERY_HOUR))
    assert found.state is State.DOWN
    assert {spell.state for spell in found.spells} == {State.DOWN}
    assert "-down-" in found.incident_id


def test_a_short_blip_explains_nothing_away() -> None:
    found, why = kind([out(0, 4)], EVERY_HOUR)
    assert found is Kind.BLOCKED
    assert "4 of 199 failed reports" in why
    assert "left open" in why
    assert "the dates rest on the other 195" in why


def test_half_of_it_in_an_outage_leaves_the_other_half_a_block() -> None:
    found, why = kind([out(0, 100)], EVERY_HOUR)
    assert found is Kind.BLOCKED
    assert "100 of 199" in why


def test_what_two_reports_show_outside_of_an_outage_is_no_block() -> None:
    found, why = kind([out(0, 9)], reports([*range(1, 7), 50, 60]))
    assert found is Kind.SHUT_DOWN
    assert "the other 2 are fewer than a block needs" in why
    assert kind([out(0, 9)], reports([*range(1, 7), 50, 60, 70]))[0] is Kind.BLOCKED
    assert kind([out(0, 2)], reports([1, 50, 60]))[0] is Kind.BLOCKED, "one report inside takes back nothing"


def test_what_began_in_an_outage_is_dated_by_what_failed_after_it() -> None:
    whole = blocked()
    found = decided(whole, [], Around([out(-5, 48)], reports(range(1, 200, 2))))
    assert found.onset.earliest == whole.onset.earliest, "it may have begun while the line was out"
    assert found.onset.latest == BEGIN + 49 * HOUR
    assert found.incident_id == "x-PK-blocked-202402"
    assert (found.end, found.last_seen) == (whole.end, whole.last_seen)
    assert (whole.reports, found.reports) == (120, 76)


def test_what_ended_in_an_outage_is_dated_by_what_failed_before_it() -> None:
    whole = blocked()
    assert whole.end is not None
    found = decided(whole, [], Around([out(150, 400)], EVERY_HOUR))
    assert found.onset == whole.onset
    assert found.end is not None
    assert (found.end.latest, found.last_seen) == (whole.end.latest, BEGIN + 149 * HOUR + timedelta(minutes=9))
    assert found.end.earliest == found.last_seen


def test_a_network_whose_line_was_out_is_no_part_of_the_block_on_another() -> None:
    whole = blocked((OWN, "AS2"))
    failed = [*EVERY_HOUR, *reports(range(1, 200), network="AS2")]
    found = decided(whole, [], Around([out()], failed))
    assert (found.kind, found.networks) == (Kind.BLOCKED, ("AS2",))
    assert {spell.network for spell in found.spells} == {"AS2"}
    assert found.reports < whole.reports
    assert found.e_value < whole.e_value
    assert f"on {OWN} 199 of 199" in " ".join(found.because)
    both = decided(whole, [], Around([out(), out(network="AS2")], failed))
    assert (both.kind, both.networks) == (Kind.SHUT_DOWN, whole.networks)


def test_the_whole_country_needs_two_witnesses() -> None:
    one, why = kind([out(**COUNTRY)], EVERY_HOUR)
    assert one is Kind.BLOCKED
    assert "one signal alone tells so" in why
    assert "199 of 199" in why
    assert kind([out(**COUNTRY), out(**COUNTRY, **PINGS)], EVERY_HOUR)[0] is Kind.SHUT_DOWN
    same = [out(**COUNTRY, witness="radar", source="radar", signal=name) for name in ("annotation", "anomaly")]
    assert kind(same, EVERY_HOUR)[0] is Kind.BLOCKED, "both rest on the same traffic"
    apart = [out(0, 90, **COUNTRY), out(100, 240, **COUNTRY, **PINGS)]
    assert kind(apart, EVERY_HOUR)[0] is Kind.BLOCKED, "two that do not coincide are no two"


def test_another_networks_outage_says_nothing() -> None:
    assert kind([out(network="AS1")], EVERY_HOUR) == kind([], EVERY_HOUR)


@pytest.mark.parametrize("shallow", [{"drop": 0.3}, {"is_sure": False}])
def test_a_partial_or_unsure_outage_leaves_it_open(shallow: dict[str, Any]) -> None:
    found, why = kind([out(**shallow)], EVERY_HOUR)
    assert found is Kind.BLOCKED
    assert "left open" in why


def test_a_loss_of_a_few_per_cent_is_not_worth_a_word() -> None:
    assert kind([out(drop=0.03)], EVERY_HOUR) == kind([], EVERY_HOUR)


def test_a_line_on_which_unrelated_sites_get_through_is_not_out() -> None:
    fine = reports(range(1, 100, 7), own=False, failed=False)
    found, why = kind([out()], EVERY_HOUR, fine)
    assert found is Kind.BLOCKED
    assert "unrelated sites got through" in why
    assert kind([out()], EVERY_HOUR, reports(range(1, 100, 7), own=False))[0] is Kind.SHUT_DOWN
    later = reports(range(300, 400, 7), own=False, failed=False)
    assert kind([out()], EVERY_HOUR, later)[0] is Kind.SHUT_DOWN, "that a line worked afterwards says nothing"


def test_an_outage_without_an_end_counts_for_a_week_only() -> None:
    assert kind([out(0, None, drop=None)], reports(range(1, 7 * 24)))[0] is Kind.SHUT_DOWN
    assert kind([out(-30 * 24, None, drop=None)], EVERY_HOUR) == kind([], EVERY_HOUR)


def test_a_service_that_is_down_in_other_countries_stays_so() -> None:
    elsewhere = [near(1, 9, place=place, network="AS1") for place in ("DE", "FR", "BR")]
    found = decided(blocked(), elsewhere, Around([out()], EVERY_HOUR))
    assert found.kind is Kind.SERVICE_DOWN
    assert any("the line was out" in why for why in found.because), "one cause never hides another"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-50, 200), st.integers(1, 200), st.sampled_from(["", OWN]), st.booleans()), max_size=6
    ),
    st.lists(st.integers(0, 230), min_size=1, max_size=40),
    st.randoms(),
)
def test_no_order_makes_a_difference_and_no_outage_means_no_change(
    spans: list[tuple[int, int, str, bool]], hours: list[int], chance: random.Random
) -> None:
    told = [
        out(since, since + long, network=network, **(PINGS if pings else {})) for since, long, network, pings in spans
    ]
    failed = reports(hours)
    once = kind(told, failed)
    chance.shuffle(told)
    chance.shuffle(failed)
    assert kind(told, failed) == once
    if not told:
        assert once[0] is Kind.BLOCKED
    found = decided(blocked(), [], Around(told, failed))
    assert all(spell.onset.earliest <= spell.onset.latest <= spell.last_seen for spell in found.spells)
    assert found.end is None or found.end.earliest <= found.end.latest
    assert found.networks == tuple(sorted({spell.network for spell in found.spells}))
    far = [one for one in failed if all(one.last < line.since - DAY or one.first > line.end + DAY for line in told)]
    if len(far) > max(3, 0.5 * len(failed)):
        assert once[0] is Kind.BLOCKED, "failures clearly outside of outages stay a block"


def speeds(*runs: tuple[int, int, float], network: str = OWN, tests: float = 50) -> list[Speed]:
    days = [(number, rate) for first, last, rate in runs for number in range(first, last)]
    return [Speed((START + number * DAY).date(), network, rate, tests) for number, rate in days]


def test_a_line_that_became_slow_as_a_whole_is_told_and_accuses_nobody() -> None:
    found = decided(blocked(), [], Around(speeds=speeds((0, 20, 10.0), (20, 30, 2.0))))
    (why,) = (one for one in found.because if "speed tests" in one)
    assert f"{OWN} ran at 2 Mbit/s" in why
    assert "at 10 in the four weeks before" in why
    assert found.kind is Kind.BLOCKED
    for other in (
        speeds((0, 20, 10.0), (20, 30, 6.0)),
        speeds((0, 20, 10.0), (20, 30, 2.0), tests=3),
        speeds((0, 20, 10.0), (20, 30, 2.0), network="AS1"),
        speeds((16, 20, 10.0), (20, 30, 2.0)),
    ):
        assert not any("speed tests" in one for one in decided(blocked(), [], Around(speeds=other)).because)


def test_a_collapse_is_confirmed_by_outages_that_cover_a_good_part_of_it() -> None:
    gone = Collapse("PK", OWN, BEGIN, BEGIN + 4 * DAY, 12.0, 0, 1e-6, simulated=False)
    radar: dict[str, Any] = {"source": "radar", "signal": "annotation", "drop": None}
    assert confirmed(gone, [out(), out(**COUNTRY, **radar)]).confirmed_by == ("ioda", "radar")
    for other in (out(0, 3), out(network="AS1"), out(drop=0.2), out(is_sure=False)):
        assert confirmed(gone, [other]).confirmed_by == ()
    lasting = msgspec.structs.replace(gone, until=None)
    assert confirmed(lasting, [out(0, 12)]).confirmed_by == ("ioda",)
    assert confirmed(lasting, [out(0, 3)]).confirmed_by == ()


@pytest.fixture(scope="module")
def uganda(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """Real results of X in Uganda, January 2026: first the country was shut down, then X was blocked."""
    folder = tmp_path_factory.mktemp("lines")
    ingest(Store(folder / "store", create=True), [data / "ooni" / "series" / "ug-x-2026.analysis.jsonl"], None, NOW)
    return folder / "store"


def told(store: Path, into: Path, judge: Judge, *answers: bytes, received: datetime | None = None) -> Events:
    """The events of a copy of the store with these answers of archives in it."""
    shutil.copytree(store, into / "store")
    for number, answer in enumerate(answers):
        (into / f"{number}.json").write_bytes(answer)
    opened = Store(into / "store")
    assert ingest(opened, sorted(into.glob("*.json")), None, NOW).rejected == 0
    return events(opened, judge, Filter(received=received))


SHUTDOWN = lines.event("asn/20294", "2026-01-13T16:00", "2026-01-17T20:00")


def test_ugandas_block_after_the_shutdown_stays_a_block(uganda: Path, tmp_path: Path, judge: Judge) -> None:
    answers = lines.ioda(SHUTDOWN), lines.radar(annotations=[lines.annotation()])
    seen = told(uganda, tmp_path, judge, *answers)
    (incident,) = seen.incidents
    assert incident.kind is Kind.BLOCKED
    (collapse,) = seen.collapses
    assert collapse.confirmed_by == ("ioda", "radar")
    (row,) = json_lines("collapses", "--store", tmp_path / "store")
    assert row["confirmed_by"] == ["ioda", "radar"]
    assert "ioda, radar" in kholo("collapses", "--store", tmp_path / "store").stdout.decode()


def test_had_the_shutdown_lasted_nothing_would_be_called_a_block(uganda: Path, tmp_path: Path, judge: Judge) -> None:
    lasting = lines.event("asn/20294", "2026-01-13T16:00", "2026-02-11T00:00")
    (incident,) = told(uganda, tmp_path, judge, lines.ioda(lasting)).incidents
    assert (incident.kind, incident.state) == (Kind.SHUT_DOWN, State.DOWN)
    assert "ioda bgp, AS20294, 2026-01-13 16:00 to 2026-02-11 00:00, 90% lost" in " ".join(incident.because)


def test_a_low_score_over_a_long_time_is_no_outage(uganda: Path, tmp_path: Path, judge: Judge) -> None:
    """IODA's scores grow with time: four weeks of 3 % lost score as much as a day of everything."""
    slight = lines.event("asn/20294", "2026-01-13T16:00", "2026-02-11T00:00", share=3)
    (incident,) = told(uganda, tmp_path, judge, lines.ioda(slight)).incidents
    assert incident.kind is Kind.BLOCKED


def test_as_of_a_day_an_outage_had_not_ended_yet(uganda: Path, tmp_path: Path, judge: Judge) -> None:
    nationwide = lines.annotation("NETWORK", startDate="2026-01-17T22:00:00Z", endDate="2026-02-11T00:00:00Z")
    day = datetime(2026, 1, 22, tzinfo=UTC)
    (incident,) = told(uganda, tmp_path, judge, lines.radar(annotations=[nationwide]), received=day).incidents
    assert incident.kind is Kind.SHUT_DOWN
    assert "no end told" in " ".join(incident.because)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_correction_stands_in_whatever_order_it_came(reverse: bool, tmp_path: Path) -> None:
    first = lines.radar(annotations=[lines.annotation(endDate=None)])
    cut = lines.radar(annotations=[lines.annotation(endDate="2026-01-15T00:00:00Z")])
    last = lines.radar(annotations=[lines.annotation()])
    levels = [lines.ioda(lines.series([value])) for value in (5, 7)]
    store = Store(tmp_path / "store", create=True)
    for number, answer in enumerate([first, cut, last, *levels][:: -1 if reverse else 1]):
        (tmp_path / f"{number}.json").write_bytes(answer)
        ingest(store, [tmp_path / f"{number}.json"], None, NOW)
    with store.connect() as db:
        assert db.execute("SELECT count(*) FROM signals").fetchone() == (5,)
        outage, level = select(db, SignalFilter())
        assert outage["until"] == datetime(2026, 1, 17, 20, tzinfo=UTC)
        largest = max(
            db.execute("SELECT digest, value FROM signals WHERE kind = 'level'").fetchall(), key=lambda row: row[0]
        )
        assert level["value"] == largest[1]


def test_signals_are_listed_by_place_network_source_time_and_kind(uganda: Path, tmp_path: Path, judge: Judge) -> None:
    told(
        uganda, tmp_path, judge, lines.ioda(lines.series([4, 3]), SHUTDOWN, lines.event("asn/1", "2026-01-13T16:00",
        "2026-01-17T20:00")), lines.mlab([("2026-01-13", 9.5)], country_code="KE"),
    )  # fmt: skip
    store = tmp_path / "store"
    listed = [
        (["--kind", "outage"], 2), (["--place", "ug"], 3), (["--network", "as20294"], 1), (["--source", "mlab"], 4),
        (["--since", "2026-01-17"], 2), (["--until", "2026-01-13"], 0), (["--place", "UG", "--kind", "level"], 2),
    ]  # fmt: skip
    for options, count in listed:
        assert len(json_lines("signals", "--store", store, *options)) == count, options
    (row,) = json_lines("signals", "--store", store, "--network", "AS20294")
    assert (row["kind"], row["unit"], row["until"]) == (SignalKind.OUTAGE, LOST, "2026-01-17T20:00:00Z")
    assert set(Signal.__struct_fields__) <= set(row)
    table = kholo("signals", "--store", store, "--place", "UG").stdout.decode()
    assert "AS20294" in table
    assert "AS1 " not in table
    assert "kholo fetch" in kholo("signals", "--store", store, "--place", "FR").stdout.decode()
    assert kholo("signals", "--store", store, "--out", tmp_path / "signals.csv").returncode == 0
    assert (tmp_path / "signals.csv").read_text().count("\n") == 9
