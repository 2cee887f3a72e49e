"""The custody log of a store: who did what to which bytes, in lines that are only ever added.

One line of JSON an entry. Each names the SHA-256 of the line before it, so that a line which is changed, taken out or
put elsewhere breaks the chain behind it. The last line has none behind it: whoever noted its digest (`head`) finds a
change there too, or an end that was cut off. What a power cut left of a line stays where it is, under the digest of
the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO, FileIO
from pathlib import Path, PurePath
from typing import Literal

import msgspec

from kholo.disk import sync
from kholo.model import BrokenChain, EnvironmentFault
from kholo.model.text import clean

NAME = "custody.jsonl"
#: Bytes of one line, and how far back the last entry is looked for behind what is none.
MAX_LINE = 4 << 20
_REACH = 1 << 16
_MAX_NAME = 255

Action = Literal[
    "ingest", "fetch", "edit", "archive", "reference", "rejudge", "build", "export", "papers", "dossier", "sign",
    "timestamp", "redact", "log",
]  # fmt: skip


class Thing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that was used or made: a name without the folders of this machine, and the SHA-256 of its bytes in hex.

    `before`: what the SHA-256 was before an edit. Absent: there is, or was, no such file.
    """

    name: str
    sha256: str | None = None
    before: str | None = None
    size: int | None = None


class Entry(msgspec.Struct, frozen=True):
    """One thing that was done. The JSON names are public.

    `time` is UTC. `about` holds what else decides, such as digests of rules and reference data. `by`: whom the person
    named. `previous`: SHA-256, in hex, of the line before with its line feed (and of half a line after it, if any).
    """

    number: int
    time: datetime
    action: str
    what: tuple[Thing, ...] = ()
    case: str | None = None
    counts: Mapping[str, int] = {}
    about: Mapping[str, str] = {}
    kholo: str = ""
    by: str | None = None
    previous: str | None = None


_DECODER = msgspec.json.Decoder(Entry)


