"""The page of a measurement: what one probe saw, in sentences. Of those that prove an incident on this site."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..safe import explorer_address
from ..site import Site
from .kind import Key, Kind


def keys(site: Site) -> list[Key]:
    """One page a measurement that is shown as proof."""
    return [(uid,) for uid in sorted(site.measurements)]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The verdict, and the story where it is known."""
    case, incident, verdict = site.measurements[key[0]]
    page = site.case(case, language)
    return {
        "title": language.say("A measurement of {service}", service=page.view.service),
        "page": page,
        "view": page.view,
        "verdict": verdict,
        "incident_id": incident,
        "story": site.stories.get(key[0]),
        "explorer": None if verdict.simulated else explorer_address(key[0]),
        "simulated": page.view.simulated or verdict.simulated,
        "cited": [page.view],
    }


KIND = Kind("measurement", "measurements/{}/", "measurement.html", keys, content)
