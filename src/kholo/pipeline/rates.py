"""Transfers of a store: how fast pages came, from the bytes and times that probes wrote down."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from kholo.detect.rates import DEFAULT, RateSettings, Slowdown, Transfer, slowdowns
from kholo.reference import Reference
from kholo.store import rows

from .verdicts import Filter

#: Bytes and seconds below which a rate says more of the round trips than of the line.
MIN_BYTES, MIN_SECONDS = 16_384, 0.005

_TRANSFERS = """
SELECT m.place, m.network, m.measured_at, m.report, m.measurement_uid, m.simulated, o.hostname,
  CASE WHEN o.bytes_read >= ? AND o.read_span >= ? THEN o.bytes_read * 8 / o.read_span END AS rate
FROM observations o JOIN measurements m USING (measurement_uid, content)
WHERE o.layer = 'http' AND o.vantage = 'probe' AND m.vantage = 'probe' AND o.url LIKE 'https:%'
  AND (rate IS NOT NULL OR o.failure = 'generic_timeout_error')
  AND (SELECT count(DISTINCT twin.content) FROM measurements twin WHERE twin.measurement_uid = m.measurement_uid) = 1
"""


def transfers(db: duckdb.DuckDBPyConnection, reference: Reference, wanted: Filter) -> Iterator[Transfer]:
    """Every transfer of an encrypted page that is long enough to tell a rate, or that time cut off, within the times
    and places wanted; of all services, for the others are what one is compared with.

    Pages over a verified connection only: what a middlebox answers in place of the site is no transfer of the site.
    """
    condition, values = wanted.on_line().sql()
    query = f"SELECT DISTINCT * FROM ({_TRANSFERS}) WHERE {condition}"  # noqa: S608
    for row in rows(db.execute(query, [MIN_BYTES, MIN_SECONDS, *values])):
        yield Transfer(
            reference.services.of_host(row["hostname"]), row["hostname"], row["place"], row["network"],
            row["measured_at"], row["report"], row["measurement_uid"], row["simulated"], row["rate"],
        )  # fmt: skip


def rates(
    db: duckdb.DuckDBPyConnection, reference: Reference, wanted: Filter, settings: RateSettings = DEFAULT
) -> list[Slowdown]:
    """What the rates say of the service wanted, or of all; and of whole lines (service ""). `db` is a store's."""
    found = slowdowns(transfers(db, reference, wanted), settings)
    return [one for one in found if wanted.service in (None, one.finding.service) or not one.finding.service]
