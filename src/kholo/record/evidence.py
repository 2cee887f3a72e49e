"""The evidence of a case, in order: what was measured on each network, and what others published."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import accumulate

import msgspec

from kholo.model import (
    IMPAIRED,
    Case,
    DayState,
    Entry,
    EntryKind,
    Grade,
    Incident,
    Kind,
    NetworkSpell,
    Proposition,
    State,
)

from .spans import TICK, Days, Span, last_day

_GRADE_OF_ROLE = {"measurement-body": Grade.C, "press": Grade.D, "users": Grade.D}
#: Names for many, not for somebody: what they say now may be borne out by what they said before.
_CROWDS = frozenset({"press", "users"})
#: Events in which people could not reach the service, though nobody came between.
_OUT = frozenset({Kind.SHUT_DOWN, Kind.SERVICE_DOWN})
#: A service and a place.
_About = tuple[str, str]


class Finding(msgspec.Struct, frozen=True):
    """A published finding with the grade that its author gives it."""

    entry: Entry
    claim: Proposition
    grade: Grade

    @property
    def span(self) -> Span:
        """The time that it speaks of."""
        return Span(self.claim.start, self.claim.end)


class Spell(msgspec.Struct, frozen=True):
    """A stretch of an incident on one network, as far as it is known to have lasted."""

    incident: Incident
    seen: NetworkSpell
    span: Span

    @property
    def is_open(self) -> bool:
        """Nobody measured its end."""
        return self.seen.end is None


class Line(msgspec.Struct, frozen=True):
    """One service in one place on one network. Sets of days are bits (`Days`).

    `ok`: measured and reachable on that day, and no spell on it; `raw`: judged from raw measurements alone;
    `decided`: enough was measured to say anything. `spells` accuse; `taken_back` looked like a block and are none.
    """

    network: str
    ok: int
    raw: int
    decided: int
    spells: tuple[Spell, ...]
    taken_back: tuple[Spell, ...]
    days: tuple[date, ...]
    results: tuple[int, ...]
    reports: tuple[int, ...]

    def counted(self, span: Span) -> tuple[int, int]:
        """Decisive results, and reports, of the days that a span touches."""
        begin, end = bisect_left(self.days, span.start.date()), bisect_right(self.days, last_day(span.end))
        return self.results[end] - self.results[begin], self.reports[end] - self.reports[begin]


class Evidence:
    """All that a case's claims and orders are set against. The order of what is handed in changes nothing."""

    def __init__(self, case: Case, incidents: Iterable[Incident], days: Iterable[DayState]) -> None:
        own_days = list(days)
        spells = _spells(incidents)
        first = [day.day for day in own_days] + [one.span.start.date() for _, one in spells]
        for entry in case.entries:
            first += [part.start.date() for part in [entry.proposition] if part]
            first += [part.due.date() for part in [entry.obligation] if part]
        self.case = case
        self.days = Days(min(first, default=case.start))
        self._lines = _lines(own_days, spells, self.days)
        self._findings = findings(case)

    def lines(self, claim: Proposition) -> tuple[Line, ...]:
        """The networks that a claim is about, sorted: those it names, else all that were ever measured in the case."""
        known = self._lines.get((claim.service, claim.place), {})
        names = sorted(claim.networks or known)
        return tuple(known.get(name) or Line(name, 0, 0, 0, (), (), (), (0,), (0,)) for name in names)

    def findings(self, besides: Entry | None = None) -> list[Finding]:
        """The findings that stand. Nobody's finding is evidence for what they say themselves (`besides`)."""
        if besides is None:
            return self._findings
        roles = {actor.id: actor.role for actor in self.case.actors}
        is_crowd = roles.get(besides.actor) in _CROWDS
        return [
            one
            for one in self._findings
            if one.entry.id != besides.id and (is_crowd or one.entry.actor != besides.actor)
        ]


def known_end(spell: NetworkSpell) -> datetime:
    """Up to where a spell is known to have lasted: no bracket is used to anyone's disadvantage."""
    seen = max(spell.last_seen, spell.end.earliest) if spell.end else spell.last_seen
    return max(seen, spell.onset.latest + TICK)


def accuses(incident: Incident) -> bool:
    """Whether an incident says that somebody came between the person and the service."""
    return incident.kind in (Kind.BLOCKED, Kind.THROTTLED) and incident.state in IMPAIRED


def is_about(found: Proposition, claim: Proposition) -> bool:
    """Whether two speak of the same service and place, and of some of the same time and networks."""
    networks = not claim.networks or not found.networks or set(claim.networks) & set(found.networks)
    same = (found.service, found.place) == (claim.service, claim.place)
    return bool(same and networks and found.start < claim.end and found.end > claim.start)


def reaches(found: Proposition, claim: Proposition) -> bool:
    """Whether one speaks of all networks that the other speaks of."""
    return not found.networks or bool(claim.networks and set(claim.networks) <= set(found.networks))


def _spells(incidents: Iterable[Incident]) -> list[tuple[_About, Spell]]:
    return [
        ((incident.service, incident.place), Spell(incident, spell, Span(spell.onset.latest, known_end(spell))))
        for incident in incidents
        for spell in incident.spells
        # A dark network is part of an incident by what others show: by itself it proves nothing.
        if not spell.is_dark
    ]


def _lines(
    rows: Sequence[DayState], spells: Sequence[tuple[_About, Spell]], days: Days
) -> dict[_About, dict[str, Line]]:
    measured: dict[tuple[_About, str], list[DayState]] = {}
    for row in rows:
        measured.setdefault(((row.service, row.place), row.network), []).append(row)
    hit: dict[tuple[_About, str], list[Spell]] = {}
    for about, spell in spells:
        hit.setdefault((about, spell.seen.network), []).append(spell)
    found: dict[_About, dict[str, Line]] = {}
    for about, network in sorted(measured.keys() | hit.keys()):
        key = (about, network)
        found.setdefault(about, {})[network] = _line(network, measured.get(key, []), hit.get(key, []), days)
    return found


def _line(network: str, rows: list[DayState], spells: list[Spell], days: Days) -> Line:
    rows = sorted(rows, key=lambda row: row.day)
    spells = sorted(spells, key=lambda one: (one.span, one.incident.incident_id))
    ok = raw = decided = out = 0
    for row in rows:
        bit = days.bit(row.day)
        decided |= bit if row.state is not State.INSUFFICIENT else 0
        ok |= bit if row.state is State.OK else 0
        raw |= bit if row.raw else 0
    for spell in spells:
        if accuses(spell.incident) or spell.incident.kind in _OUT:
            out |= days.touched(spell.span)
    return Line(
        network=network,
        ok=ok & ~out,
        raw=raw,
        decided=decided,
        spells=tuple(one for one in spells if accuses(one.incident)),
        taken_back=tuple(one for one in spells if not accuses(one.incident)),
        days=tuple(row.day for row in rows),
        results=tuple(accumulate((row.ok + row.blocked + row.throttled for row in rows), initial=0)),
        reports=tuple(accumulate((row.reports for row in rows), initial=0)),
    )


def findings(case: Case) -> list[Finding]:
    """Sorted by id. What was taken back is evidence of nothing."""
    roles = {actor.id: actor.role for actor in case.actors}
    gone = {name for entry in case.entries for name in entry.retracts}
    found = [
        Finding(entry, entry.proposition, grade)
        for entry in case.entries
        if entry.kind is EntryKind.FINDING and entry.id not in gone and entry.proposition
        and (grade := _GRADE_OF_ROLE.get(roles.get(entry.actor, "")))
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.entry.id)
