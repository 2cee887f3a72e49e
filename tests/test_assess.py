"""Assessment as a whole: fair in both directions, and never more certain for knowing less."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kholo.model import (
    Actor,
    Assessment,
    Bracket,
    Case,
    DayState,
    Entry,
    EntryKind,
    Extent,
    Grade,
    Incident,
    Kind,
    NetworkSpell,
    Obligation,
    Outcome,
    Proposition,
    Reason,
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


def block(
    begin: int,
    end: int,
    networks: tuple[str, ...] = ("AS1",),
    grade: Grade = Grade.A,
    *,
    state: State = State.BLOCKED,
    kind: Kind | None = None,
) -> Incident:
    onset, over = Bracket(at(begin), at(begin)), Bracket(at(end), at(end))
    spells = tuple(NetworkSpell(network, state, onset, over, at(end), 9, 9) for network in networks)
    return Incident(
        f"x-PK-{state}-{begin}-{end}-{networks[0]}-{grade}-{kind}",
        "x",
        "PK",
        networks,
        state,
        ("tls.reset",),
        onset,
        over,
        at(end),
        9,
        9,
        grade,
        spells,
        False,
        kind=kind or (Kind.THROTTLED if state is State.THROTTLED else Kind.BLOCKED),
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


def test_what_is_so_in_part_is_said_and_never_becomes_supported() -> None:
    names = tuple(f"AS{number}" for number in range(1, 13))
    restored = [day(n, State.OK, name) for name in names[:3] for n in (10, 11)]
    said = one(WORKED, [], [block(5, 20, names[3:])], restored)
    assert (said.outcome, said.extent) == (Outcome.CONTRADICTED, Extent.PART)
    assert "It is so on 3 of 12 networks" in said.because
    assert said.shown.so_on == names[:3]

    fortnight = entry("b", "press", EntryKind.STATEMENT, State.BLOCKED, 10, 25)
    said = one(fortnight, [], [block(10, 21)], [day(n, State.OK) for n in range(21, 25)])
    assert (said.outcome, said.reason, said.extent) == (Outcome.UNDETERMINED, Reason.IN_PART, Extent.PART)
    assert "true for 11 of 15 days" in said.because
    assert (said.shown.days, said.shown.of_days) == (11, 15)

    unmeasured = one(fortnight, [], [block(10, 21)], [])
    assert (unmeasured.outcome, unmeasured.reason) == (Outcome.UNDETERMINED, Reason.IN_PART)
    assert "Nothing measured speaks against it" in unmeasured.because

    one_of_three = [day(n, State.OK, name) for name in ("AS2", "AS3") for n in (10, 11)]
    said = one(BLOCKED, [], [block(9, 20)], one_of_three)
    assert (said.outcome, said.reason) == (Outcome.UNDETERMINED, Reason.IN_PART)
    assert "It is so on 1 of 3 networks" in said.because


def test_a_finding_about_some_networks_does_not_bear_out_a_claim_about_all() -> None:
    narrow = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)
    assert narrow.proposition
    narrow = msgspec.structs.replace(narrow, proposition=msgspec.structs.replace(narrow.proposition, networks=("AS7",)))
    said = one(BLOCKED, [narrow], [], [])
    assert (said.outcome, said.reason) == (Outcome.UNDETERMINED, Reason.IN_PART)
    assert "AS7" in said.because
    assert one(WORKED, [narrow], [], []).outcome is Outcome.CONTRADICTED
    assert narrow.proposition
    worked = msgspec.structs.replace(narrow, proposition=msgspec.structs.replace(narrow.proposition, state=State.OK))
    assert one(WORKED, [worked], [], []).outcome is Outcome.UNDETERMINED


def test_weaker_evidence_beside_what_is_enough_takes_nothing_away() -> None:
    strong, weak = block(5, 20), block(6, 19, grade=Grade.B)
    assert one(BLOCKED, [], [strong, weak], []).grade is Grade.A
    assert one(WORKED, [], [strong, weak], []).grade is Grade.A
    halves = [block(5, 11), block(11, 20, grade=Grade.B)]
    assert one(BLOCKED, [], halves, []).grade is Grade.B, "here both are needed"


def test_behind_every_undetermined_stands_why_and_how_much_was_measured() -> None:
    nothing = one(WORKED, [], [], [])
    assert (nothing.reason, nothing.coverage.results) == (Reason.NO_COVERAGE, 0)
    thin = msgspec.structs.replace(day(10, State.INSUFFICIENT), ok=2, reports=1)
    few = one(WORKED, [], [], [thin, day(20, State.OK, "AS2")])
    assert few.reason is Reason.BELOW_FLOOR
    assert "2 results, on 1 of 2 networks; 0 of 4 network-days" in few.because
    sides = [
        entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30),
        entry("g", "body", EntryKind.FINDING, State.OK, 5, 30),
    ]
    assert one(WORKED, sides, [], []).reason is Reason.DISAGREE
    assert one(BLOCKED, sides[:1], [], [day(10, State.OK)]).reason is Reason.DISAGREE, "measured otherwise in part"
    slow = one(BLOCKED, [], [block(5, 20, state=State.THROTTLED)], [])
    assert (slow.outcome, slow.reason) == (Outcome.UNDETERMINED, Reason.OTHER_STATE)
    ahead = entry("n", "pta", EntryKind.STATEMENT, State.OK, 330, 340)
    (found,) = assess(case([ahead]), (), [day(n, State.OK) for n in range(330, 335)], at(335))
    assert (found.outcome, found.reason) == (Outcome.UNDETERMINED, Reason.NOT_OVER)
    assert assess(case([ahead]), (), (), at(329)) == (), "it was not said yet"


@pytest.mark.parametrize("kind", [Kind.SHUT_DOWN, Kind.SERVICE_DOWN, Kind.MEASURING_CHANGED])
def test_what_takes_an_accusation_back_never_supports_a_block(kind: Kind) -> None:
    down = block(9, 20, kind=kind)
    said = one(BLOCKED, [], [down], [day(10, State.BLOCKED), day(11, State.BLOCKED)])
    assert (said.outcome, said.reason, said.grade) == (Outcome.UNDETERMINED, Reason.NO_BLOCK, None)
    assert down.incident_id in said.because
    assert one(WORKED, [], [down], []).outcome is Outcome.UNDETERMINED
    order = msgspec.structs.replace(entry("o", "pta", EntryKind.ORDER, State.OK, 8, 9), proposition=None)
    order = msgspec.structs.replace(order, obligation=Obligation("x", "PK", State.OK, at(10)))
    assert clocks(case([order]), [down], (), AS_OF) == ()


def test_a_day_is_read_in_favour_of_who_named_it() -> None:
    """A block that ended on the day of "it works again", or began on the day of "it works", is held against nobody."""
    ended, began = msgspec.structs.replace(block(5, 10)), block(11, 20)
    half = timedelta(hours=12)
    spell = ended.spells[0]
    ended = msgspec.structs.replace(
        ended,
        spells=(msgspec.structs.replace(spell, end=Bracket(at(10) + half, at(10) + half), last_seen=at(10) + half),),
    )
    said = one(WORKED, [], [ended], [day(11, State.OK)])
    assert (said.outcome, said.reason) == (Outcome.UNDETERMINED, Reason.CHANGED)
    whole_day = one(WORKED, [], [began], [day(10, State.OK)])
    assert whole_day.outcome is Outcome.CONTRADICTED, "it filled the last day"
    assert one(BLOCKED, [], [ended, block(11, 12)], []).outcome is Outcome.SUPPORTED, "the same for who says: blocked"


def test_a_claim_of_an_unknown_day_is_contradicted_only_if_no_day_makes_it_so() -> None:
    claim = entry("w", "pta", EntryKind.STATEMENT, State.OK, 10, 20)
    claim = msgspec.structs.replace(claim, latest=at(19).date())
    days = [day(n, State.OK) for n in range(15, 20)]
    assert one(claim, [], [block(9, 15)], days).outcome is Outcome.UNDETERMINED
    assert one(claim, [], [block(9, 20)], []).outcome is Outcome.CONTRADICTED
    part, whole = (entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, end) for end in (15, 30))
    assert one(claim, [part], [], []).outcome is Outcome.UNDETERMINED
    assert one(claim, [whole], [], []).outcome is Outcome.CONTRADICTED


def test_what_was_taken_back_is_no_evidence_and_says_so() -> None:
    finding = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)
    back = msgspec.structs.replace(entry("r", "body", EntryKind.FINDING, State.OK, 40, 41), retracts=("f",))
    assert one(BLOCKED, [finding, back], [], []).outcome is Outcome.UNDETERMINED
    said = one(BLOCKED, [msgspec.structs.replace(back, retracts=("b",))], [], [])
    assert (said.retracted_by, "taken back later: r" in said.because) == (("r",), True)


def test_nobody_bears_out_themselves_with_another_entry() -> None:
    again = entry("g", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)
    finding = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 10, 12)
    assert one(finding, [again], [], []).outcome is Outcome.UNDETERMINED


spans = st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda pair: (pair[0], pair[0] + pair[1]))
kinds = st.sampled_from([("body", EntryKind.FINDING), ("press", EntryKind.FINDING), ("pta", EntryKind.STATEMENT)])
claims = st.lists(st.tuples(kinds, st.sampled_from([State.OK, State.BLOCKED, State.THROTTLED]), spans), max_size=6)
networks = st.sampled_from(["AS1", "AS2"])
kinds_of_incident = st.sampled_from([Kind.BLOCKED, Kind.THROTTLED, Kind.SHUT_DOWN])
incidents_of_chance = st.lists(
    st.tuples(spans, networks, kinds_of_incident, st.sampled_from([Grade.A, Grade.B])).map(
        lambda drawn: block(
            *drawn[0],
            (drawn[1],),
            drawn[3],
            state=State.THROTTLED if drawn[2] is Kind.THROTTLED else State.BLOCKED,
            kind=drawn[2],
        )
    ),
    max_size=3,
)
#: Both networks are known, whatever else is: which networks there are is no evidence.
KNOWN = [day(-9, State.INSUFFICIENT, name) for name in ("AS1", "AS2")]
days_of_chance = st.dictionaries(
    st.tuples(st.integers(0, 55), networks),
    st.sampled_from([State.OK, State.OK, State.BLOCKED, State.INSUFFICIENT]),
    max_size=110,
).map(lambda found: [*KNOWN, *(day(number, state, name) for (number, name), state in found.items())])
full_days = st.tuples(spans, st.sampled_from([State.OK, State.OK, State.BLOCKED])).map(
    lambda drawn: [*KNOWN, *(day(n, drawn[1], name) for n in range(*drawn[0]) for name in ("AS1", "AS2"))]
)
measured_days = st.one_of(days_of_chance, full_days)


def entries_of(drawn: list[tuple[tuple[str, EntryKind], State, tuple[int, int]]]) -> list[Entry]:
    return [entry(f"e{n}", who, kind, state, *span) for n, ((who, kind), state, span) in enumerate(drawn)]


@settings(deadline=None)
@given(claims, incidents_of_chance, measured_days)
def test_order_changes_nothing(drawn: list, hits: list[Incident], days: list[DayState]) -> None:  # type: ignore[type-arg]
    entries = entries_of(drawn)
    once = assess(case(entries), hits, days, AS_OF)
    turned = msgspec.structs.replace(case(entries), entries=tuple(entries[::-1]))
    assert assess(turned, hits[::-1], days[::-1], AS_OF) == once
    assert clocks(turned, hits[::-1], days[::-1], AS_OF) == clocks(case(entries), hits, days, AS_OF)


@settings(deadline=None)
@given(claims, incidents_of_chance, measured_days, spans)
def test_of_opposite_claims_one_at_most_is_supported(
    drawn: list,  # type: ignore[type-arg]
    hits: list[Incident],
    days: list[DayState],
    span: tuple[int, int],
) -> None:
    others = entries_of(drawn)
    outcomes = [
        one(entry("claim", "pta", EntryKind.STATEMENT, state, *span), others, hits, days).outcome
        for state in (State.OK, State.BLOCKED, State.THROTTLED)
    ]
    assert outcomes[0] is not Outcome.SUPPORTED or Outcome.SUPPORTED not in outcomes[1:]


_RANK = {Grade.D: 1, Grade.C: 2, Grade.B: 3, Grade.A: 4, None: 0}


def leaning(found: Assessment) -> int:
    """How surely it is said that a claim is so: above zero; or is not so: below. Zero is undetermined.

    Removing evidence can't be asked never to make anything certain: where two witnesses disagree nothing is, and
    without one of them something may be. What can be asked, and is fair to both sides: taking away what speaks for a
    claim never leaves it more surely so; taking away what speaks against it never leaves it more surely not so; taking
    away what says neither leaves nothing more certain at all.
    """
    sign = {Outcome.SUPPORTED: 1, Outcome.CONTRADICTED: -1, Outcome.UNDETERMINED: 0}[found.outcome]
    return sign * _RANK[found.grade]


def fair(claimed: State, gone: State, before: int, after: int) -> bool:
    """`gone`: the state that the evidence taken away says it was; insufficient: none.

    Slow where a block is claimed, or the other way round, speaks against both "blocked" and "worked": it may have
    been one side of any disagreement, and nothing is asked of it.
    """
    if {claimed, gone} == {State.BLOCKED, State.THROTTLED}:
        return True
    if gone is State.INSUFFICIENT:
        return abs(after) <= abs(before) and after * before >= 0
    return after <= max(before, 0) if gone is claimed else after >= min(before, 0)


states = st.sampled_from([State.OK, State.BLOCKED])


@settings(deadline=None, max_examples=400)
@example(
    [(("body", EntryKind.FINDING), State.BLOCKED, (0, 2)), (("body", EntryKind.FINDING), State.BLOCKED, (0, 1))],
    [],
    [*KNOWN, day(1, State.OK)],
    State.OK,
    (0, 2),
    0,
)
@example(
    [(("press", EntryKind.FINDING), State.BLOCKED, (0, 1)), (("body", EntryKind.FINDING), State.BLOCKED, (0, 2))],
    [],
    [*KNOWN, day(1, State.OK)],
    State.OK,
    (0, 2),
    1,
)
@given(claims, incidents_of_chance, measured_days, states, spans, st.integers(0, 200))
def test_with_less_evidence_nothing_is_more_certain(
    drawn: list,  # type: ignore[type-arg]
    hits: list[Incident],
    days: list[DayState],
    state: State,
    span: tuple[int, int],
    which: int,
) -> None:
    claim = entry("claim", "pta", EntryKind.STATEMENT, state, *span)
    others = entries_of(drawn)
    before = leaning(one(claim, others, hits, days))
    findings = [item for item in others if item.kind is EntryKind.FINDING]
    if findings:
        gone = findings[which % len(findings)]
        assert gone.proposition
        after = leaning(one(claim, [item for item in others if item is not gone], hits, days))
        assert fair(state, gone.proposition.state, before, after)
    if hits:
        hit = hits[which % len(hits)]
        says = hit.state if hit.kind is not Kind.SHUT_DOWN else State.INSUFFICIENT
        if says is not State.INSUFFICIENT:
            after = leaning(one(claim, others, [item for item in hits if item is not hit], days))
            assert fair(state, says, before, after)
    place = which % len(days)
    thin = msgspec.structs.replace(days[place], state=State.INSUFFICIENT, ok=0, blocked=0, reports=0)
    after = leaning(one(claim, others, hits, [thin if n == place else item for n, item in enumerate(days)]))
    says = State.OK if days[place].state is State.OK else State.INSUFFICIENT
    assert fair(state, says, before, after)


@settings(deadline=None)
@given(states, spans)
def test_with_no_evidence_nothing_is_certain(state: State, span: tuple[int, int]) -> None:
    found = one(entry("claim", "pta", EntryKind.STATEMENT, state, *span), [], [], KNOWN)
    assert (found.outcome, found.grade) == (Outcome.UNDETERMINED, None)
