"""The registry of services: which host belongs to what a person would name."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from kholo.model import ReferenceDataError

from .files import read

SHIPPED = Path(__file__).with_name("services.toml")


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some of the endpoints that a test tries are for.

    `needs` is `all_of` (each host is needed) or `any_of` (a pool: one endpoint is enough). `hosts` are names;
    `addresses` are tried without a name; `targets` are kinds of target that the test names itself. `ports` empty means
    all. `is_needed`: without it a person can't use the service at all. `is_vouched`: the endpoints are known to be up,
    so that their silence says something. `until`: not part of the service from that day.
    """

    test: str
    name: str
    needs: Literal["all_of", "any_of"]
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    is_needed: bool = True
    is_vouched: bool = True
    until: date | None = None


class Untrusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions of a test, up to and including one, whose results since a day say nothing."""

    test: str
    up_to: str
    since: date
    why: str

    def holds(self, test: str, version: str, measured: date) -> bool:
        """Whether a measurement is one of these."""
        return test == self.test and measured >= self.since and _version(version) <= _version(self.up_to)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() and len(part) < 9 else 0 for part in text.split(".")[:4])


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service. `all_of` hosts are each needed, of `any_of` one is enough, `hosts` just belong to it.

    `tests` are the tests made for this service alone; `roles` say what the endpoints are for that they try.
    """

    id: str
    name: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    untrusted: tuple[Untrusted, ...] = ()
    formerly: str = ""
    simulated: bool = False

    @property
    def names(self) -> str:
        """Its name, and the one that it had before: `X, Twitter`."""
        return ", ".join(filter(None, (self.name, self.formerly)))


class Services:
    """Looks hosts up. `digest` is SHA-256 of the file, in hex."""

    def __init__(self, services: tuple[Service, ...], digest: str) -> None:
        self.services = services
        self.digest = digest
        self._by_host = {
            host: service.id for service in services for host in (*service.all_of, *service.any_of, *service.hosts)
        }
        self._by_test = {test: service for service in services for test in service.tests}
        self.of_host = lru_cache(maxsize=16_384)(self._of_host)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all services."""
        return frozenset(service.id for service in self.services)

    def of_test(self, test: str) -> Service | None:
        """The service that a test is made for; None for a test of any address."""
        return self._by_test.get(test)

    def _of_host(self, host: str) -> str | None:
        """The service that `host` or a domain above it belongs to; None when it is none we know."""
        while host:
            if found := self._by_host.get(host):
                return found
            host = host.partition(".")[2]
        return None

    def name(self, service: str) -> str:
        """What a person calls the service; its id when it is not in the registry."""
        return next((known.name for known in self.services if known.id == service), service)


def load_services(path: Path = SHIPPED) -> Services:
    """Read a registry. Raises `ReferenceDataError` naming the file and what is wrong in it."""
    return _parsed(path, read(path))


@lru_cache(maxsize=8)
def _parsed(path: Path, data: bytes) -> Services:
    try:
        tables = tomllib.loads(data.decode())
        services = tuple(msgspec.convert({"id": name, **table}, Service) for name, table in sorted(tables.items()))
    except (ValueError, TypeError, RecursionError, AttributeError) as error:
        raise ReferenceDataError(f"{path}: not a usable registry of services: {error}") from error
    return Services(services, hashlib.sha256(data).hexdigest())
