"""Incidents: found when they are there, dated honestly, and never made of one report, of nothing, or of quiet."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.detect import Result, cells, days, incident_json, incidents, meant
from kholo.judge import Judge
from kholo.model import Grade, Incident, State
from kholo.pipeline.events import events
from kholo.pipeline.ingest import ingest
from kholo.pipeline.verdicts import Filter
from kholo.store import Store

from .conftest import NOW

START = datetime(2024, 2, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def result(at: datetime, state: State, report: str, network: str = "AS64496", **more: object) -> Result:
    mechanism = {State.BLOCKED: "tls.reset", State.THROTTLED: "throttle.rate"}.get(state)
    grade = more.get("grade", Grade.A)
    assert isinstance(grade, Grade)
    return Result(
        "x", "PK", network, at, state, mechanism, report, grade, bool(more.get("simulated")), f"{report}-{at}"
    )


def series(
    spans: list[tuple[float, float, State]], per_day: int = 12, network: str = "AS64496", seed: int = 1
) -> list[Result]:
    """Independent reports at random moments; 2 % of them fail, or don't, against the truth."""
    draw = random.Random(f"{seed} {network}")
    made = []
    for begin, end, state in spans:
        for number in range(int((end - begin) * per_day)):
            at = START + DAY * draw.uniform(begin, end)
            seen = state if draw.random() > 0.02 else State.OK if state is not State.OK else State.BLOCKED
            made.append(result(at, seen, f"{network}-{begin}-{number}", network))
    return made


def found(results: list[Result]) -> list[Incident]:
    return incidents(cells(results))


def test_a_block_is_found_and_its_brackets_hold_the_truth() -> None:
    spans = [(0.0, 20.0, State.OK), (20.0, 30.0, State.BLOCKED), (30.0, 50.0, State.OK)]
    held = 0
    for seed in range(40):
        (incident,) = found(series(spans, seed=seed))
        assert incident.end is not None
        held += incident.onset.earliest <= START + 20 * DAY <= incident.onset.latest
        held += incident.end.earliest <= START + 30 * DAY <= incident.end.latest
        assert incident.onset.latest - incident.onset.earliest < 3 * DAY
    assert held >= 72, "95 % brackets should hold the truth in about 76 of 80 cases"


def test_quiet_series_have_no_incident() -> None:
    for seed in range(40):
        assert found(series([(0.0, 60.0, State.OK)], seed=seed)) == []


def test_an_open_block_has_no_end_and_says_how_far_it_was_seen() -> None:
    results = series([(0.0, 20.0, State.OK), (20.0, 25.0, State.BLOCKED)])
    (incident,) = found(results)
    assert incident.end is None
    assert incident.last_seen == max(item.measured_at for item in results if item.state is State.BLOCKED)


def test_a_block_that_was_there_before_measuring_says_so() -> None:
    (incident,) = found(series([(0.0, 5.0, State.BLOCKED), (5.0, 15.0, State.OK)]))
    assert not incident.onset_measured


def test_a_gap_widens_the_bracket_and_is_never_ok() -> None:
    results = series([(0.0, 10.0, State.OK), (16.0, 25.0, State.BLOCKED)])
    (incident,) = found(results)
    assert incident.onset.earliest <= START + 11 * DAY
    assert incident.onset.latest - incident.onset.earliest > 0.9 * 5 * DAY
    by_day = {day.day: day.state for day in days(cells(results), [incident])}
    for number in range(11, 15):
        assert by_day[(START + number * DAY).date()] is State.INSUFFICIENT


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_reports_however_busy_open_nothing(count: int) -> None:
    quiet = series([(0.0, 20.0, State.OK)], per_day=6)
    busy = [
        result(START + 8 * DAY + number * timedelta(minutes=2), State.BLOCKED, f"busy-{number % count}")
        for number in range(5_000)
    ]
    assert found(quiet + busy) == []
    assert found(busy) == []


def test_one_report_however_busy_closes_nothing() -> None:
    block = series([(0.0, 10.0, State.OK), (10.0, 20.0, State.BLOCKED)])
    busy = [result(START + 15 * DAY + number * timedelta(minutes=1), State.OK, "busy") for number in range(3_000)]
    (before,), (after,) = found(block), found(block + busy)
    assert after.end is None
    assert len(after.spells) == 1
    assert after.onset == before.onset


