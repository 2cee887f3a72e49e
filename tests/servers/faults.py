"""What goes wrong on the way from an archive, made to order: by a seed, so that a run can be had again.

Whether and how the n-th answer for an address is harmed depends on the seed, the address and n alone, not on what else
is asked at the same time. Only harm that a careful client can notice is done: an answer without an ETag keeps its bytes
or is cut so that it no longer parses.
"""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import StrEnum

from .base import Answer, App, Request, Wire

LOOP = "/.loop"
PROBLEM = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n"
)

SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class Kind(StrEnum):
    """A way in which an answer goes wrong."""

    TOO_MANY = "too_many"
    """429 with Retry-After, in seconds or as a date."""
    UNAVAILABLE = "unavailable"
    """503, with Retry-After or without."""
    SERVER_ERROR = "server_error"
    """500."""
    GATEWAY = "gateway"
    """502 or 504 with a page."""
    SLOW = "slow"
    """All of it, in drips."""
    STALL = "stall"
    """Part of the body, then nothing for `Faults.stall` seconds, then closed."""
    CUT = "cut"
    """Closed within the body."""
    CUT_BEFORE = "cut_before"
    """Closed before any byte."""
    RESET = "reset"
    """RST, before any byte or within the body."""
    SHORT = "short"
    """An object that is cut while its length says it is not; the ETag is that of the whole."""
    WRONG_ETAG = "wrong_etag"
    """The right object, another ETag."""
    FLIPPED = "flipped"
    """An object with one bit changed; length and ETag are right."""
    REDIRECT = "redirect"
    """307 to another host that has the same."""
    REDIRECT_LOOP = "redirect_loop"
    """307 to an address that leads to itself."""
    BAD_RANGE = "bad_range"
    """All of the object, or another range than was asked for; the headers say so."""
    BAD_XML = "bad_xml"
    """A listing that is cut, or in which entities grow without end."""
    BAD_JSON = "bad_json"
    """A listing that is cut, or nested without end."""
    REPEAT_PAGE = "repeat_page"
    """A page of a listing that names itself as the next."""


ALL = frozenset(Kind)
#: What can be done to any answer, whatever its body.
ALWAYS = frozenset({Kind.TOO_MANY, Kind.UNAVAILABLE, Kind.SERVER_ERROR, Kind.GATEWAY, Kind.CUT_BEFORE, Kind.RESET})
ALWAYS |= {Kind.REDIRECT, Kind.REDIRECT_LOOP}


@dataclass(frozen=True)
class Hit:
    """One fault: its kind, and the how-many-eth request for this address it hit, from 0."""

    method: str
    target: str
    number: int
    kind: Kind


