"""Ids of incidents: they follow from the data alone, so late data may move them; old ones are still understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from kholo.model import Incident, State

#: Service, place and state, then the month of the beginning, or its day; a network where even that is not enough.
_ID = re.compile(r"(?P<what>.+)-(?P<state>[a-z]+)-(?P<when>\d{6}|\d{8})(?:-(?P<network>AS\d+))?")


def identity(service: str, place: str, state: State, begun: datetime) -> str:
    """The id of an incident that began at latest then: a month, for late data rarely moves a beginning out of it."""
    return f"{service}-{place}-{state.value}-{begun:%Y%m}"


def named(found: Iterable[Incident]) -> list[Incident]:
    """Sorted by onset. Ids stand once: of several of one month the first keeps the month, the others get their day, and
    those of one day their first network."""
    ordered = sorted(found, key=lambda incident: (incident.onset, incident.incident_id, incident.networks))
    taken: set[str] = set()
    made = []
    for incident in ordered:
        name = incident.incident_id
        if name in taken:
            name = f"{name}{incident.onset.latest:%d}"
        if name in taken:
            name = f"{name}-{incident.networks[0]}"
        taken.add(name)
        made.append(msgspec.structs.replace(incident, incident_id=name))
    return made


def meant(found: Sequence[Incident], name: str) -> list[Incident]:
    """The incident of this id; else those of the same service and place, of the same state where there are any, that
    lasted in the month or on the day that the id ends with."""
    exact = [incident for incident in found if incident.incident_id == name]
    parts = _ID.fullmatch(name)
    if exact or parts is None:
        return exact
    when, network = parts["when"], parts["network"]
    near = [
        incident
        for incident in found
        if f"{incident.service}-{incident.place}" == parts["what"]
        and _digits(incident.onset.earliest, when) <= when <= _digits(_until(incident), when)
        and network in (None, *incident.networks)
    ]
    return [incident for incident in near if incident.state.value == parts["state"]] or near


def _digits(moment: datetime, like: str) -> str:
    return f"{moment:%Y%m%d}"[: len(like)]


def _until(incident: Incident) -> datetime:
    return max(incident.last_seen, incident.end.latest if incident.end else incident.last_seen)
