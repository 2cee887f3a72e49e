"""Looking again and again, and ending when asked to, but never between sending a message and marking it as sent."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType


class Stopped(BaseException):
    """The run was asked to end."""


class Stop:
    """Ends a run on a signal: at once, or after what is `held`."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._is_holding = False

    def ask(self) -> None:
        """End now, or after what is held. Raises `Stopped` in the first case."""
        self._asked.set()
        if not self._is_holding:
            raise Stopped

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is done inside is not cut. Raises `Stopped` before it begins, or after it, when the run shall end."""
        if self._asked.is_set():
            raise Stopped
        self._is_holding = True
        try:
            yield
        finally:
            self._is_holding = False
        if self._asked.is_set():
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """Wait; True, at once, when the run shall end."""
        return self._asked.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask to end while inside."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.ask()

        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def repeat(look: Callable[[datetime], None], every: float, clock: Callable[[], datetime], stop: Stop) -> None:
    """Look, then wait until `every` seconds after that look began; returns when asked to end."""
    while True:
        began = clock()
        look(began)
        # A clock that jumps makes no wait longer than the period, and none shorter than a second.
        left = every - (clock() - began).total_seconds()
        if stop.wait(min(max(left, 1.0), every)):
            return
