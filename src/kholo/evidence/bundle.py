"""A dossier as one file: written, opened, and given further signatures without touching what was signed."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

from kholo.disk import replaced
from kholo.model import DossierError, EnvironmentFault, UsageError

from . import bag, container, seal
from .bag import Head
from .container import Container
from .seal import Leaf, Statement
from .spool import Spool

#: Bytes of one tag file, and of all of them that are no manifest and no list of leaves.
MAX_TAG, MAX_LIST = 1 << 20, 1 << 30
#: What may stand in the seal beside the statement and the leaves.
SEALED = re.compile(
    r"seal/(?:signatures/[0-9a-f]{16}\.(?:sig|pub)|timestamps/\d{4}/(?:covers\.txt|response\.tsr)"
    r"|log/[a-z0-9.-]{1,60}\.proof|opentimestamps/[a-z0-9.-]{1,60}\.ots)"
)
_FIXED = (bag.BAGIT, bag.INFO, bag.MANIFEST, bag.TAGS, seal.STATEMENT, seal.LEAVES)

Chunks = Callable[[], Iterator[bytes]]


def sealed(spool: Spool, head: Head, secret: bytes) -> tuple[Statement, list[Leaf]]:
    """Close the payload in a spool: its leaves, and the statement to be signed."""
    leaves = seal.leaves_of(((kept.path, kept.sha256) for kept in spool.files.values()), secret)
    return Statement(head.case, head.as_of, head.simulated, len(leaves), seal.root_of(leaves)), leaves


def write_dossier(
    path: Path, spool: Spool, head: Head, statement: Statement, leaves: Sequence[Leaf], more: Mapping[str, bytes]
) -> str:
    """Write a dossier with its seal; `more` are tag files such as signatures. Gives the SHA-256 of the file.

    The file appears whole or not at all. Raises `EnvironmentFault`.
    """
    digests = {kept.path: kept.sha256 for kept in spool.files.values()}
    tags = {
        bag.BAGIT: bag.declaration(),
        bag.INFO: bag.info(head, (kept.size for kept in spool.files.values())),
        bag.MANIFEST: bag.manifest(digests),
        seal.STATEMENT: statement.encode(),
        seal.LEAVES: seal.encode_leaves(leaves),
        **more,
    }
    payload = {kept.path: (kept.size, kept.crc, _reader(spool.chunks, kept.path)) for kept in spool.files.values()}
    return _write(path, head.case, payload, tags)


def _reader(chunks: Callable[[str], Iterator[bytes]], path: str) -> Chunks:
    return lambda: chunks(path)


def _write(path: Path, case: str, payload: Mapping[str, tuple[int, int, Chunks]], tags: Mapping[str, bytes]) -> str:
    tags = {**tags, bag.TAGS: bag.manifest({name: hashlib.sha256(data).hexdigest() for name, data in tags.items()})}
    folder = folder_of(case)
    files = {f"{folder}/{name}": found for name, found in payload.items()}
    for name, data in tags.items():
        files[f"{folder}/{name}"] = (len(data), zlib.crc32(data), _held(data))
    return write_container(path, files)


def write_container(path: Path, files: Mapping[str, tuple[int, int, Chunks]]) -> str:
    """Write files (size, CRC-32, what gives the bytes) as one container, whole or not at all. Gives its SHA-256."""
    with replaced(path) as draft, draft.open("wb") as out:
        hashing = _Hashing(out)
        container.write(hashing, ((name, *files[name]) for name in sorted(files)))
    return hashing.digest


def folder_of(case: str) -> str:
    """The one folder inside the dossier of a case."""
    return f"{case}-dossier"


def _held(data: bytes) -> Chunks:
    return lambda: iter([data] if data else [])


class _Hashing:
    """Passes bytes on and hashes them."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._sha = out, hashlib.sha256()

    def write(self, data: bytes, /) -> None:
        self._sha.update(data)
        self._out.write(data)

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()


