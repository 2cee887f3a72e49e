"""Reading the index. Work is bounded whatever is asked: so many rows looked at, so many given."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from kholo.model import StoreError

from .fill import of_uid
from .index import OF_UID, Current, Place, key_of
from .written import Pieces, Stored, stored

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
#: Where groups are, and how rows of one are found: by all that one may ask for, and by all but the network.
_GROUPS, _BROAD = ("groups", "v INDEXED BY by_group", "grp"), ("broad", "v", "wide")
_NAMES = ("simulated", "service", "place", "network", "state", "vantage")
#: Rows come out as one text: with a row each, threads would wait for each other at every one.
_ALL = (
    "SELECT group_concat(v.key || char(31) || part || char(31) || grp || char(31) || shape || char(31) || own,"
    " char(30)) FROM"
)
_VISIBLE = "born <= :generation AND (died IS NULL OR died > :generation)"


class TooSlow(Exception):
    """A query was stopped because it took too long."""


_KEYS = msgspec.json.Decoder(list[tuple[int, list[int]]])
_NUMBERS = msgspec.json.Decoder(list[int])
#: A table of groups, how the table of verdicts is then read, and by which column.
Table = tuple[str, str, str]


class Span(msgspec.Struct, frozen=True):
    """Keys from `low` to `high`, both inside, in the order of time or, `newest_first`, against it."""

    low: int
    high: int
    newest_first: bool = False


class Found(msgspec.Struct, frozen=True):
    """Rows of a page, and the key after which the next one begins: None after the last."""

    rows: list[msgspec.Raw]
    after: int | None


class Held(msgspec.Struct, frozen=True):
    """A measurement's verdict, and the parts of the store that it is in."""

    row: msgspec.Raw
    parts: tuple[str, ...]


