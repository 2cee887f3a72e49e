"""Around incidents: what sort of event, by the clock or not, where else, and what is missing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.detect import Hour, Nearby, cells, collapses, decided, in_words, incidents, wanted
from kholo.judge import Judge
from kholo.model import HoursOfDay, Incident, Kind, State
from kholo.pipeline.events import Events, events
from kholo.pipeline.ingest import ingest
from kholo.pipeline.verdicts import Filter
from kholo.store import Store

from .conftest import NOW
from .test_detect import DAY, HOUR, START, result, series


@pytest.fixture(scope="module")
def kenya(tmp_path_factory: pytest.TempPathFactory, data: Path, judge: Judge) -> Events:
    """OONI's observation rows of Telegram in Kenya, October to November 2023, through the whole line."""
    store = Store(tmp_path_factory.mktemp("kenya") / "store", create=True)
    summary = ingest(store, [data / "ooni" / "series" / "ke-telegram-2023"], None, NOW)
    assert (summary.new, summary.rejected) == (3_572, 0)
    return events(store, judge, Filter())


def test_telegram_in_kenya_is_one_incident_on_the_networks_where_it_was(kenya: Events) -> None:
    (incident,) = kenya.incidents
    assert (incident.service, incident.place, incident.kind) == ("telegram", "KE", Kind.BLOCKED)
    assert incident.networks == ("AS12455", "AS33771", "AS36926", "AS37061")
    assert incident.end is not None
    # The last examinations were on 24 November, a Friday; it worked again on the Monday.
    assert incident.end.earliest >= datetime(2023, 11, 24, 5, tzinfo=UTC)
    assert incident.end.latest <= datetime(2023, 11, 27, 12, tzinfo=UTC)


def test_kenyas_first_hour_is_the_one_known_from_elsewhere(kenya: Events) -> None:
    (incident,) = kenya.incidents
    (spell,) = (spell for spell in incident.spells if spell.network == "AS12455")
    assert spell.onset.earliest <= datetime(2023, 11, 8, 8, 35, tzinfo=UTC) <= spell.onset.latest
    assert spell.onset.latest - spell.onset.earliest < timedelta(hours=3)
    assert spell.is_dark
    assert any("AS12455 nothing of the service answered" in reason for reason in incident.because)


def test_kenyas_examination_hours_are_said_in_words(kenya: Events) -> None:
    (incident,) = kenya.incidents
    assert incident.hours is not None
    assert in_words(incident.hours) == "on Mondays to Fridays from 04:00 to 08:00 and from 10:00 to 14:00 UTC"
    assert incident.hours.failed_on > 0.75 * incident.hours.reports_on
    assert incident.hours.failed_off < 0.05 * incident.hours.reports_off
    assert "AS12455" not in incident.hours.networks, "there it was blocked at all hours"


