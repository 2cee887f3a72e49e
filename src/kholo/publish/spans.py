"""Arithmetic on days: runs of the same state, gaps, and what several intervals cover together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

import msgspec

from kholo.model import DayState, State

#: States that say something was seen; the others say that nothing can be said.
DECISIVE = frozenset({State.OK, State.DOWN, State.BLOCKED, State.THROTTLED})


class Run(msgspec.Struct, frozen=True):
    """Consecutive days of one state on one network, with the counts of results added up."""

    network: str
    first: date
    last: date
    state: State
    ok: int
    blocked: int
    throttled: int
    down: int
    insufficient: int
    reports: int

    @property
    def days(self) -> int:
        """How many days the run holds."""
        return (self.last - self.first).days + 1


class Coverage(msgspec.Struct, frozen=True):
    """How much of the window was measured on one network; `longest` is the longest stretch without data."""

    network: str
    days: int
    decided: int
    longest: tuple[date, date] | None


def by_network(days: Iterable[DayState]) -> dict[str, list[DayState]]:
    """The days of each network in order of day; networks sorted by their number."""
    grouped: dict[str, list[DayState]] = {}
    for row in days:
        grouped.setdefault(row.network, []).append(row)
    return {name: sorted(grouped[name], key=lambda row: row.day) for name in sorted(grouped, key=network_key)}


def network_key(network: str) -> tuple[int, str]:
    """Sorts `AS9541` before `AS23674`."""
    digits = network[2:]
    return (int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0, network)


def runs(days: Sequence[DayState]) -> list[Run]:
    """One network's days, in order, put together where state and calendar go on unbroken."""
    out: list[Run] = []
    for row in days:
        before = out[-1] if out else None
        if before and before.state is row.state and row.day == before.last + timedelta(days=1):
            out[-1] = _joined(before, row)
        else:
            out.append(_run(row))
    return out


def _run(row: DayState) -> Run:
    return Run(
        row.network,
        row.day,
        row.day,
        row.state,
        row.ok,
        row.blocked,
        row.throttled,
        row.down,
        row.insufficient,
        row.reports,
    )


def _joined(run: Run, row: DayState) -> Run:
    return Run(
        run.network,
        run.first,
        row.day,
        run.state,
        run.ok + row.ok,
        run.blocked + row.blocked,
        run.throttled + row.throttled,
        run.down + row.down,
        run.insufficient + row.insufficient,
        run.reports + row.reports,
    )


def coverage(network: str, days: Sequence[DayState], window: tuple[date, date]) -> Coverage:
    """Days of the window (both ends inside) with a decisive state, and the longest stretch without."""
    first, last = window
    decided = sorted({row.day for row in days if row.state in DECISIVE and first <= row.day <= last})
    edges = [first - timedelta(days=1), *decided, last + timedelta(days=1)]
    longest: tuple[date, date] | None = None
    size = 0
    for before, after in pairwise(edges):
        gap = (after - before).days - 1
        if gap > size:
            size, longest = gap, (before + timedelta(days=1), after - timedelta(days=1))
    return Coverage(network, (last - first).days + 1, len(decided), longest)


def union(intervals: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The stretches that the intervals (end exclusive) cover together; touching ones become one."""
    out: list[tuple[datetime, datetime]] = []
    for start, end in sorted(pair for pair in intervals if pair[0] < pair[1]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
