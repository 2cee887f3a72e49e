"""How often the detector is wrong, how late, how far off: simulated years with known truth, peers beside it.

python benchmarks/detector.py                        # or: make detector-report; 20,000 quiet years and as many eventful
python benchmarks/detector.py --years 500 --out report.md
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from kholo.detect.baselines import Baselines, Month, baselines
from kholo.detect.series import Series
from kholo.detect.settings import DEFAULT, Settings
from kholo.detect.stretches import Memory, Stretch, stretches
from kholo.simulate.series import PLAIN, SeriesYear, World, series_year

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.peers import PEERS

SEED = 20_231_108
BATCH = 250


class Found(NamedTuple):
    """One incident in a series-year: days; intervals are points for detectors that give none (`is_dated` False)."""

    onset: tuple[float, float]
    end: tuple[float, float] | None
    is_dated: bool = True


class Outcome(NamedTuple):
    """What became of one series-year. `inside`: results within the event; `delay`: days until it was known."""

    kind: str
    inside: int
    false: int
    hit: bool
    onset_held: bool | None
    end_held: bool | None
    onset_error: float | None
    end_error: float | None
    delay: float | None


Detector = Callable[[Sequence[SeriesYear]], list[list[Found]]]


def series(year: SeriesYear) -> Series:
    """The reports of a year by the hour."""
    at, failed = year.at, year.failed
    _, begins, sizes = np.unique(np.floor(at * 24), return_index=True, return_counts=True)
    fails = np.add.reduceat(failed, begins) if len(begins) else np.zeros(0)
    return Series(at[begins], at[begins + sizes - 1], sizes.astype(np.float64), fails)


def ours(years: Sequence[SeriesYear], settings: Settings = DEFAULT) -> list[list[Found]]:
    """kholo's incidents: spells that less than a week parts are one."""
    known = _learned(years, settings).of("", "", simulated=True)
    return [_joined(one) for one in stretches([series(year) for year in years], settings, [known] * len(years))]


