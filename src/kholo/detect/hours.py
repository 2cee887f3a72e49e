"""Blocks that come and go with the clock: the hours of the day in which they are on, in words too."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from kholo.model import Cell, HoursOfDay

#: How much better "by the hour of the day" must explain the reports than one rate for all hours.
_LEAST_ODDS = 1_000.0
#: Least share of the reports in the hours that are on that failed, and most of those at other times.
_ON, _OFF = 0.5, 0.2
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def hours_of_day(by_network: Mapping[str, Sequence[Cell]]) -> HoursOfDay | None:
    """The hours in which a block was on, from its cells on each network; None where no network shows such hours.

    Two models of the reports of a block: one rate for all, against one rate for some hours of the week and one for the
    others, each rate drawn evenly from 0 to 1. A network on which it was on at all hours has no part in it.
    """
    own = {network: cells for network, cells in by_network.items() if _pattern(cells, ()) is not None}
    joint = [cell for network in sorted(own) for cell in own[network]]
    return _pattern(joint, tuple(sorted(own))) if own else None


def _pattern(cells: Sequence[Cell], networks: tuple[str, ...]) -> HoursOfDay | None:
    on = _parted(cells, lambda cell: cell.hour.hour, 0.0)
    if not 0 < len(on) < 24:
        return None
    inside = [cell for cell in cells if cell.hour.hour in on]
    weekdays = _parted(inside, lambda cell: cell.hour.weekday(), math.log(_LEAST_ODDS)) or tuple(range(7))
    pattern = HoursOfDay(networks, on, weekdays, 0, 0, 0, 0)
    (n_on, k_on), (n_off, k_off) = (
        _counts([cell for cell in cells if is_on(pattern, cell.hour) is wanted]) for wanted in (True, False)
    )
    gain = _log_evidence(n_on, k_on) + _log_evidence(n_off, k_off) - _log_evidence(n_on + n_off, k_on + k_off)
    # The hours were chosen by these very reports: the odds pay for the choice of two spans of the day.
    if not n_on or not n_off or gain < math.log(_LEAST_ODDS) + 2 * math.log(24 * 23):
        return None
    if k_on < _ON * n_on or k_off > _OFF * n_off:
        return None
    return HoursOfDay(networks, on, weekdays, round(n_on), round(k_on), round(n_off), round(k_off))


def _parted(cells: Sequence[Cell], key: Callable[[Cell], int], gain: float) -> tuple[int, ...]:
    """The values of the key (hours of the day, days of the week) whose reports failed most, if two rates tell them
    apart better than one does, by so much in ln of the odds; else none."""
    counts: dict[int, tuple[float, float]] = {}
    for value in sorted({key(cell) for cell in cells}):
        counts[value] = _counts([cell for cell in cells if key(cell) == value])
    cut = _split(list(counts.values()), gain)
    return tuple(value for value, (n, k) in counts.items() if cut is not None and k / n >= cut)


def _split(counts: Sequence[tuple[float, float]], gain: float) -> float | None:
    """The share of failures that best parts the counts in two groups of one rate each; None if one does as well."""
    shares = sorted({k / n for n, k in counts})
    best, at = gain + _log_evidence(sum(n for n, _ in counts), sum(k for _, k in counts)), None
    for low, high in pairwise(shares):
        cut = (low + high) / 2
        groups = ([0.0, 0.0], [0.0, 0.0])
        for n, k in counts:
            groups[k / n >= cut][0] += n
            groups[k / n >= cut][1] += k
        evidence = sum(_log_evidence(n, k) for n, k in groups)
        if evidence > best:
            best, at = evidence, cut
    return at


def _counts(cells: Sequence[Cell]) -> tuple[float, float]:
    n = k = 0.0
    for cell in cells:
        for vote in cell.votes:
            failed = vote.blocked + vote.throttled
            n += 1
            k += failed / (failed + vote.ok)
    return n, k


def _log_evidence(n: float, k: float) -> float:
    """ln of the beta-binomial with an even prior: ln B(k + 1, n - k + 1)."""
    return math.lgamma(k + 1) + math.lgamma(n - k + 1) - math.lgamma(n + 2)


def is_on(pattern: HoursOfDay, hour: datetime) -> bool:
    """Whether the block was on in an hour (UTC) like this one."""
    return hour.hour in pattern.hours and hour.weekday() in pattern.weekdays


def in_words(pattern: HoursOfDay) -> str:
    """`on Mondays to Fridays from 05:00 to 08:00 and from 10:00 to 14:00 UTC`."""
    spans = [f"from {first:02}:00 to {(last + 1) % 24:02}:00" for first, last in _runs(pattern.hours, 24)]
    days = [_DAYS[first] if first == last else f"{_DAYS[first]} to {_DAYS[last]}"
            for first, last in _runs(pattern.weekdays, 7)]  # fmt: skip
    when = "every day" if len(pattern.weekdays) == 7 else f"on {_listed(days)}"
    return f"{when} {_listed(spans)} UTC"


def _runs(numbers: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Runs of numbers in a row, the last and the first joined where they meet at the end of the circle."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == size - 1:
        runs[0][0] = runs.pop()[0]
    return [(first, last) for first, last in runs]


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