@pytest.fixture(scope="module")
def uganda_store(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Store:
    store = Store(tmp_path_factory.mktemp("uganda") / "store", create=True)
    ingest(store, [data / "ooni" / "series" / "ug-x-2026.analysis.jsonl"], None, NOW)
    return store


def test_ugandas_shutdown_before_the_block_is_a_collapse_of_volume(uganda_store: Store, judge: Judge) -> None:
    (collapse,) = events(uganda_store, judge, Filter()).collapses
    assert (collapse.network, collapse.seen) == ("AS20294", 0)
    assert collapse.since <= datetime(2026, 1, 14, tzinfo=UTC)
    assert collapse.until == datetime(2026, 1, 17, 22, tzinfo=UTC)


def test_ugandas_dates_would_gain_most_from_the_days_of_the_shutdown(uganda_store: Store, judge: Judge) -> None:
    first, *_ = events(uganda_store, judge, Filter()).wanted
    assert (first.network, first.why) == ("AS20294", "when it began")
    assert first.since < datetime(2026, 1, 15, tzinfo=UTC) < (first.until or first.since)
    assert first.gain_hours > 48


def test_as_of_a_day_only_what_had_come_in_counts(uganda_store: Store, judge: Judge) -> None:
    def known(day: int) -> tuple[Incident, ...]:
        return events(uganda_store, judge, Filter(received=datetime(2026, 1, day, tzinfo=UTC))).incidents

    assert known(18) == ()
    (during,) = known(22)
    assert during.end is None
    assert during.last_seen < datetime(2026, 1, 22, tzinfo=UTC)
    (after,) = known(28)
    assert after.end is not None


def blocked(networks: Sequence[str] = ("AS64496",), place: str = "PK") -> Incident:
    results = [one for network in networks for one in series(
        [(0.0, 20.0, State.OK), (20.0, 30.0, State.BLOCKED), (30.0, 40.0, State.OK)], network=network)]  # fmt: skip
    (incident,) = incidents(cells(results))
    return msgspec.structs.replace(incident, place=place)


def near(ok: int, failed: int, before: int = 0, **more: str) -> Nearby:
    found = {"service": "x", "target": "x.com", "place": "PK", "network": "AS64496", "test_version": "0.5.28", **more}
    return Nearby(**found, is_before=bool(before), ok=ok, failed=failed)


def test_a_service_that_fails_in_unrelated_countries_too_is_down() -> None:
    elsewhere = [near(1, 9, place=place, network="AS1") for place in ("DE", "FR", "BR")]
    before = [near(10, 0, place=place, network="AS1", before=1) for place in ("DE", "FR", "BR")]
    found = decided(blocked(), elsewhere + before)
    assert (found.kind, found.state) == (Kind.SERVICE_DOWN, State.DOWN)
    assert {spell.state for spell in found.spells} == {State.DOWN}
    assert "3 of 3 other countries" in " ".join(found.because)
    assert "-down-" in found.incident_id


def test_countries_that_block_it_anyway_or_are_few_excuse_nothing() -> None:
    always = [near(0, 9, before, place=place, network="AS1") for place in ("CN", "IR", "RU") for before in (1, 0)]
    fine = [near(9, 0, place="DE", network="AS1")]
    assert decided(blocked(), always + fine).kind is Kind.BLOCKED
    few = [near(0, 9, place=place, network="AS1") for place in ("DE", "FR")]
    assert decided(blocked(), few).kind is Kind.BLOCKED


def test_a_network_on_which_unrelated_sites_fail_too_is_down_itself() -> None:
    others = [near(0, 5, service="", target=f"{name}.example") for name in "abcd"]
    found = decided(blocked(), [*others, near(5, 0, service="", target="e.example")])
    assert (found.kind, found.state) == (Kind.SHUT_DOWN, State.DOWN)
    related = [near(0, 5, service=name, target=f"{name}.example") for name in ("facebook", "whatsapp", "instagram")]
    assert decided(blocked(), related).kind is Kind.BLOCKED


@pytest.mark.parametrize("new", [{"test_version": "0.6.0"}, {"target": "new.x.com"}])
def test_what_only_new_measurements_see_is_a_change_of_the_measuring(new: dict[str, str]) -> None:
    old = [near(40, 0, before=1), near(12, 0)]
    found = decided(blocked(), [*old, near(0, 12, 0, **new)])
    assert (found.kind, found.state) == (Kind.MEASURING_CHANGED, State.INSUFFICIENT)
    assert decided(blocked(), [near(40, 0, before=1), near(0, 12), near(0, 12, 0, **new)]).kind is Kind.BLOCKED


def test_a_new_version_that_fails_elsewhere_too_is_a_change_of_the_measuring() -> None:
    rows = [near(40, 0, before=1), near(0, 12, test_version="0.6.0")]
    abroad = [near(0, 9, place="DE", network="AS1", test_version="0.6.0")]
    assert decided(blocked(), rows + abroad).kind is Kind.MEASURING_CHANGED
    assert decided(blocked(), rows).kind is Kind.BLOCKED


def test_a_block_by_the_hour_is_one_incident_also_where_little_was_measured() -> None:
    draw = random.Random(5)
    results = []
    for network, per_day in (("AS1", 24), ("AS2", 24), ("AS3", 4)):
        for number in range(40 * per_day):
            at = START + DAY * draw.uniform(0, 40)
            on = 10 <= (at - START) / DAY < 25 and 6 <= at.hour < 11
            results.append(result(at, State.BLOCKED if on else State.OK, f"{network}-{number}", network))
    (incident,) = incidents(cells(results))
    assert incident.networks == ("AS1", "AS2", "AS3")
    assert incident.hours is not None
    assert incident.hours.hours == (6, 7, 8, 9, 10)
    assert in_words(incident.hours) == "every day from 06:00 to 11:00 UTC"


def test_a_block_at_all_hours_has_no_hours() -> None:
    assert blocked().hours is None


@pytest.mark.parametrize(
    ("hours", "weekdays", "words"),
    [
        ((22, 23, 0, 1), tuple(range(7)), "every day from 22:00 to 02:00 UTC"),
        ((5,), (4,), "on Fridays from 05:00 to 06:00 UTC"),
        ((1, 2, 8), (0, 1, 5, 6), "on Saturdays to Tuesdays from 01:00 to 03:00 and from 08:00 to 09:00 UTC"),
    ],
)
def test_hours_read_as_a_person_says_them(hours: tuple[int, ...], weekdays: tuple[int, ...], words: str) -> None:
    assert in_words(HoursOfDay((), tuple(sorted(hours)), weekdays, 1, 1, 1, 0)) == words


def test_dark_networks_join_an_incident_and_open_none() -> None:
    def dark(network: str) -> list[msgspec.Struct]:
        fine = series([(0.0, 20.0, State.OK), (30.0, 40.0, State.OK)], network=network)
        unclear = [result(START + 20 * DAY + n * 4 * HOUR, State.INSUFFICIENT, f"{network}-dark-{n}", network)
                   for n in range(60)]  # fmt: skip
        return [*fine, *(msgspec.structs.replace(one, rule_id="tcp.unclear") for one in unclear)]

    alone = dark("AS2")
    assert incidents(cells(alone)) == []  # type: ignore[arg-type]
    proven = series([(0.0, 20.0, State.OK), (20.0, 30.0, State.BLOCKED), (30.0, 40.0, State.OK)], network="AS1")
    (incident,) = incidents(cells([*alone, *proven]))  # type: ignore[list-item]
    assert incident.networks == ("AS1", "AS2")
    assert [spell.is_dark for spell in incident.spells] == [False, True]


moments = st.integers(0, 24 * 90).map(lambda hours: START + timedelta(hours=hours))
hours = st.lists(
    st.builds(Hour, st.booleans(), st.just("PK"), st.sampled_from(["AS1", "AS2"]), moments, st.integers(1, 9))
)


@settings(deadline=None)
@given(hours, st.randoms())
def test_collapses_are_the_same_in_any_order_and_in_order(rows: list[Hour], chance: random.Random) -> None:
    unique = list({(row.simulated, row.network, row.hour): row for row in rows}.values())
    found = collapses(unique)
    chance.shuffle(unique)
    assert collapses(unique) == found
    assert all(one.until is None or one.since < one.until for one in found)


def test_a_network_that_falls_silent_is_told_and_a_quiet_one_is_not() -> None:
    steady = [
        Hour(False, "PK", "AS1", START + day * DAY + hour * HOUR, 1) for day in range(60) for hour in (2, 9, 14, 20)
    ]
    gone = [one for one in steady if not 30 <= (one.hour - START) / DAY < 35]
    assert collapses(steady) == []
    (collapse,) = collapses(gone)
    assert collapse.since == START + 29 * DAY + 21 * HOUR
    assert collapse.until == START + 35 * DAY + 2 * HOUR
    rare = [Hour(False, "PK", "AS1", START + day * DAY, 1) for day in range(0, 60, 5)]
    assert collapses(rare) == []


def test_an_incident_that_lasts_wants_to_be_measured_now_and_others_asked() -> None:
    results = series([(0.0, 20.0, State.OK), (20.0, 25.0, State.BLOCKED)])
    results += series([(0.0, 19.0, State.OK)], network="AS2")
    (incident,) = incidents(cells(results))
    missing = wanted(incident, cells(results))
    assert {(one.network, one.why) for one in missing} >= {
        ("AS64496", "whether it lasts"), ("AS2", "whether it was so on this network too")}  # fmt: skip
    assert wanted(incident, list(reversed(cells(results)))) == missing


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.randoms())
def test_batches_in_any_order_give_the_same_incidents(seed: int, chance: random.Random) -> None:
    results = series([(0.0, 15.0, State.OK), (15.0, 20.0, State.BLOCKED), (20.0, 30.0, State.OK)], seed=seed)
    once = incidents(cells(results))
    chance.shuffle(results)
    assert incidents(cells(results)) == once
