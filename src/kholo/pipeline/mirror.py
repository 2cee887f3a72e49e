"""A built site as one signed bundle."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from kholo.evidence import mirror
from kholo.evidence.bundle import write_container
from kholo.evidence.container import CHUNK, MAX_SIZE, check_path
from kholo.evidence.keys import PrivateKey
from kholo.evidence.mirror import Statement
from kholo.model import DossierError, EnvironmentFault, UsageError
from kholo.publish.build import MANIFEST, listed
from kholo.publish.inventory import INDEX

#: Bytes of the file that says what a site is.
_MAX_INDEX = 1 << 28


class Mirrored(msgspec.Struct, frozen=True):
    """What was made. `sha256` (hex) is that of the bundle, `left_out` counts files that `kholo build` did not write."""

    statement: Statement
    sha256: str
    size: int
    left_out: int


class _About(msgspec.Struct):
    """What is read of `data/index.json`."""

    address: str
    as_of: datetime
    simulated: str


class _File(NamedTuple):
    size: int
    crc: int
    sha256: str


def make(site: Path, out: Path, keys: Sequence[PrivateKey]) -> Mirrored:
    """Write the bundle of the site in a folder. The same site and keys give the same bytes.

    Raises `UsageError` for a folder that `kholo build` did not write, `DossierError` for a file that can't be in a
    bundle, `EnvironmentFault`.
    """
    names = sorted({*listed(site), MANIFEST})
    if not (site / MANIFEST).is_file() or INDEX not in names:
        raise UsageError(f"{site}: is no site that kholo build wrote")
    if not keys:
        raise UsageError("say who signs: --key FILE (kholo key new makes one)")
    found = {name: _read(site, name) for name in names}
    about = _about(site)
    digests = {name: one.sha256 for name, one in found.items()}
    said = mirror.stated(digests, about.address, about.as_of, about.simulated, [key.public for key in keys])
    files: dict[str, tuple[int, int, Callable[[], Iterator[bytes]]]] = {
        name: (one.size, one.crc, partial(_chunks, site / name)) for name, one in found.items()
    }
    for name, data in mirror.sealed(digests, said, keys).items():
        files[name] = len(data), zlib.crc32(data), partial(iter, [data])
    sha256 = write_container(out, files)
    return Mirrored(said, sha256, out.stat().st_size, _others(site, {*files}))


def _about(site: Path) -> _About:
    data = b"".join(_chunks(site / INDEX, _MAX_INDEX))
    try:
        return msgspec.json.decode(data, type=_About)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{site / INDEX}: is not what kholo build writes ({error})") from None


def _read(site: Path, name: str) -> _File:
    path = site / name
    if check_path(name).startswith(mirror.FOLDER):
        raise DossierError(f"{name}: stands where the signature of a mirror goes")
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{path}: is missing; build the site anew")
    size, crc, sha = 0, 0, hashlib.sha256()
    for chunk in _chunks(path):
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
        sha.update(chunk)
    return _File(size, crc, sha.hexdigest())


def _chunks(path: Path, most: int = MAX_SIZE) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                most -= len(chunk)
                if most < 0:
                    raise DossierError(f"{path}: is too large for a bundle")
                yield chunk
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error


def _others(site: Path, known: set[str]) -> int:
    """How many files lie in the folder that are no part of the site."""
    paths = (path for path in site.rglob("*") if path.is_symlink() or path.is_file())
    return sum(path.relative_to(site).as_posix() not in known for path in paths)
