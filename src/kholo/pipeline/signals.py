"""Signals of a store as they stand after corrections: levels and outages of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec

from kholo.detect import Outage, Speed, in_order
from kholo.model import LOST, SignalKind
from kholo.store import rows, unaware

#: Archives correct what they said. Of several statements on the same thing from the same moment on one stands, in
#: whatever order they came: one that knows an end before one that does not, then the longest, then the largest digest.
#: The other columns only keep two statements of one piece of bytes in an order.
_STANDING = """
CREATE OR REPLACE TEMP VIEW standing AS
SELECT * FROM signals
QUALIFY row_number() OVER (
  PARTITION BY source, signal, kind, place, network, service, since, simulated
  ORDER BY until DESC NULLS LAST, digest DESC, value DESC NULLS LAST, usual DESC NULLS LAST, unit, detail, file, line
) = 1
"""
#: A network's own signals do not always say of which country it is: then where it was measured decides.
_IN_PLACE = """(place = ? OR (place = '' AND network IN (
  SELECT network FROM measurements WHERE place = ? AND network NOT IN ('', 'AS0'))))"""
_OVERLAPS = "since < ? AND (until > ? OR (until IS NULL AND kind = 'outage'))"

#: What each signal can carry: whose observations it rests on, and whether it is of the line as a whole. The telescope
#: counts what malware sends, "gtr" the traffic of one company: both may fall while the line works.
_WITNESS = {
    ("ioda", "bgp"): "ioda bgp",
    ("ioda", "ping-slash24"): "ioda ping-slash24",
    ("radar", "annotation"): "radar",
    ("radar", "anomaly"): "radar",
}


class SignalFilter(msgspec.Struct, frozen=True):
    """Which signals are wanted; None means all. Times are UTC; what overlaps them is in."""

    place: str | None = None
    network: str | None = None
    source: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """A condition and its parameters."""
        tests: list[tuple[str, list[Any]]] = []
        for name in ("network", "source", "kind"):
            if (value := getattr(self, name)) is not None:
                tests.append((f"{name} = ?", [value]))
        if self.place is not None:
            tests.append((_IN_PLACE, [self.place, self.place]))
        if self.since is not None or self.until is not None:
            last = self.until or datetime.max.replace(tzinfo=UTC)
            first = self.since or datetime.min.replace(tzinfo=UTC)
            tests.append((f"({_OVERLAPS})", [unaware(last), unaware(first)]))
        return " AND ".join(test for test, _ in tests) or "true", [value for _, some in tests for value in some]


def standing(db: duckdb.DuckDBPyConnection) -> None:
    """Make the view `standing` on a store's connection."""
    db.execute(_STANDING)


def select(db: duckdb.DuckDBPyConnection, wanted: SignalFilter) -> Iterator[dict[str, Any]]:
    """Signals as they stand, by time."""
    standing(db)
    condition, values = wanted.sql()
    query = (
        f"SELECT * FROM standing WHERE {condition}"  # noqa: S608
        " ORDER BY since, source, signal, kind, place, network, service, simulated"
    )
    yield from rows(db.execute(query, values))


def outages(
    db: duckdb.DuckDBPyConnection, place: str, networks: list[str], span: tuple[datetime, datetime], simulated: bool,
    received: datetime | None = None,
) -> list[Outage]:  # fmt: skip
    """Outages of the place, and of these networks, that overlap `span`, sorted. Needs `standing`.

    `received`: when an archive said something is not known; that an outage began later was not known then, nor that
    it had ended.
    """
    query = (
        f"SELECT * FROM standing WHERE kind = '{SignalKind.OUTAGE}' AND simulated = ? AND place IN ('', ?)"  # noqa: S608
        f" AND (network = '' OR list_contains(?, network)) AND {_OVERLAPS}"
    )
    last = min(span[1], received) if received else span[1]
    found = rows(db.execute(query, [simulated, place, networks, unaware(last), unaware(span[0])]))
    return in_order(_outage(row, received) for row in found)


def _outage(row: dict[str, Any], received: datetime | None) -> Outage:
    until: datetime | None = row["until"]
    drop = None
    if row["unit"] == LOST and until is not None and row["value"] is not None:
        drop = min(1.0, max(0.0, row["value"] / 100 / ((until - row["since"]).total_seconds() / 60)))
    witness = _WITNESS.get((row["source"], row["signal"]), "")
    return Outage(
        since=row["since"],
        network=row["network"],
        witness=witness,
        source=row["source"],
        signal=row["signal"],
        until=None if received and until and until > received else until,
        drop=drop,
        # How deep an outage is that IODA scores is known when it has ended.
        is_sure=bool(witness) and (row["unit"] != LOST or drop is not None),
        detail=row["detail"],
    )


def speeds(
    db: duckdb.DuckDBPyConnection, place: str, networks: list[str], span: tuple[datetime, datetime], simulated: bool
) -> list[Speed]:
    """Median speeds of the place, and of these networks, by day, sorted. Needs `standing`."""
    query = (
        "SELECT CAST(rate.since AS DATE) AS day, rate.network, rate.value AS rate, tests.value AS tests"
        " FROM standing rate JOIN standing tests"
        " USING (source, place, network, since, simulated)"
        " WHERE source = 'mlab' AND rate.signal = 'download' AND tests.signal = 'download-tests'"
        " AND simulated = ? AND place = ? AND (network = '' OR list_contains(?, network)) AND since >= ? AND since < ?"
    )
    found = rows(db.execute(query, [simulated, place, networks, unaware(span[0]), unaware(span[1])]))
    return sorted(Speed(**row) for row in found)
