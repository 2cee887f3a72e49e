"""Where the files of a log are: a folder, which can be written to, or an address on the web, which can only be read."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kholo.disk import replaced
from kholo.fetch.web import PIECE, Web
from kholo.model import EnvironmentFault, NotThere

from .faults import WrongSize, WrongTile

#: What is being written, before it gets its name.
_PART = ".part"


class Folder:
    """A log in a folder. What is written there is never written over; `checkpoint` alone is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def read(self, path: str, most: int) -> bytes | None:
        """See `tlog.Reader`."""
        place = self.path / path
        try:
            # A pipe in the place of a file must not hold anybody up.
            number = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(number).st_mode):
                    raise EnvironmentFault(f"{place}: is no file")
                with os.fdopen(number, "rb", closefd=False) as stream:
                    data = stream.read(most + 1)
            finally:
                os.close(number)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise EnvironmentFault(f"{place}: can't be read: {error.strerror}") from error
        return _bounded(data, most, path)

    def files(self, under: str) -> list[str]:
        """The paths of all files below a folder of the log, sorted."""
        found = []
        for top, _, names in os.walk(self.path / under, onerror=_unreadable):
            found += [(Path(top) / name).relative_to(self.path).as_posix() for name in names]
        return sorted(found)

    def put(self, path: str, data: bytes) -> bool:
        """Write a file that stays; False where it is there already. Raises `WrongTile` where it is another one."""
        there = self.read(path, len(data))
        if there is not None and there != data:
            raise WrongTile(f"{self.path / path}: holds something else than follows from the log; nothing was changed")
        if there is None:
            self.replace(path, data)
        return there is None

    def replace(self, path: str, data: bytes) -> None:
        """Write a file, so that a reader sees all of it or what was there before. Raises `EnvironmentFault`."""
        with replaced(self.path / path, draft=self.path / _PART) as part:
            part.write_bytes(data)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the log for writing. Raises `EnvironmentFault` where another process does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            number = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise EnvironmentFault(f"{self.path}: can't be used as a folder: {error.strerror}") from error
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                os.unlink(_PART, dir_fd=number)
            yield
        except BlockingIOError:
            raise EnvironmentFault(f"{self.path}: another process is writing to this log; try again later") from None
        finally:
            os.close(number)


class Site:
    """A log on the web. `address` is that of its folder."""

    def __init__(self, web: Web, address: str) -> None:
        self._web = web
        self.where = address.rstrip("/")

    def read(self, path: str, most: int) -> bytes | None:
        """See `tlog.Reader`."""
        address = f"{self.where}/{path}"

        def once() -> bytes:
            data = bytearray()
            with self._web.answer(address, {}) as response:
                for piece in response.stream(PIECE):
                    data += piece
                    if len(data) > most:
                        break
            return _bounded(bytes(data), most, path)

        try:
            return self._web.persist(path, address, once)
        except NotThere:
            return None


def _bounded(data: bytes, most: int, path: str) -> bytes:
    if len(data) > most:
        raise WrongSize(f"{path}: has more than the {most} bytes that it can have")
    return data


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise EnvironmentFault(f"{error.filename}: can't be read: {error.strerror}") from error
