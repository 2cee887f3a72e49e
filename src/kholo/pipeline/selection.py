"""Which measurements and signals of a store the figures of a case rest on: those that its dossier has to hold.

Of the case's own place everything measured up to the moment of the case counts: its service, and what it is compared
with (other sites of the same reports, the volume of a line). Of other places only its service, around each incident.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import duckdb
import msgspec

from kholo.model import Case, Incident, Vantage
from kholo.store import unaware

from .events import AROUND

_CHOSEN = """
SELECT DISTINCT m.file, m.line, m.digest, m.measurement_uid AS uid
FROM measurements m SEMI JOIN (
  SELECT measurement_uid FROM judged
  WHERE vantage = ? AND simulated = ? AND ((place = ? AND measured_at < ?) OR ({around}))
) chosen USING (measurement_uid)
ORDER BY ALL
"""
_NEAR = "service = ? AND measured_at >= ? AND measured_at <= ?"
#: A network's own signals do not always name the country.
_SIGNALS = """
SELECT DISTINCT file, line, digest, '' AS uid FROM signals
WHERE simulated = ? AND (place = ? OR (place = '' AND network IN (
  SELECT network FROM measurements WHERE place = ? AND network NOT IN ('', 'AS0'))))
ORDER BY ALL
"""


class Chosen(msgspec.Struct, frozen=True):
    """One measurement or signal: the file and line that it was read from, the SHA-256 of its bytes, and its id."""

    file: str
    line: int
    digest: str
    uid: str


def chosen(
    db: duckdb.DuckDBPyConnection, case: Case, incidents: Iterable[Incident], as_of: datetime
) -> tuple[list[Chosen], list[Chosen]]:
    """The measurements and the signals that a case rests on. `db` has the view `judged`; `incidents` are all found."""
    near: list[str] = []
    values: list[Any] = [Vantage.PROBE, case.simulated, case.place, unaware(as_of)]
    for incident in incidents:
        before, during = AROUND
        near.append(_NEAR)
        span = incident.onset.earliest - before, min(incident.last_seen, incident.onset.latest + during)
        values += [case.service, *map(unaware, span)]
    query = _CHOSEN.format(around=" OR ".join(f"({one})" for one in near) or "false")
    measured = [Chosen(*row) for row in db.execute(query, values).fetchall()]
    told = [Chosen(*row) for row in db.execute(_SIGNALS, [case.simulated, case.place, case.place]).fetchall()]
    return measured, told
