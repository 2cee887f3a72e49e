"""Reading the index. Work is bounded whatever is asked: so many rows looked at, so many given."""

from __future__ import annotations

import heapq
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kholo.model import StoreError

from .fill import moment
from .index import Current, Place, hash_of, key_of

#: Groups that are merged; of more of them the rows are gone through in the order of time, unless few are of them.
_MERGED, _MERGED_SPARSE = 100, 1_000
#: Of so many rows one at most is of a sparse group.
_SPARSE = 50
#: Rows gone through for one page, step by step. What is not found by then is left to the next page.
_STEPS_OF_SCAN = (1_000, 4_000, 16_000)
#: Seconds that a query may take, and steps of SQLite's machine after which it is looked at.
_TIME, _STEPS = 2.0, 20_000
#: Seconds for which nobody looks whether there is something new.
_STALE = 0.2
_CACHE_KIB = 8_192
_NAMES = ("simulated", "service", "place", "network", "state", "vantage")
_SELECT = (
    "SELECT key, uid, at, input, test, grade, v.part, v.hash, s.row, simulated, service, place, network, state, vantage"
    " FROM verdicts v CROSS JOIN groups g ON g.id = v.grp CROSS JOIN shapes s ON s.id = v.shape"
)
_VISIBLE = "born <= :generation AND (died IS NULL OR died > :generation)"


class TooSlow(Exception):
    """A query was stopped because it took too long."""


class Span(msgspec.Struct, frozen=True):
    """Keys from `low` to `high`, both inside, in the order of time or, `newest_first`, against it."""

    low: int
    high: int
    newest_first: bool = False


class Found(msgspec.Struct, frozen=True):
    """Rows of a page, and the key after which the next one begins: None after the last."""

    rows: list[dict[str, Any]]
    after: int | None


class Held(msgspec.Struct, frozen=True):
    """A measurement's verdict, and the parts of the store that it is in."""

    row: dict[str, Any]
    parts: tuple[str, ...]


class Index:
    """What a server reads, from as many threads as it likes; each has connections of its own."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self._local = threading.local()
        self._looked = 0.0
        self._stamp: tuple[int, int] = (0, 0)
        self._current: Current | None = None
        self._total: tuple[tuple[str, int], int] = (("", 0), 0)

    def current(self) -> Current:
        """What is in force now. Raises `StoreError` when there is nothing."""
        now = time.monotonic()
        if self._current is None or now - self._looked > _STALE:
            self._looked = now
            try:
                status = self.place.pointer.stat()
            except OSError as error:
                raise StoreError(f"{self.place.folder}: there is no index here") from error
            stamp = (status.st_ino, status.st_mtime_ns)
            if stamp != self._stamp or self._current is None:
                found = self.place.current()
                if found is None:
                    raise StoreError(f"{self.place.pointer}: is damaged")
                self._current, self._stamp = found, stamp
        return self._current

    @contextmanager
    def reading(self, name: str) -> Iterator[sqlite3.Connection]:
        """This thread's connection to a file of the index, for one query after the other and not for too long."""
        known: dict[str, sqlite3.Connection] = self._local.__dict__.setdefault("known", {})
        if name not in known:
            for old in known.values():
                old.close()
            known.clear()
        for one in {name, self.current().facts, self.current().verdicts} - set(known) - {""}:
            known[one] = _connect(self.place.folder / one)
        db = known[name]
        limit = time.monotonic() + _TIME
        db.set_progress_handler(lambda: time.monotonic() > limit, _STEPS)
        try:
            yield db
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise TooSlow from error
            raise
        finally:
            db.set_progress_handler(None, 0)

    def verdicts(self, current: Current, wanted: dict[str, Any], span: Span, limit: int) -> Found:
        """A page of verdicts. `wanted` names values that groups must have; `simulated` is one of them."""
        if not current.verdicts:
            return Found([], None)
        with self.reading(current.verdicts) as db:
            groups = _groups(db, wanted, span)
            if len(groups) <= _MERGED or (len(groups) <= _MERGED_SPARSE and self._is_sparse(db, current, groups)):
                keys = _merged(db, [group for group, _ in groups], current.generation, span, limit + 1)
                rows = [_row(row, current) for row in _by_keys(db, keys[:limit], span)]
                return Found(rows, keys[limit - 1] if len(keys) > limit else None)
            return self._scanned(db, current, wanted, span, limit)

    def _is_sparse(self, db: sqlite3.Connection, current: Current, groups: list[tuple[int, int]]) -> bool:
        key = current.verdicts, current.generation
        if self._total[0] != key:
            self._total = key, db.execute("SELECT coalesce(sum(rows), 0) FROM groups").fetchone()[0]
        return sum(many for _, many in groups) * _SPARSE < self._total[1]

    def _scanned(
        self, db: sqlite3.Connection, current: Current, wanted: dict[str, Any], span: Span, limit: int
    ) -> Found:
        """Go through the rows in the order of time, in steps that grow, and not for ever."""
        order = "DESC" if span.newest_first else "ASC"
        find = f"SELECT key FROM verdicts WHERE key BETWEEN ? AND ? ORDER BY key {order} LIMIT 1 OFFSET ?"  # noqa: S608
        query = (
            f"{_SELECT} WHERE key BETWEEN :low AND :high AND {_VISIBLE} AND {_equal(wanted)}"
            f" ORDER BY key {order} LIMIT :limit"
        )
        found: list[Any] = []
        left = span
        for many in _STEPS_OF_SCAN:
            end = db.execute(find, (left.low, left.high, many)).fetchone()
            part = left if end is None else _until(left, end[0])
            values = {**wanted, "low": part.low, "high": part.high, "generation": current.generation}
            found += db.execute(query, {**values, "limit": limit + 1 - len(found)}).fetchall()
            if len(found) > limit:
                return Found([_row(row, current) for row in found[:limit]], found[limit - 1][0])
            if end is None:
                return Found([_row(row, current) for row in found], None)
            left = after(span, end[0])
        return Found([_row(row, current) for row in found], end[0])

    def verdict(self, current: Current, uid: str) -> Held | None:
        """The verdict on one measurement."""
        if not current.verdicts:
            return None
        with self.reading(current.verdicts) as db:
            query = f"{_SELECT} WHERE v.hash = :hash AND uid = :uid AND {_VISIBLE}"
            values = {"hash": hash_of(uid), "uid": uid, "generation": current.generation}
            found = db.execute(query, values).fetchone()
            if found is None:
                return None
            numbers = [
                found[6],
                *(n for (n,) in db.execute("SELECT part FROM copies WHERE hash = ? AND uid = ?", (found[7], uid))),
            ]
            query = f"SELECT id FROM parts WHERE n IN ({', '.join('?' * len(numbers))}) ORDER BY id"  # noqa: S608
            return Held(_row(found, current), tuple(part for (part,) in db.execute(query, numbers)))

    def facts(
        self, current: Current, kind: str, test: str, values: dict[str, Any], limit: int
    ) -> list[tuple[str, bytes]]:
        """Keys and rows (JSON) of a kind of fact for which a condition of ours holds, by key."""
        with self.reading(current.facts) as db:
            query = f"SELECT key, row FROM facts WHERE kind = :kind AND {test} ORDER BY key LIMIT :limit"  # noqa: S608
            return db.execute(query, {**values, "kind": kind, "limit": limit}).fetchall()


