"""The results that prove an incident: which of them are shown, from a store or from an index of its verdicts."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import msgspec

from kholo.detect.rates import RateFinding, slow_uids
from kholo.model import Incident, State, Verdict
from kholo.store import rows

from .events import rates_of
from .verdicts import PUBLIC, Filter

#: So many of an incident's first results are shown, and as many of its last.
PROOFS = 3


def states_of(incident: Incident) -> list[State]:
    """The states that show an incident, sorted."""
    return sorted({incident.state, *(spell.state for spell in incident.spells)})


def chosen(incident: Incident, found: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The first and the last within the time of an incident, in order. `found` has at least these."""
    since, until = incident.onset.earliest, incident.last_seen
    inside = {(one.measured_at, one.measurement_uid): one for one in found if since <= one.measured_at <= until}
    order = sorted(inside)
    return tuple(inside[key] for key in sorted({*order[:PROOFS], *order[-PROOFS:]}))


def proofs_of(
    db: duckdb.DuckDBPyConnection, incident: Incident, findings: Iterable[RateFinding]
) -> tuple[Verdict, ...]:
    """The first and the last verdicts that show the incident: those of its states, and of transfers that were slow.

    `db` is of `judged`.
    """
    wanted = Filter(service=incident.service, place=incident.place, since=incident.onset.earliest)
    condition, values = wanted.sql()
    query = (
        f"SELECT {', '.join(PUBLIC)} FROM counted WHERE simulated = ? AND list_contains(?, network)"  # noqa: S608
        " AND (list_contains(?, state) OR list_contains(?, measurement_uid)) AND measured_at <= ?"
        f" AND {condition}"
    )
    asked = [
        incident.simulated,
        list(incident.networks),
        states_of(incident),
        sorted(slow_uids(rates_of(incident, findings))),
        incident.last_seen.replace(tzinfo=None),
        *values,
    ]
    ends = ("measured_at, measurement_uid", "measured_at DESC, measurement_uid DESC")
    found = (row for order in ends for row in rows(db.execute(f"{query} ORDER BY {order} LIMIT {PROOFS}", asked)))
    return chosen(incident, (msgspec.convert(row, Verdict) for row in found))
