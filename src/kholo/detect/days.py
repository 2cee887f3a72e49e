"""One state a day and network, for pictures and tables. A day without enough measurements is never "ok"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby

from kholo.model import Cell, DayState, Incident, NetworkSpell, State

_Key = tuple[str, str, bool]


def days(
    cells: Iterable[Cell], incidents: Sequence[Incident], first: date | None = None, last: date | None = None
) -> list[DayState]:
    """Day states between `first` and `last` (UTC, both inside; by default the days measured in the place).

    Impaired: inside a spell of an incident, with at least one result that shows it. Ok: outside of spells, with fewer
    failed than successful results. Down: nothing but results that call the site itself down. All else: insufficient.
    """
    ordered = sorted(cells, key=lambda cell: (_key(cell), cell.network, cell.hour))
    made: list[DayState] = []
    for key, group in groupby(ordered, key=_key):
        mine = list(group)
        begin = first or min(cell.hour for cell in mine).date()
        end = last or max(cell.hour for cell in mine).date()
        spells = [spell for incident in incidents if _key(incident) == key for spell in incident.spells]
        for network, series in groupby(mine, key=lambda cell: cell.network):
            theirs = [spell for spell in spells if spell.network == network]
            made += _network_days(key, network, list(series), theirs, begin, end)
    return made


def _key(item: Cell | Incident) -> _Key:
    return item.service, item.place, item.simulated


def _network_days(
    key: _Key, network: str, series: list[Cell], spells: list[NetworkSpell], begin: date, end: date
) -> list[DayState]:
    by_day: dict[date, list[Cell]] = {}
    for cell in series:
        by_day.setdefault(cell.hour.date(), []).append(cell)
    span = range(max(0, (end - begin).days + 1))
    return [_day(key, network, day, by_day.get(day, []), spells) for day in (begin + timedelta(days=n) for n in span)]


def _day(key: _Key, network: str, day: date, cells: list[Cell], spells: list[NetworkSpell]) -> DayState:
    ok, down, blocked, throttled, unclear = (
        sum(getattr(cell, name) for cell in cells) for name in ("ok", "down", "blocked", "throttled", "insufficient")
    )
    inside = [spell for spell in spells if _covers(spell, day)]
    if inside and blocked + throttled:
        state = inside[-1].state
    elif not inside and ok > blocked + throttled:
        state = State.OK
    elif down and not ok + blocked + throttled:
        state = State.DOWN
    else:
        state = State.INSUFFICIENT
    named = {vote.report for cell in cells for vote in cell.votes if vote.report}
    unnamed = sum(1 for cell in cells for vote in cell.votes if not vote.report)
    return DayState(
        service=key[0],
        place=key[1],
        network=network,
        day=day,
        state=state,
        ok=ok,
        blocked=blocked,
        throttled=throttled,
        down=down,
        insufficient=unclear,
        reports=len(named) + unnamed,
        simulated=key[2],
        raw=bool(named or unnamed) and all(cell.raw == cell.ok + cell.blocked + cell.throttled for cell in cells),
    )


def _covers(spell: NetworkSpell, day: date) -> bool:
    """Whether the spell is known to reach into the day."""
    end = spell.end.earliest if spell.end else spell.last_seen
    return spell.onset.latest.date() <= day <= max(end, spell.last_seen).date()
