"""The custody log as a dossier carries it: what bears on its case, and of all else only the digests that chain it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kholo.model import DossierError
from kholo.store.custody import NAME, Custody, Entry

#: What only made something of a case: it can be done again and changes nothing that a dossier holds.
_OUTPUTS = frozenset({"build", "export", "papers", "dossier", "sign", "timestamp", "redact", "log"})


class Left(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that is left out: it is of another case. `line` is the SHA-256 (hex) of what stood there."""

    number: int
    withheld: str
    line: str


def carried(root: Path, case: str) -> bytes:
    """The log up to its last entry that bears on what a case holds. Raises `BrokenChain`."""
    log = Custody(root)
    log.check()
    blocks = list(zip(log.entries(), _blocks(log.path), strict=True)) if log.path.exists() else []
    while blocks and (blocks[-1][0].action in _OUTPUTS or blocks[-1][0].case not in (None, case)):
        blocks.pop()
    return b"".join(_line(entry, block, case) for entry, block in blocks)


def _line(entry: Entry, block: bytes, case: str) -> bytes:
    if entry.case in (None, case):
        return block
    left = Left(entry.number, "of another case", hashlib.sha256(block).hexdigest())
    return msgspec.json.encode(left) + b"\n"


def _blocks(path: Path) -> Iterator[bytes]:
    """The lines of a log, each with what a break left of one after it."""
    block = b""
    for line in path.read_bytes().splitlines(keepends=True):
        if block and _is_entry(line):
            yield block
            block = b""
        block += line
    if block:
        yield block


def _is_entry(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, UnicodeError):
        return False
    return True


def check(data: bytes) -> tuple[int, int]:
    """How many entries a carried log has, and how many are left out. Raises `DossierError` where the chain breaks."""
    before: str | None = None
    count = left = 0
    for count, block in enumerate(_carried_blocks(data), 1):
        found = _decoded(block, count)
        if found.number != count or (isinstance(found, Entry) and found.previous != before):
            # What stands before a line that is left out can't be known from it.
            raise DossierError(f"data/{NAME}: the chain breaks at entry {count}")
        left += isinstance(found, Left)
        before = found.line if isinstance(found, Left) else hashlib.sha256(block).hexdigest()
    return count, left


def _carried_blocks(data: bytes) -> Iterator[bytes]:
    block = b""
    for line in data.splitlines(keepends=True):
        if block and line.startswith(b'{"number":'):
            yield block
            block = b""
        block += line
    if block:
        yield block


def _decoded(block: bytes, number: int) -> Entry | Left:
    line = block.partition(b"\n")[0]
    try:
        return msgspec.json.decode(line, type=Left) if b'"withheld"' in line else msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, UnicodeError):
        raise DossierError(f"data/{NAME}: entry {number} can't be read") from None
