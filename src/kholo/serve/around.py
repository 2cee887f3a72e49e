"""What of an index belongs to a measurement or an incident: results that prove it, incidents, cases."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from kholo.model import DayState, Incident, Verdict
from kholo.pipeline.proofs import chosen, states_of
from kholo.publish import Calendar
from kholo.publish.charts.calendar import MOST_YEARS, window_of

from .facts import day_key
from .index import Current
from .read import Index, span_of
from .rows import CaseRow, Proofs

#: Rows asked for, so that those of one second can be put in order.
_ASKED = 20
#: Incidents and cases that are named at most.
_MOST = 20
#: Days of a network that are read: those of as many years as a calendar has, and of some weeks.
_MOST_DAYS = 366 * (MOST_YEARS + 1)


def proofs(index: Index, current: Current, incident: Incident) -> Proofs:
    """The first and the last results that show an incident, as the pages of a case have them."""
    for _, row in index.facts(current, "proof", "key = :key", {"key": incident.incident_id}, 1):
        return msgspec.json.decode(row, type=Proofs)
    since, until = incident.onset.earliest, incident.last_seen
    found: list[Verdict] = []
    for newest_first in (False, True):
        span = span_of(int(since.timestamp()), int(until.timestamp()) + 1, newest_first=newest_first)
        for network in incident.networks:
            for state in states_of(incident):
                wanted = {**_about(incident), "network": network, "state": state}
                page = index.verdicts(current, wanted, span, _ASKED)
                found += [msgspec.json.decode(row, type=Verdict) for row in page.rows]
    return Proofs(chosen(incident, found))


def is_slow(index: Index, current: Current, uid: str) -> bool:
    """Whether a measurement's transfer was so slow that it shows an incident."""
    return bool(index.facts(current, "slow", "key = :key", {"key": uid}, 1))


def days(index: Index, current: Current, incident: Incident) -> Calendar:
    """The days of an incident's networks, some weeks before and after it, up to when the index last changed."""
    window = window_of(incident, (date.min, current.changed.date()))
    found: list[DayState] = []
    for network in incident.networks:
        low, high = (day_key(incident.service, incident.place, network, day) for day in window)
        # A key has more after the day; no character of it is that high.
        values = {"simulated": incident.simulated, "low": low, "high": f"{high}~"}
        test = "simulated = :simulated AND key BETWEEN :low AND :high"
        rows = index.facts(current, "day", test, values, _MOST_DAYS)
        found += [msgspec.json.decode(row, type=DayState) for _, row in rows]
    return Calendar(tuple(found), window)


def incidents(index: Index, current: Current, verdict: Verdict) -> list[Incident]:
    """Incidents of a service on the network on which it was measured, and at that time."""
    if verdict.service is None:
        return []
    test = (
        "simulated = :simulated AND service = :service AND place = :place AND instr(network, ' ' || :network || ' ')"
        " AND since <= :at AND until >= :at"
    )
    values = {**_about(verdict), "network": verdict.network, "at": int(verdict.measured_at.timestamp())}
    return [msgspec.json.decode(row, type=Incident) for _, row in index.facts(current, "incident", test, values, _MOST)]


def cases(index: Index, current: Current, one: Verdict | Incident) -> dict[str, dict[str, str]]:
    """Cases of its service and country, by id, with their titles by language."""
    test = "simulated = :simulated AND service = :service AND place = :place"
    rows = index.facts(current, "case", test, _about(one), _MOST)
    found = {key: msgspec.json.decode(row, type=CaseRow) for key, row in rows}
    return {key: {**row.titles, "en": row.title} for key, row in found.items()}


def _about(one: Verdict | Incident) -> dict[str, Any]:
    return {"simulated": one.simulated, "service": one.service or "", "place": one.place}
