"""Collapses of volume: far fewer measurements from a network than usual. Not proof of anything, and never "ok"."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from statistics import fmean, pvariance

import msgspec

from kholo.model import Collapse

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class VolumeSettings(msgspec.Struct, frozen=True):
    """beside_days: "usual" is taken from so many days before and after (as far as there are any). least_days: days that
    there must be of it. least: reports a day below which a network is measured too little to miss any. share: of the
    usual, at which a day counts as collapsed. chance: of so few by mere luck, above which nothing is said."""

    beside_days: int = 14
    least_days: int = 10
    least: float = 2.0
    share: float = 0.2
    chance: float = 2e-3


class Hour(msgspec.Struct, frozen=True, order=True):
    """Distinct reports of one network that have results in one hour (UTC), of any service and state."""

    simulated: bool
    place: str
    network: str
    hour: datetime
    reports: int


DEFAULT = VolumeSettings()


def collapses(hours: Iterable[Hour], settings: VolumeSettings = DEFAULT) -> list[Collapse]:
    """All of them, by place, network and time. The order of `hours` makes no difference.

    A network's days are counted up to the last day on which anything was measured in its place.
    """
    lines: dict[tuple[bool, str, str], list[Hour]] = defaultdict(list)
    last: dict[tuple[bool, str], date] = {}
    for one in sorted(hours):
        lines[one.simulated, one.place, one.network].append(one)
        key = one.simulated, one.place
        last[key] = max(last.get(key, one.hour.date()), one.hour.date())
    return [
        collapse
        for (simulated, place, _), line in sorted(lines.items())
        for collapse in _in_line(line, last[simulated, place], settings)
    ]


def _in_line(line: list[Hour], last: date, settings: VolumeSettings) -> list[Collapse]:
    first = line[0].hour.date()
    counts = [0] * ((last - first).days + 1)
    for one in line:
        counts[(one.hour.date() - first).days] += one.reports
    found = []
    for begin, until in _low(counts, settings):
        usual = _beside(counts, begin, until, settings)
        level = fmean(usual) if len(usual) >= settings.least_days else 0.0
        if begin and level >= settings.least:
            chance = _chance(usual, sum(counts[begin:until]), until - begin)
            if chance < settings.chance:
                found.append(_collapse(line, first + begin * _DAY, first + until * _DAY, level, chance))
    return found


def _low(counts: list[int], settings: VolumeSettings) -> list[tuple[int, int]]:
    """Runs of days far below the level around them: the first day, and the first after."""
    runs: list[tuple[int, int]] = []
    for day, count in enumerate(counts):
        if count <= settings.share * fmean(_beside(counts, day, day, settings)):
            runs.append((runs.pop()[0] if runs and runs[-1][1] == day else day, day + 1))
    return runs


def _beside(counts: list[int], begin: int, until: int, settings: VolumeSettings) -> list[int]:
    """The days before `begin` and from `until` on."""
    return counts[max(0, begin - settings.beside_days) : begin] + counts[until : until + settings.beside_days]


def _chance(usual: list[int], seen: int, days: int) -> float:
    """Of `seen` reports or fewer in so many days: negative binomial, its spread that of the days before.

    Source: Cameron and Trivedi, "Regression Analysis of Count Data" (2013), ch. 3 (moments of the NB2 model). That the
    days before were few widens the spread by their number.
    """
    mean = fmean(usual)
    spread = max(0.1, (pvariance(usual) - mean) / mean**2) * (1 + 2 / len(usual))
    size, share = days / spread, 1 / (1 + spread * mean)
    terms = (
        math.lgamma(number + size) - math.lgamma(size) - math.lgamma(number + 1)
        + size * math.log(share) + number * math.log1p(-share)
        for number in range(seen + 1)
    )  # fmt: skip
    return min(1.0, sum(math.exp(term) for term in terms))


def _collapse(line: list[Hour], begin: date, until: date, level: float, chance: float) -> Collapse:
    before = [one.hour for one in line if one.hour.date() < begin]
    after = [one.hour for one in line if one.hour.date() >= until]
    return Collapse(
        place=line[0].place,
        network=line[0].network,
        since=before[-1] + _HOUR,
        until=after[0] if after else None,
        usual=round(level, 1),
        seen=sum(one.reports for one in line if begin <= one.hour.date() < until),
        chance=float(f"{chance:.2g}"),
        simulated=line[0].simulated,
    )
