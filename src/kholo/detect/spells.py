"""The spells of one network: stretches in which access was impaired, with brackets for where each begins and ends."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kholo.model import Bracket, Cell, NetworkSpell, State

from .chain import Posterior, Vote, posterior, votes
from .settings import Settings


class Spell(msgspec.Struct, frozen=True):
    """A spell with what it rests on: the cells it covers, and whether its beginning was measured."""

    seen: NetworkSpell
    cells: tuple[Cell, ...]
    reports: frozenset[str]


class _Stretch(msgspec.Struct, frozen=True):
    """Votes `first` to `last` (both inside), with its brackets. `end` None: the votes end with it."""

    first: int
    last: int
    onset: Bracket
    end: Bracket | None
    measured: bool


def spells(cells: Sequence[Cell], settings: Settings) -> list[Spell]:
    """The spells of one series of cells (one service, place and network, in time)."""
    series = votes(cells)
    if not series:
        return []
    known = posterior(series, settings)
    found = []
    for stretch in _stretches(series, known, settings):
        found += [_spell(part, series, cells) for part in _parts(stretch, series, known, settings)]
    return found


def _stretches(series: list[Vote], known: Posterior, settings: Settings) -> list[_Stretch]:
    """Runs of votes at which access was more likely impaired than not."""
    runs: list[tuple[int, int]] = []
    for place, chance in enumerate(known.impaired):
        if chance <= 0.5:
            continue
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return [_stretch(first, last, series, known, settings) for first, last in runs]


def _stretch(first: int, last: int, series: list[Vote], known: Posterior, settings: Settings) -> _Stretch:
    anchor = max(range(first, last + 1), key=lambda place: known.impaired[place])
    onset, end = Bracket(series[0].first, series[0].first), None
    if first:
        onset = _bracket(known.onset(anchor), 0, series, settings)
    if last < len(series) - 1:
        end = _bracket(known.end(anchor), anchor, series, settings)
    return _Stretch(first, last, onset, end, measured=first > 0)


def _bracket(chances: list[float], shift: int, series: list[Vote], settings: Settings) -> Bracket:
    """Where a change lies: the gaps that hold it, with the tails of its posterior left out.

    Item i of `chances` is for the gap between votes `shift + i` and `shift + i + 1`.
    """
    total, passed = sum(chances), 0.0
    earliest, latest = 0, len(chances) - 1
    for gap, chance in enumerate(chances):
        if passed <= settings.tail * total:
            earliest = gap
        passed += chance
        if passed >= (1 - settings.tail) * total:
            latest = gap
            break
    begin = series[shift + earliest].last
    return Bracket(begin, max(begin, series[shift + latest + 1].first))


def _parts(stretch: _Stretch, series: list[Vote], known: Posterior, settings: Settings) -> list[_Stretch]:
    """The stretch if it passes the gate; two parts where blocking turned to throttling (or back) and both pass."""
    place = _change(series[stretch.first : stretch.last + 1])
    if place is not None:
        cut = stretch.first + place
        turn = Bracket(series[cut - 1].last, max(series[cut - 1].last, series[cut].first))
        parts = [
            _Stretch(stretch.first, cut - 1, stretch.onset, turn, stretch.measured),
            _Stretch(cut, stretch.last, turn, stretch.end, measured=True),
        ]
        if all(_passes(part, series, known, settings) for part in parts):
            return parts
    return [stretch] if _passes(stretch, series, known, settings) else []


def _change(stretch: Sequence[Vote]) -> int | None:
    """Where one kind of impairment best gives way to the other; None where one kind explains nearly all."""
    kinds = [(vote.throttled > vote.blocked) - (vote.blocked > vote.throttled) for vote in stretch]
    total, passed, best, at = sum(kinds), 0, 0, None
    for place, kind in enumerate(kinds[:-1], 1):
        passed += kind
        contrast = abs(total - 2 * passed)
        if contrast > best and (passed < 0) != (total - passed < 0) and passed and total - passed:
            best, at = contrast, place
    return at if best > abs(total) else None


def _passes(stretch: _Stretch, series: list[Vote], known: Posterior, settings: Settings) -> bool:
    """Enough distinct reports, in enough different hours, with enough weight together."""
    places = range(stretch.first, stretch.last + 1)
    hit = [series[place] for place in places if series[place].impaired >= 0.5]
    weight = sum(known.log_ratio[place] for place in places)
    return (
        len({_identity(vote) for vote in hit}) >= settings.min_reports
        and len({vote.cell for vote in hit}) >= settings.min_hours
        and weight >= settings.min_log_ratio
    )


def _identity(vote: Vote) -> str:
    return vote.report or f"unknown in cell {vote.cell}"


def _spell(stretch: _Stretch, series: list[Vote], cells: Sequence[Cell]) -> Spell:
    mine = series[stretch.first : stretch.last + 1]
    hit = [vote for vote in mine if vote.blocked + vote.throttled]
    blocked, throttled = sum(vote.blocked for vote in hit), sum(vote.throttled for vote in hit)
    reports = frozenset(_identity(vote) for vote in hit)
    covered = [cells[place] for place in sorted({vote.cell for vote in hit})]
    seen = NetworkSpell(
        network=covered[0].network,
        # The weaker claim where both are as frequent.
        state=State.BLOCKED if blocked > throttled else State.THROTTLED,
        onset=stretch.onset,
        end=stretch.end,
        last_seen=max(vote.last for vote in hit),
        reports=len(reports),
        results=blocked + throttled,
        onset_measured=stretch.measured,
    )
    return Spell(seen, tuple(covered), reports)
