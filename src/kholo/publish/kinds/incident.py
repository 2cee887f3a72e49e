"""The page of an incident, and the list of all of them."""

from __future__ import annotations

from typing import Any

import msgspec

from kholo.model import Incident

from ..language import Language
from ..rows import incident_row
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


class Unnamed(msgspec.Struct, frozen=True):
    """What the template asks of a case, where there is none."""

    network_names: dict[str, str] = {}


def keys(site: Site) -> list[Key]:
    """One page an incident, of a case or outside of cases."""
    return [(name,) for name in sorted({*site.incidents, *site.outside.incidents})]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The incident as it stands in its case, with the claims that rest on it."""
    if key[0] not in site.incidents:
        return _outside(*site.outside.incidents[key[0]], language)
    name, incident = site.incidents[key[0]]
    page = site.case(name, language)
    row = next(one for one in page.incidents if one.incident.incident_id == key[0])
    return {
        "title": shared.incident_title(page.view.service, incident, language),
        "page": page,
        "view": page.view,
        "row": row,
        "claims": [claim for claim in page.claims if key[0] in claim.assessment.evidence],
        "simulated": page.view.simulated or incident.simulated,
        "cited": [page.view],
    }


def _outside(service: str, incident: Incident, language: Language) -> dict[str, Any]:
    return {
        "title": shared.incident_title(service, incident, language),
        "row": incident_row(incident, 1, "incident", {}),
        "view": Unnamed(),
        "simulated": incident.simulated,
        "cited": [],
    }


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every incident."""
    pages = shared.pages(site, language)
    return {
        "title": language.say("Incidents"),
        "lines": shared.incidents(pages),
        "simulated": shared.all_invented(pages),
        "cited": [page.view for page in pages],
    }


KIND = Kind("incident", "incidents/{}/", "incident.html", keys, content)
LIST = Kind("incidents", "incidents/", "incidents.html", only_one, listed)
