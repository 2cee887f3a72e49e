"""Verdicts of a store: judged anew where the rules or the reference data changed, one a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from kholo.judge import Judge
from kholo.model import Grade, Measurement, Observation, Vantage
from kholo.store import Store, rows, unaware, write_parquet

from . import sets
from .work import line

#: A measurement's rows: the strongest evidence first; within it, two contents under one id count for neither.
_ONE_EACH = """
CREATE OR REPLACE VIEW {view} AS
SELECT * REPLACE (
  CASE WHEN torn THEN 'insufficient' ELSE state END AS state,
  CASE WHEN torn THEN NULL ELSE layer END AS layer,
  CASE WHEN torn THEN NULL ELSE mechanism END AS mechanism,
  CASE WHEN torn THEN []::VARCHAR[] ELSE also END AS also,
  CASE WHEN torn THEN NULL ELSE reachable END AS reachable,
  CASE WHEN torn THEN 'unknown' ELSE locus END AS locus,
  CASE WHEN torn THEN 'unusable' ELSE evidence END AS evidence,
  CASE WHEN torn THEN 'measurement.conflict' ELSE rule_id END AS rule_id
)
FROM (
  SELECT *,
    min(content) OVER same <> max(content) OVER same AS torn,
    row_number() OVER (PARTITION BY measurement_uid ORDER BY grade, content) AS nth
  FROM {rows}
  WINDOW same AS (PARTITION BY measurement_uid, grade)
)
WHERE nth = 1
"""
#: The names of a verdict's row, for tables and exports.
PUBLIC = (
    "measurement_uid", "input", "test_name", "measured_at", "service", "place", "network", "state", "layer",
    "mechanism", "also", "reachable", "locus", "evidence", "grade", "rule_id", "ruleset", "reference", "simulated",
    "vantage",
)  # fmt: skip

#: OONI's ids begin with the moment at which the collector had the measurement.
_RECEIVED = "coalesce(try_strptime(left(measurement_uid, 14), '%Y%m%d%H%M%S'), measured_at)"


class Filter(msgspec.Struct, frozen=True):
    """Which verdicts are wanted; None means all. Times are UTC, `until` and `received` exclusive.

    `received`: those that an archive had by then. OONI writes that time into its ids; of others only the time of the
    measurement is known.
    """

    service: str | None = None
    place: str | None = None
    network: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    uid: str | None = None
    received: datetime | None = None
    vantage: str | None = None

    def on_line(self) -> Filter:
        """The same networks and times, whatever was measured and found there."""
        return msgspec.structs.replace(self, service=None, state=None)

    def sql(self) -> tuple[str, list[Any]]:
        """A condition and its parameters."""
        tests = {
            "service = ?": self.service,
            "place = ?": self.place,
            "network = ?": self.network,
            "state = ?": self.state,
            "measured_at >= ?": self.since,
            "measured_at < ?": self.until,
            "measurement_uid = ?": self.uid,
            f"{_RECEIVED} < ?": self.received,
            "vantage = ?": self.vantage,
        }
        wanted = {test: value for test, value in tests.items() if value is not None}
        values = [unaware(value) if isinstance(value, datetime) else value for value in wanted.values()]
        return " AND ".join(wanted) or "true", values


Told = Callable[[int, int], None]


def judged(store: Store, judge: Judge) -> duckdb.DuckDBPyConnection:
    """A connection with the view `judged`: one verdict a measurement. Judges what was not judged by these rules yet.

    Of these the view `counted` has what was measured on users' own lines: nothing else makes a cell or an incident.
    """
    derive(store, judge)
    connection = store.connect()
    store.view(connection, "verdicts", verdict_files(store, sets.name_of(judge)))
    one_each(connection, "verdicts", "judged")
    connection.execute(f"CREATE VIEW counted AS SELECT * FROM judged WHERE vantage = '{Vantage.PROBE}'")  # noqa: S608
    return connection


def one_each(connection: duckdb.DuckDBPyConnection, rows_of: str, view: str) -> None:
    """Make `view` of the verdicts in the view `rows_of`: one a measurement, as it is counted."""
    connection.execute(_ONE_EACH.format(rows=rows_of, view=view))


def verdict_files(store: Store, name: str) -> list[Path]:
    """The files of a set of verdicts, for the parts that the store has now."""
    folder = store.derived(name)
    return [path for part in store.part_ids() if (path := folder / f"{part}.parquet").exists()]


def derive(store: Store, judge: Judge, workers: int = 1, tell: Told = lambda _done, _all: None) -> int:
    """Judge the parts of the store that were not judged by these rules yet; how many there were.

    The verdicts are the same whatever the number of workers. `tell` is called with parts done and parts in all.
    """
    folder = store.derived(sets.keep(store, judge))
    missing = [
        part
        for part in store.part_ids()
        if not (folder / f"{part}.parquet").exists() and (store.parts / part / "measurements.parquet").exists()
    ]
    if workers <= 1 or len(missing) < 2:
        for done, part in enumerate(missing, 1):
            _derive_part(store, judge, part)
            tell(done, len(missing))
        return len(missing)
    with ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(store.root, sets.name_of(judge))) as pool:
        for done, _ in enumerate(pool.map(_in_worker, missing), 1):
            tell(done, len(missing))
    return len(missing)


def _derive_part(store: Store, judge: Judge, part: str) -> None:
    path = store.derived(sets.name_of(judge)) / f"{part}.parquet"
    write_parquet("verdicts", b"".join(_rejudged(store, part, judge)), path)


_WORKER: dict[str, tuple[Store, Judge]] = {}


def _start_worker(root: Path, name: str) -> None:
    store = Store(root)
    _WORKER["at"] = store, sets.load(store, name)


def _in_worker(part: str) -> None:
    _derive_part(*_WORKER["at"], part)


def select(db: duckdb.DuckDBPyConnection, wanted: Filter, view: str = "judged") -> Iterator[dict[str, Any]]:
    """Public rows of verdicts, by time, then id; of the view `counted`, those on users' lines."""
    condition, values = wanted.sql()
    query = f"SELECT {', '.join(PUBLIC)} FROM {view} WHERE {condition} ORDER BY measured_at, measurement_uid"  # noqa: S608
    yield from rows(db.execute(query, values))


