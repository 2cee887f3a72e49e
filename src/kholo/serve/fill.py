"""Verdicts of a store into the index: one row a measurement, as it is counted, part by part.

What counts of several copies of a measurement is the same as in `kholo.pipeline.verdicts`: the strongest evidence
first, and within it two contents under one id count for neither. It is worked out row by row, so that a new part does
not mean that all is done anew. A row that no longer counts stays, with the generation in which it died: who reads on
from a page of an earlier generation still sees it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from kholo.model import Evidence, Locus, State
from kholo.store import Store

from .index import FIELD, HASH_BITS, OF_UID, hash_of, key_of

Told = Callable[[int, int], None]
#: Parts that are written in one go.
_COMMIT = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "measurement_uid, content, input, test_name, epoch_us(measured_at), coalesce(service, ''), place, network, state,"
    " vantage, simulated, grade, layer, mechanism, also, reachable, locus, evidence, grade, rule_id"
)
_KNOWN = f"SELECT key, grade, content, torn, part, grp, wide FROM verdicts WHERE {OF_UID} AND died IS NULL"  # noqa: S608


class Shape(msgspec.Struct, frozen=True):
    """What the rules said, as many verdicts have it in common."""

    layer: str | None
    mechanism: str | None
    also: tuple[str, ...]
    reachable: bool | None
    locus: str
    evidence: str
    grade: str
    rule_id: str


def torn(grade: str) -> Shape:
    """What counts of a measurement that the archive holds with two contents."""
    return Shape(None, None, (), None, Locus.UNKNOWN.value, Evidence.UNUSABLE.value, grade, "measurement.conflict")


class Row(msgspec.Struct):
    """One verdict on its way into the index. `own` is as `own_of` has it, `at` in microseconds since 1970 (UTC)."""

    uid: str
    content: bytes
    own: str
    at: int
    group: tuple[bool, str, str, str, str, str]
    grade: str
    shape: Shape
    part: int
    torn: bool = False


def state_of(name: str, parts: Sequence[str]) -> str:
    """The digest of a state: of the set of verdicts and the parts there are, whatever the order they came in."""
    return hashlib.blake2b("\n".join([name, *sorted(parts)]).encode(), digest_size=12).hexdigest()


def fill(db: sqlite3.Connection, store: Store, files: Sequence[Path], tell: Told = lambda _done, _all: None) -> int:
    """Bring the index up to these files of verdicts; the number of parts that it then has: its generation."""
    known = {part for (part,) in db.execute("SELECT id FROM parts")}
    missing = [path for path in files if path.stem not in known]
    generation = len(known)
    writer = _Writer(db)
    with duckdb.connect() as source:
        source.execute("SET threads = 1")
        for begin in range(0, len(missing), _COMMIT):
            db.execute("BEGIN IMMEDIATE")
            for path in missing[begin : begin + _COMMIT]:
                generation += 1
                db.execute("INSERT INTO parts VALUES (?, ?)", (generation, path.stem))
                writer.add(_rows(source, store, path, generation), generation)
            writer.count()
            db.execute("COMMIT")
            tell(min(begin + _COMMIT, len(missing)), len(missing))
    return generation


def _rows(source: duckdb.DuckDBPyConnection, store: Store, path: Path, part: int) -> Iterator[Row]:
    store.view(source, "verdicts", [path])
    for found in source.execute(f"SELECT {_COLUMNS} FROM verdicts").fetchall():  # noqa: S608
        uid, content, text, test, at, service, place, network, state, vantage, simulated, grade, *shape = found
        shape[2] = tuple(shape[2] or ())
        group = (simulated, service, place, network, state, vantage)
        own = own_of(uid, text, test, at)
        yield Row(uid, content.encode(), own, at, group, grade, Shape(*shape), part)


def own_of(uid: str, text: str | None, test: str, at: int) -> str:
    """What a verdict has for itself, as it stands in the index."""
    return FIELD.join(msgspec.json.encode(one).decode() for one in (uid, text, test, moment(at)))


def of_uid(uid: str) -> dict[str, Any]:
    """Values of `OF_UID`."""
    return {"hash": hash_of(uid), "own_uid": msgspec.json.encode(uid).decode()}


class _Writer:
    """Writes rows; remembers the ids of groups and shapes, and what was added to each group."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.groups: dict[tuple[Any, ...], int] = {
            tuple(row[1:]): row[0]
            for row in db.execute("SELECT id, simulated, service, place, network, state, vantage FROM groups")
        }
        self.broad: dict[tuple[Any, ...], int] = {
            tuple(row[1:]): row[0]
            for row in db.execute("SELECT id, simulated, service, place, state, vantage FROM broad")
        }
        self.shapes: dict[bytes, int] = {
            text.encode(): number for number, text in db.execute("SELECT id, row FROM shapes")
        }
        self.spans: dict[tuple[str, int], tuple[int, int, int]] = {}

    def add(self, rows: Iterator[Row], generation: int) -> None:
        """Add the rows of one part, which is this generation."""
        fresh: dict[str, Row] = {}
        for row in rows:
            before = fresh.get(row.uid)
            fresh[row.uid] = row if before is None else _counted(before, row)
        for row in fresh.values():
            self._merge(row, generation)

    def _merge(self, row: Row, generation: int) -> None:
        asked = of_uid(row.uid)
        hashed = asked["hash"]
        known = self.db.execute(_KNOWN, asked).fetchone()
        if known is None:
            self._write(row, hashed, generation)
            return
        key, grade, content, torn, part, group, wide = known
        is_changed = _changes(grade, content, torn, row)
        is_kept = not is_changed or (row.grade == grade and content <= row.content)
        self.db.execute("INSERT INTO copies VALUES (?, ?, ?)", (hashed, row.uid, row.part if is_kept else part))
        if not is_changed:
            return
        self.db.execute("UPDATE verdicts SET died = ? WHERE wide = ? AND key = ?", (generation, wide, key))
        self.db.execute("UPDATE groups SET rows = rows - 1 WHERE id = ?", (group,))
        self.db.execute("UPDATE broad SET rows = rows - 1 WHERE id = ?", (wide,))
        if is_kept:
            # Two contents, and the one that was known keeps the place: only what it counts for changes.
            self._tear(row.uid, wide, key, part, generation)
            return
        row.torn = row.torn or (row.grade == grade and (bool(torn) or content != row.content))
        self._write(row, hashed, generation)

    def _tear(self, uid: str, wide: int, key: int, part: int, generation: int) -> None:
        query = (
            "SELECT content, own, simulated, service, place, network, vantage, grade, hash"
            " FROM verdicts v JOIN groups g ON g.id = v.grp WHERE v.wide = ? AND key = ?"
        )
        content, own, simulated, service, place, network, vantage, grade, hashed = self.db.execute(
            query, (wide, key)
        ).fetchone()
        group = (bool(simulated), service, place, network, State.INSUFFICIENT.value, vantage)
        at = (key >> HASH_BITS) * 1_000_000
        self._write(Row(uid, content, own, at, group, grade, torn(grade), part, True), hashed, generation)

    def _write(self, row: Row, hashed: int, generation: int) -> None:
        if row.torn:
            row.group = (*row.group[:4], State.INSUFFICIENT.value, row.group[5])
            row.shape = torn(row.grade)
        key = self._free(key_of(row.at, hashed))
        wide = self._group("broad", row.group[:3] + row.group[4:], key)
        group = self._group("groups", row.group, key, wide)
        values = (
            wide, key, hashed, row.own, group, self._shape(row.shape), row.grade, row.content, row.torn, row.part,
            generation,
        )  # fmt: skip
        self.db.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", values)
        for which in (("groups", group), ("broad", wide)):
            first, last, many = self.spans.get(which, (key, key, 0))
            self.spans[which] = (min(first, key), max(last, key), many + 1)

    def count(self) -> None:
        """Write down how far each group reaches."""
        for (table, group), span in self.spans.items():
            query = f"UPDATE {table} SET first = min(first, ?), last = max(last, ?), rows = rows + ? WHERE id = ?"  # noqa: S608
            self.db.execute(query, (*span, group))
        self.spans.clear()

    def _free(self, key: int) -> int:
        while self.db.execute("SELECT 1 FROM verdicts INDEXED BY by_key WHERE key = ?", (key,)).fetchone():
            key += 1
        return key

    def _group(self, table: str, group: tuple[Any, ...], key: int, *within: int) -> int:
        known = self.groups if table == "groups" else self.broad
        found = known.get(group)
        if found is None:
            found = known[group] = len(known) + 1
            values = (found, *group, *within, key, key, 0)
            self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
        return found

    def _shape(self, shape: Shape) -> int:
        row = msgspec.json.encode(shape)
        found = self.shapes.get(row)
        if found is None:
            found = self.shapes[row] = len(self.shapes) + 1
            self.db.execute("INSERT INTO shapes VALUES (?, ?)", (found, row.decode()))
        return found


def _changes(grade: str, content: bytes, torn: int, row: Row) -> bool:
    """Whether one more copy of a measurement changes what counts of it."""
    if row.grade != grade:
        return row.grade < grade
    if torn:
        return row.content < content
    return row.torn or row.content != content


def _counted(one: Row, other: Row) -> Row:
    """What counts of two copies within one part."""
    first, last = sorted((one, other), key=lambda row: (row.grade, row.content))
    if first.grade == last.grade:
        first.torn = first.torn or last.torn or first.content != last.content
    return first


def moment(micros: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=micros)
