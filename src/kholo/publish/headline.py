"""An incident in one line."""

from __future__ import annotations

from kholo.model import Incident

from .language import Language
from .view import CaseView
from .words import STATE


def incident_title(view: CaseView, incident: Incident, language: Language) -> str:
    """`X: blocked, Pakistan, from 17 February 2024`."""
    return language.say(
        "{service}: {state}, {place}, from {day}",
        service=view.service,
        state=language.say(STATE[incident.state]),
        place=language.place(incident.place),
        day=incident.onset.latest.date(),
    )
