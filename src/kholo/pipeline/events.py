"""Cells, incidents, collapses and day states of a store: always computed anew from its verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec

from kholo.detect import (
    Around,
    Baselines,
    Hour,
    Month,
    Nearby,
    Report,
    Result,
    baselines,
    cells,
    collapses,
    confirmed,
    days,
    decided,
    incidents,
    named,
    wanted,
)
from kholo.detect.rates import RateFinding, sentence, slow_uids
from kholo.detect.slow import MECHANISM
from kholo.detect.wording import with_reasons
from kholo.judge import Judge
from kholo.model import Cell, Collapse, DayState, Grade, Incident, State, Wanted
from kholo.store import Store, rows

from .memory import remembered
from .rates import rates
from .signals import outages, speeds, standing
from .verdicts import Filter, judged

#: How long before an incident counts as "before", and for how long into it other places and sites are looked at.
AROUND = _BEFORE, _DURING = timedelta(days=28), timedelta(days=14)

#: One row a report with something decisive to say: the share of its results that failed. Reports without an id are one
#: an hour, as in cells.
_WITNESSES = """
SELECT service, place, network, simulated, {by},
  CASE WHEN report <> '' THEN report ELSE strftime(measured_at, '%Y%m%d%H') END AS witness,
  count(*) FILTER (state <> 'ok')::DOUBLE / count(*) AS failed
FROM {source}
WHERE network NOT IN ('', 'AS0') AND state IN ('ok', 'blocked', 'throttled') AND {condition}
GROUP BY ALL
"""
_MONTHS = """
SELECT simulated, service, place, network, strftime(month, '%Y ') || (month(month) > 6) AS half,
  count(*)::DOUBLE AS reports,round(sum(failed), 6)::DOUBLE AS failed
FROM ({witnesses})
GROUP BY service, place, network, simulated, month
"""
_HOURS = """
SELECT simulated, place, network, date_trunc('hour', measured_at) AS hour, count(DISTINCT report) AS reports
FROM counted
WHERE network NOT IN ('', 'AS0') AND {condition}
GROUP BY ALL
"""
_NEARBY = """
SELECT service, target, place, network, test_version, is_before,
  count(*) FILTER (failed < 0.5) AS ok, count(*) FILTER (failed >= 0.5) AS failed
