"""How long to wait before asking again: what the other side wishes, and a growing time with jitter of our own."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec


class Timing(msgspec.Struct, frozen=True):
    """Time and chance, handed in. `clock` gives seconds that never go back, `chance` a number from 0 to 1."""

    pause: Callable[[float], object]
    clock: Callable[[], float]
    chance: Callable[[], float]


class Patience(msgspec.Struct, frozen=True):
    """tries: of one thing, the first one counted; far: where nobody can be reached at all. first, most: seconds of the
    first wait by ourselves, and of the longest. longest: what the other side may ask for; more than that is told to the
    person. connect, read: seconds without a sign of life after which a connection is given up."""

    tries: int = 6
    far: int = 3
    first: float = 0.5
    most: float = 60.0
    longest: float = 300.0
    connect: float = 15.0
    read: float = 60.0

    def wait(self, number: int, chance: float) -> float:
        """Seconds after the `number`-th failure (from 0): twice as long each time, of which the half is left to chance.

        Source: Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015), "equal jitter".
        """
        return min(self.most, self.first * 2.0**number) * (0.5 + chance / 2)


def retry_after(asked: str | None, date: str | None) -> float | None:
    """Seconds that the headers Retry-After and Date ask to wait (RFC 9110, 10.2.3); None: they ask for nothing.

    A date counts from the other side's own clock.
    """
    asked = (asked or "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < 8:
        return float(asked)
    try:
        return max((parsedate_to_datetime(asked) - parsedate_to_datetime(date or "")).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
