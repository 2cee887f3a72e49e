"""The columns of STOP, the #KeepItOn coalition's Shutdown Tracker Optimization Project, as CSV.

One row for each incident measured and for each published finding that stands. What the record does not say is empty:
an empty cell is never "no". Columns of our own follow, and begin with `kholo_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from kholo.model import IMPAIRED, Entry, EntryKind, EventKind, Incident, State
from kholo.record.law import statute_name
from kholo.reference.places import place_name

from ..answer import case_incidents, finding_grade, standing_findings
from ..csvtext import csv_bytes
from ..dates import last_day
from ..view import CaseView
from ..words import NOTICE

#: As they stand in the published sheet, in its order.
COLUMNS = (
    "start_date_type", "start_date", "country", "geo_scope", "area_name", "shutdown_type", "affected_network",
    "shutdown_extent", "ordered_by", "decision_maker", "actual_cause", "actual_cause_details", "info_source",
    "info_source_link", "shutdown_status", "end_date", "duration", "gov_justification", "gov_ack", "facebook_affected",
    "twitter_affected", "whatsapp_affected", "instagram_affected", "telegram_affected", "other_affected",
    "sms_affected", "phonecall_affected", "telcos_involved", "election", "violence", "hr_abuse_reported",
    "users_targeted", "users_target_detail", "event", "an_link", "region",
)  # fmt: skip
OWN = (
    "kholo_case", "kholo_row", "kholo_id", "kholo_service", "kholo_state", "kholo_grade", "kholo_start_earliest",
    "kholo_start_latest", "kholo_end_earliest", "kholo_end_latest", "kholo_networks", "kholo_mechanisms",
    "kholo_orders", "kholo_legal_basis", "kholo_exams", "kholo_protests", "kholo_as_of", "kholo_simulated",
)  # fmt: skip
_TYPE = {State.BLOCKED: "Shutdown", State.THROTTLED: "Throttle"}
_SERVICE = {
    "facebook": "facebook",
    "x": "twitter",
    "whatsapp": "whatsapp",
    "instagram": "instagram",
    "telegram": "telegram",
}
_OFFICIAL = frozenset({"regulator", "government", "court"})
#: An event this long before a shutdown still stands beside it. Beside is all that it says: no cause is claimed.
NEAR = timedelta(days=14)


def stop(view: CaseView) -> bytes:
    """The file."""
    rows = [*(_of_incident(view, row) for row in case_incidents(view) if row.state in IMPAIRED), *_of_findings(view)]
    return csv_bytes((dict.fromkeys((*COLUMNS, *OWN)) | row for row in rows), (*COLUMNS, *OWN))


def _of_incident(view: CaseView, incident: Incident) -> dict[str, Any]:
    first = incident.onset.latest.date()
    last = incident.end.earliest.date() if incident.end else None
    row = _common(view, incident.state, first, last or incident.last_seen.date(), incident.networks)
    return row | {
        "info_source": f"measurements, grade {incident.grade}",
        "shutdown_status": "Ended" if last else None,
        "end_date": last,
        "duration": (last - first).days + 1 if last else None,
        "kholo_row": "incident",
        "kholo_id": incident.incident_id,
        "kholo_grade": incident.grade,
        "kholo_start_earliest": incident.onset.earliest,
        "kholo_start_latest": incident.onset.latest,
        "kholo_end_earliest": incident.end.earliest if incident.end else None,
        "kholo_end_latest": incident.end.latest if incident.end else None,
        "kholo_mechanisms": incident.mechanisms,
    }


def _of_findings(view: CaseView) -> Iterable[dict[str, Any]]:
    """How far a finding speaks is no end of the shutdown: its last day stands in a column of our own only."""
    for entry in standing_findings(view):
        said = entry.proposition
        if said is None or said.state not in IMPAIRED:
            continue
        first, last = said.start.date(), last_day(said.end)
        yield _common(view, said.state, first, last, said.networks) | {
            "geo_scope": None if said.networks else "National",
            "info_source": [source.publisher for source in entry.sources],
            "info_source_link": [source.address for source in entry.sources if source.address],
            "kholo_row": "finding",
            "kholo_id": entry.id,
            "kholo_grade": finding_grade(view, entry),
            "kholo_start_earliest": said.start,
            "kholo_start_latest": said.start,
            "kholo_end_earliest": said.end,
        }


def _common(view: CaseView, state: State, first: date, last: date, networks: Sequence[str]) -> dict[str, Any]:
    case = view.case
    orders = [entry for entry in _orders(view) if _is_in_force(entry, first, last)]
    events = [entry for entry in case.entries if entry.kind is EntryKind.EVENT and _is_near(entry, first, last)]
    roles = {actor.id: actor.role for actor in case.actors}
    names = {actor.id: actor.name for actor in case.actors}
    platform = _SERVICE.get(case.service)
    return {
        "start_date": first,
        "country": f"{NOTICE} {place_name(case.place)}" if view.simulated else place_name(case.place),
        "shutdown_type": _TYPE[state],
        "shutdown_extent": "Service-based",
        "ordered_by": sorted({names.get(entry.actor, entry.actor) for entry in orders}),
        "decision_maker": sorted({roles.get(entry.actor, "") for entry in orders}),
        "gov_justification": [f"{e.earliest}: {e.summary}" for e in case.entries if _is_reason(e, roles)],
        "gov_ack": "Yes" if any(_acknowledges(entry, roles, state) for entry in case.entries) else None,
        f"{platform or 'other'}_affected": "Yes" if platform else view.service,
        "telcos_involved": networks,
        "election": "Yes" if any(entry.event is EventKind.ELECTION for entry in events) else None,
        "event": [entry.title for entry in events],
        "kholo_case": case.id,
        "kholo_service": case.service,
        "kholo_state": state,
        "kholo_networks": networks,
        "kholo_orders": [entry.id for entry in orders],
        "kholo_legal_basis": _laws(view),
        "kholo_exams": "Yes" if any(entry.event is EventKind.EXAM for entry in events) else None,
        "kholo_protests": "Yes" if any(entry.event is EventKind.PROTEST for entry in events) else None,
        "kholo_as_of": view.as_of,
        "kholo_simulated": view.simulated,
    }


def _orders(view: CaseView) -> list[Entry]:
    """Orders of the record that demand that the service be cut or slowed."""
    return [entry for entry in view.case.entries if entry.obligation and entry.obligation.state in IMPAIRED]


def _is_in_force(order: Entry, first: date, last: date) -> bool:
    duty = order.obligation
    return bool(duty and order.earliest <= last and (duty.until is None or duty.until.date() >= first))


def _is_near(event: Entry, first: date, last: date) -> bool:
    """Surely inside: an event whose day is not certain counts by its worst reading."""
    return event.latest <= last and event.earliest >= first - NEAR


def _is_reason(entry: Entry, roles: dict[str, str]) -> bool:
    return entry.gives_reason and roles.get(entry.actor) in _OFFICIAL


def _acknowledges(entry: Entry, roles: dict[str, str], state: State) -> bool:
    """An official who says or orders that it is so, and doesn't take it back."""
    if roles.get(entry.actor) not in _OFFICIAL or entry.kind is EntryKind.FINDING:
        return False
    said = entry.proposition or entry.obligation
    return said is not None and said.state is state


def _laws(view: CaseView) -> list[str]:
    found = [
        f"{statute_name(law.statute)} {law.section or ''}".strip()
        for entry in view.case.entries
        for law in entry.legal_basis
    ]
    return sorted(set(found))
