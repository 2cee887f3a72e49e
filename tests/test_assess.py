"""Assessment as a whole: fair in both directions, and never more certain for knowing less."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.model import (
    Actor,
    Assessment,
    Bracket,
    Case,
    DayState,
    Entry,
    EntryKind,
    Grade,
    Incident,
    NetworkSpell,
    Outcome,
    Proposition,
    Source,
    State,
)
from kholo.record import assess, clocks

START = datetime(2024, 2, 1, tzinfo=UTC)
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
SOURCE = (Source("https://example.org/", "Example", date(2024, 12, 1)),)


def at(number: int) -> datetime:
    return START + timedelta(days=number)


def entry(name: str, actor: str, kind: EntryKind, state: State, begin: int, end: int) -> Entry:
    claim = Proposition("x", "PK", state, at(begin), at(end))
    day = at(begin).date()
    return Entry(name, kind, day, day, actor, name, name, SOURCE, proposition=claim)


def case(entries: list[Entry]) -> Case:
    actors = (
        Actor("body", "Body", "measurement-body"),
        Actor("press", "Press", "press"),
        Actor("pta", "PTA", "regulator"),
    )
    ordered = tuple(sorted(entries, key=lambda item: (item.earliest, item.id)))
    return Case("c", "C", "x", "PK", "c", START.date(), None, False, actors, ordered, "")


def block(begin: int, end: int, networks: tuple[str, ...] = ("AS1",), grade: Grade = Grade.A) -> Incident:
    onset, over = Bracket(at(begin), at(begin)), Bracket(at(end), at(end))
    spells = tuple(NetworkSpell(network, State.BLOCKED, onset, over, at(end), 9, 9) for network in networks)
    return Incident(
        f"x-PK-{begin}",
        "x",
        "PK",
        networks,
        State.BLOCKED,
        ("tls.reset",),
        onset,
        over,
        at(end),
        9,
        9,
        grade,
        spells,
        False,
    )


def day(number: int, state: State, network: str = "AS1") -> DayState:
    ok, hit = (5, 0) if state is State.OK else (0, 5) if state is State.BLOCKED else (0, 0)
    when = at(number).date()
    return DayState("x", "PK", network, when, state, ok, hit, 0, 0, 0, ok + hit, False, raw=True)


def one(claim: Entry, others: list[Entry], incidents: list[Incident], days: list[DayState]) -> Assessment:
    found = assess(case([claim, *others]), incidents, days, AS_OF)
    return next(item for item in found if item.entry_id == claim.id)


WORKED = entry("w", "pta", EntryKind.STATEMENT, State.OK, 10, 12)
BLOCKED = entry("b", "press", EntryKind.STATEMENT, State.BLOCKED, 10, 12)


def test_measurements_decide_both_ways() -> None:
    fine = [day(10, State.OK), day(11, State.OK)]
    hit = [day(10, State.BLOCKED), day(11, State.BLOCKED)]
    assert one(WORKED, [], [], fine).outcome is Outcome.SUPPORTED
    assert one(BLOCKED, [], [], fine).outcome is Outcome.CONTRADICTED
    assert one(WORKED, [], [block(9, 20)], hit).outcome is Outcome.CONTRADICTED
    assert one(BLOCKED, [], [block(9, 20)], hit).outcome is Outcome.SUPPORTED
    assert one(BLOCKED, [], [block(9, 20, grade=Grade.B)], hit).grade is Grade.B


def test_a_day_without_data_is_never_a_day_on_which_it_worked() -> None:
    half = [day(10, State.OK), day(11, State.INSUFFICIENT)]
    assert one(WORKED, [], [], half).outcome is Outcome.UNDETERMINED
    assert one(WORKED, [], [], half[:1]).outcome is Outcome.UNDETERMINED
    assert one(WORKED, [], [], []).outcome is Outcome.UNDETERMINED
    two = [day(10, State.OK), day(11, State.OK), day(10, State.OK, "AS2")]
    assert one(WORKED, [], [], two).outcome is Outcome.UNDETERMINED


def test_how_many_networks_is_said() -> None:
    days = [day(n, s, a) for n in (10, 11) for a, s in (("AS1", State.BLOCKED), ("AS2", State.OK), ("AS3", State.OK))]
    assert "on 1 of 3 measured networks (AS1)" in one(WORKED, [], [block(9, 20)], days).because


def test_a_lower_grade_never_overrides_a_higher_one() -> None:
    fine = [day(10, State.OK), day(11, State.OK)]
    body = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)
    press = entry("p", "press", EntryKind.FINDING, State.OK, 5, 30)
    assert (one(WORKED, [body], [], fine).outcome, one(WORKED, [body], [], fine).grade) == (Outcome.SUPPORTED, Grade.A)
    assert one(WORKED, [body, press], [], []).grade is Grade.C
    assert one(WORKED, [body, press], [], []).outcome is Outcome.CONTRADICTED
    assert one(WORKED, [press], [], []).grade is Grade.D
    other = entry("g", "body", EntryKind.FINDING, State.OK, 5, 30)
    assert one(WORKED, [body, other], [], []).outcome is Outcome.UNDETERMINED


def test_nobody_is_evidence_for_himself() -> None:
    finding = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)
    assert one(finding, [], [], []).outcome is Outcome.UNDETERMINED


def test_an_order_that_nothing_speaks_of_has_no_clock() -> None:
    assert clocks(case([WORKED]), (), (), AS_OF) == ()


spans = st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda pair: (pair[0], pair[0] + pair[1]))
kinds = st.sampled_from([("body", EntryKind.FINDING), ("press", EntryKind.FINDING), ("pta", EntryKind.STATEMENT)])
claims = st.lists(st.tuples(kinds, st.sampled_from([State.OK, State.BLOCKED, State.THROTTLED]), spans), max_size=6)
incidents_of_chance = st.lists(spans.map(lambda span: block(*span)), max_size=2)
days_of_chance = st.lists(
    st.tuples(st.integers(0, 55), st.sampled_from([State.OK, State.BLOCKED, State.INSUFFICIENT])), max_size=60
).map(lambda pairs: [day(number, state) for number, state in dict(pairs).items()])


def entries_of(drawn: list[tuple[tuple[str, EntryKind], State, tuple[int, int]]]) -> list[Entry]:
    return [entry(f"e{n}", who, kind, state, *span) for n, ((who, kind), state, span) in enumerate(drawn)]


@settings(deadline=None)
@given(claims, incidents_of_chance, days_of_chance, st.randoms(use_true_random=False))
def test_order_changes_nothing(drawn: list, hits: list[Incident], days: list[DayState], dice: object) -> None:  # type: ignore[type-arg]
    entries = entries_of(drawn)
    once = assess(case(entries), hits, days, AS_OF)
    assert assess(case(entries[::-1]), hits[::-1], days[::-1], AS_OF) == once


@settings(deadline=None)
@given(claims, incidents_of_chance, days_of_chance, spans)
def test_a_claim_and_its_opposite_are_never_both_supported(
    drawn: list,  # type: ignore[type-arg]
    hits: list[Incident],
    days: list[DayState],
    span: tuple[int, int],
) -> None:
    others = entries_of(drawn)
    outcomes = [
        one(entry("claim", "pta", EntryKind.STATEMENT, state, *span), others, hits, days).outcome
        for state in (State.OK, State.BLOCKED)
    ]
    assert outcomes != [Outcome.SUPPORTED, Outcome.SUPPORTED]


@settings(deadline=None)
@given(days_of_chance, spans, st.integers(0, 100))
def test_taking_days_away_never_settles_a_claim(days: list[DayState], span: tuple[int, int], which: int) -> None:
    """Measured by days alone: with less of them a claim may become undetermined, and never the other way round."""
    claim = entry("claim", "pta", EntryKind.STATEMENT, State.OK, *span)
    before = one(claim, [], [], days).outcome
    if days:
        gone = which % len(days)
        thinned = [
            msgspec.structs.replace(item, state=State.INSUFFICIENT, ok=0, blocked=0, reports=0) if n == gone else item
            for n, item in enumerate(days)
        ]
        after = one(claim, [], [], thinned).outcome
        assert after in (before, Outcome.UNDETERMINED)
