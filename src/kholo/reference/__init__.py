"""Reference data: what judging needs to know of the world, each with a digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from .bogons import SHIPPED as SHIPPED_BOGONS
from .bogons import Bogons, load_bogons
from .fingerprints import SHIPPED as SHIPPED_FINGERPRINTS
from .fingerprints import Fingerprint, Fingerprints, load_fingerprints
from .services import SHIPPED as SHIPPED_SERVICES
from .services import Role, Service, Services, load_services

__all__ = [
    "SHIPPED_FINGERPRINTS",
    "Bogons",
    "Fingerprint",
    "Fingerprints",
    "Reference",
    "Role",
    "Service",
    "Services",
    "load_reference",
    "load_snapshot",
]


class Reference(msgspec.Struct, frozen=True):
    """All reference data of a run. `digest` (12 hex digits of SHA-256) names the lot.

    `files` is what it was read from, by name: enough to read the same again.
    """

    services: Services
    fingerprints: Fingerprints
    bogons: Bogons
    digest: str
    files: tuple[tuple[str, bytes], ...]


def load_reference(fingerprints: tuple[Path, ...] = ()) -> Reference:
    """The shipped reference data, with further fingerprint files beside the shipped one.

    Raises `ReferenceDataError` naming the file and the line.
    """
    return _load(SHIPPED_SERVICES, SHIPPED_BOGONS, (SHIPPED_FINGERPRINTS, *fingerprints))


def load_snapshot(folder: Path) -> Reference:
    """The reference data that `Reference.files` was written to. Raises `ReferenceDataError`."""
    prints = tuple(sorted((folder / _PRINTS).iterdir())) if (folder / _PRINTS).is_dir() else ()
    return _load(folder / _SERVICES, folder / _BOGONS, prints)


_SERVICES, _BOGONS, _PRINTS = "services.toml", "bogons.toml", "fingerprints"


def _load(services: Path, bogons: Path, prints: tuple[Path, ...]) -> Reference:
    known, ranges, found = load_services(services), load_bogons(bogons), load_fingerprints(prints)
    digests = f"{known.digest}\n{found.digest}\n{ranges.digest}\n"
    files = [(_SERVICES, services.read_bytes()), (_BOGONS, bogons.read_bytes())]
    for place, path in enumerate(sorted(set(prints))):
        # The name may say what is in it, and two may have the same.
        files.append((f"{_PRINTS}/{place:02}-{path.name}", path.read_bytes()))
    return Reference(known, found, ranges, hashlib.sha256(digests.encode()).hexdigest()[:12], tuple(files))
