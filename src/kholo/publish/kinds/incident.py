"""The page of an incident, and the list of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec

from kholo.model import DayState, Incident, State

from ..charts.calendar import calendar, window_of
from ..charts.frame import Chart, Invented
from ..charts.throughput import speed_charts
from ..headline import incident_title
from ..language import Language
from ..rows import CasePage, incident_row
from ..site import Calendar, Site
from . import shared
from .kind import Key, Kind, only_one


class Unnamed(msgspec.Struct, frozen=True):
    """What the page asks of a case, where there is none."""

    simulated: bool
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
        "calendar": _calendar(page.view, page.view.days, incident, page.view.window, language),
        "speeds": _speeds(page, incident, language),
        "claims": [claim for claim in page.claims if key[0] in claim.assessment.evidence],
        "simulated": page.view.simulated or incident.simulated,
    }


def _outside(site: Site, name: str, language: Language) -> dict[str, Any]:
    service, incident = site.outside.incidents[name]
    view, seen = Unnamed(incident.simulated), site.outside.calendars.get(name, Calendar())
    return {
        "title": incident_title(service, incident, language),
        "calendar": _calendar(view, seen.days, incident, seen.window, language),
        "days": _asked(incident, seen.window),
        "row": incident_row(incident, 1, "incident", {}, site.outside.proofs.get(name, ()), site.outside.slow),
        "service": service,
        "view": view,
        "simulated": incident.simulated,
        "cited": [],
    }


def _calendar(
    view: Invented, days: Iterable[DayState], incident: Incident, within: tuple[date, date], language: Language
) -> Chart | None:
    """The days of its networks, with some weeks before and after."""
    return calendar(
        view,
        [row for row in days if row.network in incident.networks],
        window_of(incident, within),
        language.say("Calendar of its networks"),
        "days",
        language,
    )


def _asked(incident: Incident, window: tuple[date, date]) -> str:
    """Where a live server has the days that its calendar shows, below the root."""
    until = date.fromordinal(window[1].toordinal() + 1)
    about = {"service": incident.service, "place": incident.place, "simulated": str(incident.simulated).lower()}
    asked = {**about, "since": window[0].isoformat(), "until": until.isoformat(), "limit": "1000", "format": "csv"}
    return f"api/v1/days?{urlencode(asked)}"


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
