"""The clocks: days since an order was due and was not met, days of a block without a public reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kholo.model import (
    IMPAIRED,
    Case,
    Clock,
    ClockKind,
    DayState,
    Entry,
    Grade,
    Incident,
    NetworkSpell,
    Obligation,
    Proposition,
    State,
)

from .evidence import Finding, Measured, findings, is_about, known_end, measured, midnight
from .ordered_blocks import met_by_network, met_overall
from .wording import day, say

_Stop = tuple[datetime | None, str, Grade | None, tuple[str, ...]]


def clocks(case: Case, incidents: Sequence[Incident], days: Sequence[DayState], as_of: datetime) -> tuple[Clock, ...]:
    """Compliance for each order with an obligation (for the place, and each network measured), and silence.

    Sorted by kind, start, entry and network. A running clock counts to `as_of` (UTC); a later one is left out.
    """
    found = [
        clock
        for entry in case.entries
        if entry.obligation and entry.obligation.due <= as_of
        for clock in _compliance(case, entry, entry.obligation, incidents, days, as_of)
    ]
    found += _silence(case, incidents, as_of)
    return tuple(sorted(found, key=lambda clock: (clock.clock, clock.started, clock.entry_id, clock.network or "")))


def _compliance(
    case: Case,
    entry: Entry,
    duty: Obligation,
    incidents: Sequence[Incident],
    days: Sequence[DayState],
    as_of: datetime,
) -> list[Clock]:
    limit = min(as_of, duty.until) if duty.until else as_of
    window = Proposition(
        duty.service, duty.place, duty.state, duty.due, max(limit, duty.due + timedelta(1)), duty.networks
    )
    seen = measured(window, incidents, days, as_of)
    if duty.state in IMPAIRED:
        return _ordered_block(case, entry, duty, window, seen, limit)
    overall = _measured_stop(list(seen.spells), duty) if seen.spells else None
    if overall is None and seen.is_all_ok:
        overall = duty.due, say("clock.met"), _grade(seen.days), ()
    if overall is None:
        overall = _found_stop(case, duty, window)
    if overall is None and not seen.spells:
        # Nothing says what the state was when it fell due: a clock would claim more than is known.
        return []
    made = [_clock(entry, duty, overall, limit, None)]
    for network in sorted({spell.network for _, spell in seen.spells}):
        mine = [pair for pair in seen.spells if pair[1].network == network]
        made.append(_clock(entry, duty, _measured_stop(mine, duty), limit, network))
    return made


def _ordered_block(
    case: Case, entry: Entry, duty: Obligation, window: Proposition, seen: Measured, limit: datetime
) -> list[Clock]:
    networks = met_by_network(seen, duty, limit)
    overall = met_overall(case, duty, window, networks)
    if overall is None:
        return []
    by_network = [_clock(entry, duty, networks[network], limit, network) for network in sorted(networks)]
    return [_clock(entry, duty, overall, limit, None), *by_network]


def _grade(days: Sequence[DayState]) -> Grade:
    return Grade.A if all(item.raw for item in days) else Grade.B


def _measured_stop(spells: list[tuple[Incident, NetworkSpell]], duty: Obligation) -> _Stop | None:
    """When every spell that ran at the due time had ended; None when none ran then."""
    ran = [pair for pair in spells if pair[1].onset.latest <= duty.due and known_end(pair[1]) > duty.due]
    if not ran:
        return None
    # An order is met when access is back to what it demands: throttled is not, so spells that follow on count too.
    chain = _following(ran, spells)
    names = tuple(sorted({incident.incident_id for incident, _ in chain}))
    grade = max((incident.grade for incident, _ in chain), key=lambda item: item.value)
    ends = [spell.end for _, spell in chain]
    if any(end is None for end in ends):
        return None, say("clock.running"), grade, names
    last = max((end for end in ends if end), key=lambda end: end.latest)
    text = say("clock.restored", earliest=day(last.earliest), latest=day(last.latest), evidence=", ".join(names))
    return last.latest, text, grade, names


def _following(
    ran: list[tuple[Incident, NetworkSpell]], spells: list[tuple[Incident, NetworkSpell]]
) -> list[tuple[Incident, NetworkSpell]]:
    """The spells that ran, and those on the same network that began before the ones before them had surely ended."""
    chain = list(ran)
    for pair in sorted(spells, key=lambda item: item[1].onset):
        if pair in chain:
            continue
        near = (one for _, one in chain if one.network == pair[1].network and one.end)
        if any(one.end and pair[1].onset.earliest <= one.end.latest for one in near):
            chain.append(pair)
    return chain


def _found_stop(case: Case, duty: Obligation, window: Proposition) -> _Stop | None:
    """By published findings: the end of the findings of impairment that covered the due time; None without any."""
    about = [finding for finding in findings(case) if is_about(finding, window)]
    covering = [
        item for item in about if item.claim.state in IMPAIRED and item.claim.start <= duty.due < item.claim.end
    ]
    if not covering:
        return _found_met(about, duty)
    best = min(item.grade for item in covering)
    chosen = [item for item in covering if item.grade is best]
    stop = max(item.claim.end for item in chosen)
    names = tuple(sorted(item.entry.id for item in chosen))
    text = say("clock.restored.found", latest=stop.date(), evidence=", ".join(names)) + _brief(about, duty.due, stop)
    return stop, text, best, names


def _found_met(about: list[Finding], duty: Obligation) -> _Stop | None:
    worked = [item for item in about if item.claim.state is State.OK and item.claim.start <= duty.due < item.claim.end]
    if not worked:
        return None
    best = min(item.grade for item in worked)
    names = tuple(sorted(item.entry.id for item in worked if item.grade is best))
    return duty.due, say("clock.met.found", evidence=", ".join(names)), best, names


def _brief(about: list[Finding], start: datetime, stop: datetime) -> str:
    inside = sorted(
        item.entry.id
        for item in about
        if item.claim.state is State.OK and start <= item.claim.start and item.claim.end < stop
    )
    return say("clock.brief", entries=", ".join(inside)) if inside else ""


def _clock(entry: Entry, duty: Obligation, stop: _Stop | None, limit: datetime, network: str | None) -> Clock:
    moment, because, grade, evidence = stop or (duty.due, say("clock.met"), None, ())
    if moment is None or moment > limit:
        lapsed = duty.until is not None and limit == duty.until
        moment = limit if lapsed else None
        because = say("clock.lapsed", until=day(limit)) + " " + because if lapsed else because
    return Clock(
        clock=ClockKind.COMPLIANCE,
        entry_id=entry.id,
        started=duty.due,
        stopped=moment,
        days=((moment or limit) - duty.due).days,
        because=because.strip(),
        grade=grade,
        network=network,
        evidence=evidence,
    )


def _silence(case: Case, incidents: Sequence[Incident], as_of: datetime) -> list[Clock]:
    start = _block_start(case, incidents)
    if start is None or start[0] > as_of:
        return []
    began, source, grade = start
    reasons = [entry for entry in case.entries if entry.gives_reason]
    first = min(reasons, key=lambda entry: (entry.latest, entry.id), default=None)
    stopped = max(began, midnight(first.latest)) if first else None
    if stopped and stopped > as_of:
        stopped = first = None
    text = _silence_text(source, began, first)
    return [
        Clock(
            clock=ClockKind.SILENCE,
            entry_id=source,
            started=began,
            stopped=stopped,
            days=((stopped or as_of) - began).days,
            because=text,
            grade=grade,
            evidence=(source, first.id) if first else (source,),
        )
    ]


def _silence_text(source: str, began: datetime, first: Entry | None) -> str:
    if first is None:
        return say("silence.running", start=source)
    return say("silence.none" if first.latest <= began.date() else "silence.stopped", start=source, entry=first.id)


def _block_start(case: Case, incidents: Sequence[Incident]) -> tuple[datetime, str, Grade] | None:
    """The first measured hour of the block, else the earliest finding that reaches into the longest one."""
    mine = [item for item in incidents if (item.service, item.place) == (case.service, case.place)]
    if mine:
        first = min(mine, key=lambda item: (item.onset.latest, item.incident_id))
        return first.onset.latest, first.incident_id, first.grade
    blocks = [item for item in findings(case) if item.grade is Grade.C and item.claim.state in IMPAIRED]
    if not blocks:
        return None
    main = max(blocks, key=lambda item: (item.claim.end - item.claim.start, item.entry.id))
    near = [item for item in blocks if item.claim.start <= main.claim.end and item.claim.end > main.claim.start]
    first_found = min(near, key=lambda item: (item.claim.start, -(item.claim.end - item.claim.start), item.entry.id))
    return first_found.claim.start, first_found.entry.id, Grade.C
