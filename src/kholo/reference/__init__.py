"""Reference data: what judging needs to know of the world, each with a digest, and where it changes with dates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from kholo.model import ReferenceDataError

from .bogons import SHIPPED as SHIPPED_BOGONS
from .bogons import Bogons, load_bogons
from .dated import Dated
from .fingerprints import SHIPPED as SHIPPED_FINGERPRINTS
from .fingerprints import Fingerprint, Fingerprints, load_fingerprints
from .networks import NO_NETWORKS, Networks
from .services import SHIPPED as SHIPPED_SERVICES
from .services import Role, Service, Services, load_services
from .snapshots import KINDS, Found, Kind, Snapshot, find
from .testlists import NO_TEST_LISTS, TestLists

__all__ = [
    "KEPT_SNAPSHOTS",
    "KINDS",
    "SHIPPED_FINGERPRINTS",
    "Bogons",
    "Dated",
    "Fingerprint",
    "Fingerprints",
    "Kind",
    "Networks",
    "Reference",
    "Role",
    "Service",
    "Services",
    "Snapshot",
    "TestLists",
    "load_fingerprints",
    "load_kept",
    "load_reference",
    "load_services",
    "load_test_lists",
]

_SERVICES, _BOGONS, _PRINTS, KEPT_SNAPSHOTS = "services.toml", "bogons.toml", "fingerprints", "snapshots.json"
T = TypeVar("T")

#: The kinds of snapshot that a verdict may rest on.
_DECIDE = ("fingerprints", "networks")


class Reference(msgspec.Struct, frozen=True):
    """All reference data of a run. `digest` (12 hex digits of SHA-256) names the lot, all its dates included.

    `files` is what it was read from, by name, and the names of the snapshots: enough to read the same again.
    """

    services: Services
    bogons: Bogons
    fingerprints: Dated[Fingerprints]
    networks: Dated[Networks]
    digest: str
    files: tuple[tuple[str, bytes], ...]

    def line_of(self, address: str, day: date) -> tuple[str, str]:
        """The network ("AS0": unknown) and the country ("": unknown) that an address belonged to on a day."""
        return self.networks.on(day).line_of(address)


def load_reference(fingerprints: tuple[Path, ...] = (), snapshots: Path | None = None) -> Reference:
    """The shipped reference data, with the snapshots in a folder. Further fingerprint files hold on all days.

    Raises `ReferenceDataError` naming the file and the line, or the snapshot.
    """
    found = find(snapshots) if snapshots else []
    return _load(SHIPPED_SERVICES, SHIPPED_BOGONS, (SHIPPED_FINGERPRINTS, *fingerprints), found)


def load_kept(folder: Path, snapshots: Path) -> Reference:
    """The reference data that `Reference.files` was written to; its snapshots are looked for in a folder of their own.

    Raises `ReferenceDataError`.
    """
    prints = tuple(sorted((folder / _PRINTS).iterdir())) if (folder / _PRINTS).is_dir() else ()
    names = _names(folder / KEPT_SNAPSHOTS)
    there = {one.snapshot.digest: one for one in find(snapshots)} if names else {}
    for name in names:
        if name not in there:
            raise ReferenceDataError(f"{folder}: rests on the snapshot {name}, which is not in {snapshots}")
    return _load(folder / _SERVICES, folder / _BOGONS, prints, [there[name] for name in names])


def load_test_lists(snapshots: Path) -> Dated[TestLists]:
    """The test lists in a folder of snapshots. Nothing is judged by them."""
    return _dated(find(snapshots), "test-lists", lambda one: one.test_lists(), NO_TEST_LISTS)


def _names(path: Path) -> list[str]:
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError) as error:
        raise ReferenceDataError(f"{path}: not a list of snapshots: {error}") from error


def _load(services: Path, bogons: Path, prints: tuple[Path, ...], snapshots: list[Found]) -> Reference:
    known, ranges, always = load_services(services), load_bogons(bogons), load_fingerprints(prints)
    decide = [one for one in snapshots if one.snapshot.kind in _DECIDE]
    names = [one.snapshot.digest for one in decide]
    digests = "".join(f"{digest}\n" for digest in (known.digest, always.digest, ranges.digest, *names))
    files = [(_SERVICES, services.read_bytes()), (_BOGONS, bogons.read_bytes())]
    for place, path in enumerate(sorted(set(prints))):
        # The name may say what is in it, and two may have the same.
        files.append((f"{_PRINTS}/{place:02}-{path.name}", path.read_bytes()))
    if names:
        files.append((KEPT_SNAPSHOTS, msgspec.json.encode(names)))
    return Reference(
        known,
        ranges,
        _dated(decide, "fingerprints", lambda one: load_fingerprints((*prints, *one.paths())), always),
        _dated(decide, "networks", lambda one: one.networks(), NO_NETWORKS),
        hashlib.sha256(digests.encode()).hexdigest()[:12],
        tuple(files),
    )


def _dated(snapshots: list[Found], kind: Kind, make: Callable[[Found], T], without: T) -> Dated[T]:
    periods = [(one.snapshot.in_force_from, partial(make, one)) for one in snapshots if one.snapshot.kind == kind]
    return Dated(periods) if periods else Dated.always(without)
