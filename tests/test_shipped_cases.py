"""The shipped cases: right, sourced, and assessed without a claim too many."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kholo.model import Answered, ClockKind, EntryKind, EventKind, Grade, Outcome, State
from kholo.pipeline.cases import Assessed, assessed
from kholo.pipeline.ingest import ingest
from kholo.pipeline.sets import judge_for
from kholo.publish.language import ENGLISH
from kholo.publish.obeyed import obeyed
from kholo.record import load_case
from kholo.reference import load_reference
from kholo.store import Store

CASES = Path(__file__).parents[1] / "cases"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
OTHERS = ("x-brazil-2024", "x-uganda-2026", "wikipedia-turkiye-2017")


def set_against(name: str, store: Store | None = None) -> Assessed:
    return assessed(CASES / name, store, judge_for(store), NOW)


@pytest.mark.parametrize("name", OTHERS)
def test_each_entry_names_where_it_was_read(name: str) -> None:
    case = load_case(CASES / name, load_reference().services.ids)
    assert 12 <= len(case.entries) <= 25
    assert all(source.address for entry in case.entries for source in entry.sources)
    assert {EntryKind.ORDER, EntryKind.FINDING, EntryKind.CIVIL_SOCIETY, EntryKind.STATEMENT} <= {
        entry.kind for entry in case.entries
    }
    assert len(case.limits) >= 5


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_is_called_wrong_by_findings_alone(name: str) -> None:
    found = set_against(name)
    assert [item.entry_id for item in found.assessments if item.outcome is Outcome.CONTRADICTED] == []
    assert all(item.grade is None or item.grade >= Grade.C for item in found.assessments)


def test_a_court_that_ordered_the_block_is_asked_the_same() -> None:
    """Brazil: an order to block, obeyed when due, with its reasons on the same day; then one to restore."""
    found = set_against("x-brazil-2024")
    orders = {clock.entry_id: clock for clock in found.clocks if clock.clock is ClockKind.COMPLIANCE}
    assert {name: (clock.days, clock.grade) for name, clock in orders.items()} == {
        "b04": (0, Grade.C),
        "b23": (0, Grade.C),
    }
    assert "b15" in orders["b04"].because
    assert obeyed([orders["b04"]], ENGLISH).text.startswith("Obeyed when it fell due")
    assert obeyed([orders["b23"]], ENGLISH).text == "Met less than a day late, as far as the evidence goes."
    (silence,) = [clock for clock in found.clocks if clock.clock is ClockKind.SILENCE]
    assert (silence.days, silence.evidence) == (0, ("b08", "b04"))


def test_a_block_and_its_end_in_turkiye() -> None:
    found = set_against("wikipedia-turkiye-2017")
    orders = {clock.entry_id: clock.evidence for clock in found.clocks if clock.clock is ClockKind.COMPLIANCE}
    assert orders == {"t05": ("t20",), "t17": ("t18",)}


@pytest.fixture(scope="module")
def uganda(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Assessed:
    """The case with the real series of one network in the store."""
    store = Store(tmp_path_factory.mktemp("uganda") / "store", create=True)
    ingest(store, [data / "ooni" / "series" / "ug-x-2026.analysis.jsonl"], None, NOW)
    return set_against("x-uganda-2026", store)


def test_uganda_by_an_archives_results(uganda: Assessed) -> None:
    """All by measurements; OONI's finding names three networks, of which one was measured here."""
    assert {item.entry_id: (item.outcome, item.grade) for item in uganda.assessments} == {
        **dict.fromkeys(("u14", "u16", "u19", "u20"), (Outcome.SUPPORTED, Grade.B)),
        "u17": (Outcome.UNDETERMINED, Grade.B),
    }
    (partly,) = [item for item in uganda.assessments if item.entry_id == "u17"]
    assert partly.evidence == ("x-UG-blocked-202601",)
    (incident,) = uganda.events.incidents
    assert (incident.state, incident.networks) == (State.BLOCKED, ("AS20294",))


def test_the_shutdown_of_uganda_is_a_collapse_of_volume(uganda: Assessed) -> None:
    """Nobody could measure from 13 to 17 January: that is told as what it is, and never as a block of X."""
    (collapse,) = uganda.events.collapses
    assert (collapse.since.date().isoformat(), collapse.until and collapse.until.date().isoformat()) == (
        "2026-01-13", "2026-01-17",
    )  # fmt: skip
    silent = [day.state for day in uganda.events.days if 14 <= day.day.day <= 16 and day.day.month == 1]
    assert silent == [State.INSUFFICIENT] * 3


def test_a_directive_to_block_is_not_held_against_operators_for_days_without_data(uganda: Assessed) -> None:
    (clock,) = [item for item in uganda.clocks if item.clock is ClockKind.COMPLIANCE and item.network == "AS20294"]
    assert (clock.entry_id, clock.days) == ("u05", 0)
    assert "Nothing shows that it was met later" in clock.because
    assert "while the order still held" in clock.because


def test_events_say_what_sort_they_are() -> None:
    kinds = {
        entry.event
        for name in OTHERS
        for entry in load_case(CASES / name, load_reference().services.ids).entries
        if entry.kind is EntryKind.EVENT
    }
    assert EventKind.ELECTION in kinds
    assert None not in kinds


def test_a_court_that_ordered_the_block_is_asked_for_its_law_and_aim() -> None:
    """The three-part test takes a court's own words where the restriction is the court's."""
    found = {item.question: item for item in set_against("x-brazil-2024").checklist}
    claimed = [item for item in found.values() if item.answer is Answered.CLAIMED]
    assert [item.entries for item in claimed] == [("b04",), ("b04",)]
    assert "Marco Civil da Internet" in claimed[0].says
