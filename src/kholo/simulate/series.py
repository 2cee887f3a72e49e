"""Series-years with known truth, for measuring a detector: what fails and when, and what really happened.

Only counts over time, no measurements: `kholo.simulate` makes those. Each series draws from a stream of its own, so
that series `i` of a seed is the same whatever else is drawn.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
YEAR = 365.0
#: What may happen in an eventful year; half of them are weak or short.
KINDS = ("complete", "short", "gap", "partial", "spread", "short", "late", "partial", "complete", "hours")
#: Those of three days and more.
_LONG = ("long", "weak")


class Truth(msgspec.Struct, frozen=True):
    """One block: from `onset` to `end`, in days from the start of the year."""

    kind: str
    onset: float
    end: float


class SeriesYear(msgspec.Struct, frozen=True):
    """Independent reports of one year. `at`: days, sorted; `failed`: 0 or 1; `received`: days, when it came in."""

    at: Array
    failed: Array
    received: Array
    truth: Truth | None


class World(msgspec.Struct, frozen=True):
    """What quiet looks like.

    per_day: reports a day. base: mean share of failures (each line has its own, exponentially distributed); poor: share
    of lines with ten times as much. shifts: share of years in which the line's own rate changes on some day. bursts: a
    year, of one to six hours, in which half of all fail. broken: probes a year that fail for two to twelve hours,
    broken_per_day: how often they report. correlation: of results within an hour, beyond their common rate. kinds: what
    happens in eventful years, in turns.
    """

    per_day: float = 3.0
    base: float = 0.03
    shifts: float = 0.3
    bursts: float = 3.0
    broken: float = 1.0
    correlation: float = 0.15
    poor: float = 0.0
    broken_per_day: float = 24.0
    kinds: tuple[str, ...] = KINDS


#: A plainer world: half of the events are complete and long, half weak or short; most lines are good, few poor.
PLAIN = World(base=0.0075, poor=0.03, broken_per_day=18.0, kinds=("long", "weak", "long", "short"))


def series_year(world: World, seed: int, number: int, *, eventful: bool) -> SeriesYear:
    """Series-year `number` of a seed, with one block in it where `eventful`."""
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number, int(eventful)])))
    truth = _truth(draw, world.kinds[number % len(world.kinds)]) if eventful else None
    at = np.sort(draw.uniform(0, YEAR, draw.poisson(YEAR * world.per_day)))
    if truth is not None and truth.kind == "gap":
        away = draw.uniform(0.5, 4.0)
        lost = (at > truth.onset) & (at < truth.onset + away) & (draw.uniform(size=len(at)) > 0.1)
        at = at[~lost]
    chance = _correlated(draw, at, _base(draw, world, at), world.correlation)
    if truth is not None:
        chance = np.maximum(chance, _blocked(draw, truth, at))
    failed = draw.uniform(size=len(at)) < chance
    at, failed = _with_broken(draw, world, at, failed)
    delay = draw.exponential(0.02, len(at))
    if truth is not None and truth.kind == "late":
        inside = (at > truth.onset) & (at < truth.end)
        delay = np.where(inside, draw.exponential(3.0, len(at)), delay)
    return SeriesYear(at, failed.astype(np.float64), at + delay, truth)


def _truth(draw: np.random.Generator, kind: str) -> Truth:
    lasts = {
        "short": draw.uniform(1.0, 3.0),
        "hours": draw.uniform(5.0, 30.0),
    }.get(kind, float(np.clip(draw.lognormal(np.log(8.0), 1.0), 3.0 if kind in _LONG else 1.5, 90.0)))
    onset = draw.uniform(10.0, YEAR - 10.0 - lasts)
    return Truth(kind, onset, onset + lasts)


def _base(draw: np.random.Generator, world: World, at: Array) -> Array:
    """The line's own share of failures at each time, bursts included."""
    mean = world.base * (10 if world.poor and draw.uniform() < world.poor else 1)
    rates = np.clip(draw.exponential(mean, 2), 0.001, 0.3)
    turn = draw.uniform(0, YEAR) if draw.uniform() < world.shifts else YEAR
    chance: Array = np.where(at < turn, rates[0], rates[1])
    for _ in range(draw.poisson(world.bursts)):
        begin = draw.uniform(0, YEAR)
        inside = (at >= begin) & (at < begin + draw.uniform(1, 6) / 24)
        chance = np.where(inside, 0.5, chance)
    return chance


def _correlated(draw: np.random.Generator, at: Array, chance: Array, correlation: float) -> Array:
    """The share of failures of each hour, drawn around its mean: results within an hour hang together."""
    if correlation == 0:
        return chance
    _, hours = np.unique(np.floor(at * 24), return_inverse=True)
    first = np.zeros(int(hours.max(initial=-1)) + 1)
    first[hours] = chance
    scale = (1 - correlation) / correlation
    return np.asarray(draw.beta(first * scale, (1 - first) * scale)[hours])


def _blocked(draw: np.random.Generator, truth: Truth, at: Array) -> Array:
    """The share of failures that the block makes."""
    inside = (at >= truth.onset) & (at < truth.end)
    full = draw.uniform(0.8, 1.0)
    if truth.kind in ("partial", "weak"):
        full = draw.uniform(0.35, 0.7)
    chance = np.full(len(at), full)
    if truth.kind == "spread":
        over = min(draw.uniform(1.0, 6.0), truth.end - truth.onset)
        chance = full * np.clip(0.15 + 0.85 * (at - truth.onset) / over, 0.0, 1.0)
    if truth.kind == "hours":
        length = draw.uniform(4.0, 10.0) / 24
        chance = np.where((at - truth.onset) % 1.0 < length, full, 0.0)
    return np.where(inside, chance, 0.0)


def _with_broken(
    draw: np.random.Generator, world: World, at: Array, failed: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """Add probes that are broken: each reports at its own pace and fails."""
    for _ in range(draw.poisson(world.broken)):
        hours = draw.uniform(2.0, 12.0)
        begin = draw.uniform(0, YEAR - 1)
        many = int(hours * world.broken_per_day / 24)
        more = begin + (np.arange(many) + draw.uniform(size=many)) / world.broken_per_day
        at, failed = np.concatenate([at, more]), np.concatenate([failed, np.ones(len(more), dtype=bool)])
    order = np.argsort(at, kind="stable")
    return at[order], failed[order]