def _until(span: Span, end: int) -> Span:
    """The first part of a span, up to and with `end`."""
    return Span(end, span.high, newest_first=True) if span.newest_first else Span(span.low, end)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{path}", uri=True, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA query_only = ON")
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return db


def _equal(wanted: dict[str, Any]) -> str:
    return " AND ".join(f"{name} = :{name}" for name in _NAMES if name in wanted) or "true"


def _groups(db: sqlite3.Connection, wanted: dict[str, Any], span: Span) -> list[tuple[int, int]]:
    """Groups of what is wanted that reach into the span, and their rows; one more than is merged at most."""
    query = f"SELECT id, rows FROM groups WHERE {_equal(wanted)} AND first <= :high AND last >= :low LIMIT :many"  # noqa: S608
    return db.execute(query, {**wanted, "low": span.low, "high": span.high, "many": _MERGED_SPARSE + 1}).fetchall()


def _merged(db: sqlite3.Connection, groups: list[int], generation: int, span: Span, limit: int) -> list[int]:
    """The first keys of several groups, each read no further than needed."""
    order = "DESC" if span.newest_first else "ASC"
    query = (
        "SELECT key FROM verdicts INDEXED BY by_group WHERE grp = :group AND key BETWEEN :low AND :high"  # noqa: S608
        f" AND {_VISIBLE}"
        f" ORDER BY key {order} LIMIT :limit"
    )
    values = {"low": span.low, "high": span.high, "generation": generation, "limit": limit}
    lines = (db.execute(query, {**values, "group": group}) for group in groups)
    return [key for (key,) in islice(heapq.merge(*lines, reverse=span.newest_first), limit)]


def _by_keys(db: sqlite3.Connection, keys: list[int], span: Span) -> list[Any]:
    order = "DESC" if span.newest_first else "ASC"
    query = f"{_SELECT} WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key {order}"  # noqa: S608
    return db.execute(query, [msgspec.json.encode(keys).decode()]).fetchall()


def _row(found: Any, current: Current) -> dict[str, Any]:
    """A verdict under its public names, in their order."""
    _, uid, at, text, test, grade, _, _, shape, simulated, service, place, network, state, vantage = found
    said = msgspec.json.decode(shape)
    ruleset, _, reference = current.set_name.partition("-")
    return {
        "measurement_uid": uid, "input": text, "test_name": test, "measured_at": moment(at), "service": service or None,
        "place": place, "network": network, "state": state, "layer": said["layer"], "mechanism": said["mechanism"],
        "also": said["also"], "reachable": said["reachable"], "locus": said["locus"], "evidence": said["evidence"],
        "grade": grade, "rule_id": said["rule_id"], "ruleset": ruleset, "reference": reference,
        "simulated": bool(simulated), "vantage": vantage,
    }  # fmt: skip


def after(span: Span, key: int) -> Span:
    """What is left of a span after a key."""
    return Span(span.low, key - 1, newest_first=True) if span.newest_first else Span(key + 1, span.high)


def span_of(since: int | None, until: int | None, *, newest_first: bool) -> Span:
    """The keys of rows measured from `since` on and before `until`, in whole seconds since 1970 (UTC)."""
    low = key_of((since or 0) * 1_000_000)
    high = key_of(until * 1_000_000) - 1 if until is not None else (1 << 63) - 1
    return Span(low, high, newest_first)
