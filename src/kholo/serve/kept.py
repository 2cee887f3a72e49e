"""What was made lately and may be asked for again, within so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Values by key, at most `most` bytes: what was longest not asked for goes first. Safe in several threads."""

    def __init__(self, most: int, weight: Callable[[V], int]) -> None:
        self._most, self._weight = most, weight
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """The value; None where there is none."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, in the place of an older one."""
        with self._lock:
            old = self._values.pop(key, None)
            self._size += self._weight(value) - (self._weight(old) if old is not None else 0)
            self._values[key] = value
            while self._size > self._most:
                _, gone = self._values.popitem(last=False)
                self._size -= self._weight(gone)
