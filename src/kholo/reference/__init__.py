"""Reference data: what judging needs to know of the world, each with a digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from .bogons import Bogons, load_bogons
from .fingerprints import SHIPPED as SHIPPED_FINGERPRINTS
from .fingerprints import Fingerprint, Fingerprints, load_fingerprints
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
]


class Reference(msgspec.Struct, frozen=True):
    """All reference data of a run. `digest` (12 hex digits of SHA-256) names the lot."""

    services: Services
    fingerprints: Fingerprints
    bogons: Bogons
    digest: str


def load_reference(fingerprints: tuple[Path, ...] = ()) -> Reference:
    """The shipped reference data, with further fingerprint files beside the shipped one.

    Raises `ReferenceDataError` naming the file and the line.
    """
    services, bogons = load_services(), load_bogons()
    prints = load_fingerprints((SHIPPED_FINGERPRINTS, *fingerprints))
    digests = f"{services.digest}\n{prints.digest}\n{bogons.digest}\n"
    return Reference(services, prints, bogons, hashlib.sha256(digests.encode()).hexdigest()[:12])
