"""The registry of services: which host belongs to what a person would name."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from pathlib import Path

import msgspec

from kholo.model import ReferenceDataError

SHIPPED = Path(__file__).with_name("services.toml")


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service. `all_of` hosts are each needed, of `any_of` one is enough, `hosts` just belong to it."""

    id: str
    name: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    formerly: str = ""
    simulated: bool = False


class Services:
    """Looks hosts up. `digest` is SHA-256 of the file, in hex."""

    def __init__(self, services: tuple[Service, ...], digest: str) -> None:
        self.services = services
        self.digest = digest
        self._by_host = {
            host: service.id for service in services for host in (*service.all_of, *service.any_of, *service.hosts)
        }

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all services."""
        return frozenset(service.id for service in self.services)

    def of_host(self, host: str) -> str | None:
        """The service that `host` or a domain above it belongs to; None when it is none we know."""
        while host:
            if found := self._by_host.get(host):
                return found
            host = host.partition(".")[2]
        return None

    def name(self, service: str) -> str:
        """What a person calls the service; its id when it is not in the registry."""
        return next((known.name for known in self.services if known.id == service), service)


@lru_cache(maxsize=8)
def load_services(path: Path = SHIPPED) -> Services:
    """Read a registry. Raises `ReferenceDataError` naming the file and what is wrong in it."""
    try:
        data = path.read_bytes()
        tables = tomllib.loads(data.decode())
        services = tuple(msgspec.convert({"id": name, **table}, Service) for name, table in sorted(tables.items()))
    except (OSError, ValueError, TypeError) as error:
        raise ReferenceDataError(f"{path}: not a usable registry of services: {error}") from error
    return Services(services, hashlib.sha256(data).hexdigest())
