"""The page of a measurement: what one probe saw, in sentences.

A static site has those that prove one of its incidents; a live one any that it is asked for.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from kholo.judge.story import Telling
from kholo.model import Verdict

from ..headline import incident_title
from ..language import Language
from ..safe import explorer_address
from ..site import Site
from ..told import line, ours
from .kind import Key, Kind


def keys(site: Site) -> list[Key]:
    """One page a measurement that is shown as proof, or stands outside of cases."""
    return [(uid,) for uid in sorted({*site.measurements, *site.outside.measurements})]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The verdict, and the story where it is known."""
    if key[0] not in site.measurements:
        return _content(site, *site.outside.measurements[key[0]], language)
    case, incident, verdict = site.measurements[key[0]]
    view = site.case(case, language).view
    found = _content(site, view.service, verdict, language)
    simulated = view.simulated or verdict.simulated
    is_slow = verdict.measurement_uid in view.slow_uids
    return {**found, "view": view, "incident_id": incident, "is_slow": is_slow, "simulated": simulated, "cited": [view]}


def _content(site: Site, service: str, verdict: Verdict, language: Language) -> dict[str, Any]:
    uid = verdict.measurement_uid
    return {
        "title": language.say("A measurement of {service}", service=service),
        "service": service,
        "incidents": [
            (name, incident_title(called, one, language))
            for name, (called, one) in sorted(site.outside.incidents.items())
        ],
        "verdict": verdict,
        "is_slow": uid in site.outside.slow,
        "story": _story(site.stories[uid], language) if uid in site.stories else [],
        "explorer": None if verdict.simulated else explorer_address(uid),
        "simulated": verdict.simulated,
        "cited": [],
    }


def _story(told: Telling, language: Language) -> list[tuple[str, list[Markup]]]:
    """The parts of a story, each with its heading."""
    parts = [
        (language.say("What the probe saw, step by step"), told.probe),
        (language.say("What the control saw"), told.control),
        (language.say("What would change the verdict"), told.missing),
        (language.say("What to know of where and when it was measured"), told.marks),
    ]
    shown = [(heading, [line(text, language) for text in texts]) for heading, texts in parts]
    why = (language.say("Why the rule decided so"), [ours("rule", told.story.why, language)])
    return [*shown[:2], why, *shown[2:]]


KIND = Kind("measurement", "measurements/{}/", "measurement.html", keys, content)
