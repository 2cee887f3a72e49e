"""Where a copy of a site is: in a bundle, in a folder, or on a host. See `mirrored.Place`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from kholo.fetch.web import PIECE, Web
from kholo.model import DossierError, EnvironmentFault, NetworkFault, NotThere

from .container import CHUNK, MAX_SIZE, Container


class Bundle:
    """A copy in one file."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self.where = str(path)
        try:
            self._container = Container(stream)
        except DossierError as error:
            raise DossierError(f"{path}: {_of_bundle(error)}") from None

    def names(self) -> list[str] | None:
        """See `mirrored.Place`."""
        return sorted(self._container.files)

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `mirrored.Place`."""
        if path not in self._container.files:
            raise NotThere(f"{path}: is not in the bundle")
        try:
            yield from self._container.chunks(path)
        except DossierError as error:
            raise DossierError(_of_bundle(error)) from None


def _of_bundle(error: DossierError) -> str:
    return str(error).replace("dossier", "bundle")


class Folder:
    """A copy in a folder. A link is no file of a copy: it could show anything, and another thing later."""

    def __init__(self, path: Path) -> None:
        self.where, self._path = str(path), path

    def names(self) -> list[str] | None:
        """See `mirrored.Place`."""
        found = []
        for top, folders, names in os.walk(self._path, onerror=_unreadable):
            links = [name for name in folders if (Path(top) / name).is_symlink()]
            found += [(Path(top) / name).relative_to(self._path).as_posix() for name in (*names, *links)]
        return sorted(found)

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `mirrored.Place`."""
        place = self._path / path
        try:
            if place.is_symlink() or (place.exists() and not place.is_file()):
                raise DossierError(f"{path}: is no file")
            with place.open("rb") as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk
        except (FileNotFoundError, NotADirectoryError):
            raise NotThere(f"{path}: is not there") from None
        except OSError as error:
            raise EnvironmentFault(f"{place}: can't be read: {error.strerror or error}") from error


class Host:
    """A copy on the web. `address` is that of its folder. What else lies there can't be asked."""

    def __init__(self, web: Web, address: str) -> None:
        self._web, self.where = web, address.rstrip("/")

    def names(self) -> list[str] | None:
        """See `mirrored.Place`."""
        return None

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `mirrored.Place`. A file is fetched whole before any of it is passed on."""
        address = f"{self.where}/{path}"
        with tempfile.TemporaryFile() as held:
            self._web.persist(path, address, lambda: self._fetch(address, held))
            held.seek(0)
            while chunk := held.read(CHUNK):
                yield chunk

    def _fetch(self, address: str, held: IO[bytes]) -> None:
        held.seek(0)
        held.truncate()
        left = MAX_SIZE
        with self._web.answer(address, {}) as response:
            for piece in response.stream(PIECE):
                left -= len(piece)
                if left < 0:
                    raise NetworkFault(f"{address}: is larger than any file of a site")
                held.write(piece)


def _unreadable(error: OSError) -> None:
    raise EnvironmentFault(f"{error.filename}: can't be read: {error.strerror}") from error
