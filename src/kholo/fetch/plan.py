"""What is wanted, and the objects that hold it: what a source plans and the engine fetches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

T = TypeVar("T")


class Wanted(msgspec.Struct, frozen=True):
    """What a person asked for. Times are UTC, `until` exclusive; `place` is ISO 3166 alpha-2.

    `service` is an id of the registry or ""; `hosts` are its names and `tests` the tests that measure it (empty: all).
    `networks` ("AS17557") empty means all. `options` are those of the source itself, by name. `now`: later than this
    nothing can be there yet.
    """

    place: str
    since: datetime
    until: datetime
    now: datetime
    service: str = ""
    hosts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


class Remote(msgspec.Struct, frozen=True, order=True):
    """One object to fetch: where it is, and under which name it is kept (a path of plain parts, with its ending).

    `size` (bytes) and `etag` where a listing says them; `guess` is the size supposed where it does not.
    `is_settled`: it will not change any more, so that what was fetched once need not be fetched again. An address
    never has a secret in it.
    """

    name: str
    address: str
    size: int | None = None
    etag: str = ""
    guess: int = 0
    is_settled: bool = True

    @property
    def supposed(self) -> int:
        """Bytes, as far as they are known or supposed."""
        return self.guess if self.size is None else self.size


class Plan(msgspec.Struct, frozen=True):
    """What a source would fetch, in this order. `notes` are sentences for the person: which way was taken, and why.

    `seconds`: how long it takes by the source's own politeness, where the bytes do not decide that.
    """

    objects: tuple[Remote, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes, as far as they are known or supposed."""
        return sum(one.supposed for one in self.objects)


class Option(msgspec.Struct, frozen=True):
    """One option of a source. `choices` empty means any text."""

    name: str
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()


class Asked(Protocol):
    """What a plan may ask of the network: answers that fit into memory, whole."""

    def get(self, address: str, what: str) -> bytes:
        """The answer to one GET, redirects followed, tried again where that helps. `what` names it in messages.

        Raises `NotThere` (404) and `NetworkFault`.
        """

    def read(self, address: str, what: str, parse: Callable[[bytes], T]) -> T:
        """The same, parsed. What `parse` can't read (`ValueError`, or what msgspec raises) is asked for again."""


#: Called with the steps of planning that are done, and how many there are in all.
Told = Callable[[int, int], None]


class Fetch(msgspec.Struct, frozen=True):
    """How a source is fetched.

    `endpoints` say where it is on the web, by name; `--endpoint NAME=URL` (or `--endpoint URL` for the first) puts a
    mirror or a test in its place. `plan` lists the objects. `token`: the variable of the environment that holds a token
    ("": none is needed); it goes to the endpoints' own hosts only, as `Authorization: Bearer`.
    """

    endpoints: Mapping[str, str]
    plan: Callable[[Wanted, Mapping[str, str], Asked, Told], Plan]
    options: tuple[Option, ...] = ()
    token: str = ""
    example: str = ""
