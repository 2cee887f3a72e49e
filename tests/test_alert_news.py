"""What is new: each thing once, whatever the order, and a date that moves is never a second opening."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.alert import News, NewsKind, Told, news, sentence
from kholo.model import Bracket, Incident, State

from .alerts import DAY, around, day, incident

BEGUN = Told(at=day(0))


def kinds(found: Sequence[News]) -> list[str]:
    return [item.kind.value for item in found]


def after(*states: Sequence[Incident]) -> list[list[News]]:
    """The news of each look, one a day, beginning with a look that found nothing."""
    told, looks = BEGUN, []
    for number, now in enumerate(states):
        found, told = news(told, now, day(30 + number))
        looks.append(found)
    return looks


def test_an_incident_opens_spreads_ends_and_goes_on() -> None:
    both = ("AS17557", "AS9260")
    looks = after(
        [incident(20)],
        [incident(20)],
        [incident(20, networks=both)],
        [incident(20, 28, networks=both)],
        [incident(20, last=33, networks=both)],
        [incident(20, 34, networks=both)],
        [],
        [],
    )
    assert [kinds(look) for look in looks] == [
        ["opened"],
        [],
        ["spread"],
        ["ended"],
        ["resumed"],
        ["ended"],
        ["withdrawn"],
        [],
    ]
    assert looks[2][0].further == ("AS17557",)
    assert looks[4][0].told_end == around(28)
    assert len({item.thread for look in looks for item in look}) == 1


def test_what_is_over_when_it_is_found_is_told_once() -> None:
    (found,) = after([incident(20, 25)])
    assert kinds(found) == ["opened"]
    assert "was blocked" in sentence(found[0])


def test_a_moved_onset_is_a_correction_and_keeps_the_thread() -> None:
    first, second, third = after([incident(20)], [incident(14)], [incident(14, last=31)])
    assert kinds(first) == ["opened"]
    assert kinds(second) == ["corrected"]
    assert first[0].incident.incident_id != second[0].incident.incident_id
    assert second[0].thread == first[0].thread
    assert second[0].told_onset == around(20)
    assert third == []


def test_dates_that_move_little_or_only_get_narrower_are_not_told_but_add_up() -> None:
    wide = incident(10, onset=Bracket(day(5), day(15)))
    assert kinds(after([wide], [incident(10, onset=Bracket(day(14), day(15)))])[1]) == []
    steps = after([incident(20)], [incident(19.4)], [incident(18.8)], [incident(18.2)])
    assert [kinds(look) for look in steps] == [["opened"], [], ["corrected"], []]


def test_a_network_that_is_no_longer_found_is_taken_back() -> None:
    _, second, third = after([incident(20, networks=("AS1", "AS2"))], [incident(20, networks=("AS1",))], [incident(20)])
    assert kinds(second) == ["corrected"]
    assert second[0].no_longer_on == ("AS2",)
    assert kinds(third) == ["corrected", "spread"]


def test_two_that_turn_out_to_be_one_and_one_that_turns_out_to_be_two() -> None:
    apart = [incident(5, 10), incident(25, last=30, networks=("AS2",))]
    one = [incident(5, last=30, networks=("AS2", "AS9260"))]
    opened, joined, again, quiet = after(apart, one, apart, apart)
    assert kinds(opened) == ["opened", "opened"]
    # Each was told: no network is new, one end is taken back, and the other incident is part of this one.
    assert sorted(kinds(joined)) == ["corrected", "resumed"]
    assert next(item for item in joined if item.kind is NewsKind.CORRECTED).part_of == opened[0].thread
    assert sorted(kinds(again)) == ["corrected", "corrected", "ended"]
    assert {item.thread for item in again} == {item.thread for item in opened}
    assert quiet == []
    first, split = after(one, apart)
    assert kinds(first) == ["opened"]
    assert sorted(kinds(split)) == ["corrected", "corrected", "ended"]
    assert "opened" not in kinds(split)


def test_what_was_withdrawn_and_comes_back_is_no_second_opening() -> None:
    looks = after([incident(20)], [], [incident(20.5)], [incident(20.5)])
    assert [kinds(look) for look in looks] == [["opened"], ["withdrawn"], ["corrected"], []]
    assert looks[2][0].is_found_again


def test_a_new_incident_near_one_that_ended_is_an_opening_of_its_own() -> None:
    one = incident(5, 10)
    looks = after([one], [one, incident(15, networks=("AS2",))])
    assert [kinds(look) for look in looks] == [["opened"], ["opened"]]


def test_other_places_states_and_simulated_ones_are_other_incidents() -> None:
    looks = after(
        [incident(20)],
        [incident(20), incident(20, place="UG"), incident(20, state=State.THROTTLED), incident(20, simulated=True)],
    )
    assert kinds(looks[1]) == ["opened"] * 3


def test_a_first_look_tells_what_lasts_or_is_recent_and_knows_the_rest() -> None:
    old, recent, lasting = incident(-300, -290), incident(80, 85), incident(-200)
    found, told = news(Told(), [old, recent, lasting], day(100))
    assert {item.incident.incident_id for item in found} == {recent.incident_id, lasting.incident_id}
    assert len(told.known) == 3
    # Nobody heard of the old one: neither corrections of it nor its end are news, only that it goes on.
    moved = incident(-304, -286, networks=("AS1",))
    found, told = news(told, [moved, recent, lasting], day(101))
    assert found == []
    found, told = news(told, [incident(-304, last=100, networks=("AS1",)), recent, lasting], day(102))
    assert kinds(found) == ["resumed"]
    found, told = news(told, [incident(-304, 101, networks=("AS1",)), recent, lasting], day(103))
    assert kinds(found) == ["ended"]
    found, _ = news(Told(day(0), ()), [old], day(100))
    assert kinds(found) == ["opened"], "after the first look, what late data shows is told"


def test_a_clock_that_goes_back_tells_nothing_twice() -> None:
    _, told = news(BEGUN, [incident(20)], day(40))
    found, later = news(told, [incident(20)], day(39))
    assert (found, later.at) == ([], day(40))


# --- properties -------------------------------------------------------------------------------------------------

_NETWORKS = st.sets(st.sampled_from(["AS1", "AS2", "AS3"]), min_size=1).map(lambda names: tuple(sorted(names)))


@st.composite
def _incidents(draw: st.DrawFn) -> Incident:
    begin = draw(st.integers(0, 120)) + draw(st.sampled_from([0, 0.3]))
    length = draw(st.integers(0, 40))
    is_over, width = draw(st.booleans()), draw(st.sampled_from([0, 0.2, 4]))
    return incident(
        begin,
        begin + width + length if is_over else None,
        last=begin + width + length,
        onset=around(begin, width),
        networks=draw(_NETWORKS),
        simulated=draw(st.booleans()),
        place=draw(st.sampled_from(["PK", "UG"])),
    )


_STATES = st.lists(st.lists(_incidents(), max_size=5, unique_by=lambda item: (item.incident_id, item.simulated)))


@given(_STATES.filter(bool), st.booleans(), st.randoms())
@settings(max_examples=150, deadline=None)
def test_told_once_in_any_order(states: list[list[Incident]], is_first: bool, draw: object) -> None:
    told = Told() if is_first else BEGUN
    for number, now in enumerate(states):
        before, at = told, day(200 + number)
        found, told = news(before, now, at)
        assert news(told, now, at + DAY)[0] == [], "told twice"
        mixed = list(now)
        draw.shuffle(mixed)  # type: ignore[attr-defined]
        assert news(before, mixed, at) == (found, told)
        assert len({item.news_id for item in found}) == len(found)
        assert len({known.thread for known in told.known}) == len(told.known)
        standing = [known.seen for known in told.known if not known.gone]
        assert len(standing) == len(now), "every incident is known, and nothing else stands"
        kept = msgspec.json.decode(msgspec.json.encode(told), type=Told)
        assert kept == told


@given(_STATES)
@settings(max_examples=100, deadline=None)
def test_a_reader_of_all_news_knows_what_is_found(states: list[list[Incident]]) -> None:
    """Who reads only the news knows at the end which incidents there are, where, and which of them are over."""
    told, read = BEGUN, {}
    for number, now in enumerate(states):
        found, told = news(told, now, day(200 + number))
        for item in found:
            state = (item.incident.networks, item.incident.end is None)
            read[item.thread] = None if item.kind is NewsKind.WITHDRAWN or item.part_of else state
            if item.part_of:
                read[item.part_of] = state
        standing = {known.thread: known for known in told.known if not known.gone}
        for thread, known in standing.items():
            assert read[thread] == (known.seen.networks, known.seen.end is None)
        assert {thread for thread, state in read.items() if state} == set(standing)


@given(st.lists(st.lists(st.tuples(st.floats(-2, 2), st.integers(2, 9), st.booleans()), min_size=4, max_size=4)))
@settings(max_examples=100, deadline=None)
def test_each_event_opens_once_however_its_dates_move(steps: list[list[tuple[float, int, bool]]]) -> None:
    """Four events, a month from each other; each look dates them a little differently."""
    told, opened = BEGUN, []
    for number, step in enumerate(steps):
        now = [
            incident(30 * place + shift, 30 * place + shift + length if is_over else None, 30 * place + shift + length)
            for place, (shift, length, is_over) in enumerate(step)
        ]
        found, told = news(told, now, day(200 + number))
        opened += [item.thread for item in found if item.kind is NewsKind.OPENED]
        assert not [item for item in found if item.part_of or item.apart_from or item.kind is NewsKind.WITHDRAWN]
    assert len(opened) == (4 if steps else 0)


def test_the_words_of_each_kind() -> None:
    assert sentence(after([incident(15, onset=Bracket(day(15.6), day(16.4)))])[0][0]) == (
        "X blocked in Pakistan on AS9260, since between 16 and 17 February 2024 (UTC); last seen on 21 February 2024."
    )
    assert sentence(after([incident(15, onset_measured=False, simulated=True)])[0][0]) == (
        "Simulated: X blocked in Pakistan on AS9260, since 16 February 2024 or before (UTC); "
        "last seen on 21 February 2024."
    )
    both = ("AS17557", "AS9260")
    looks = after(
        [incident(15)],
        [incident(15, networks=both)],
        [incident(15, 20, networks=both)],
        [incident(15, last=30, networks=both)],
        [incident(10, last=30)],
        [],
        [incident(10, last=30)],
    )
    assert [sentence(item) for look in looks[1:] for item in look] == [
        "X blocked in Pakistan on AS17557 too; began on 16 February 2024 (UTC), now on AS17557 and AS9260; "
        "last seen on 21 February 2024.",
        "X no longer blocked in Pakistan on AS17557 and AS9260: ended on 21 February 2024, "
        "began on 16 February 2024 (UTC).",
        "X blocked again or still in Pakistan on AS17557 and AS9260: last seen on 2 March 2024 (UTC), "
        "though it had seemed to end on 21 February 2024; began on 16 February 2024.",
        "Correction: X was blocked in Pakistan on AS9260: began on 11 February 2024, not on 16 February 2024 "
        "as told before; no longer found on AS17557 (UTC).",
        "Withdrawn: X was blocked in Pakistan on AS9260, told as begun on 11 February 2024 (UTC), "
        "is no longer found in the measurements.",
        "Correction: X was blocked in Pakistan on AS9260: was withdrawn or joined to another, and is found again; "
        "began on 11 February 2024, last seen on 2 March 2024 (UTC).",
    ]


def test_a_day_is_the_unit_of_a_correction() -> None:
    for hours, expected in ((23, []), (25, ["corrected"])):
        moved = incident(20, onset=Bracket(day(20) - timedelta(hours=hours), day(20)))
        assert kinds(after([incident(20)], [moved])[1]) == expected
