"""What else was seen of the lines of a case: outages, and measurements that were not made on a user's own line."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import groupby

import duckdb

from kholo.detect import Outage
from kholo.model import Case, State, Vantage
from kholo.publish import Elsewhere
from kholo.sources import registry
from kholo.store import rows

from .signals import outages, standing
from .verdicts import Filter

_ELSEWHERE = """
SELECT v.vantage, m.source, CAST(date_trunc('month', v.measured_at) AS DATE) AS month, v.network, v.state, count(*) AS n
FROM (SELECT * FROM judged WHERE vantage <> ? AND simulated = ? AND {condition}) v
JOIN measurements m USING (measurement_uid, content)
GROUP BY ALL ORDER BY ALL
"""


def lines_out(db: duckdb.DuckDBPyConnection, case: Case, networks: list[str], as_of: datetime) -> tuple[Outage, ...]:
    """Outages of the place of a case, and of these networks, in its time; not those of a few per cent."""
    standing(db)
    begin, end = _times(case, as_of)
    found = outages(db, case.place, networks, (begin, end), case.simulated, as_of)
    return tuple(one for one in found if one.is_worth_a_word)


def elsewhere(db: duckdb.DuckDBPyConnection, case: Case, as_of: datetime) -> tuple[Elsewhere, ...]:
    """Verdicts on the case's service and place that rest on no user's line, counted by who looked and by month."""
    begin, end = _times(case, as_of)
    condition, values = Filter(service=case.service, place=case.place, since=begin, until=end).sql()
    found = rows(db.execute(_ELSEWHERE.format(condition=condition), [Vantage.PROBE, case.simulated, *values]))
    made = []
    for (vantage, source, month), group in groupby(
        found, key=lambda row: (row["vantage"], row["source"], row["month"])
    ):
        counts: dict[State, int] = {}
        networks = set()
        for row in group:
            state = State(row["state"])
            counts[state] = counts.get(state, 0) + row["n"]
            networks.add(row["network"])
        made.append(Elsewhere(Vantage(vantage), source, month, len(networks), counts, case.simulated))
    return tuple(made)


def source_names() -> dict[str, str]:
    """What a person calls each source."""
    return {source.id: source.name for source in registry.sources()}


def _times(case: Case, as_of: datetime) -> tuple[datetime, datetime]:
    """The time of a case; an open one lasts until now."""
    begin = datetime.combine(case.start, time(), UTC)
    end = datetime.combine(case.end, time(), UTC) + timedelta(days=1) if case.end else as_of
    return begin, min(end, as_of)