def test_unnamed_reports_of_one_hour_count_as_one() -> None:
    burst = [result(START + 5 * DAY + timedelta(seconds=number), State.BLOCKED, "") for number in range(500)]
    (cell,) = cells(burst)
    assert len(cell.votes) == 1
    assert found(series([(0.0, 10.0, State.OK)]) + burst) == []


def test_networks_that_coincide_are_one_incident_and_a_restoration_stays_inside() -> None:
    results = series([(0.0, 10.0, State.OK), (10.0, 20.0, State.BLOCKED), (20.0, 30.0, State.OK)], network="AS1")
    results += series(
        [(0.0, 11.0, State.OK), (11.0, 14.0, State.BLOCKED), (14.0, 16.0, State.OK), (16.0, 20.0, State.BLOCKED),
         (20.0, 30.0, State.OK)], network="AS2", per_day=24,
    )  # fmt: skip
    results += series([(0.0, 30.0, State.OK)], network="AS3")
    (incident,) = found(results)
    assert incident.networks == ("AS1", "AS2")
    assert [spell.network for spell in incident.spells] == ["AS1", "AS2", "AS2"]


def test_blocking_that_turns_to_throttling_is_two_incidents() -> None:
    (blocked, throttled) = found(
        series([(0, 10, State.OK), (10, 20, State.BLOCKED), (20, 30, State.THROTTLED), (30, 40, State.OK)], per_day=24)
    )
    assert (blocked.state, throttled.state) == (State.BLOCKED, State.THROTTLED)
    assert blocked.end is not None
    assert blocked.end.earliest <= START + 20 * DAY <= blocked.end.latest + timedelta(hours=6)


def test_simulated_and_real_rows_never_meet() -> None:
    real = series([(0.0, 20.0, State.OK)])
    fake = [result(START + 10 * DAY + n * HOUR, State.BLOCKED, f"fake-{n}", simulated=True) for n in range(50)]
    (incident,) = found(real + fake)
    assert incident.simulated
    assert incident_json(incident)["simulated"] is True
    assert {day.simulated for day in days(cells(real + fake), [incident])} == {True, False}


def test_an_archives_results_give_grade_b() -> None:
    raw = series([(0.0, 10.0, State.OK), (10.0, 20.0, State.BLOCKED)])
    (incident,) = found(raw)
    assert incident.grade is Grade.A
    mixed = [*raw, result(START + 12 * DAY, State.BLOCKED, "archive", grade=Grade.B)]
    (incident,) = found(mixed)
    assert incident.grade is Grade.B


states = st.sampled_from([State.OK, State.BLOCKED, State.THROTTLED, State.DOWN, State.INSUFFICIENT])
reports = st.integers(0, 30).map(lambda number: f"r{number}" if number else "")
moments = st.integers(0, 60 * 24 * 40).map(lambda minutes: START + timedelta(minutes=minutes))
results_of_chance = st.lists(
    st.builds(result, moments, states, reports, st.sampled_from(["AS1", "AS2", "AS0"])), max_size=120
)


@settings(deadline=None)
@given(results_of_chance, st.randoms())
def test_order_makes_no_difference_and_brackets_are_in_order(results: list[Result], chance: random.Random) -> None:
    shuffled = results.copy()
    chance.shuffle(shuffled)
    once = cells(results)
    assert once == cells(shuffled)
    events_found = incidents(once)
    assert incidents(reversed(once)) == events_found
    assert all(cell.ok + cell.blocked + cell.throttled + cell.down + cell.insufficient for cell in once)
    for incident in events_found:
        assert incident.onset.earliest <= incident.onset.latest <= incident.last_seen
        if incident.end:
            assert incident.end.earliest <= incident.end.latest
            assert incident.onset.latest <= incident.end.latest
        assert incident.reports >= 3
        assert "AS0" not in incident.networks
    for day in days(once, events_found):
        if day.state is State.OK:
            assert day.ok
        if day.state in (State.BLOCKED, State.THROTTLED):
            assert day.blocked + day.throttled


@settings(deadline=None)
@given(results_of_chance)
def test_ids_stand_once(results: list[Result]) -> None:
    ids = [incident.incident_id for incident in found(results)]
    assert len(ids) == len(set(ids))


