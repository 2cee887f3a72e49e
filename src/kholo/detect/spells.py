"""The spells of each network: stretches of impaired access as the record speaks of them, in times and reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kholo.model import Bracket, Cell, NetworkSpell, ReportVotes, State

from .segments import Array
from .series import minute, moment, series
from .settings import Settings
from .stretches import Memory, Stretch, stretches


class Spell(msgspec.Struct, frozen=True):
    """A spell with the cells it covers: all of them, and those in which something failed."""

    seen: NetworkSpell
    inside: tuple[Cell, ...]
    cells: tuple[Cell, ...]


def spells(
    many: Sequence[Sequence[Cell]],
    settings: Settings,
    baselines: Sequence[Array] | None = None,
    memory: Memory | None = None,
    workers: int = 1,
) -> list[list[Spell]]:
    """The spells of each series of cells (of one service, place and network, in time). As `stretches` otherwise."""
    lines = [series(cells) for cells in many]
    found = stretches(lines, settings, baselines, memory, workers)
    return [
        [spell for one in theirs for spell in _spells(one, [cells[place] for place in line.place], settings)]
        for cells, line, theirs in zip(many, lines, found, strict=True)
    ]


def _spells(one: Stretch, cells: Sequence[Cell], settings: Settings) -> list[Spell]:
    """The stretch; two spells where blocking turned to throttling (or back) and both are witnessed."""
    onset, end = Bracket(moment(one.onset[0]), moment(one.onset[1])), None
    if one.measured:
        onset = _in_minutes(one.onset)
    if one.end:
        end = _in_minutes(one.end)
    inside = cells[one.first : one.last + 1]
    cut = _change(inside)
    if cut is not None:
        before, after = inside[:cut], inside[cut:]
        turn = Bracket(_last(before[-1]), max(_last(before[-1]), _first(after[0])))
        if _is_witnessed(before, settings) and _is_witnessed(after, settings):
            return [
                _spell(before, onset, turn, one.e_value, measured=one.measured),
                _spell(after, turn, end, one.e_value, measured=True),
            ]
    return [_spell(inside, onset, end, one.e_value, measured=one.measured)]


def _in_minutes(bracket: tuple[float, float]) -> Bracket:
    """Probes' clocks are no better: outwards to full minutes."""
    return Bracket(minute(bracket[0]), minute(bracket[1], up=True))


def _first(cell: Cell) -> datetime:
    return min(vote.first for vote in cell.votes)


def _last(cell: Cell) -> datetime:
    return max(vote.last for vote in cell.votes)


def _change(cells: Sequence[Cell]) -> int | None:
    """Where one kind of impairment best gives way to the other; None where one kind explains nearly all."""
    kinds = [sum((vote.throttled > vote.blocked) - (vote.blocked > vote.throttled) for vote in cell.votes)
             for cell in cells]  # fmt: skip
    total, passed, best, at = sum(kinds), 0, 0, None
    for place, kind in enumerate(kinds[:-1], 1):
        passed += kind
        contrast = abs(total - 2 * passed)
        if contrast > best and (passed < 0) != (total - passed < 0) and passed and total - passed:
            best, at = contrast, place
    return at if best > abs(total) else None


def _is_witnessed(cells: Sequence[Cell], settings: Settings) -> bool:
    """Enough distinct reports failed, in enough different hours."""
    return len(_reports(cells)) >= settings.min_reports and len(_hit(cells)) >= settings.min_hours


def _hit(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if any(map(_failed, cell.votes))]


def _failed(vote: ReportVotes) -> int:
    return vote.blocked + vote.throttled


def _reports(cells: Sequence[Cell]) -> set[str]:
    """The reports that failed; those without an id are one a cell."""
    return {vote.report or f"unknown in {cell.hour}" for cell in cells for vote in cell.votes if _failed(vote)}


def _spell(cells: Sequence[Cell], onset: Bracket, end: Bracket | None, e_value: float, *, measured: bool) -> Spell:
    hit = _hit(cells)
    votes = [vote for cell in hit for vote in cell.votes]
    blocked, throttled = sum(vote.blocked for vote in votes), sum(vote.throttled for vote in votes)
    last_seen = max(vote.last for vote in votes if _failed(vote))
    seen = NetworkSpell(
        network=cells[0].network,
        # The weaker claim where both are as frequent.
        state=State.BLOCKED if blocked > throttled else State.THROTTLED,
        onset=Bracket(min(onset.earliest, last_seen), min(onset.latest, last_seen)),
        end=end,
        last_seen=last_seen,
        reports=len(_reports(cells)),
        results=blocked + throttled,
        onset_measured=measured,
        e_value=e_value,
    )
    return Spell(seen, tuple(cells), tuple(hit))
