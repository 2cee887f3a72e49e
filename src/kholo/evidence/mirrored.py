"""Whether a copy of a site is the one that was signed: a bundle, a folder, or what a host gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from kholo.model import DossierError, KholoError, NetworkFault, NotThere

from . import mirror
from .checks import Check, failed, passed
from .mirror import Statement
from .signers import Signers
from .witnesses import by_keys

#: Gives those of the paths that are looked at.
Pick = Callable[[Sequence[str]], Sequence[str]]


class Place(Protocol):
    """Where a copy is. `names` lists its files, sorted; None: it can't be told what else is there.

    `chunks` gives the bytes of a file, and raises `NotThere` or `DossierError`; `NetworkFault` where a host gives
    nothing.
    """

    where: str

    def names(self) -> list[str] | None: ...

    def chunks(self, path: str) -> Iterator[bytes]: ...


def read(place: Place, path: str, limit: int) -> bytes:
    """A whole small file. Raises `DossierError`, also where it is not there."""
    data = bytearray()
    try:
        for chunk in place.chunks(path):
            data += chunk
            if len(data) > limit:
                raise DossierError(f"{path}: is larger than {limit} bytes, which no such file is")
    except NotThere:
        raise DossierError(f"{path}: is missing; is it a mirror that kholo made?") from None
    return bytes(data)


def statement(place: Place) -> Statement:
    """What the copy says of itself. Raises `DossierError`."""
    return Statement.decode(read(place, mirror.STATEMENT, mirror.MAX_STATEMENT))


def check(place: Place, signers: Signers | None, now: datetime, pick: Pick) -> Iterator[Check]:
    """Everything that can be checked. `now` is UTC: keys may be valid for a time only."""
    try:
        said = statement(place)
        digests = mirror.decode_manifest(read(place, mirror.MANIFEST, mirror.MAX_MANIFEST), said)
    except DossierError as error:
        yield failed("manifest", str(error))
        return
    yield passed("manifest", f"the list of {said.files} files is the one that the statement is over: root {said.root}")
    yield from by_keys(
        said.keys, lambda one: mirror.signed(lambda path, limit: read(place, path, limit), one), mirror.NAMESPACE,
        "mirror", signers, now,
    )  # fmt: skip
    yield _files(place, digests, pick(sorted(digests)))
    names = place.names()
    if names is not None:
        yield _beside(names, {*digests, *_own(said)})


def _own(said: Statement) -> set[str]:
    return {mirror.STATEMENT, mirror.MANIFEST, *(path for key in said.keys for path in mirror.places_of(key))}


def _files(place: Place, digests: dict[str, str], chosen: Sequence[str]) -> Check:
    wrong, unknown = [], []
    for path in chosen:
        try:
            if _digest(place, path) != digests[path]:
                wrong.append(f"{path}: was changed")
        except NotThere:
            wrong.append(f"{path}: is missing")
        except NetworkFault as error:
            unknown.append(f"{path}: {error}")
        except KholoError as error:
            wrong.append(str(error))
    if wrong:
        return failed("files", f"{len(wrong)} of the {len(chosen)} files that were looked at are not as signed", wrong)
    if unknown:
        return failed("files", f"{len(unknown)} of {len(chosen)} files could not be had", unknown)
    if len(chosen) < len(digests):
        says = f"{len(chosen)} of {len(digests)} files are as they were signed; the others were not looked at (--all)"
        return passed("files", says)
    return passed("files", f"all {len(digests)} files are as they were signed")


def _digest(place: Place, path: str) -> str:
    sha = hashlib.sha256()
    for chunk in place.chunks(path):
        sha.update(chunk)
    return sha.hexdigest()


def _beside(names: Sequence[str], expected: set[str]) -> Check:
    more = [f"{name}: is no part of the site that was signed" for name in names if name not in expected]
    if more:
        return failed("beside", f"{len(more)} files lie there that nobody signed", more)
    return passed("beside", "nothing lies beside what was signed")