FROM ({witnesses})
GROUP BY ALL
"""
#: Reports on the networks of an incident in its time: of its service, and of sites that no service has.
_REPORTS = """
SELECT first, last, network, service IS NOT NULL AS is_own, failed >= 0.5 AS is_failed FROM ({witnesses})
"""
_MEASURED = """(
  SELECT v.* REPLACE (coalesce(v.service, '') AS service), m.hostname AS target, m.test_version
  FROM counted v JOIN measurements m USING (measurement_uid, content)
)"""


class Events(msgspec.Struct, frozen=True):
    """What happened, as far as the store shows; `cells` are what it was seen in."""

    incidents: tuple[Incident, ...]
    days: tuple[DayState, ...]
    collapses: tuple[Collapse, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    rates: tuple[RateFinding, ...] = ()
    cells: tuple[Cell, ...] = ()


def events(store: Store, judge: Judge, wanted_: Filter, months: Sequence[Month] | None = None) -> Events:
    """Detect over all verdicts that the filter lets through (by service, place and network; times cut the series).

    What reachable lines look like, and what was measured elsewhere in the hours of an incident, is taken from the whole
    store, up to the same times. `months` are those of lines in other places, where the store does not have them.
    """
    with judged(store, judge) as db, remembered(store) as memory:
        slow = rates(db, judge.reference, wanted_)
        counted = cells(results(db, wanted_))
        known_slow = slow_uids(one.finding for one in slow if one.spell is not None)
        shown = cells(_seen(one, known_slow) for one in results(db, wanted_)) if known_slow else counted
        spells = [one.spell for one in slow if one.spell is not None]
        found = incidents(
            counted, baselines=_baselines(db, wanted_, months), slow=spells, memory=memory, workers=os.cpu_count() or 1
        )
        standing(db)
        known = named(
            decided(incident, _nearby(db, incident, wanted_), _around(db, incident, wanted_)) for incident in found
        )
        gone = [_confirmed(db, one, wanted_) for one in collapses(_hours(db, wanted_))]
    findings = tuple(one.finding for one in slow)
    lines: dict[tuple[str, str, bool], list[Cell]] = {}
    for cell in counted:
        lines.setdefault((cell.service, cell.place, cell.simulated), []).append(cell)
    missing = [
        one
        for incident in known
        for one in wanted(incident, lines[incident.service, incident.place, incident.simulated])
    ]
    known = [_with_rates(incident, findings, judge.reference.services.name) for incident in known]
    return Events(tuple(known), tuple(days(shown, known)), tuple(gone), tuple(missing), findings, tuple(counted))


def _with_rates(incident: Incident, findings: Iterable[RateFinding], name: Callable[[str], str]) -> Incident:
    """An incident of throttling says how slow the service was, and how fast others were."""
    mine = (sentence(one, name(one.service)) for one in rates_of(incident, findings))
    return with_reasons(incident, mine)


def rates_of(incident: Incident, findings: Iterable[RateFinding]) -> list[RateFinding]:
    """The findings of rates that an incident of throttling rests on."""
    return [
        one
        for one in findings
        if incident.state is one.state is State.THROTTLED
        and (incident.service, incident.place, incident.simulated) == (one.service, one.place, one.simulated)
        and one.network in incident.networks
        and incident.onset.earliest <= one.until
        and one.since <= incident.last_seen
    ]


def _seen(result: Result, slow: Collection[str]) -> Result:
    """The result as days show it: what came, but was throttled, is not ok."""
    if result.state is State.OK and result.measurement_uid in slow:
        return msgspec.structs.replace(result, state=State.THROTTLED, mechanism=MECHANISM)
    return result


def results(db: duckdb.DuckDBPyConnection, chosen: Filter) -> Iterator[Result]:
    """What cells are counted from. `db` is of `judged`."""
    return (_result(row) for row in _rows(db, chosen))


def _rows(db: duckdb.DuckDBPyConnection, chosen: Filter) -> Iterator[dict[str, Any]]:
    condition, values = chosen.sql()
    names = ", ".join(Result.__struct_fields__)
    query = f"SELECT {names} FROM counted WHERE service IS NOT NULL AND {condition}"  # noqa: S608
    return rows(db.execute(query, values))


def _result(row: dict[str, Any]) -> Result:
    return Result(**{**row, "state": State(row["state"]), "grade": Grade(row["grade"])})


def _baselines(db: duckdb.DuckDBPyConnection, chosen: Filter, months: Sequence[Month] | None) -> Baselines:
    everywhere = Filter(until=chosen.until, received=chosen.received)
    if months is None:
        return baselines(_months(db, everywhere))
    here = msgspec.structs.replace(everywhere, place=chosen.place)
    return baselines([*_months(db, here), *months])


def _months(db: duckdb.DuckDBPyConnection, chosen: Filter) -> Iterator[Month]:
    condition, values = chosen.sql()
    witnesses = _WITNESSES.format(
        by="date_trunc('month', measured_at) AS month",
        source="counted",
        condition=f"service IS NOT NULL AND {condition}",
    )
    return (Month(**row) for row in rows(db.execute(_MONTHS.format(witnesses=witnesses), values)))


def months_elsewhere(db: duckdb.DuckDBPyConnection, place: str, simulated: bool, until: datetime) -> list[Month]:
    """What `events` learns of lines in other places, sorted. `db` is of `judged`."""
    found = _months(db, Filter(until=until))
    there = (month for month in found if month.place != place and month.simulated is simulated)
    return sorted(there, key=msgspec.structs.astuple)


def _nearby(db: duckdb.DuckDBPyConnection, incident: Incident, chosen: Filter) -> list[Nearby]:
    """What was measured of the same service anywhere, and of anything on the same networks, around an incident."""
    begin, until = incident.onset.latest, min(incident.last_seen, incident.onset.latest + _DURING)
    condition, values = Filter(since=incident.onset.earliest - _BEFORE, received=chosen.received).sql()
    witnesses = _WITNESSES.format(
        by="target, test_version, measured_at < ? AS is_before",
        source=_MEASURED,
        condition="simulated = ? AND (service = ? OR (place = ? AND list_contains(?, network)))"
        f" AND (measured_at < ? OR measured_at >= ?) AND measured_at <= ? AND {condition}",
    )
    first, start, end = (moment.replace(tzinfo=None) for moment in (incident.onset.earliest, begin, until))
    who = [incident.simulated, incident.service, incident.place, list(incident.networks)]
    query = _NEARBY.format(witnesses=witnesses)
    return [Nearby(**row) for row in rows(db.execute(query, [start, *who, first, start, end, *values]))]


def _around(db: duckdb.DuckDBPyConnection, incident: Incident, chosen: Filter) -> Around:
    """What archives say of the lines of an incident, and what was measured on them in its time."""
    lines = incident.place, list(incident.networks)
    span = incident.onset.earliest, incident.last_seen
    before = span[0] - _BEFORE, incident.onset.latest + _BEFORE
    told = outages(db, *lines, span, incident.simulated, chosen.received)
    return Around(
        outages=told,
        reports=_reports(db, incident, chosen) if told else (),
        speeds=speeds(db, *lines, before, incident.simulated),
    )


def _reports(db: duckdb.DuckDBPyConnection, incident: Incident, chosen: Filter) -> list[Report]:
    condition, values = Filter(place=incident.place, since=incident.onset.earliest, received=chosen.received).sql()
    witnesses = _WITNESSES.format(
        by="min(measured_at) AS first, max(measured_at) AS last",
        source="counted",
        condition="simulated = ? AND list_contains(?, network) AND (service = ? OR service IS NULL)"
        f" AND measured_at <= ? AND {condition}",
    )
    who = [incident.simulated, list(incident.networks), incident.service, incident.last_seen.replace(tzinfo=None)]
    return sorted(Report(**row) for row in rows(db.execute(_REPORTS.format(witnesses=witnesses), [*who, *values])))


def _confirmed(db: duckdb.DuckDBPyConnection, collapse: Collapse, chosen: Filter) -> Collapse:
    span = collapse.since, collapse.until or datetime.max.replace(tzinfo=UTC)
    told = outages(db, collapse.place, [collapse.network], span, collapse.simulated, chosen.received)
    return confirmed(collapse, told)


def _hours(db: duckdb.DuckDBPyConnection, chosen: Filter) -> Iterator[Hour]:
    """Volume counts whatever was measured: the filter's service is left out."""
    condition, values = chosen.on_line().sql()
    return (Hour(**row) for row in rows(db.execute(_HOURS.format(condition=condition), values)))
