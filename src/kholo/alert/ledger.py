"""What a channel was told, on disk: `told/<scope>/<channel>.json` in the store, whole or as it was before.

Each channel has a ledger of its own: one that fails, or that is added later, changes nothing for the others. A message
stands in `pending` before it is sent and leaves when it was.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.disk import replaced
from kholo.model import StoreError

from .told import Message, News, Told

VERSION = 1
#: Messages that a feed shows, the latest ones.
KEPT = 100


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting` is news for the next digest, `period` the one whose digest was made, `log` what a feed shows.

    `begun` is the first look.
    """

    version: int = VERSION
    begun: datetime | None = None
    told: Told = Told()
    waiting: tuple[News, ...] = ()
    period: str = ""
    pending: tuple[Message, ...] = ()
    log: tuple[Message, ...] = ()

    def sent(self, message: Message, is_kept: bool) -> Ledger:
        """The ledger once `message` was delivered."""
        pending = tuple(other for other in self.pending if other.message_id != message.message_id)
        log = (*self.log, message)[-KEPT:] if is_kept else self.log
        return msgspec.structs.replace(self, pending=pending, log=log)


class Book:
    """The file of one ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Ledger:
        """The ledger; an empty one when there is none yet. Raises `StoreError` when it can't be read."""
        try:
            ledger = msgspec.json.decode(self.path.read_bytes(), type=Ledger)
        except FileNotFoundError:
            return Ledger()
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{self.path}: can't be read ({error}); moved away, everything is told anew") from error
        if ledger.version != VERSION:
            raise StoreError(f"{self.path}: written by another kholo, in version {ledger.version}; this is {VERSION}")
        return ledger

    def write(self, ledger: Ledger) -> None:
        """Replace the file: after a cut it holds all of the old or all of the new."""
        with replaced(self.path) as draft:
            draft.write_bytes(msgspec.json.encode(ledger) + b"\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes off this ledger. Raises `StoreError` when one has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_suffix(".lock").open("a")
        except OSError as error:
            raise StoreError(f"{self.path}: can't be written: {error.strerror or error}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(f"{self.path}: another `kholo watch` is telling this; try again later") from None
            yield
