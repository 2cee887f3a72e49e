"""Stretches of one series in which access was impaired, with brackets for where each begins and ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from .segments import BASELINE, RATES, Array, Indices, Lines, Posterior, prior_odds, run_emissions
from .series import Series
from .settings import Settings

#: A stretch within a spell that passes the gate is kept where it is at least this certain by itself.
_OWN_CHANCE = 0.99
#: An onset is dated from the first cell that is as certain as this (against the most certain), an end from the last.
_CERTAIN = 0.95
#: Series that are worked on side by side: their states then fit the processor's cache, or the memory.
_SIDE_BY_SIDE, _TOGETHER, _MOST_CELLS = 160, 128, 100_000
#: By how much the quick look may be too low, in natural units of the odds.
_MARGIN = 5.0


class Stretch(msgspec.Struct, frozen=True):
    """Cells `first` to `last` (both inside) of a series. Times are days since 1970.

    onset, end: brackets; `end` None while it lasts. `measured`: it began after the first cell. `e_value`: how much the
    odds of "blocked at some time in this stretch" rose over those of a year (`docs/detector.md`).
    """

    first: int
    last: int
    onset: tuple[float, float]
    end: tuple[float, float] | None
    measured: bool
    e_value: float


def stretches(
    many: Sequence[Series], settings: Settings, baselines: Sequence[Array] | None = None
) -> list[list[Stretch]]:
    """The stretches of each series. Each is by itself: no series makes a difference to another."""
    known = baselines if baselines is not None else [BASELINE] * len(many)
    found: list[list[Stretch]] = [[] for _ in many]
    near = [index for index, rise in enumerate(_screened(many, known, settings)) if rise > _near(settings)]
    for chosen in _groups([len(one) for one in many], near, _TOGETHER):
        group = [many[index] for index in chosen]
        every = [np.arange(len(one)) for one in group]
        lines = _lines(group, every, [known[index] for index in chosen], settings)
        for index, posterior in zip(chosen, lines.posteriors(), strict=True):
            found[index] = _stretches(many[index], posterior, settings)
    return found


def _gate(settings: Settings) -> float:
    """The posterior odds that a spell needs: those of a year, raised by as many times as false alarms are rare."""
    return prior_odds(settings) / settings.false_per_year


def _near(settings: Settings) -> float:
    """What a series needs on the quick look to be worth the exact one, as ln of 1 + odds."""
    return math.log1p(_gate(settings)) - _MARGIN


def _screened(many: Sequence[Series], baselines: Sequence[Array], settings: Settings) -> Array:
    """ln of 1 + the posterior odds of "blocked at any time" for each series, nearly.

    In long runs of cells in which all went well nothing is held to have changed.
    """
    found: Array = np.zeros(len(many))
    runs = [one.runs() for one in many]
    for chosen in _groups([len(run) for run in runs], range(len(many)), _SIDE_BY_SIDE):
        group = [many[index] for index in chosen]
        lines = _lines(group, [runs[index] for index in chosen], [baselines[index] for index in chosen], settings)
        found[chosen] = lines.screen()
    return found


def _groups(lengths: Sequence[int], wanted: Iterable[int], size: int) -> Iterator[list[int]]:
    """The wanted series that have cells, those of like length together; fewer of very long ones."""
    order = sorted((index for index in wanted if lengths[index]), key=lambda index: (-lengths[index], index))
    begin = 0
    while begin < len(order):
        taken = max(1, min(size, _MOST_CELLS // lengths[order[begin]]))
        yield order[begin : begin + taken]
        begin += taken


def _lines(group: Sequence[Series], runs: Sequence[Indices], baselines: Sequence[Array], settings: Settings) -> Lines:
    """Series side by side; the cells of each are drawn together by `runs`, the first cell of each run."""
    at, n, k = (np.concatenate([getattr(one, name) for one in group]) for name in ("at", "n", "k"))
    sizes, lengths = (np.array([len(one) for one in many]) for many in (group, runs))
    firsts = np.concatenate(runs) + np.repeat(np.cumsum(sizes) - sizes, lengths)
    lasts = np.append(firsts[1:], len(at)) - 1
    # Where each run goes: its place in its series, and its series.
    place = np.arange(len(firsts)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    owner = np.repeat(np.arange(len(group)), lengths)
    shape = int(lengths.max()), len(group)
    days, inside = np.zeros(shape), np.zeros(shape)
    days[place, owner] = np.where(place > 0, at[firsts] - at[np.maximum(firsts - 1, 0)], 0.0)
    inside[place, owner] = at[lasts] - at[firsts]
    seen = np.ones((shape[0], len(RATES), shape[1]))
    logs = run_emissions(n, k, firsts, settings)
    seen[place, :, owner] = np.exp(logs - logs.max(axis=1, keepdims=True))
    return Lines(days, seen, np.stack(baselines, axis=1), settings, inside)


def _stretches(one: Series, known: Posterior, settings: Settings) -> list[Stretch]:
    gate, found = _gate(settings), []
    for spell in _spells(one, _runs(known.blocked[: len(one)]), settings):
        if _odds(known, spell[0][0], spell[-1][1]) < gate:
            continue
        for first, last in spell:
            own = _odds(known, first, last)
            if own >= gate or (len(spell) > 1 and own >= _OWN_CHANCE / (1 - _OWN_CHANCE)):
                found.append(_dated(one, known, first, last, settings, _digits(own / prior_odds(settings))))
    return [stretch for stretch in found if _is_witnessed(one, stretch.first, stretch.last, settings)]


def _runs(blocked: Array) -> list[tuple[int, int]]:
    """Runs of cells that were more likely blocked than not."""
    inside = np.flatnonzero(blocked > 0.5)
    breaks = np.flatnonzero(np.diff(inside) > 1)
    begins, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(inside) - 1]])
    return [(int(inside[a]), int(inside[b])) for a, b in zip(begins, ends, strict=True)] if len(inside) else []


def _spells(one: Series, runs: list[tuple[int, int]], settings: Settings) -> list[list[tuple[int, int]]]:
    """Runs that only brief restorations part."""
    made: list[list[tuple[int, int]]] = []
    for run in runs:
        if made and one.at[run[0]] - one.at[made[-1][-1][1]] <= settings.restoration_days:
            made[-1].append(run)
        else:
            made.append([run])
    return made


def _odds(known: Posterior, first: int, last: int) -> float:
    free = known.free(first, last)
    return (1 - free) / max(free, 1e-300)


def _digits(value: float) -> float:
    """Three digits: the last ones depend on how many series were worked on side by side."""
    return float(f"{value:.3g}")


def _is_witnessed(one: Series, first: int, last: int, settings: Settings) -> bool:
    """Enough distinct reports failed, in enough different hours."""
    failed = one.k[first : last + 1]
    return float(failed.sum()) >= settings.min_reports - 1e-9 and int(np.count_nonzero(failed)) >= settings.min_hours


def _dated(one: Series, known: Posterior, first: int, last: int, settings: Settings, e_value: float) -> Stretch:
    certain = first + np.flatnonzero(
        known.blocked[first : last + 1] >= _CERTAIN * known.blocked[first : last + 1].max()
    )
    begin, until = int(certain[0]), int(certain[-1])
    before, begins = known.onset(begin)
    lasts, ends = known.end(until)
    measured = before < 0.5 * float(known.blocked[begin])
    onset = _bracket(one, begins, 0, settings) if measured else (float(one.first[0]), float(one.first[0]))
    end = None
    if lasts < settings.open_chance * float(known.blocked[until]) and _is_over(one, last, settings):
        end = _bracket(one, ends, until, settings)
        end = (max(end[0], onset[0]), max(end[1], onset[1]))
    return Stretch(first, last, onset, end, measured, e_value)


def _is_over(one: Series, last: int, settings: Settings) -> bool:
    """Whether enough distinct reports, in enough different hours, got through afterwards: one probe ends nothing."""
    fine = (one.n - one.k)[last + 1 :]
    return float(fine.sum()) >= settings.min_reports - 1e-9 and int(np.count_nonzero(fine)) >= settings.min_hours


def _bracket(one: Series, chances: Array, shift: int, settings: Settings) -> tuple[float, float]:
    """The results between which a change lies, with the tails of its posterior left out.

    Item i of `chances` is for the gap between cells `shift + i` and `shift + i + 1`. A gap that holds a tail's end
    counts whole: nobody can say where in it the change was.
    """
    passed = np.cumsum(chances) / chances.sum()
    first = min(int(np.searchsorted(passed, settings.tail, side="right")), len(chances) - 1)
    last = min(int(np.searchsorted(passed, 1 - settings.tail, side="left")), len(chances) - 1)
    return float(one.first[shift + first]), float(one.last[shift + last + 1])
