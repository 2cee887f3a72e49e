"""The page of an incident, and the list of all of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from kholo.model import Incident, State

from ..charts.calendar import calendar
from ..charts.frame import Chart
from ..charts.throughput import speed_charts
from ..headline import incident_title
from ..language import Language
from ..rows import CasePage, incident_row
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one

#: Days drawn before an incident and after it.
AROUND = 28


class Unnamed(msgspec.Struct, frozen=True):
    """What the template asks of a case, where there is none."""

    network_names: dict[str, str] = {}


def keys(site: Site) -> list[Key]:
    """One page an incident, of a case or outside of cases."""
    return [(name,) for name in sorted({*site.incidents, *site.outside.incidents})]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The incident as it stands in its case, with the claims that rest on it."""
    if key[0] not in site.incidents:
        return _outside(site, key[0], language)
    name, incident = site.incidents[key[0]]
    page = site.case(name, language)
    row = next(one for one in page.incidents if one.incident.incident_id == key[0])
    return {
        "title": incident_title(page.view.service, incident, language),
        **shared.of_case(page),
        "row": row,
        "calendar": _calendar(page, incident, language),
        "speeds": _speeds(page, incident, language),
        "claims": [claim for claim in page.claims if key[0] in claim.assessment.evidence],
        "simulated": page.view.simulated or incident.simulated,
    }


def _outside(site: Site, name: str, language: Language) -> dict[str, Any]:
    service, incident = site.outside.incidents[name]
    return {
        "title": incident_title(service, incident, language),
        "row": incident_row(incident, 1, "incident", {}, site.outside.proofs.get(name, ()), site.outside.slow),
        "service": service,
        "view": Unnamed(),
        "simulated": incident.simulated,
        "cited": [],
    }


def _calendar(page: CasePage, incident: Incident, language: Language) -> Chart | None:
    """The days of its networks, with some weeks before and after."""
    ends = incident.onset.earliest, incident.end.latest if incident.end else incident.last_seen
    first, last = (end.toordinal() for end in ends)
    begin, end = (day.toordinal() for day in page.view.window)
    window = (max(begin, first - AROUND), min(end, last + AROUND))
    return calendar(
        page.view,
        [row for row in page.view.days if row.network in incident.networks],
        (date.fromordinal(window[0]), date.fromordinal(window[1])),
        language.say("Calendar of its networks"),
        "days",
        language,
    )


def _speeds(page: CasePage, incident: Incident, language: Language) -> tuple[Chart, ...]:
    """How fast the service came on its networks, where it was throttled."""
    if incident.state is not State.THROTTLED:
        return ()
    return speed_charts(page.view, language, incident.networks)


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every incident."""
    pages = shared.pages(site, language)
    return {
        "title": language.say("Incidents"),
        "lines": shared.incidents(pages),
        **shared.of_cases(pages),
    }


KIND = Kind("incident", "incidents/{}/", "incident.html", keys, content)
LIST = Kind("incidents", "incidents/", "incidents.html", only_one, listed)