class Dossier:
    """A dossier that was opened. Its parts are read with care, and what they say is not believed before it is checked.

    Opening checks the container and the list of files: there is nothing beside what a dossier has.
    """

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self.path = path
        self._container = Container(stream)
        folders = {name.partition("/")[0] for name in self._container.files}
        if len(folders) != 1:
            raise DossierError("holds not one folder, which a dossier does")
        self.folder = folders.pop()
        self.names = sorted(name.removeprefix(f"{self.folder}/") for name in self._container.files)
        there = set(self.names)
        if missing := [name for name in (*_FIXED, bag.HEAD) if name not in there]:
            raise DossierError(f"{missing[0]}: is missing; every dossier has one")
        for name in self.names:
            if not name.startswith(bag.PAYLOAD) and name not in _FIXED and not SEALED.fullmatch(name):
                raise DossierError(f"{name}: does not belong in a dossier of the form {seal.FORMAT}")
        self.statement = Statement.decode(self.read(seal.STATEMENT, MAX_TAG))
        if self.folder != folder_of(self.statement.case):
            raise DossierError(f"its folder is called {self.folder}, and it is of the case {self.statement.case}")

    @property
    def tags(self) -> list[str]:
        """All files beside the payload, but for the list of them."""
        return [name for name in self.names if not name.startswith(bag.PAYLOAD) and name != bag.TAGS]

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self._container.files[f"{self.folder}/{name}"].size

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, a piece at a time. Raises `DossierError`."""
        return self._container.chunks(f"{self.folder}/{name}")

    def read(self, name: str, limit: int) -> bytes:
        """A whole file. Raises `DossierError`, also where it is larger than `limit` bytes."""
        return self._container.read(f"{self.folder}/{name}", limit)

    def digest(self, name: str) -> str:
        """The SHA-256 of a file. Raises `DossierError`."""
        sha = hashlib.sha256()
        for chunk in self.chunks(name):
            sha.update(chunk)
        return sha.hexdigest()

    @cached_property
    def manifest(self) -> dict[str, str]:
        """The SHA-256 (hex) of each file of the payload, as the manifest has it. Raises `DossierError`."""
        return bag.decode_manifest(bag.MANIFEST, self.read(bag.MANIFEST, MAX_LIST))

    def leaves(self) -> list[Leaf]:
        """The leaves of the tree."""
        return seal.decode_leaves(self.read(seal.LEAVES, MAX_LIST))

    def with_tags(self, path: Path, tags: Mapping[str, bytes]) -> str:
        """Write the dossier again with further or other tag files; the payload and what was signed stay as they are.

        Gives the SHA-256 of the file. Raises `DossierError` where a file does not agree with its check sum.
        """
        if wrong := [name for name in tags if not SEALED.fullmatch(name)]:
            raise UsageError(f"{wrong[0]}: is no part of a seal")
        kept = {name: self.read(name, MAX_LIST) for name in self.tags}
        return self.rewritten(path, {}, {**kept, **tags})

    def rewritten(self, path: Path, instead: Mapping[str, bytes | None], tags: Mapping[str, bytes]) -> str:
        """Write the dossier again with these tag files; files named in `instead` are replaced, or (None) left out."""
        payload: dict[str, tuple[int, int, Chunks]] = {}
        for name in self.names:
            if name.startswith(bag.PAYLOAD) and name not in instead:
                placed = self._container.files[f"{self.folder}/{name}"]
                payload[name] = placed.size, placed.crc, _reader(self.chunks, name)
        for name, data in instead.items():
            if data is not None:
                payload[name] = len(data), zlib.crc32(data), _held(data)
        return _write(path, self.statement.case, payload, tags)


@contextmanager
def opened(path: Path) -> Iterator[Dossier]:
    """Open a dossier. Raises `UsageError` where there is no such file, and `DossierError`."""
    try:
        with path.open("rb", buffering=container.CHUNK) as stream:
            yield Dossier(path, stream)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error