class Index:
    """What a server reads, from as many threads as it likes. There are connections for as many as read at once."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self._free: list[dict[str, sqlite3.Connection]] = []
        self._looked = 0.0
        self._stamp: tuple[int, int] = (0, 0)
        self._current: Current | None = None
        self._total: tuple[tuple[str, int], int] = (("", 0), 0)
        self._pieces: tuple[tuple[str, str], Pieces] = (("", ""), Pieces(""))

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
        """A connection to a file of the index, for one query after the other and not for too long."""
        known = self._taken()
        try:
            db = self._connection(known, name)
            limit = time.monotonic() + _TIME
            db.set_progress_handler(lambda: time.monotonic() > limit, _STEPS)
            try:
                yield db
            finally:
                db.set_progress_handler(None, 0)
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise TooSlow from error
            raise
        finally:
            self._free.append(known)

    def _taken(self) -> dict[str, sqlite3.Connection]:
        """Connections that nobody uses, those that were used last: their caches are warm. None are open at first."""
        try:
            return self._free.pop()
        except IndexError:
            return {}

    def _connection(self, known: dict[str, sqlite3.Connection], name: str) -> sqlite3.Connection:
        if name not in known:
            for old in known.values():
                old.close()
            known.clear()
        for one in {name, self.current().facts, self.current().verdicts} - set(known) - {""}:
            known[one] = _connect(self.place.folder / one)
        return known[name]

    def verdicts(self, current: Current, wanted: dict[str, Any], span: Span, limit: int) -> Found:
        """A page of verdicts. `wanted` names values that groups must have; `simulated` is one of them."""
        if not current.verdicts:
            return Found([], None)
        with self.reading(current.verdicts) as db:
            table = _GROUPS if "network" in wanted else _BROAD
            groups, many = _groups(db, table, wanted, span)
            if len(groups) <= _MERGED or (len(groups) <= _MERGED_SPARSE and self._is_sparse(db, current, many)):
                found, last = _merged(db, table, groups, current.generation, span, limit)
            else:
                found, last = _scanned(db, current, wanted, span, limit)
            return Found(self._common(current).rows(db, found), last)

    def _is_sparse(self, db: sqlite3.Connection, current: Current, many: int) -> bool:
        key = current.verdicts, current.generation
        if self._total[0] != key:
            self._total = key, db.execute("SELECT coalesce(sum(rows), 0) FROM broad").fetchone()[0]
        return many * _SPARSE < self._total[1]

    def _common(self, current: Current) -> Pieces:
        key, pieces = self._pieces
        if key != (current.verdicts, current.set_name):
            pieces = Pieces(current.set_name)
            self._pieces = (current.verdicts, current.set_name), pieces
        return pieces

    def verdict(self, current: Current, uid: str) -> Held | None:
        """The verdict on one measurement."""
        if not current.verdicts:
            return None
        with self.reading(current.verdicts) as db:
            query = f"{_ALL} verdicts v INDEXED BY by_hash WHERE {OF_UID} AND {_VISIBLE}"
            values = {**of_uid(uid), "uid": uid, "generation": current.generation}
            found = _all(db, query, values)
            if not found:
                return None
            of_then = "SELECT part FROM copies WHERE hash = :hash AND uid = :uid AND part <= :generation"
            copies = db.execute(of_then, values).fetchall()
            numbers = [int(found[0][1]), *(number for (number,) in copies)]
            query = f"SELECT id FROM parts WHERE n IN ({', '.join('?' * len(numbers))}) ORDER BY id"  # noqa: S608
            parts = tuple(part for (part,) in db.execute(query, numbers))
            return Held(self._common(current).rows(db, found)[0], parts)

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


def _all(db: sqlite3.Connection, query: str, values: dict[str, Any]) -> list[Stored]:
    found: str | None = db.execute(query, values).fetchone()[0]
    return stored(found) if found else []


def _groups(db: sqlite3.Connection, table: Table, wanted: dict[str, Any], span: Span) -> tuple[list[int], int]:
    """Groups of what is wanted that reach into the span, one more than is merged at most; and their rows in all."""
    query = (
        "SELECT json_group_array(id), coalesce(sum(rows), 0) FROM"  # noqa: S608
        f" (SELECT id, rows FROM {table[0]} WHERE {_equal(wanted)} AND first <= :high AND last >= :low LIMIT :many)"
    )
    values = {**wanted, "low": span.low, "high": span.high, "many": _MERGED_SPARSE + 1}
    groups, many = db.execute(query, values).fetchone()
    return _NUMBERS.decode(groups), many


def _merged(
    db: sqlite3.Connection, table: Table, groups: list[int], generation: int, span: Span, limit: int
) -> tuple[list[Stored], int | None]:
    """The first rows of several groups, and the last key of the page where there are more."""
    keys = _first_keys(db, table, groups, generation, span, limit + 1)
    more = keys[limit - 1][0] if len(keys) > limit else None
    ranges: dict[int, list[int]] = {}
    for key, group in keys[:limit]:
        low, high = ranges.get(group, (key, key))
        ranges[group] = [min(low, key), max(high, key)]
    query = (
        f"{_ALL} json_each(:ranges) r CROSS JOIN verdicts {table[1]} ON {table[2]} = json_extract(r.value, '$[0]')"
        " AND v.key BETWEEN json_extract(r.value, '$[1]') AND json_extract(r.value, '$[2]')"
        f" WHERE {_VISIBLE}"
    )
    asked = msgspec.json.encode([(group, *ends) for group, ends in ranges.items()]).decode()
    found = _all(db, query, {"ranges": asked, "generation": generation})
    return _ordered(found, span), more


def _first_keys(
    db: sqlite3.Connection, table: Table, groups: list[int], generation: int, span: Span, limit: int
) -> list[tuple[int, int]]:
    """The first keys of several groups, each with its group.

    Of each group its share and some more are looked at; of those that may have more before the last of all, so many as
    are wanted.
    """
    sign = -1 if span.newest_first else 1
    share = min(limit, 3 * limit // (2 * max(1, len(groups))) + 4)
    known = _keys(db, table, groups, generation, span, share)
    merged = _in_order(known, sign, limit)
    last = merged[-1][0] * sign if len(merged) == limit else None
    short = [
        group for group, keys in known.items()
        if len(keys) == share < limit and (last is None or keys[-1] * sign < last)
    ]  # fmt: skip
    if short:
        known |= _keys(db, table, short, generation, span, limit)
        merged = _in_order(known, sign, limit)
    return merged


def _in_order(known: dict[int, list[int]], sign: int, limit: int) -> list[tuple[int, int]]:
    pairs = [(key, group) for group, keys in known.items() for key in keys]
    return sorted(pairs, reverse=sign < 0)[:limit]


def _keys(
    db: sqlite3.Connection, table: Table, groups: list[int], generation: int, span: Span, many: int
) -> dict[int, list[int]]:
    """So many first keys of each of the groups."""
    order = "DESC" if span.newest_first else "ASC"
    query = (
        "SELECT json_group_array(json_array(g.value, json((SELECT json_group_array(key) FROM (SELECT key FROM"  # noqa: S608
        f" verdicts {table[1]} WHERE {table[2]} = g.value AND key BETWEEN :low AND :high AND {_VISIBLE}"
        f" ORDER BY key {order} LIMIT :many))))) FROM json_each(:groups) g"
    )
    values = {"low": span.low, "high": span.high, "generation": generation, "many": many}
    asked = msgspec.json.encode(groups).decode()
    return dict(_KEYS.decode(db.execute(query, {**values, "groups": asked}).fetchone()[0]))


def _scanned(
    db: sqlite3.Connection, current: Current, wanted: dict[str, Any], span: Span, limit: int
) -> tuple[list[Stored], int | None]:
    """Go through the rows in the order of time, in steps that grow, and not for ever."""
    order = "DESC" if span.newest_first else "ASC"
    find = (
        "SELECT key FROM verdicts INDEXED BY by_key WHERE key BETWEEN ? AND ?"  # noqa: S608
        f" ORDER BY key {order} LIMIT 1 OFFSET ?"
    )
    # What is gone through is the index alone; rows are looked at when they are of the page.
    query = (
        f"{_ALL} (SELECT v.key AS its_key, v.wide AS its_wide FROM verdicts v INDEXED BY by_key"  # noqa: S608
        f" CROSS JOIN groups g ON g.id = v.grp WHERE v.key BETWEEN :low AND :high AND {_VISIBLE} AND {_equal(wanted)}"
        f" ORDER BY v.key {order} LIMIT :limit) CROSS JOIN verdicts v ON v.wide = its_wide AND v.key = its_key"
    )
    found: list[Stored] = []
    left, end = span, None
    for many in _STEPS_OF_SCAN:
        end = db.execute(find, (left.low, left.high, many)).fetchone()
        part = left if end is None else _until(left, end[0])
        values = {**wanted, "low": part.low, "high": part.high, "generation": current.generation}
        found += _ordered(_all(db, query, {**values, "limit": limit + 1 - len(found)}), span)
        if len(found) > limit:
            return found[:limit], found[limit - 1][0]
        if end is None:
            break
        left = after(span, end[0])
    return found, end[0] if end else None


def _ordered(found: list[Stored], span: Span) -> list[Stored]:
    # No two have one key.
    return sorted(found, reverse=span.newest_first)


def after(span: Span, key: int) -> Span:
    """What is left of a span after a key."""
    return Span(span.low, key - 1, newest_first=True) if span.newest_first else Span(key + 1, span.high)


def span_of(since: int | None, until: int | None, *, newest_first: bool) -> Span:
    """The keys of rows measured from `since` on and before `until`, in whole seconds since 1970 (UTC)."""
    low = key_of((since or 0) * 1_000_000)
    high = key_of(until * 1_000_000) - 1 if until is not None else (1 << 63) - 1
    return Span(low, high, newest_first)
