"""The clocks: compliance by network, stays, appeals, relapses; silence and questions; words taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.model import (
    Case,
    Clock,
    ClockKind,
    Entry,
    EntryKind,
    Grade,
    Obligation,
    Reply,
    Standing,
    State,
    Stay,
)
from kholo.record import clocks

from .test_assess import AS_OF, at, block, case, day, days_of_chance, entry, incidents_of_chance, spans


def said(name: str, kind: EntryKind, number: int, **more: object) -> Entry:
    return msgspec.structs.replace(entry(name, "pta", kind, State.OK, number, number + 1), proposition=None, **more)


def order(due: int, state: State = State.OK, until: int | None = None, **more: object) -> Entry:
    duty = Obligation("x", "PK", state, at(due), at(until) if until is not None else None)
    return said("o", EntryKind.ORDER, due - 1, obligation=duty, **more)


def compliance(found: tuple[Clock, ...], network: str | None = None) -> list[Clock]:
    return [one for one in found if one.clock is ClockKind.COMPLIANCE and one.network == network]


def test_an_order_is_followed_on_each_network() -> None:
    days = [day(number, State.OK, "AS3") for number in range(10, 31)]
    closed = msgspec.structs.replace(case([order(10)]), end=at(30).date())
    hits = [block(5, 20, ("AS1",)), block(5, 25, ("AS2",))]
    found = clocks(closed, hits, days, AS_OF)
    assert [(one.days, one.standing) for one in compliance(found)] == [(15, Standing.MET)]
    assert "2 of 3 measured networks" in compliance(found)[0].because
    by_network = {one.network: (one.days, one.standing, one.first_met) for one in found if one.network}
    assert by_network == {
        "AS1": (10, Standing.MET, at(20)),
        "AS2": (15, Standing.MET, at(25)),
        "AS3": (0, Standing.MET_THROUGHOUT, at(10)),
    }


def test_brief_returns_do_not_stop_the_clock_and_long_ones_do() -> None:
    (brief,) = compliance(clocks(case([order(10)]), [block(5, 20), block(22, 40)], (), AS_OF))
    assert (brief.days, brief.standing, brief.first_met) == (30, Standing.MET, at(20))
    assert [(back.since, back.until, back.grade) for back in brief.returns] == [(at(20), at(22), Grade.A)]
    assert "do not stop the clock" in brief.because
    first, second = compliance(clocks(case([order(10)]), [block(5, 20), block(60, 70)], (), AS_OF))
    assert [(one.started, one.days, one.standing) for one in (first, second)] == [
        (at(10), 10, Standing.RELAPSED),
        (at(60), 10, Standing.RELAPSED),
    ]
    assert "not any more" in second.because


def test_an_order_that_was_never_met_runs() -> None:
    hit = block(5, 20)
    spell = msgspec.structs.replace(hit.spells[0], end=None)
    lasting = msgspec.structs.replace(hit, end=None, spells=(spell,))
    (found,) = compliance(clocks(case([order(10)]), [lasting], (), at(30)))
    assert (found.stopped, found.days, found.standing, found.first_met) == (None, 20, Standing.NEVER, None)


def test_days_under_a_stay_are_not_counted_and_are_shown() -> None:
    stay = said("s", EntryKind.STAY, 15, stays=("o",), stay=Stay(at(15), at(20)))
    (found,) = compliance(clocks(case([order(10), stay]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stayed) == (15, 5)
    assert "5 days under a stay (s)" in found.because
    lasting = said("s", EntryKind.STAY, 15, stays=("o",))
    (found,) = compliance(clocks(case([order(10), lasting]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stayed) == (5, 15)
    lifted = said("l", EntryKind.ORDER, 25, retracts=("s",))
    (found,) = compliance(clocks(case([order(10), lasting, lifted]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stayed) == (10, 10)
    twice = said("t", EntryKind.STAY, 16, stays=("o",), stay=Stay(at(16), at(19)))
    (found,) = compliance(clocks(case([order(10), stay, twice]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stayed) == (15, 5)


def test_an_appeal_suspends_nothing_and_is_shown() -> None:
    appeal = said("a", EntryKind.APPEAL, 15, appeals=("o",))
    (found,) = compliance(clocks(case([order(10), appeal]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stayed) == (20, 0)
    assert "An appeal was made (a)" in found.because


def test_an_order_that_lapsed_or_was_taken_back_is_counted_no_further() -> None:
    (found,) = compliance(clocks(case([order(10, until=20)]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stopped, found.standing) == (10, at(20), Standing.NEVER)
    gone = said("g", EntryKind.ORDER, 18, retracts=("o",))
    (found,) = compliance(clocks(case([order(10), gone]), [block(5, 30)], (), AS_OF))
    assert (found.days, found.stopped) == (8, at(18))


def test_an_order_to_block_is_met_by_a_block() -> None:
    found = compliance(clocks(case([order(10, State.BLOCKED)]), [block(14, 30)], (), AS_OF))
    assert [(one.days, one.standing) for one in found] == [(4, Standing.MET)]
    lifted = compliance(clocks(case([order(10, State.BLOCKED)]), [block(10, 30)], (), AS_OF))
    assert [(one.days, one.standing) for one in lifted] == [(0, Standing.MET)]


def test_silence_runs_from_each_question_until_it_is_answered() -> None:
    asked = said("q", EntryKind.QUESTION, 10, reply=Reply(at(20)), request="information")
    (running,) = clocks(case([asked]), (), (), at(30))
    assert (running.clock, running.entry_id, running.stopped) == (ClockKind.SILENCE, "q", None)
    assert (running.days, running.due, running.overdue) == (20, at(20), 10)
    answer = said("a", EntryKind.ANSWER, 25, answers=("q",))
    (late,) = clocks(case([asked, answer]), (), (), at(30))
    assert (late.days, late.overdue, late.stopped) == (15, 5, at(25))
    assert "5 days after that" in late.because
    (early,) = clocks(case([asked, answer]), (), (), at(15))
    assert (early.stopped, early.days, early.overdue) == (None, 5, 0)
    quiet = said("l", EntryKind.LETTER, 10)
    assert clocks(case([quiet]), (), (), at(30)) == (), "a letter that asks nothing waits for nothing"
    replied = said("r", EntryKind.LETTER, 12, answers=("l",))
    assert [one.days for one in clocks(case([quiet, replied]), (), (), at(30))] == [2]


def test_how_long_words_stood_until_they_were_taken_back() -> None:
    word = said("w", EntryKind.STATEMENT, 10)
    back = msgspec.structs.replace(said("b", EntryKind.STATEMENT, 14, retracts=("w",)), latest=at(17).date())
    (found,) = clocks(case([word, back]), (), (), AS_OF)
    assert (found.clock, found.entry_id, found.days, found.most) == (ClockKind.RETRACTION, "w", 4, 7)
    assert "4 to 7 days" in found.because
    assert clocks(case([word, back]), (), (), at(13)) == ()


moments = st.integers(0, 60)
legal = st.lists(
    st.one_of(
        st.tuples(st.just("stay"), moments, st.integers(1, 20)),
        st.tuples(st.just("lift"), moments, st.integers(1, 3)),
        st.tuples(st.just("end"), moments, st.integers(1, 3)),
        st.tuples(st.just("answer"), moments, st.integers(1, 3)),
        st.tuples(st.just("reason"), moments, st.integers(1, 3)),
    ),
    max_size=6,
)


def record(due: int, state: State, drawn: list[tuple[str, int, int]], findings: list[Entry]) -> Case:
    asked = said("q", EntryKind.QUESTION, 10, reply=Reply(at(20)))
    entries = [order(due, state), asked, *findings]
    stays: list[str] = []
    for number, (what, begin, length) in enumerate(drawn):
        name, last = f"x{number}", at(begin + length).date()
        if what == "stay":
            until = at(begin + length) if length % 2 else None
            entries.append(said(name, EntryKind.STAY, begin, stays=("o",), stay=Stay(None, until)))
            stays.append(name)
        elif what == "lift":
            entries.append(said(name, EntryKind.ORDER, begin, retracts=tuple(stays[-1:]), latest=last))
        elif what == "end":
            entries.append(said(name, EntryKind.ORDER, begin, retracts=("o",), latest=last))
        elif what == "answer":
            entries.append(said(name, EntryKind.ANSWER, begin, answers=("q",), latest=last))
        else:
            entries.append(said(name, EntryKind.ADMISSION, begin, gives_reason=True, latest=last))
    return case(entries)


found_by_others = st.lists(
    st.tuples(st.sampled_from(["body", "press"]), st.sampled_from([State.OK, State.BLOCKED]), spans), max_size=4
).map(lambda drawn: [entry(f"f{n}", who, EntryKind.FINDING, s, *span) for n, (who, s, span) in enumerate(drawn)])


@settings(deadline=None, max_examples=300)
@given(
    st.integers(1, 50),
    st.sampled_from([State.OK, State.BLOCKED]),
    legal,
    found_by_others,
    incidents_of_chance,
    days_of_chance,
    st.lists(st.integers(0, 24 * 90), min_size=2, max_size=4),
)
def test_clocks_are_never_negative_and_never_run_backwards(
    due: int,
    state: State,
    drawn: list,  # type: ignore[type-arg]
    findings: list[Entry],
    hits: list,  # type: ignore[type-arg]
    days: list,  # type: ignore[type-arg]
    hours: list[int],
) -> None:
    made = record(due, state, drawn, findings)
    before: dict[tuple[ClockKind, str, str | None], int] = {}
    for hour in sorted(hours):
        as_of = at(0) + timedelta(hours=hour)
        total: dict[tuple[ClockKind, str, str | None], int] = {}
        for one in clocks(made, hits, days, as_of):
            assert one.days >= 0
            assert one.stayed >= 0
            assert one.overdue is None or one.overdue >= 0
            assert one.started <= as_of
            assert one.stopped is None or one.started <= one.stopped <= as_of
            key = (one.clock, one.entry_id, one.network)
            total[key] = total.get(key, 0) + one.days
        assert all(total.get(key, 0) >= days for key, days in before.items())
        before = total


def test_as_of_is_a_moment_in_utc() -> None:
    (found,) = compliance(clocks(case([order(10)]), [block(5, 30)], (), datetime(2024, 2, 20, 12, tzinfo=UTC)))
    assert (found.days, found.stopped) == (9, None)