def _rejudged(store: Store, part: str, judge: Judge) -> Iterator[bytes]:
    for measurement, observations in stored(store, store.parts / part):
        yield line(measurement, observations, judge.verdict(measurement, observations)).verdict


def stored(store: Store, part: Path, *uids: str) -> Iterator[tuple[Measurement, list[Observation]]]:
    """The measurements of a part (or those under `uids` only) with their observations, as they came in."""
    with store.connect() as db, store.connect() as other:
        yield from stored_through(db, other, part, *uids)


def stored_through(
    db: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, part: Path, *uids: str
) -> Iterator[tuple[Measurement, list[Observation]]]:
    """The same through two connections that are there already: opening them takes longer than reading one."""
    Store.view(db, "measurements", [part / "measurements.parquet"])
    facts = part / "observations.parquet"
    Store.view(other, "observations", [facts] if facts.exists() else [])
    where = "WHERE measurement_uid IN (SELECT unnest(?::VARCHAR[]))" if uids else ""
    values = [uids] if uids else []
    order = "ORDER BY measurement_uid, content"
    found = rows(other.execute(f"SELECT * FROM observations {where} {order}, place_in", values))  # noqa: S608
    groups = groupby(found, key=lambda row: (row.pop("measurement_uid"), row.pop("content")))
    group = next(groups, None)
    for row in rows(db.execute(f"SELECT * FROM measurements {where} {order}", values)):  # noqa: S608
        key = (row["measurement_uid"], row.pop("content"))
        observations: list[Observation] = []
        if group is not None and group[0] == key:
            observations = [_observation(fact) for fact in group[1]]
            group = next(groups, None)
        yield _measurement(row), observations


def _measurement(row: dict[str, Any]) -> Measurement:
    row["kind"], row["vantage"] = Grade(row["kind"]), Vantage(row["vantage"])
    return Measurement(**row)


def _observation(row: dict[str, Any]) -> Observation:
    del row["place_in"]
    return msgspec.convert({name: value for name, value in row.items() if value is not None}, Observation)


def report_networks(store: Store, uid: str) -> list[str]:
    """The networks of all measurements of the report that a measurement is of, sorted."""
    with store.connect() as db:
        query = (
            "SELECT DISTINCT network FROM measurements WHERE report <> '' AND report IN"
            " (SELECT report FROM measurements WHERE measurement_uid = ?) ORDER BY network"
        )
        return [network for (network,) in db.execute(query, [uid]).fetchall()]
