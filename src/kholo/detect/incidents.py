"""One event in the world, one incident: spells that coincide across networks, brief restorations kept inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from kholo.model import Bracket, Cell, Grade, HoursOfDay, Incident, Kind, NetworkSpell, State

from .baselines import Baselines
from .cells import with_dark
from .hours import hours_of_day, is_on
from .names import identity, named
from .segments import Array
from .settings import DEFAULT, Settings
from .spells import Spell, spells
from .stretches import Memory


def incidents(
    cells: Iterable[Cell],
    settings: Settings = DEFAULT,
    baselines: Baselines | None = None,
    slow: Iterable[Spell] = (),
    memory: Memory | None = None,
    workers: int = 1,
) -> list[Incident]:
    """All incidents, sorted by onset, then id. A pure function: the order of `cells` makes no difference.

    Simulated and real cells never meet in one incident. `baselines`: what is known of reachable lines, by service and
    place (None: what the settings say). `slow`: spells that the rates of transfers show (`rates.slowdowns`). Kinds are
    decided afterwards, by `kinds.decided`. `memory`, `workers`: as of `stretches`; they change nothing but the time.
    """
    ordered = sorted(cells, key=lambda cell: (_place_key(cell), cell.network, cell.hour))
    many = [list(group) for _, group in groupby(ordered, key=lambda cell: (_place_key(cell), cell.network))]
    known = baselines or Baselines()
    bases = [known.of(one[0].service, one[0].place, simulated=one[0].simulated) for one in many]
    by_place: dict[tuple[str, str, bool], list[tuple[list[Cell], list[Spell]]]] = {}
    for one, theirs in zip(many, spells(many, settings, bases, memory, workers), strict=True):
        by_place.setdefault(_place_key(one[0]), []).append((one, theirs))
    by_rate: dict[tuple[str, str, bool], list[Spell]] = {}
    for spell in slow:
        by_rate.setdefault(_place_key(spell.cells[0]), []).append(spell)
    found = [
        incident
        for key in sorted({*by_place, *by_rate})
        for incident in _in_place(
            key, by_place.get(key, []), by_rate.get(key, []), known.of(key[0], key[1], simulated=key[2]), settings
        )
    ]
    return named(found)


def _in_place(
    key: tuple[str, str, bool], lines: list[tuple[list[Cell], list[Spell]]], slow: list[Spell], baseline: Array,
    settings: Settings,
) -> list[Incident]:  # fmt: skip
    made = []
    for state in (State.BLOCKED, State.THROTTLED):
        impaired = [spell for _, theirs in lines for spell in theirs if spell.seen.state is state]
        if state is State.THROTTLED:
            impaired = _either(impaired, slow)
        for event in _joined(impaired, settings):
            pattern = hours_of_day(_by_network(event))
            rest = [one for one, theirs in lines if not theirs]
            more = _through_hours(pattern, event, rest, baseline, settings)
            if state is State.BLOCKED:
                seen = {spell.seen.network for spell in more}
                more += _through_dark(event, [one for one in rest if one[0].network not in seen], baseline, settings)
            alike = [spell for spell in more if spell.seen.state is state]
            made.append(_incident(*key, state, event + alike, pattern, [one for one, _ in lines]))
    return made


def _either(impaired: list[Spell], slow: list[Spell]) -> list[Spell]:
    """The spells seen by single results and those seen by rates: of two that overlap, the one better shown."""
    kept: list[Spell] = []
    for spell in sorted(impaired + slow, key=lambda one: (-one.seen.e_value, one.seen.onset, one.seen.network)):
        if not any(_overlap(spell, other) for other in kept):
            kept.append(spell)
    return kept


def _overlap(one: Spell, other: Spell) -> bool:
    return (
        one.seen.network == other.seen.network
        and one.seen.onset.earliest <= _known_end(other)
        and other.seen.onset.earliest <= _known_end(one)
    )


def _by_network(event: list[Spell]) -> dict[str, list[Cell]]:
    made: dict[str, list[Cell]] = {}
    for spell in event:
        made.setdefault(spell.seen.network, []).extend(spell.inside)
    return made


def _through_hours(
    pattern: HoursOfDay | None, event: list[Spell], others: list[list[Cell]], baseline: Array, settings: Settings
) -> list[Spell]:
    """The block on further networks, where it is plain once one looks at the hours in which it was on elsewhere.

    The hours come from other networks, so that looking at them alone favours nothing here.
    """
    if pattern is None:
        return []
    thinned = [[cell for cell in cells if is_on(pattern, cell.hour)] for cells in others]
    return _within(event, thinned, baseline, settings)


def _through_dark(event: list[Spell], others: list[list[Cell]], baseline: Array, settings: Settings) -> list[Spell]:
    """The block on further networks on which nothing of the service answered at all.

    Alone that might be a dead line; so it counts only while the service is seen blocked on another network.
    """
    found = _within(
        event, [with_dark(cells) for cells in others if any(cell.dark for cell in cells)], baseline, settings
    )
    return [
        msgspec.structs.replace(spell, seen=msgspec.structs.replace(spell.seen, is_dark=True))
        for spell in found
    ]  # fmt: skip


def _within(event: list[Spell], lines: list[list[Cell]], baseline: Array, settings: Settings) -> list[Spell]:
    """The spells of these lines that lie within the time of the event."""
    begin = min(spell.seen.onset.earliest for spell in event) - timedelta(days=settings.spread_days)
    until = max(_known_end(spell) for spell in event) + timedelta(days=settings.spread_days)
    some = [cells for cells in lines if cells]
    return [
        spell
        for theirs in spells(some, settings, [baseline] * len(some))
        for spell in theirs
        if spell.seen.onset.latest >= begin and _known_end(spell) <= until
    ]


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


def _incident(
    service: str, place: str, simulated: bool, state: State, event: list[Spell], pattern: HoursOfDay | None,
    lines: list[list[Cell]],
) -> Incident:  # fmt: skip
    seen = tuple(sorted((spell.seen for spell in event), key=lambda item: (item.network, item.onset)))
    first = min(event, key=lambda spell: (spell.seen.onset.latest, spell.seen.onset.earliest)).seen
    last = max(spell.last_seen for spell in seen)
    mechanisms: Counter[str] = Counter()
    for cell in {(cell.network, cell.hour): cell for spell in event for cell in spell.cells}.values():
        mechanisms.update(dict(cell.mechanisms))
    return Incident(
        incident_id=identity(service, place, state, first.onset.latest),
        service=service,
        place=place,
        networks=tuple(sorted({spell.network for spell in seen})),
        state=state,
        mechanisms=tuple(name for name, _ in sorted(mechanisms.items(), key=lambda item: (-item[1], item[0]))),
        onset=first.onset,
        end=end_of(seen),
        last_seen=last,
        reports=sum(spell.reports for spell in seen),
        results=sum(spell.results for spell in seen),
        grade=_grade(event),
        spells=seen,
        simulated=simulated,
        onset_measured=first.onset_measured,
        kind=Kind(state.value),
        hours=pattern,
        e_value=_mean_e(seen, sum(_is_measured(one, first.onset.earliest, last) for one in lines)),
    )


def _is_measured(cells: list[Cell], begin: datetime, until: datetime) -> bool:
    return any(begin <= cell.hour + timedelta(hours=1) and cell.hour <= until and cell.votes for cell in cells)


def _mean_e(seen: Sequence[NetworkSpell], measured: int) -> float:
    """The mean of the e-values of the networks measured at the time; those without a spell count as nothing.

    A mean of e-values is one whatever their dependence (Vovk and Wang, "E-values", Annals of Statistics 49, 2021).
    """
    return float(f"{_sum_e(seen) / max(measured, len({spell.network for spell in seen})):.3g}")


def _sum_e(seen: Sequence[NetworkSpell]) -> float:
    """Of each network the largest."""
    by_network: dict[str, float] = {}
    for spell in seen:
        by_network[spell.network] = max(by_network.get(spell.network, 0.0), spell.e_value)
    return sum(by_network.values())


def end_of(seen: Sequence[NetworkSpell]) -> Bracket | None:
    """The end of the spell that lasted longest; None while one is open that was seen after every measured end."""
    ends = [spell.end for spell in seen if spell.end]
    still = [spell.last_seen for spell in seen if spell.end is None]
    if not ends or any(last >= max(end.earliest for end in ends) for last in still):
        return None
    return max(ends, key=lambda end: (end.latest, end.earliest))


def narrowed(incident: Incident, spells: Sequence[NetworkSpell]) -> Incident:
    """The same incident, made of these of its spells only, which may have been cut."""
    seen = tuple(spells)
    first = min(seen, key=lambda spell: (spell.onset.latest, spell.onset.earliest))
    networks = tuple(sorted({spell.network for spell in seen}))
    pattern = incident.hours
    if pattern is not None:
        still = tuple(network for network in pattern.networks if network in networks)
        pattern = msgspec.structs.replace(pattern, networks=still) if still else None
    measured = round(_sum_e(incident.spells) / incident.e_value) if incident.e_value else 0
    return msgspec.structs.replace(
        incident,
        incident_id=identity(incident.service, incident.place, incident.state, first.onset.latest),
        networks=networks,
        onset=first.onset,
        end=end_of(seen),
        last_seen=max(spell.last_seen for spell in seen),
        reports=sum(spell.reports for spell in seen),
        results=sum(spell.results for spell in seen),
        spells=seen,
        onset_measured=first.onset_measured,
        hours=pattern,
        e_value=_mean_e(seen, measured),
    )


def _grade(event: list[Spell]) -> Grade:
    """A only where every decisive result in its cells was judged from a raw measurement."""
    covered = [cell for spell in event for cell in spell.cells]
    return Grade.A if all(cell.raw == cell.ok + cell.blocked + cell.throttled for cell in covered) else Grade.B


def incident_json(incident: Incident) -> dict[str, Any]:
    """The public names of an incident, in plain values: times in RFC 3339, absent as null."""
    made: dict[str, Any] = msgspec.to_builtins(incident)
    return made
