"""What a watch looks at: each scope has ledgers of its own, so that one never takes away what another told."""

from __future__ import annotations

import hashlib

import msgspec

from kholo.reference.places import place_name
from kholo.reference.services import load_services

from .wording import plain


class Scope(msgspec.Struct, frozen=True):
    """None means all."""

    service: str | None = None
    place: str | None = None
    network: str | None = None

    @property
    def folder(self) -> str:
        """The name of its folder below `told/`."""
        if self == Scope():
            return "all"
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    @property
    def words(self) -> str:
        """`X in Pakistan on AS9260`."""
        service = load_services().name(self.service) if self.service else "all services"
        place = f"in {place_name(self.place)}" if self.place else "in all places"
        return plain(" ".join([service, place, *([f"on {self.network}"] if self.network else [])]))
