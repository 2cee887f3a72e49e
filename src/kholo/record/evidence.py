"""The evidence that bears on one proposition: spells and days measured, and findings published by others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from kholo.model import Case, DayState, Entry, EntryKind, Grade, Incident, NetworkSpell, Proposition, State

_GRADE_OF_ROLE = {"measurement-body": Grade.C, "press": Grade.D, "users": Grade.D}


class Finding(msgspec.Struct, frozen=True):
    """A published finding with the grade that its author gives it."""

    entry: Entry
    claim: Proposition
    grade: Grade


class Measured(msgspec.Struct, frozen=True):
    """What was measured inside a proposition's time: the spells that reach into it, and the days."""

    spells: tuple[tuple[Incident, NetworkSpell], ...]
    days: tuple[DayState, ...]
    wanted: int

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks on which anything decisive was measured in that time."""
        named = {day.network for day in self.days if day.reports} | {spell.network for _, spell in self.spells}
        return tuple(sorted(named))

    @property
    def results(self) -> int:
        """Decisive results."""
        return sum(day.ok + day.blocked + day.throttled for day in self.days)

    @property
    def is_all_ok(self) -> bool:
        """Every day of every network measured and ok, with no spell reaching in. Never true of no days."""
        fine = sum(day.state is State.OK for day in self.days)
        return bool(self.days) and not self.spells and fine == len(self.days) == self.wanted


def findings(case: Case, besides: str = "") -> list[Finding]:
    """The findings of the case that speak of its service and place, the entry `besides` left out."""
    roles = {actor.id: actor.role for actor in case.actors}
    return [
        Finding(entry, entry.proposition, grade)
        for entry in case.entries
        if entry.kind is EntryKind.FINDING and entry.id != besides and entry.proposition
        and (grade := _GRADE_OF_ROLE.get(roles.get(entry.actor, "")))
    ]  # fmt: skip


def measured(claim: Proposition, incidents: Sequence[Incident], days: Sequence[DayState], as_of: datetime) -> Measured:
    """What bears on the claim. `wanted` counts the network-days that full coverage would have."""
    end = min(claim.end, as_of)
    spells = [
        (incident, spell)
        for incident in incidents
        if (incident.service, incident.place) == (claim.service, claim.place)
        for spell in incident.spells
        # A dark network is part of an incident by what others show: against a statement it proves nothing.
        if _on(spell.network, claim)
        and not spell.is_dark
        and spell.onset.latest < end
        and known_end(spell) > claim.start
    ]
    theirs = [
        day for day in days if (day.service, day.place) == (claim.service, claim.place) and _on(day.network, claim)
    ]
    inside = [day for day in theirs if claim.start.date() <= day.day <= last_day(end)]
    series = set(claim.networks) or {day.network for day in theirs}
    length = max(0, (last_day(end) - claim.start.date()).days + 1)
    spells.sort(key=lambda pair: (pair[0].incident_id, pair[1].network, pair[1].onset))
    return Measured(tuple(spells), tuple(sorted(inside, key=lambda day: (day.network, day.day))), length * len(series))


def _on(network: str, claim: Proposition) -> bool:
    return not claim.networks or network in claim.networks


def known_end(spell: NetworkSpell) -> datetime:
    """Up to where a spell is known to have lasted: no bracket is used to anyone's disadvantage."""
    return max(spell.last_seen, spell.end.earliest) if spell.end else spell.last_seen


def last_day(end: datetime) -> date:
    """The last day before an end that is not included."""
    return (end - timedelta(microseconds=1)).date()


def is_about(finding: Finding, claim: Proposition) -> bool:
    """Whether a finding speaks of the same service and place, of some of the time, and of some of the networks."""
    found = finding.claim
    networks = not claim.networks or not found.networks or set(claim.networks) & set(found.networks)
    same = (found.service, found.place) == (claim.service, claim.place)
    return bool(same and networks and found.start < claim.end and found.end > claim.start)


def covers(finding: Finding, claim: Proposition) -> bool:
    """Whether a finding speaks of all of the claim's time."""
    return finding.claim.start <= claim.start and finding.claim.end >= claim.end


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
