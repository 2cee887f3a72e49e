"""Stretches of one series in which access was impaired, with brackets for where each begins and ends."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from importlib.resources import files
from multiprocessing import get_context
from typing import Any, NamedTuple

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
_SIDE_BY_SIDE, _TOGETHER, _MOST_CELLS = 160, 64, 100_000
#: A pool takes as long to start as a thousand series take.
_WORTH_A_POOL = 2_000
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


#: Stretches known from an earlier run, by `digest` of what they follow from. Not more than a way to save time.
Memory = MutableMapping[bytes, list[Stretch]]


def stretches(
    many: Sequence[Series],
    settings: Settings,
    baselines: Sequence[Array] | None = None,
    memory: Memory | None = None,
    workers: int = 1,
) -> list[list[Stretch]]:
    """The stretches of each series. Each is by itself: no series makes a difference to another.

    Those that `memory` has are not computed again, and it learns the others. The same for any number of workers.
    """
    known = baselines if baselines is not None else [BASELINE] * len(many)
    memory = {} if memory is None else memory
    digests = [digest(one, base, settings) for one, base in zip(many, known, strict=True)]
    new = [index for index, key in enumerate(digests) if key not in memory]
    found = _computed([many[index] for index in new], [known[index] for index in new], settings, workers)
    memory.update(zip((digests[index] for index in new), found, strict=True))
    return [memory[key] for key in digests]


def digest(one: Series, baseline: Array, settings: Settings) -> bytes:
    """Of everything that a series' stretches follow from, the detector's own text included."""
    made = hashlib.sha256(_engine() + repr(settings).encode())
    for array in (one.first, one.last, one.n, one.k, baseline):
        made.update(len(array).to_bytes(8, "little") + array.astype("<f8").tobytes())
    return made.digest()[:16]


@cache
def _engine() -> bytes:
    texts = (files(__package__).joinpath(name).read_bytes() for name in ("segments.py", "series.py", "stretches.py"))
    return hashlib.sha256(b"\0".join([np.__version__.encode(), *texts])).digest()


def _computed(
    many: Sequence[Series], baselines: Sequence[Array], settings: Settings, workers: int
) -> list[list[Stretch]]:
    if workers < 2 or len(many) < _WORTH_A_POOL:
        return _both_looks(many, baselines, settings, map)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _both_looks(many, baselines, settings, pool.map)


def _both_looks(
    many: Sequence[Series], baselines: Sequence[Array], settings: Settings, each: Callable[..., Iterable[Any]]
) -> list[list[Stretch]]:
    """The quick look at all, the exact one at those near the gate."""
    found: list[list[Stretch]] = [[] for _ in many]
    runs = [one.runs() for one in many]
    quick = list(_groups([len(run) for run in runs], range(len(many)), _SIDE_BY_SIDE))
    packed = [_packed([many[index] for index in chosen], [runs[index] for index in chosen],
                      [baselines[index] for index in chosen]) for chosen in quick]  # fmt: skip
    looked = each(partial(_screened, settings=settings), packed)
    near = [index for chosen, rises in zip(quick, looked, strict=True)
            for index, rise in zip(chosen, rises, strict=True) if rise > _near(settings)]  # fmt: skip
    exact = list(_groups([len(one) for one in many], sorted(near), _TOGETHER))
    dated = each(partial(_exact, settings=settings), [[many[index] for index in chosen] for chosen in exact],
                 [[baselines[index] for index in chosen] for chosen in exact])  # fmt: skip
    for chosen, theirs in zip(exact, dated, strict=True):
        for index, one in zip(chosen, theirs, strict=True):
            found[index] = one
    return found


def _exact(group: Sequence[Series], baselines: Sequence[Array], settings: Settings) -> list[list[Stretch]]:
    known = posteriors(group, baselines, settings)
    return [_stretches(one, mine, settings) for one, mine in zip(group, known, strict=True)]


def posteriors(group: Sequence[Series], baselines: Sequence[Array], settings: Settings) -> list[Posterior]:
    """What each series says, cell by cell."""
    return _lines(_packed(group, [np.arange(len(one)) for one in group], baselines), settings).posteriors()


def _screened(packed: _Packed, settings: Settings) -> Array:
    """ln of 1 + the posterior odds of "blocked at any time" for each series, nearly.

    In long runs of cells in which all went well nothing is held to have changed.
    """
    return _lines(packed, settings).screen()


def _gate(settings: Settings) -> float:
    """The posterior odds that a spell needs: those of a year, raised by as many times as false alarms are rare."""
    return prior_odds(settings) / settings.false_per_year


def _near(settings: Settings) -> float:
    """What a series needs on the quick look to be worth the exact one, as ln of 1 + odds."""
    return math.log1p(_gate(settings)) - _MARGIN


def _groups(lengths: Sequence[int], wanted: Iterable[int], size: int) -> Iterator[list[int]]:
    """The wanted series that have cells, those of like length together; fewer of very long ones."""
    order = sorted((index for index in wanted if lengths[index]), key=lambda index: (-lengths[index], index))
    begin = 0
    while begin < len(order):
        taken = max(1, min(size, _MOST_CELLS // lengths[order[begin]]))
        yield order[begin : begin + taken]
        begin += taken


class _Packed(NamedTuple):
    """Series end to end by their runs of cells, as a worker takes them: as little as will do.

    `lengths`: runs of each series. `days`, `inside`: the time before and within each run. `well`, `run`, `n`, `k`: as
    of `run_emissions`. `baselines`: (12, series).
    """

    lengths: Indices
    days: Array
    inside: Array
    well: Array
    run: Indices
    n: Array
    k: Array
    baselines: Array


def _packed(group: Sequence[Series], runs: Sequence[Indices], baselines: Sequence[Array]) -> _Packed:
    sizes, lengths = (np.array([len(one) for one in many]) for many in (group, runs))
    firsts = np.concatenate(runs) + np.repeat(np.cumsum(sizes) - sizes, lengths)
    at, n, k = (np.concatenate([getattr(one, name) for one in group]) for name in ("at", "n", "k"))
    days = at[firsts] - at[np.maximum(firsts - 1, 0)]
    days[np.cumsum(lengths) - lengths] = 0.0
    plain = (n == 1.0) & (k == 0.0)
    other = np.flatnonzero(~plain)
    return _Packed(
        lengths=lengths,
        days=days,
        inside=at[np.append(firsts[1:], len(at)) - 1] - at[firsts],
        well=np.add.reduceat(plain.astype(np.float64), firsts),
        run=np.searchsorted(firsts, other, side="right") - 1,
        n=n[other],
        k=k[other],
        baselines=np.stack(baselines, axis=1),
    )


def _lines(packed: _Packed, settings: Settings) -> Lines:
    """Series side by side; the cells of each are drawn together by runs."""
    lengths = packed.lengths
    # Where each run goes: its place in its series, and its series.
    place = np.arange(len(packed.days)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    shape = int(lengths.max()), len(lengths)
    days, inside = np.zeros(shape), np.zeros(shape)
    days[place, owner], inside[place, owner] = packed.days, packed.inside
    logs = run_emissions(packed.well, packed.run, packed.n, packed.k, settings)
    logs -= logs.max(axis=1, keepdims=True)
    seen = np.ones((shape[0], shape[1], len(RATES)))
    seen[place, owner] = np.exp(logs, out=logs)
    return Lines(days, seen.transpose(0, 2, 1), packed.baselines, settings, inside)


def _stretches(one: Series, known: Posterior, settings: Settings) -> list[Stretch]:
    gate, found = _gate(settings), []
    for spell in _spells(one, _runs(known.blocked[: len(one)]), settings):
        whole = _odds(known, spell[0][0], spell[-1][1])
        if whole < gate:
            continue
        for first, last in spell:
            own = _odds(known, first, last) if len(spell) > 1 else whole
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
    """Enough distinct reports failed, and in enough hours besides those that broken probes may account for."""
    failed = one.k[first : last + 1]
    if float(failed.sum()) < settings.min_reports - 1e-9:
        return False
    beyond = _beyond_fault(one.at[first : last + 1][failed > 0], settings)
    if len(beyond) < settings.min_hours:
        return False
    return not _is_sparse(one, settings) or len(_beyond_fault(beyond, settings)) >= settings.sparse_hours


def _beyond_fault(hours: Array, settings: Settings) -> Array:
    """The hours outside of the half day in which most of them lie."""
    if not len(hours):
        return hours
    together = np.searchsorted(hours, hours + settings.fault_hours / 24, side="right") - np.arange(len(hours))
    begin = int(together.argmax())
    return np.delete(hours, slice(begin, begin + int(together[begin])))


def _is_sparse(one: Series, settings: Settings) -> bool:
    """Where so little is measured, two broken probes may stand side by side with nothing between that got through."""
    return float(one.n.sum()) < settings.sparse_per_day * max(float(one.at[-1] - one.at[0]), 1.0)


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
