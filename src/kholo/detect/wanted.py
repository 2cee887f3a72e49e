"""What would raise confidence: the measurements that would narrow the dates of an incident most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from kholo.model import Bracket, Cell, Incident, NetworkSpell, Wanted

#: Gaps shorter than this are not worth anybody's time.
_LEAST_HOURS = 3.0
#: How far back a network counts as one that is measured.
_MEASURED = timedelta(days=60)
_HOUR = timedelta(hours=1)


def wanted(incident: Incident, cells: Iterable[Cell]) -> list[Wanted]:
    """What is missing, that which would help most first. The order of `cells` makes no difference."""
    lines: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: (one.network, one.hour)):
        key = (cell.service, cell.place, cell.simulated)
        if key == (incident.service, incident.place, incident.simulated) and cell.votes:
            lines.setdefault(cell.network, []).append(cell)
    latest = max((cell.hour + _HOUR for line in lines.values() for cell in line), default=incident.last_seen)
    found = [
        one for spell in incident.spells for one in _of_spell(incident, spell, lines.get(spell.network, []), latest)
    ]
    for network, line in sorted(lines.items()):
        if network not in incident.networks:
            found += _of_network(incident, network, line)
    return sorted(found, key=lambda one: (-one.gain_hours, one.network, one.since))


def _of_spell(incident: Incident, spell: NetworkSpell, line: Sequence[Cell], latest: datetime) -> list[Wanted]:
    found = []
    if spell.onset_measured:
        found += _in_bracket(incident, spell, spell.onset, line, "when it began")
    if spell.end:
        found += _in_bracket(incident, spell, spell.end, line, "when it ended")
    else:
        hours = (latest - spell.last_seen) / _HOUR
        found.append(_one(incident, spell.network, spell.last_seen, None, None, hours, "whether it lasts"))
    return found


def _in_bracket(
    incident: Incident, spell: NetworkSpell, bracket: Bracket, line: Sequence[Cell], why: str
) -> list[Wanted]:
    """The longest time inside the bracket in which nobody measured; a result in its middle would halve it."""
    moments = [bracket.earliest, bracket.latest]
    for cell in line:
        for vote in cell.votes:
            moments += [at for at in (vote.first, vote.last) if bracket.earliest < at < bracket.latest]
    moments.sort()
    length, begin = max(((b - a, a) for a, b in pairwise(moments)), default=(_HOUR, moments[0]))
    if length / _HOUR < _LEAST_HOURS:
        return []
    best = (begin + length / 2).replace(minute=0, second=0, microsecond=0)
    return [_one(incident, spell.network, begin, begin + length, best, length / _HOUR / 2, why)]


def _of_network(incident: Incident, network: str, line: Sequence[Cell]) -> list[Wanted]:
    """A network that is measured at other times, and was not while it lasted elsewhere."""
    begin, until = incident.onset.latest, incident.last_seen
    near = [cell for cell in line if begin - _MEASURED <= cell.hour <= until + _MEASURED]
    if not near or any(begin <= cell.hour + _HOUR and cell.hour <= until for cell in near):
        return []
    why = "whether it was so on this network too"
    return [_one(incident, network, begin, until, None, (until - begin) / _HOUR, why)]


def _one(
    incident: Incident, network: str, since: datetime, until: datetime | None, best: datetime | None, hours: float,
    why: str,
) -> Wanted:  # fmt: skip
    return Wanted(
        incident.incident_id, incident.service, incident.place, network, since, until, best, round(hours, 1), why
    )
