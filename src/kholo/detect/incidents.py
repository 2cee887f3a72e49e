"""One event in the world, one incident: spells that coincide across networks, brief restorations kept inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from kholo.model import Bracket, Cell, Grade, Incident, State

from .settings import DEFAULT, Settings
from .spells import Spell, spells


def incidents(cells: Iterable[Cell], settings: Settings = DEFAULT) -> list[Incident]:
    """All incidents, sorted by onset, then id. A pure function: the order of `cells` makes no difference.

    Simulated and real cells never meet in one incident.
    """
    ordered = sorted(cells, key=lambda cell: (_place_key(cell), cell.network, cell.hour))
    found: list[Incident] = []
    for (service, place, simulated), group in groupby(ordered, key=_place_key):
        impaired = [
            spell
            for _, series in groupby(group, key=lambda cell: cell.network)
            for spell in spells(list(series), settings)
        ]
        for state in (State.BLOCKED, State.THROTTLED):
            for event in _joined([spell for spell in impaired if spell.seen.state is state], settings):
                found.append(_incident(service, place, simulated, state, event))
    return _named(sorted(found, key=lambda incident: (incident.onset, incident.incident_id, incident.networks)))


def _place_key(cell: Cell) -> tuple[str, str, bool]:
    return cell.service, cell.place, cell.simulated


def _joined(found: list[Spell], settings: Settings) -> list[list[Spell]]:
    """Spells that are one event: on one network apart by a brief restoration, across networks by a short spread."""
    events: list[list[Spell]] = []
    for spell in sorted(found, key=lambda item: (item.seen.onset, item.seen.network)):
        near = next((event for event in reversed(events) if _is_near(event, spell, settings)), None)
        if near is None:
            events.append([spell])
        else:
            near.append(spell)
    return events


def _is_near(event: list[Spell], spell: Spell, settings: Settings) -> bool:
    for other in event:
        days = settings.restoration_days if other.seen.network == spell.seen.network else settings.spread_days
        if spell.seen.onset.earliest <= _known_end(other) + timedelta(days=days):
            return True
    return False


def _known_end(spell: Spell) -> datetime:
    """Up to where it is known to have lasted."""
    return max(spell.seen.last_seen, spell.seen.end.earliest if spell.seen.end else spell.seen.last_seen)


def _incident(service: str, place: str, simulated: bool, state: State, event: list[Spell]) -> Incident:
    seen = tuple(sorted((spell.seen for spell in event), key=lambda item: (item.network, item.onset)))
    first = min(event, key=lambda spell: (spell.seen.onset.latest, spell.seen.onset.earliest)).seen
    mechanisms: Counter[str] = Counter()
    for cell in {(cell.network, cell.hour): cell for spell in event for cell in spell.cells}.values():
        mechanisms.update(dict(cell.mechanisms))
    return Incident(
        incident_id=f"{service}-{place}-{state.value}-{first.onset.latest:%Y%m%d}",
        service=service,
        place=place,
        networks=tuple(sorted({spell.network for spell in seen})),
        state=state,
        mechanisms=tuple(name for name, _ in sorted(mechanisms.items(), key=lambda item: (-item[1], item[0]))),
        onset=first.onset,
        end=_end(event),
        last_seen=max(spell.last_seen for spell in seen),
        reports=sum(spell.reports for spell in seen),
        results=sum(spell.results for spell in seen),
        grade=_grade(event),
        spells=seen,
        simulated=simulated,
        onset_measured=first.onset_measured,
    )


def _end(event: list[Spell]) -> Bracket | None:
    """The end of the spell that lasted longest; None while one is open that was seen after every measured end."""
    ends = [spell.seen.end for spell in event if spell.seen.end]
    still = [spell.seen.last_seen for spell in event if spell.seen.end is None]
    if not ends or any(last >= max(end.earliest for end in ends) for last in still):
        return None
    return max(ends, key=lambda end: (end.latest, end.earliest))


def _grade(event: list[Spell]) -> Grade:
    """A only where every decisive result in its cells was judged from a raw measurement."""
    covered = [cell for spell in event for cell in spell.cells]
    return Grade.A if all(cell.raw == cell.ok + cell.blocked + cell.throttled for cell in covered) else Grade.B


def _named(found: list[Incident]) -> list[Incident]:
    """Ids stand once: a second event of the same service, place, state and day carries its first network too."""
    taken = Counter(incident.incident_id for incident in found)
    return [
        msgspec.structs.replace(incident, incident_id=f"{incident.incident_id}-{incident.networks[0]}")
        if taken[incident.incident_id] > 1
        else incident
        for incident in found
    ]


def incident_json(incident: Incident) -> dict[str, Any]:
    """The public names of an incident, in plain values: times in RFC 3339, absent as null."""
    made: dict[str, Any] = msgspec.to_builtins(incident)
    return made