class Custody:
    """The log of the store at `root`."""

    def __init__(self, root: Path) -> None:
        self.path = root / NAME

    def add(
        self,
        action: Action,
        now: datetime,
        what: Sequence[Thing] = (),
        *,
        case: str | None = None,
        counts: Mapping[str, int] | None = None,
        about: Mapping[str, str] | None = None,
        by: str | None = None,
    ) -> Entry:
        """Write an entry down; it is on the disk when this returns.

        Raises `EnvironmentFault` when it can't be written, `BrokenChain` when the end of the log is no log.
        """
        with self._held("ab+", fcntl.LOCK_EX) as stream:
            number, end = self._end(stream)
            mend = b"\n" if end and not end.endswith(b"\n") else b""
            entry = Entry(
                number + 1, now.astimezone(UTC), action, tuple(_shown(thing) for thing in what),
                _named(case), dict(counts or {}), {name: clean(text) for name, text in (about or {}).items()},
                version("kholo"), _named(by), _digest(end + mend) if end else None,
            )  # fmt: skip
            line = msgspec.json.encode(entry) + b"\n"
            if len(line) > MAX_LINE:
                raise EnvironmentFault(f"{self.path}: an entry of more than {MAX_LINE >> 20} MiB can't be kept")
            self._write(stream, mend + line)
        return entry

    def ready(self) -> Custody:
        """Itself, if an entry can be written. Asked before a command does what the entry would tell."""
        with self._held("ab+", fcntl.LOCK_EX) as stream:
            self._end(stream)
        return self

    def entries(self) -> Iterator[Entry]:
        """All entries, the first one first. Raises `BrokenChain` at the line where the chain breaks."""
        yield from (entry for entry, _ in self._chain())

    def check(self, head: str | None = None) -> None:
        """Raises `BrokenChain` saying where the chain breaks, or that the line with the digest `head` is not in it."""
        digests = {digest for _, digest in self._chain()}
        if head is not None and head not in digests:
            raise BrokenChain(f"{self.path}: no line has the digest {clean(head, 80)}; it was changed or cut off")

    def head(self) -> str | None:
        """The digest of the last entry's line: whoever notes it can prove later that nothing up to there changed."""
        found = None
        for _, digest in self._chain():
            found = digest
        return found

    def _chain(self) -> Iterator[tuple[Entry, str]]:
        """Each entry with the digest of its line."""
        if not self.path.exists():
            return
        number, before, odd = 0, hashlib.sha256(), 0
        with self._held("rb", fcntl.LOCK_SH) as stream:
            for place, line in enumerate(self._lines(stream), 1):
                entry = _decoded(line)
                if entry is None:
                    odd = place if line.endswith(b"\n") else 0
                    before.update(line)
                    continue
                expected = before.hexdigest() if place > 1 else None
                if entry.previous != expected:
                    raise self._broken(place, "is not what followed the line before: one was changed or taken out")
                if entry.number != number + 1:
                    raise self._broken(place, f"has the number {entry.number}, not {number + 1}")
                number, before, odd = entry.number, hashlib.sha256(line.removesuffix(b"\n") + b"\n"), 0
                yield entry, before.hexdigest()
        if odd:
            raise self._broken(odd, "is no entry, and none after it says that it was cut off")

    def _lines(self, stream: FileIO) -> Iterator[bytes]:
        with open(stream.fileno(), "rb", closefd=False) as lines:
            for place in range(1, 1 << 62):
                line = lines.readline(MAX_LINE + 1)
                if not line:
                    return
                if len(line) > MAX_LINE:
                    raise self._broken(place, f"is longer than {MAX_LINE >> 20} MiB")
                yield line

    def _end(self, stream: FileIO) -> tuple[int, bytes]:
        """The number of the last entry, and the bytes from the beginning of its line to the end of the log."""
        size = stream.seek(0, os.SEEK_END)
        reach = _REACH
        while True:
            begin = max(0, size - reach)
            stream.seek(begin)
            data = stream.read(size - begin)
            lines = BytesIO(data).readlines()
            at = len(data)
            for place in range(len(lines) - 1, -1 if begin == 0 else 0, -1):
                at -= len(lines[place])
                if (entry := _decoded(lines[place])) is not None:
                    return entry.number, data[at:]
            if begin == 0:
                return 0, data
            if reach > 2 * MAX_LINE:
                raise BrokenChain(f"{self.path}: its last {reach >> 20} MiB hold no entry; is it a custody log?")
            reach *= 4

    def _write(self, stream: FileIO, data: bytes) -> None:
        """All of it or nothing: where the disk is full, what was written of it is taken back."""
        size = stream.seek(0, os.SEEK_END)
        try:
            left = memoryview(data)
            while left:
                left = left[stream.write(left) :]
            os.fsync(stream.fileno())
            if size == 0:
                sync(self.path.parent)
        except OSError:
            os.ftruncate(stream.fileno(), size)
            raise

    @contextmanager
    def _held(self, mode: Literal["ab+", "rb"], lock: int) -> Iterator[FileIO]:
        """The open log, locked until the block ends. Raises `EnvironmentFault` naming it."""
        try:
            with self.path.open(mode, buffering=0) as stream:
                fcntl.flock(stream, lock)
                yield stream
        except OSError as error:
            what = "read" if mode == "rb" else "written"
            raise EnvironmentFault(f"{self.path}: can't be {what}: {error.strerror or error}") from error

    def _broken(self, place: int, what: str) -> BrokenChain:
        return BrokenChain(f"{self.path}: line {place} {what}")


def listing(digests: Mapping[str, str]) -> str:
    """One SHA-256 for many files: of lines as `sha256sum` writes them, sorted by name."""
    return _digest("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode("utf-8", "replace"))


def _decoded(line: bytes) -> Entry | None:
    """None where it is half a line, or no entry. Where but the line feed was cut off it is whole."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _named(text: str | None) -> str | None:
    return clean(text, _MAX_NAME) if text else None


def _shown(thing: Thing) -> Thing:
    """Of a path only its last part; a name inside a case, such as `entries/f1.toml`, is no path of a machine."""
    name = PurePath(thing.name).name if PurePath(thing.name).is_absolute() else thing.name
    return msgspec.structs.replace(thing, name=clean(name, _MAX_NAME))