class Faults:
    """Harms a share `rate` of the answers, never more than `most_in_a_row` for one address."""

    def __init__(
        self,
        seed: int,
        rate: float,
        kinds: Iterable[Kind] = ALL,
        most_in_a_row: int = 2,
        retry_after: tuple[int, ...] = (0, 1),
        stall: float = 5.0,
        drip: float = 0.2,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.seed, self.rate, self.most_in_a_row = seed, rate, most_in_a_row
        self.kinds = frozenset(kinds)
        self.retry_after, self.stall, self.drip, self.now = retry_after, stall, drip, now
        self._lock = threading.Lock()
        self._log: list[Hit] = []
        self._number: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()

    @property
    def log(self) -> list[Hit]:
        """All faults so far, in the order of their coming."""
        with self._lock:
            return list(self._log)

    def answer(self, app: App, request: Request, other: str) -> tuple[Answer, str | None]:
        """The answer as it goes out, and the kind of fault in it."""
        if request.path == LOOP:
            return Answer(307, {"Location": LOOP}), Kind.REDIRECT_LOOP
        answer, target = app(request), request.target
        with self._lock:
            number = self._number[target]
            self._number[target] += 1
            chance = random.Random(f"{self.seed} {number} {target}")
            able = sorted(self.kinds & possible(request, answer))
            if not able or self._in_a_row[target] >= self.most_in_a_row or chance.random() >= self.rate:
                self._in_a_row[target] = 0
                return answer, None
            self._in_a_row[target] += 1
            kind = chance.choice(able)
            self._log.append(Hit(request.method, target, number, kind))
        return HARMS[kind](_Case(self, chance, app, request, answer, other)), kind

    def later(self, chance: random.Random) -> str:
        """A Retry-After, of either form."""
        seconds = chance.choice(self.retry_after)
        return chance.choice([str(seconds), formatdate(self.now() + seconds, usegmt=True)])


def possible(request: Request, answer: Answer) -> frozenset[Kind]:
    """The kinds that can be done to an answer and then be noticed."""
    found = set(ALWAYS)
    if request.method == "HEAD" or not answer.body or answer.status not in (200, 206):
        return frozenset(found)
    found |= {Kind.SLOW, Kind.STALL, Kind.CUT}
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if "etag" in headers:
        found.add(Kind.SHORT)
        # Of an upload in parts it is no MD5 of the whole, so nobody could tell.
        if "-" not in headers["etag"]:
            found |= {Kind.WRONG_ETAG, Kind.FLIPPED}
    if answer.status == 206:
        found.add(Kind.BAD_RANGE)
    if answer.again:
        found.add(Kind.REPEAT_PAGE)
    for word, kind in (("xml", Kind.BAD_XML), ("json", Kind.BAD_JSON)):
        if word in headers.get("content-type", ""):
            found.add(kind)
    return frozenset(found)


@dataclass(frozen=True)
class _Case:
    faults: Faults
    chance: random.Random
    app: App
    request: Request
    answer: Answer
    other: str

    @property
    def whole(self) -> bytes:
        return self.answer.body if isinstance(self.answer.body, bytes) else b"".join(self.answer.body)

    def on_the_wire(self, wire: Wire) -> Answer:
        return replace(self.answer, body=self.whole, wire=wire)

    def stop(self) -> int:
        """A place within the body: at least one byte is left out."""
        return self.chance.randrange(len(self.whole)) if self.whole else 0


def too_many(case: _Case) -> Answer:
    headers = {"Retry-After": case.faults.later(case.chance), "Content-Type": "text/plain"}
    return Answer(429, headers, b"Too Many Requests\n")


def unavailable(case: _Case) -> Answer:
    headers = {"Retry-After": case.faults.later(case.chance)} if case.chance.random() < 0.5 else {}
    return Answer(503, {"Content-Type": "application/xml", **headers}, SLOW_DOWN)


def server_error(case: _Case) -> Answer:
    return Answer(500, {"Content-Type": "text/plain"}, b"Internal Server Error\n")


def gateway(case: _Case) -> Answer:
    return Answer(case.chance.choice([502, 504]), {"Content-Type": "text/html"}, PROBLEM)


def slow(case: _Case) -> Answer:
    pieces = min(16, len(case.whole))
    return case.on_the_wire(Wire(pieces=pieces, pause=case.faults.drip / pieces))


def stall(case: _Case) -> Answer:
    return case.on_the_wire(Wire(case.stop(), "stall", seconds=case.faults.stall))


def cut(case: _Case) -> Answer:
    return case.on_the_wire(Wire(case.stop()))


def cut_before(case: _Case) -> Answer:
    return case.on_the_wire(Wire(-1))


def reset(case: _Case) -> Answer:
    return case.on_the_wire(Wire(case.chance.choice([-1, case.stop()]), "reset"))


def short(case: _Case) -> Answer:
    return replace(case.answer, body=case.whole[: case.stop()])


def wrong_etag(case: _Case) -> Answer:
    digest = hashlib.md5(case.answer.headers["ETag"].encode()).hexdigest()
    return replace(case.answer, headers={**case.answer.headers, "ETag": f'"{digest}"'})


def flipped(case: _Case) -> Answer:
    changed = bytearray(case.whole)
    changed[case.stop()] ^= 1 << case.chance.randrange(8)
    return replace(case.answer, body=bytes(changed))


def redirect(case: _Case) -> Answer:
    return Answer(307, {"Location": case.other + case.request.target})


def redirect_loop(case: _Case) -> Answer:
    return Answer(307, {"Location": LOOP})


def bad_range(case: _Case) -> Answer:
    headers = dict(case.request.headers)
    first = re.match(r"bytes=(\d+)-", headers.pop("range"))
    if first and case.chance.random() < 0.5:
        start = int(first[1])
        shifted = case.app(replace(case.request, headers={**headers, "range": f"bytes={start - 1 if start else 1}-"}))
        if shifted.status == 206:
            return shifted
    return case.app(replace(case.request, headers=headers))


def bad_xml(case: _Case) -> Answer:
    """Cut, or a key that is entities ten times ten times, nine times over."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE ListBucketResult [<!ENTITY l0 "raw/">{lines}]>'
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>&l9;</Key></Contents></ListBucketResult>"
    )
    return replace(case.answer, body=case.chance.choice([case.whole[: case.stop()], bomb.encode()]))


def bad_json(case: _Case) -> Answer:
    return replace(case.answer, body=case.chance.choice([case.whole[: case.stop()], b"[" * 200_000]))


def repeat_page(case: _Case) -> Answer:
    assert case.answer.again
    return case.answer.again()


HARMS: dict[Kind, Callable[[_Case], Answer]] = {
    Kind.TOO_MANY: too_many,
    Kind.UNAVAILABLE: unavailable,
    Kind.SERVER_ERROR: server_error,
    Kind.GATEWAY: gateway,
    Kind.SLOW: slow,
    Kind.STALL: stall,
    Kind.CUT: cut,
    Kind.CUT_BEFORE: cut_before,
    Kind.RESET: reset,
    Kind.SHORT: short,
    Kind.WRONG_ETAG: wrong_etag,
    Kind.FLIPPED: flipped,
    Kind.REDIRECT: redirect,
    Kind.REDIRECT_LOOP: redirect_loop,
    Kind.BAD_RANGE: bad_range,
    Kind.BAD_XML: bad_xml,
    Kind.BAD_JSON: bad_json,
    Kind.REPEAT_PAGE: repeat_page,
}