def test_an_id_stays_when_more_data_comes_in() -> None:
    """Whatever part of the data is there, in whatever order: it follows from the data alone, and rarely moves."""
    spans = [(0.0, 14.8, State.OK), (14.8, 25.0, State.BLOCKED), (25.0, 50.0, State.OK)]
    days, ids = set(), set()
    for seed in range(6):
        results, chance = series(spans, per_day=6, seed=seed), random.Random(seed)
        for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
            chance.shuffle(results)
            (incident,) = found(results[: int(len(results) * share)])
            days.add(incident.onset.latest.date())
            ids.add(incident.incident_id)
    assert ids == {"x-PK-blocked-202402"}
    assert len(days) > 1, "the beginning itself should move, or the id is not put to the test"


def test_two_incidents_of_one_month_have_two_ids_and_the_first_keeps_the_months() -> None:
    spans = [(0.0, 4.0, State.OK), (4.0, 8.0, State.BLOCKED), (8.0, 20.0, State.OK), (20.0, 25.0, State.BLOCKED)]
    ids = [incident.incident_id for incident in found(series([*spans, (25.0, 40.0, State.OK)], per_day=24))]
    assert ids == ["x-PK-blocked-202402", "x-PK-blocked-20240221"]
    first = found(
        [one for one in series([*spans, (25.0, 40.0, State.OK)], per_day=24) if one.measured_at < START + 20 * DAY]
    )
    assert [incident.incident_id for incident in first] == ids[:1]


def test_an_old_id_is_understood_while_its_time_lies_inside_the_incident() -> None:
    spans = [(0.0, 20.0, State.OK), (20.0, 40.0, State.BLOCKED), (40.0, 60.0, State.OK)]
    known = found(series(spans))
    (incident,) = known
    old = ["x-PK-blocked-202402", "x-PK-blocked-202403", "x-PK-blocked-20240228", "x-PK-blocked-20240305-AS64496"]
    for name in (*old, "x-PK-down-202402"):
        assert meant(known, name) == [incident]
    apart = ["x-PK-blocked-202401", "x-PK-blocked-20240210", "x-IR-blocked-202402", "x-PK-blocked-20240305-AS1"]
    for name in (*apart, "x", "", "x-PK-blocked-2024"):
        assert meant(known, name) == []


def test_an_id_that_might_be_either_of_two_names_both() -> None:
    spans = [(0.0, 4.0, State.OK), (4.0, 8.0, State.BLOCKED), (8.0, 20.0, State.OK), (20.0, 25.0, State.BLOCKED)]
    known = found(series([*spans, (25.0, 40.0, State.OK)], per_day=24))
    assert meant(known, "x-PK-throttled-202402") == known
    assert meant(known, "x-PK-throttled-20240206") == known[:1]


@pytest.fixture(scope="module")
def uganda(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Store:
    """OONI's own results for X on MTN Uganda around the election of January 2026, through the whole line."""
    store = Store(tmp_path_factory.mktemp("uganda") / "store", create=True)
    summary = ingest(store, [data / "ooni" / "series" / "ug-x-2026.analysis.jsonl"], None, NOW)
    assert (summary.new, summary.rejected) == (470, 0)
    return store


def test_uganda_2026_is_one_incident_with_the_onset_and_the_end_that_happened(uganda: Store, judge: Judge) -> None:
    (incident,) = events(uganda, judge, Filter()).incidents
    assert (incident.service, incident.place, incident.networks) == ("x", "UG", ("AS20294",))
    assert (incident.state, incident.grade) == (State.BLOCKED, Grade.B)
    assert incident.end is not None
    onset = (datetime(2026, 1, 17, 22, 10, tzinfo=UTC), datetime(2026, 1, 18, 5, 46, 59, tzinfo=UTC))
    end = (datetime(2026, 1, 23, 1, 22, tzinfo=UTC), datetime(2026, 1, 24, 13, 49, 59, tzinfo=UTC))
    assert incident.onset.earliest <= onset[1]
    assert incident.onset.latest >= onset[0]
    assert incident.end.earliest <= end[1]
    assert incident.end.latest >= end[0]


def test_ugandas_days_without_measurements_are_not_enough_data(uganda: Store, judge: Judge) -> None:
    by_day = {day.day: day for day in events(uganda, judge, Filter()).days}
    for number in (14, 15, 16):
        assert by_day[date(2026, 1, number)].state is State.INSUFFICIENT
        assert by_day[date(2026, 1, number)].reports == 0
    assert by_day[date(2026, 1, 12)].state is State.OK
    assert by_day[date(2026, 1, 20)].state is State.BLOCKED
