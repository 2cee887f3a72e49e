"""What holds from a day on, until the next one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")


class Dated(Generic[T]):
    """One thing after the other, each in force from a day on. Before the first day the first one is.

    Each is made when a day first asks for it, and kept.
    """

    def __init__(self, periods: Iterable[tuple[date, Callable[[], T]]]) -> None:
        """`periods` are days, none of them twice, and what makes the thing; at least one."""
        ordered = sorted(periods, key=lambda period: period[0])
        self._days = [day for day, _ in ordered]
        self._make = [make for _, make in ordered]
        self._made: dict[int, T] = {}

    def on(self, day: date) -> T:
        """What is in force on a day."""
        place = max(0, bisect_right(self._days, day) - 1)
        if place not in self._made:
            self._made[place] = self._make[place]()
        return self._made[place]

    @classmethod
    def always(cls, thing: T) -> Dated[T]:
        """One thing for all days."""
        return cls([(date.min, lambda: thing)])
