"""From a resource and its values to rows."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import msgspec

from kholo.detect import meant
from kholo.judge import Judge
from kholo.judge.story import Telling, tell
from kholo.model import Incident, Verdict
from kholo.pipeline import sets
from kholo.pipeline.verdicts import stored_through
from kholo.publish.data import LICENCE
from kholo.store import Store

from . import cursors
from .cursors import Cursor
from .index import Current
from .problems import KINDS, Problem
from .read import Index, after, span_of
from .resources import RESOURCES, ROOT, Resource
from .rows import ServiceRow

#: Seconds that a request waits for its turn to have a story told.
_TURN = 2.0
_DEFAULT_LIMIT = 100
#: Conditions on facts by parameter.
_TESTS = {
    "simulated": "simulated = :simulated",
    "service": "service = :service",
    "place": "place = :place",
    "network": "(network = :network OR instr(network, ' ' || :network || ' '))",
    "state": "state = :state",
    "kind": "state = :state_",
    "source": "owner = :source",
    "case": "owner = :case",
    "since": "until >= :since",
    "until": "since < :until",
}
_GROUPED = ("simulated", "service", "place", "network", "state", "vantage")


class Rows(msgspec.Struct, frozen=True):
    """A page of a list. `next` is the cursor of the one after it."""

    rows: list[Any]
    next: str | None
    simulated: bool | None


class Reader:
    """Answers what resources ask. Safe to use from several threads."""

    def __init__(self, index: Index, store: Store | None) -> None:
        self.index = index
        self._store = store
        self._judges: tuple[str, Judge] | None = None
        self._turn = threading.Lock()
        self._connections: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection] | None = None

    def rows(self, resource: Resource, current: Current, values: dict[str, Any]) -> Rows:
        """A page of a list. Raises `Problem`."""
        simulated = _simulated(resource, values)
        wanted = {**values} if simulated is None else {**values, "simulated": simulated}
        if "case" in values:
            simulated = msgspec.json.decode(self._fact(current, "case", values["case"]))["simulated"]
        if resource.kind == "verdict":
            return self._verdicts(resource, current, wanted)
        bound = bound_to(resource, values)
        limit = values.get("limit", _DEFAULT_LIMIT)
        tests = [_TESTS[name] for name in wanted if name in _TESTS]
        if "kind" in wanted:
            wanted["state_"] = wanted.pop("kind")
        if "cursor" in wanted:
            wanted["after"] = str(cursors.read(wanted.pop("cursor"), bound).key)
            tests.append("key > :after")
        found = self.index.facts(current, resource.kind, " AND ".join(tests) or "true", wanted, limit + 1)
        following = cursors.write(Cursor(found[limit - 1][0]), bound) if len(found) > limit else None
        return Rows([msgspec.Raw(row) for _, row in found[:limit]], following, simulated)

    def _verdicts(self, resource: Resource, current: Current, wanted: dict[str, Any]) -> Rows:
        bound = f"{bound_to(resource, wanted)} {current.verdicts}"
        span = span_of(wanted.get("since"), wanted.get("until"), newest_first=wanted.get("order") == "desc")
        if "cursor" in wanted:
            cursor = cursors.read(wanted["cursor"], bound)
            if not isinstance(cursor.key, int) or cursor.generation > current.generation:
                raise Problem("bad-cursor", "cursor: of another state of the store; begin anew without it")
            span = after(span, cursor.key)
            current = msgspec.structs.replace(current, generation=cursor.generation)
        groups = {name: wanted[name] for name in _GROUPED if name in wanted}
        found = self.index.verdicts(current, groups, span, wanted.get("limit", _DEFAULT_LIMIT))
        following = None if found.after is None else cursors.write(Cursor(found.after, current.generation), bound)
        return Rows(found.rows, following, wanted["simulated"])

    def one(self, resource: Resource, current: Current, values: dict[str, Any]) -> Any:
        """The one item of a resource. Raises `Problem` where it is not there."""
        if resource.kind == "verdict":
            return self._story(current, values["uid"])
        if resource.kind == "incident":
            return msgspec.Raw(self._incident(current, values["incident"]))
        if resource.kind == "problem":
            if (kind := KINDS.get(values["problem"])) is None:
                raise Problem("not-found", f"no such kind of problem; there is: {', '.join(KINDS)}")
            return kind
        if resource.kind == "index":
            return _index(current)
        return msgspec.Raw(self._fact(current, resource.kind, values["case"]))

    def measurement(self, current: Current, uid: str) -> tuple[Verdict, Telling | None] | None:
        """The verdict on a measurement, and the first of its stories. Raises `Problem` when too many are asked for."""
        held = self.index.verdict(current, uid)
        if held is None:
            return None
        stories = self._told(current, held.parts, uid) if self._store is not None else []
        return msgspec.json.decode(held.row, type=Verdict), next(iter(stories), None)

    def incident(self, current: Current, name: str) -> Incident | None:
        """The incident of exactly this id."""
        for _, row in self.index.facts(current, "incident", "key = :key", {"key": name}, 1):
            return msgspec.json.decode(row, type=Incident)
        return None

    def service_name(self, current: Current, service: str) -> str:
        """What people call a service; its id where that is not known."""
        for _, row in self.index.facts(current, "service", "key = :key", {"key": service}, 1):
            return msgspec.json.decode(row, type=ServiceRow).name or service
        return service

    def _fact(self, current: Current, kind: str, key: str) -> bytes:
        for _, row in self.index.facts(current, kind, "key = :key", {"key": key}, 1):
            return row
        raise Problem("not-found", f"no {kind} of this id")

    def _incident(self, current: Current, name: str) -> bytes:
        try:
            return self._fact(current, "incident", name)
        except Problem:
            same = "substr(:name, 1, length(service) + length(place) + 2) = service || '-' || place || '-'"
            rows = self.index.facts(current, "incident", same, {"name": name}, 10_000)
            found = meant([msgspec.json.decode(row, type=Incident) for _, row in rows], name)
            if len(found) != 1:
                raise
            return msgspec.json.encode(found[0])

    def _story(self, current: Current, uid: str) -> dict[str, Any]:
        held = self.index.verdict(current, uid)
        if held is None:
            raise Problem("not-found", "no measurement of this id")
        told = self._told(current, held.parts, uid)
        return {**msgspec.json.decode(held.row), "stories": [one.story for one in told]}

    def _told(self, current: Current, parts: tuple[str, ...], uid: str) -> list[Telling]:
        store = self._store
        if store is None or not self._turn.acquire(timeout=_TURN):
            raise Problem("busy", "too many stories are being told", (("Retry-After", "2"),))
        try:
            judge = self._judge(store, current.set_name)
            return [
                tell(judge, measurement, observations)
                for part in parts
                if (store.parts / part / "measurements.parquet").exists()
                for measurement, observations in stored_through(*self._lines(), store.parts / part, uid)
            ]
        finally:
            self._turn.release()

    def _lines(self) -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]:
        """Connections to read parts through, opened once. Only whose turn it is uses them."""
        if self._connections is None:
            self._connections = _connection(), _connection()
        return self._connections

    def _judge(self, store: Store, name: str) -> Judge:
        if self._judges is None or self._judges[0] != name:
            self._judges = name, sets.load(store, name)
        return self._judges[1]


def _connection() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute("SET threads = 1")
    db.execute("SET memory_limit = '256MB'")
    return db


def bound_to(resource: Resource, values: dict[str, Any]) -> str:
    """A name of the query that a cursor is good for: all but how it is cut and written."""
    shown = sorted((name, value) for name, value in values.items() if name not in ("cursor", "limit", "format"))
    return f"{resource.name} {msgspec.json.encode(shown).decode()}"


def _simulated(resource: Resource, values: dict[str, Any]) -> bool | None:
    """Whether rows are invented ones; None where the question does not arise."""
    if any(param.name == "simulated" for param in resource.params):
        return bool(values.get("simulated", False))
    return None


def _index(current: Current) -> dict[str, Any]:
    return {
        "resources": {one.name: one.path for one in RESOURCES},
        "openapi": f"{ROOT}/openapi.json",
        "set": current.set_name or None,
        "verdicts_state": current.verdicts_digest or None,
        "facts_state": current.facts_digest,
        "changed": current.changed,
        "licence": LICENCE,
    }
