"""The incidents of a case as messages of CAP: of each the alert with which it began, and how it stands now.

A build remembers nothing. Both messages follow from the facts alone, so that every build gives the same ones, and the
second names the first. `kholo watch`, which remembers, also takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from kholo.model import Incident

from .answer import case_incidents
from .atom import name_of
from .cap import Message, Type, Words, cap, joined
from .headline import incident_title
from .language import Language
from .safe import segment, visible
from .view import CaseView
from .words import GRADE, STATE

#: So long a message holds after the last measurement that bears it out.
HOLDS = timedelta(days=7)


def cap_files(view: CaseView, languages: Sequence[Language], page: str | None, sender: str) -> dict[str, bytes]:
    """The files of a case by their names. `page` is the address of the folder of incidents' pages, if there is one."""
    files = {}
    for incident in case_incidents(view):
        name = segment(incident.incident_id)
        web = f"{page}{name}/" if page else None
        for end, message in messages(view, incident, languages, web, sender):
            files[f"{name}{end}.xml"] = cap(message)
    return files


def messages(
    view: CaseView, incident: Incident, languages: Sequence[Language], web: str | None, sender: str
) -> list[tuple[str, Message]]:
    """The alert (".alert"), and how it stands now ("")."""
    began = incident.onset.latest
    first = tuple(sorted({one.network for one in incident.spells if one.onset.latest <= began})) or incident.networks
    alert = _message(view, incident, languages, web, sender, Type.ALERT, began, first)
    if incident.end is None and incident.last_seen <= began:
        return [("", alert)]
    sent = incident.end.latest if incident.end else incident.last_seen
    now = _message(view, incident, languages, web, sender, Type.UPDATE, sent, incident.networks, (alert.reference,))
    return [(".alert", alert), ("", now)]


def _message(
    view: CaseView,
    incident: Incident,
    languages: Sequence[Language],
    web: str | None,
    sender: str,
    kind: Type,
    sent: datetime,
    networks: tuple[str, ...],
    before: tuple[str, ...] = (),
) -> Message:
    is_over = kind is Type.UPDATE and incident.end is not None
    message = Message(
        thread=segment(incident.incident_id),
        type=kind,
        sent=sent,
        is_on=not is_over,
        simulated=view.simulated or incident.simulated,
        state=incident.state,
        grade=incident.grade,
        place=incident.place,
        onset=incident.onset.latest,
        expires=sent if is_over else sent + HOLDS,
        words=tuple(_words(view, incident, one, kind, networks) for one in languages),
        sender=sender,
        before=before,
        web=web,
        more=(
            ("service", incident.service),
            ("networks", joined(networks)),
            ("mechanisms", joined(incident.mechanisms)),
            ("grade", incident.grade),
        ),
    )
    return msgspec.structs.replace(message, name=name_of("cap", msgspec.to_builtins(message)))


def _words(view: CaseView, incident: Incident, language: Language, kind: Type, networks: Sequence[str]) -> Words:
    say = language.say
    onset = language.bracket(incident.onset)
    lines = [f"{say('Onset')}: {onset}"]
    if kind is Type.UPDATE:
        seen = say("no end measured; last seen {when}", when=incident.last_seen)
        lines.append(f"{say('End')}: {language.bracket(incident.end) if incident.end else seen}")
    lines.append(f"{say('Networks')}: {language.row(networks)}")
    lines.append(f"{say('Grade')}: {incident.grade}, {say(GRADE[incident.grade])}")
    headline = incident_title(view.service, incident, language)
    if view.simulated or incident.simulated:
        headline = f"{say('Simulated data')}: {headline}"
    said = (f"{view.service}: {say(STATE[incident.state])}", headline, "\n".join(lines), language.place(incident.place))
    return Words(language.code, *map(visible, said))
