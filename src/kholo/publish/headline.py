"""An incident in one line."""

from __future__ import annotations

from kholo.model import Incident

from .language import Language
from .words import STATE


def incident_title(service: str, incident: Incident, language: Language) -> str:
    """`X: blocked, Pakistan, from 17 February 2024`."""
    return language.say(
        "{service}: {state}, {place}, from {day}",
        service=service,
        state=language.say(STATE[incident.state]),
        place=language.place(incident.place),
        day=incident.onset.latest.date(),
    )
