"""The cells of one series (service, place, network) as arrays: when, how many reports, how many of them failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from kholo.model import Cell

from .segments import Array, Indices

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
#: Cells without a failure that stay by themselves on each side of a run of them.
_OUTER = 2


class Series:
    """Counts of one series in time. All arrays have one item a cell that has a vote; times are days since 1970 (UTC).

    first, last: of the results in the cell. n: reports with a decisive result. k: those that failed. Each report has
    one vote in all: one that runs through several cells has a share of it in each, and one whose results disagree
    counts as failed by their share. `place` is the index of the cell among those the series was made from.
    """

    def __init__(self, first: Array, last: Array, n: Array, k: Array, place: Sequence[int] = ()) -> None:
        self.first, self.last, self.n, self.k, self.place = first, last, n, k, place
        self.at: Array = (first + last) / 2

    def __len__(self) -> int:
        return len(self.n)

    @property
    def days(self) -> Array:
        """Days since the cell before; 0 for the first."""
        return np.asarray(np.diff(self.at, prepend=self.at[:1]))

    def runs(self) -> Indices:
        """Where cells begin when those in a row in which nothing failed are drawn together, but for the outer ones."""
        fine = self.k == 0
        inner = fine.copy()
        for shift in range(1, _OUTER + 1):
            inner[shift:] &= fine[:-shift]
            inner[:-shift] &= fine[shift:]
        return np.flatnonzero(~(inner & np.concatenate([[False], inner[:-1]])))

    def only(self, keep: Sequence[int]) -> Series:
        """The series thinned to these of its cells."""
        chosen = np.array(keep, dtype=np.int64)
        places = [self.place[index] for index in keep]
        return Series(self.first[chosen], self.last[chosen], self.n[chosen], self.k[chosen], places)


def series(cells: Sequence[Cell]) -> Series:
    """The series that these cells are. They are of one service, place and network, in time."""
    spans = Counter(vote.report for cell in cells for vote in cell.votes if vote.report)
    rows = []
    for place, cell in enumerate(cells):
        if not cell.votes:
            continue
        n = k = 0.0
        for vote in cell.votes:
            weight = 1 / spans[vote.report] if vote.report else 1.0
            failed = vote.blocked + vote.throttled
            n += weight
            k += weight * failed / (failed + vote.ok)
        first, last = min(vote.first for vote in cell.votes), max(vote.last for vote in cell.votes)
        rows.append((day_of(first), day_of(last), n, k, place))
    first_, last_, n_, k_, places = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Series(np.array(first_), np.array(last_), np.array(n_), np.array(k_), list(places))


def day_of(moment: datetime) -> float:
    """A time (UTC) as days since 1970."""
    return (moment - _EPOCH) / _DAY


def moment(day: float) -> datetime:
    """Days since 1970 as a time (UTC), to the second."""
    return _EPOCH + timedelta(seconds=round(day * 86_400))


def minute(day: float, *, up: bool = False) -> datetime:
    """The full minute (UTC) before days since 1970, or after them with `up`."""
    seconds = round(day * 86_400)
    return _EPOCH + timedelta(minutes=-(-seconds // 60) if up else seconds // 60)
