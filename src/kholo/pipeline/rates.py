"""Transfers of a store: how fast pages came, from the bytes and times that probes wrote down."""

from __future__ import annotations

from collections.abc import Iterator

from kholo.detect.rates import DEFAULT, RateFinding, RateSettings, Transfer, rate_findings
from kholo.reference import Reference
from kholo.store import Store, rows

from .verdicts import Filter

#: Bytes and seconds below which a rate says more of the round trips than of the line.
MIN_BYTES, MIN_SECONDS = 16_384, 0.005

_TRANSFERS = """
SELECT m.place, m.network, m.measured_at, m.report, m.measurement_uid, m.simulated,
  o.hostname, o.bytes_read, o.read_span
FROM observations o JOIN measurements m USING (measurement_uid, content)
WHERE o.layer = 'http' AND o.vantage = 'probe' AND o.bytes_read >= ? AND o.read_span >= ? AND o.url LIKE 'https:%'
  AND (SELECT count(DISTINCT twin.content) FROM measurements twin WHERE twin.measurement_uid = m.measurement_uid) = 1
"""


def transfers(store: Store, reference: Reference, wanted: Filter) -> Iterator[Transfer]:
    """Every transfer of an encrypted page that is long enough to tell a rate, within the times and places wanted.

    Pages over a verified connection only: what a middlebox answers in place of the site is no transfer of the site.
    """
    condition, values = Filter(place=wanted.place, network=wanted.network, since=wanted.since, until=wanted.until).sql()
    with store.connect() as db:
        query = f"SELECT DISTINCT * FROM ({_TRANSFERS}) WHERE {condition}"  # noqa: S608
        for row in rows(db.execute(query, [MIN_BYTES, MIN_SECONDS, *values])):
            yield Transfer(
                reference.services.of_host(row["hostname"]), row["hostname"], row["place"], row["network"],
                row["measured_at"], row["report"], row["measurement_uid"], row["simulated"],
                row["bytes_read"] * 8 / row["read_span"],
            )  # fmt: skip


def rates(store: Store, reference: Reference, wanted: Filter, settings: RateSettings = DEFAULT) -> list[RateFinding]:
    """The findings for the service wanted, or for all."""
    found = rate_findings(transfers(store, reference, wanted), settings)
    return [finding for finding in found if wanted.service in (None, finding.service)]
