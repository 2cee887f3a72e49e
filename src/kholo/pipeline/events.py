"""Cells, incidents and day states of a store: always computed anew from its verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec

from kholo.detect import Result, cells, days, incidents
from kholo.judge import Judge
from kholo.model import DayState, Grade, Incident, State
from kholo.store import Store, rows

from .verdicts import Filter, judged


class Events(msgspec.Struct, frozen=True):
    """What happened, as far as the store shows."""

    incidents: tuple[Incident, ...]
    days: tuple[DayState, ...]


def events(store: Store, judge: Judge, wanted: Filter) -> Events:
    """Detect over all verdicts that `wanted` lets through (by service, place and network; times cut the series)."""
    with judged(store, judge) as db:
        counted = cells(_result(row) for row in _rows(db, wanted))
    found = incidents(counted)
    return Events(tuple(found), tuple(days(counted, found)))


def _rows(db: duckdb.DuckDBPyConnection, wanted: Filter) -> Iterator[dict[str, Any]]:
    condition, values = wanted.sql()
    names = ", ".join(Result.__struct_fields__)
    query = f"SELECT {names} FROM judged WHERE service IS NOT NULL AND {condition}"  # noqa: S608
    return rows(db.execute(query, values))


def _result(row: dict[str, Any]) -> Result:
    return Result(**{**row, "state": State(row["state"]), "grade": Grade(row["grade"])})
