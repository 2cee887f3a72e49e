"""Who is being answered at this moment: nobody holds all that there is of something."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from .problems import Problem


class Tokens:
    """So many turns. Who waits longest has the next one: it is handed on, so that nobody overtakes."""

    def __init__(self, many: int) -> None:
        self._left = many
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    def get(self) -> None:
        """Take one, as soon as there is one."""
        with self._lock:
            if self._left:
                self._left -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def put(self) -> None:
        """Give it back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._left += 1


class _Group:
    """Those of one client that are inside. `turns` are the ones that it may have of what there is."""

    def __init__(self, turns: int) -> None:
        self.many = 0
        self.turns = Tokens(turns)


class Crowd:
    """Counts who is inside, by client: `most` of each (0: any). It knows of nobody who is not there."""

    def __init__(self, most: int, turns: int = 0) -> None:
        self._most, self._turns = most, turns
        self._groups: dict[bytes, _Group] = {}
        self._lock = threading.Lock()

    def enter(self, client: bytes) -> _Group | None:
        """One more of this client comes in, and must leave again; None where it may not."""
        with self._lock:
            group = self._groups.get(client)
            if group is None:
                group = self._groups[client] = _Group(self._turns)
            elif self._most and group.many >= self._most:
                return None
            group.many += 1
            return group

    def leave(self, client: bytes) -> None:
        """One of this client leaves."""
        with self._lock:
            group = self._groups[client]
            group.many -= 1
            if not group.many:
                del self._groups[client]


class Turns:
    """Turns to make an answer: so many for all, the last of which is never for who has the others.

    A client waits for its turn; `most` of its requests are here at the same time (0: any), more are refused.
    """

    def __init__(self, at_once: int, most: int) -> None:
        self._turns = Tokens(at_once)
        self._crowd = Crowd(most, at_once - 1)

    @contextmanager
    def turn(self, client: bytes) -> Iterator[None]:
        """A turn, as soon as there is one. Raises `Problem` where too many of the client are here."""
        group = self._crowd.enter(client)
        if group is None:
            detail = "too many requests from your address are being answered at this moment"
            raise Problem("too-many-requests", detail, (("Retry-After", "1"),))
        group.turns.get()
        self._turns.get()
        try:
            yield
        finally:
            self._turns.put()
            group.turns.put()
            self._crowd.leave(client)
