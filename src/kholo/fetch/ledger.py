"""What was fetched: each object's address, date and SHA-256, kept beside the objects. Nothing in it is ever taken back.

One line of JSON an event; the last one of a name holds. A line that a break cut off is passed over: its object is
fetched again.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from .plan import Remote


class Receipt(msgspec.Struct, frozen=True):
    """One object as it was fetched. Times are UTC. `is_taken`: the store has what is in it.

    `etag` is what the other side called this version, `sha256` and `size` are of the bytes received.
    """

    name: str
    address: str
    size: int
    sha256: str
    etag: str
    fetched_at: datetime
    is_taken: bool = False

    def is_current(self, remote: Remote) -> bool:
        """Whether it is of the version that stands there now, and no other will come."""
        return remote.is_settled and (not remote.etag or bare(remote.etag) == self.etag)


def bare(etag: str) -> str:
    """An ETag without its quotes and its mark of weakness (RFC 9110, 8.8.3)."""
    return etag.removeprefix("W/").strip('"')


class Ledger:
    """The receipts of one source, in `folder/ledger.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.jsonl"
        self._receipts: dict[str, Receipt] = {}
        # What comes before the next line, so that one which a break cut off does not swallow it.
        self._mend = b""
        decoder = msgspec.json.Decoder(Receipt)
        if self._path.exists():
            data = self._path.read_bytes()
            self._mend = b"\n" if data and not data.endswith(b"\n") else b""
            for line in data.splitlines():
                try:
                    receipt = decoder.decode(line)
                except (msgspec.DecodeError, UnicodeError):
                    continue
                self._receipts[receipt.name] = receipt

    def of(self, name: str) -> Receipt | None:
        """The last receipt of an object."""
        return self._receipts.get(name)

    def all(self) -> list[Receipt]:
        """All of them, by name."""
        return [self._receipts[name] for name in sorted(self._receipts)]

    def add(self, receipts: list[Receipt]) -> None:
        """Write receipts down; they are on the disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as stream:
            stream.write(self._mend + b"".join(msgspec.json.encode(receipt) + b"\n" for receipt in receipts))
            self._mend = b""
            stream.flush()
            os.fsync(stream.fileno())
        self._receipts |= {receipt.name: receipt for receipt in receipts}
