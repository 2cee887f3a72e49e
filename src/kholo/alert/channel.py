"""Ways to tell: what each of them can do, and how one attempt fails."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from .told import Message, Past
from .wording import plain

T = TypeVar("T")

#: Seconds for one step of a connection, and for all of one attempt.
TIMEOUT = 15.0
DEADLINE = 60.0


class Undelivered(Exception):
    """One attempt failed. `is_refused`: trying again soon won't help. `wait`: seconds that the other side asks for."""

    def __init__(self, why: str, is_refused: bool = False, wait: float | None = None) -> None:
        super().__init__(plain(why))
        self.is_refused = is_refused
        self.wait = wait


class Channel(Protocol):
    """One receiver. `name` is shown, `key` names its ledger, `has_log`: it shows earlier messages too."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def has_log(self) -> bool: ...

    def send(self, message: Message, past: Past) -> None:
        """Deliver. Raises `Undelivered`."""

    def refresh(self, past: Past) -> None:
        """Bring what shows earlier messages up to date. Raises `Undelivered`."""


def key_of(kind: str, target: str) -> str:
    """A file name for a receiver that doesn't tell who it is."""
    return f"{kind}-{hashlib.sha256(target.encode()).hexdigest()[:16]}"


def within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` gives, or raises. Raises `Undelivered` when it takes longer: then its thread is left behind."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise Undelivered(f"no answer within {seconds:.0f} s")
    return results[0]
