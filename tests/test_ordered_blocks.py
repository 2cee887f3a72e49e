"""Orders to block are set against the evidence as orders to restore are; reasons count from the day they were given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from kholo.model import (
    Actor,
    Bracket,
    Case,
    Clock,
    ClockKind,
    DayState,
    Entry,
    EntryKind,
    Grade,
    Incident,
    NetworkSpell,
    Obligation,
    Proposition,
    Source,
    State,
)
from kholo.record import clocks

START = datetime(2024, 9, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=90)
SOURCE = (Source("https://example.org/", "Example", date(2024, 12, 1)),)
ACTORS = (Actor("body", "Body", "measurement-body"), Actor("press", "Press", "press"), Actor("court", "C", "court"))


def at(number: float) -> datetime:
    return START + timedelta(days=number)


def order(state: State, due: int, until: int | None = None) -> Entry:
    duty = Obligation("x", "BR", state, at(due), at(until) if until is not None else None)
    day = at(due).date() - timedelta(days=1)
    return Entry("order", EntryKind.ORDER, day, day, "court", "o", "o", SOURCE, obligation=duty)


def found(name: str, actor: str, state: State, begin: int, end: int) -> Entry:
    claim = Proposition("x", "BR", state, at(begin), at(end))
    day = at(begin).date()
    return Entry(name, EntryKind.FINDING, day, day, actor, name, name, SOURCE, proposition=claim)


def reason(day: int) -> Entry:
    when = at(day).date()
    return Entry("reason", EntryKind.JUSTIFICATION, when, when, "court", "r", "r", SOURCE, gives_reason=True)


def case(*entries: Entry) -> Case:
    ordered = tuple(sorted(entries, key=lambda item: (item.earliest, item.id)))
    return Case("c", "C", "x", "BR", "c", START.date(), None, False, ACTORS, ordered, "")


def block(network: str, begin: float, end: float | None, earliest: float | None = None) -> Incident:
    onset = Bracket(at(begin if earliest is None else earliest), at(begin))
    over = Bracket(at(end), at(end)) if end is not None else None
    last = at(end) if end is not None else at(60)
    spells = (NetworkSpell(network, State.BLOCKED, onset, over, last, 9, 9),)
    return Incident(
        f"x-BR-{network}", "x", "BR", (network,), State.BLOCKED, ("tls.reset",), onset, over, last, 9, 9, Grade.B,
        spells, False,
    )  # fmt: skip


def working(network: str, *days: int) -> list[DayState]:
    return [DayState("x", "BR", network, at(day).date(), State.OK, 9, 0, 0, 0, 0, 4, False) for day in days]


def of(kind: ClockKind, rows: tuple[Clock, ...], network: str | None = None) -> Clock:
    (row,) = [item for item in rows if item.clock is kind and item.network == network]
    return row


def test_an_order_to_block_is_met_by_a_block() -> None:
    seen = [block("AS1", -2, 30)]
    one = of(ClockKind.COMPLIANCE, clocks(case(order(State.BLOCKED, 0, 30)), seen, [], AS_OF))
    assert (one.days, one.stopped, one.grade) == (0, at(0), Grade.B)


def test_it_is_not_met_while_the_service_works() -> None:
    rows = clocks(case(order(State.BLOCKED, 0)), [block("AS1", 3, None)], working("AS1", 0, 1), AS_OF)
    assert of(ClockKind.COMPLIANCE, rows, "AS1").days == 3


def test_what_nobody_saw_is_not_counted_against_anybody() -> None:
    """Between the last result that worked and the first that was blocked, nothing says that the order was not met."""
    rows = clocks(case(order(State.BLOCKED, 0)), [block("AS1", 5, None, earliest=-1)], [], AS_OF)
    assert of(ClockKind.COMPLIANCE, rows).days == 0
    assert "Nothing shows that it was met later" in of(ClockKind.COMPLIANCE, rows, "AS1").because


def test_an_end_before_the_order_lapsed_is_told() -> None:
    rows = clocks(case(order(State.BLOCKED, 0, 30)), [block("AS1", -1, 20)], [], AS_OF)
    assert "while the order still held" in of(ClockKind.COMPLIANCE, rows, "AS1").because


def test_published_findings_tell_of_it_too() -> None:
    made = case(
        order(State.BLOCKED, 0), found("f1", "body", State.BLOCKED, -1, 40), found("f2", "press", State.OK, 9, 10)
    )
    one = of(ClockKind.COMPLIANCE, clocks(made, [], [], AS_OF))
    assert (one.days, one.grade, one.evidence) == (0, Grade.C, ("f1",))
    assert "f2" in one.because
    nothing = case(order(State.BLOCKED, 0), found("f1", "body", State.BLOCKED, 5, 40))
    assert not [row for row in clocks(nothing, [], [], AS_OF) if row.clock is ClockKind.COMPLIANCE]


def test_an_order_to_restore_is_met_by_a_finding_of_access() -> None:
    made = case(order(State.OK, 10), found("f1", "body", State.OK, 9, 11))
    one = of(ClockKind.COMPLIANCE, clocks(made, [], [], AS_OF))
    assert (one.days, one.evidence) == (0, ("f1",))


@pytest.mark.parametrize(("day", "days"), [(-9, 0), (0, 0), (4, 4)])
def test_a_reason_given_before_or_on_the_day_leaves_no_silence(day: int, days: int) -> None:
    made = case(found("f1", "body", State.BLOCKED, 0, 40), reason(day))
    one = of(ClockKind.SILENCE, clocks(made, [], [], AS_OF))
    assert (one.days, one.stopped is not None) == (days, True)


def test_a_reason_that_comes_after_the_moment_asked_about_is_not_known_yet() -> None:
    made = case(found("f1", "body", State.BLOCKED, 0, 40), reason(20))
    assert of(ClockKind.SILENCE, clocks(made, [], [], at(10))).stopped is None
    assert of(ClockKind.SILENCE, clocks(made, [], [], at(30))).days == 20