def _learned(years: Sequence[SeriesYear], settings: Settings) -> Baselines:
    """What these lines look like month by month, as the whole line of kholo learns it from a store."""
    months = []
    for number, year in enumerate(years):
        place = (year.at // 30).astype(np.int64)
        counts, fails = np.bincount(place), np.bincount(place, year.failed)
        months += [
            Month(True, "", "", str(number), str(month // 6), float(n), float(k))
            for month, (n, k) in enumerate(zip(counts, fails, strict=True))
            if n
        ]
    return baselines(months, settings)


def _joined(found: Sequence[Stretch]) -> list[Found]:
    made: list[Found] = []
    for one in found:
        if made and one.onset[0] - (made[-1].end or made[-1].onset)[0] <= 7:
            made[-1] = Found(made[-1].onset, one.end)
        else:
            made.append(Found(one.onset, one.end))
    return made


#: The prototype that the detector goes back to: two labels, no word for broken probes, rates as they are for good.
_NEVER = 1e-7
PROTOTYPE = Settings(
    faults_per_day=_NEVER, hourly_per_day=_NEVER, shifts_per_day=_NEVER, turns_per_day=_NEVER, min_hours=0
)


def prototype(years: Sequence[SeriesYear]) -> list[list[Found]]:
    """Its incidents: from bins of a day, by the same recursions, gate and learned baseline."""
    known = _learned(years, PROTOTYPE).of("", "", simulated=True)
    return [_joined(one) for one in stretches([daily(year) for year in years], PROTOTYPE, [known] * len(years))]


def daily(year: SeriesYear) -> Series:
    """The reports of a year by the day, each day's as of noon."""
    days, begins, sizes = np.unique(np.floor(year.at), return_index=True, return_counts=True)
    return Series(days + 0.5, days + 0.5, sizes.astype(np.float64), np.add.reduceat(year.failed, begins))


def peer(name: str, years: Sequence[SeriesYear]) -> list[list[Found]]:
    """A peer's incidents, joined in the same way."""
    return [
        _joined_points([(begin, end) for begin, end in PEERS[name](year.at, year.failed)]) for year in years
    ]  # fmt: skip


def _joined_points(found: Sequence[tuple[float, float | None]]) -> list[Found]:
    made: list[Found] = []
    for begin, end in found:
        span = None if end is None else (end, end)
        if made and made[-1].end is not None and begin - made[-1].end[1] <= 7:
            made[-1] = Found(made[-1].onset, span, is_dated=False)
        else:
            made.append(Found((begin, begin), span, is_dated=False))
    return made


def outcome(year: SeriesYear, found: Sequence[Found]) -> Outcome:
    """Set what was found against what happened."""
    truth = year.truth
    if truth is None:
        return Outcome("", 0, len(found), False, None, None, None, None, None)
    hits = [one for one in found if one.onset[0] <= truth.end and (one.end is None or one.end[1] >= truth.onset)]
    inside = int(((year.at >= truth.onset) & (year.at < truth.end)).sum())
    missed = Outcome(truth.kind, inside, len(found) - len(hits), False, None, None, None, None, None)
    if not hits:
        return missed
    onset, end, is_dated = hits[0].onset, hits[-1].end, hits[0].is_dated
    return missed._replace(
        hit=True,
        onset_held=onset[0] <= truth.onset <= onset[1] if is_dated else None,
        end_held=end[0] <= truth.end <= end[1] if end and is_dated else None,
        onset_error=abs(sum(onset) / 2 - truth.onset),
        end_error=None if end is None else abs(sum(end) / 2 - truth.end),
    )


def _delays(years: Sequence[SeriesYear], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """How many days after it began each event that was found would have been known, asking every day at midnight."""
    waiting = {place for place, one in enumerate(outcomes) if one.hit}
    known: dict[int, float] = {}
    for day in range(1, 31):
        asked = sorted(waiting)
        begun = [years[place].truth for place in asked]
        if not asked:
            break
        now = [np.ceil(truth.onset) + day - 1 if truth else 0.0 for truth in begun]
        cut = [_as_of(years[place], float(moment)) for place, moment in zip(asked, now, strict=True)]
        for place, moment, one in zip(asked, now, ours(cut), strict=True):
            truth = years[place].truth
            if truth and any(found.onset[1] >= truth.onset - 1 and found.onset[0] <= moment for found in one):
                known[place] = float(moment) - truth.onset
                waiting.discard(place)
    return [one._replace(delay=known.get(place)) for place, one in enumerate(outcomes)]


def _as_of(year: SeriesYear, moment: float) -> SeriesYear:
    keep = year.received <= moment
    return msgspec.structs.replace(year, at=year.at[keep], failed=year.failed[keep], received=year.received[keep])


def batch(
    world: World, eventful: bool, detector: Detector, delays: bool, size: int, begin: int
) -> tuple[list[Outcome], float]:
    """One batch of series-years, and the processor time that detection took."""
    years = [series_year(world, SEED, number, eventful=eventful) for number in range(begin, begin + size)]
    started = time.process_time()
    found = detector(years)
    spent = time.process_time() - started
    outcomes = [outcome(year, one) for year, one in zip(years, found, strict=True)]
    return _delays(years, outcomes) if delays else outcomes, spent


class Measured(NamedTuple):
    """Quiet and eventful years of one world, by one detector."""

    quiet: list[Outcome]
    eventful: list[Outcome]
    seconds: float


def measure(
    world: World, detector: Detector, years: int, *, delays: bool = False, workers: int = 2, size: int = BATCH
) -> Measured:
    """Quiet and eventful years; the same for any number of workers."""
    seconds = 0.0
    parts: list[list[Outcome]] = []
    with ProcessPoolExecutor(workers) as pool:
        for eventful in (False, True):
            made: list[Outcome] = []
            work = partial(batch, world, eventful, detector, delays and eventful, size)
            for outcomes, spent in pool.map(work, range(0, max(years, size), size)):
                made += outcomes
                seconds += spent
            parts.append(made)
    return Measured(parts[0], parts[1], seconds)


def _share(values: Sequence[bool | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{100 * sum(known) / len(known):.1f} %" if known else "-"


def _middle(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{float(np.median(known)):.2f}" if known else "-"


def _false(outcomes: Sequence[Outcome]) -> float:
    return 1_000 * sum(one.false for one in outcomes) / len(outcomes)


def summary(name: str, made: Measured) -> str:
    """One row of the table of detectors."""
    events = made.eventful
    cells = [
        name, f"{_false(made.quiet):.2f}", _share([one.hit for one in events]),
        _share([one.onset_held for one in events]),
        _share([one.end_held for one in events]), _middle([one.onset_error for one in events]),
        _middle([one.end_error for one in events]), _middle([one.delay for one in events]),
        f"{1_000 * made.seconds / (len(made.quiet) + len(events)):.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| | false per 1,000 quiet years | recall | onset held | end held | onset error, days | end error, days |"
    " known after, days | ms a series |\n|---|---|---|---|---|---|---|---|---|"
)


def by_kind(made: Measured) -> Iterator[str]:
    """What each kind of event fares."""
    yield "| kind | events | recall | onset held | end held | onset error, days |\n|---|---|---|---|---|---|"
    for kind in sorted({one.kind for one in made.eventful}):
        mine = [one for one in made.eventful if one.kind == kind]
        held = f"{_share([one.onset_held for one in mine])} | {_share([one.end_held for one in mine])}"
        recall = f"{len(mine)} | {_share([one.hit for one in mine])}"
        yield f"| {kind} | {recall} | {held} | {_middle([one.onset_error for one in mine])} |"


def by_results(made: Measured) -> Iterator[str]:
    """Recall by the number of results inside the event: the sensitivity that we admit to."""
    yield "| results inside the event | events | recall |\n|---|---|---|"
    for low, high in ((0, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, 10**9)):
        mine = [one for one in made.eventful if low <= one.inside <= high]
        if mine:
            name = f"{low} to {high}" if high < 10**9 else f"{low} and more"
            yield f"| {name} | {len(mine)} | {_share([one.hit for one in mine])} |"


def wrong(factor: float) -> Settings:
    """Every hazard wrong by a factor, blocks one way and faults the other."""
    right = Settings()
    return msgspec.structs.replace(
        right,
        blocks_per_day=right.blocks_per_day * factor,
        block_ends_per_day=right.block_ends_per_day / factor,
        faults_per_day=right.faults_per_day / factor,
        shifts_per_day=right.shifts_per_day * factor,
    )


def _row(
    name: str, world: World, detector: Detector, years: int, workers: int, *, delays: bool = False, size: int = BATCH
) -> str:
    return summary(name, measure(world, detector, years, delays=delays, workers=workers, size=size))


def _peers(world: World, years: int, workers: int) -> Iterator[str]:
    yield _row("prototype", world, prototype, years, workers)
    yield _row("CUSUM", world, partial(peer, "CUSUM"), years, workers)
    yield _row("kernel", world, partial(peer, "kernel"), years // 40, workers)
    # PELT takes most of a second a series.
    yield _row("PELT", world, partial(peer, "PELT"), 50, workers, size=25)


def report(years: int, workers: int) -> Iterator[str]:
    """The whole report, line by line."""
    world = World()
    yield f"Simulated series-years: {max(years, BATCH):,} quiet and as many eventful; seed {SEED}."
    yield f"The kernel method has {years // 40:,} of each, PELT 50, what is wrong on purpose half of them."
    yield "The prototype is rebuilt from its description.\n"
    yield "## Three results a day\n"
    yield HEAD
    main = measure(world, ours, years, workers=workers)
    yield summary("kholo", main)
    yield _row("kholo, a tenth, asked every day", world, ours, years // 10, workers, delays=True)
    for factor in (3.0, 1 / 3):
        wrongly = partial(ours, settings=wrong(factor))
        yield _row(f"kholo, priors wrong by {factor:.2g}", world, wrongly, years // 2, workers)
    yield from _peers(world, years, workers)
    yield "\nWithout broken probes:\n"
    yield HEAD
    whole = msgspec.structs.replace(world, broken=0.0)
    yield _row("kholo", whole, ours, years // 2, workers)
    yield _row("CUSUM", whole, partial(peer, "CUSUM"), years // 2, workers)
    yield "\n## A plainer world\n"
    yield "Half of the events are complete and long, half weak or short; most lines are good, few poor.\n"
    yield HEAD
    plain = measure(PLAIN, ours, years, workers=workers)
    yield summary("kholo", plain)
    yield from _peers(PLAIN, years, workers)
    yield "\nWithout broken probes:\n"
    yield HEAD
    whole = msgspec.structs.replace(PLAIN, broken=0.0)
    yield _row("kholo", whole, ours, years, workers)
    yield _row("prototype", whole, prototype, years, workers)
    yield _row("CUSUM", whole, partial(peer, "CUSUM"), years, workers)
    for name, made in (("Three results a day", main), ("The plainer world", plain)):
        yield f"\n## {name}, by kind of event\n"
        yield from by_kind(made)
        yield "\nBy results inside the event:\n"
        yield from by_results(made)
    yield "\n## By results a day\n"
    yield HEAD
    for per_day in (1.0, 12.0, 40.0):
        yield _row(f"{per_day:.0f} a day", World(per_day=per_day), ours, years // 20, workers)
    yield "\n## Speed\n"
    yield from speed(max(BATCH, years // 2), workers)


def speed(many: int, workers: int) -> Iterator[str]:
    """Series of a year, one in twenty eventful, from counts to stretches; the CUSUM over the same ones beside it."""
    world = World()
    years = [series_year(world, SEED, number, eventful=number % 20 == 0) for number in range(many)]
    counted = [series(year) for year in years]
    memory: Memory = {}
    took = []
    for _ in range(2):
        started = time.perf_counter()
        stretches(counted, DEFAULT, memory=memory, workers=workers)
        took.append(time.perf_counter() - started)
    started = time.perf_counter()
    peer("CUSUM", years)
    cusum = time.perf_counter() - started
    yield f"{many:,} series of a year, {workers} workers: {took[0]:.1f} s ({took[0] / 5:.2f} of five seconds);"
    yield f"the CUSUM, one process, over the same: {cusum:.1f} s; kholo takes {took[0] / cusum:.2f} of that."
    yield f"Again with nothing new, from memory: {took[1] / took[0]:.3f} of the first time."


def main() -> None:
    """Print the report, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=20_000, help="quiet series-years, and as many eventful ones")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the report here too (Markdown)")
    asked = parser.parse_args()
    lines = []
    for line in report(asked.years, asked.workers):
        print(line, flush=True)
        lines.append(line)
    if asked.out:
        asked.out.write_text("# How the detector fares\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
