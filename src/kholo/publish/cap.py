"""Alerts in the Common Alerting Protocol 1.2 (OASIS, 1 July 2010): one message, one XML file.

`docs/feeds.md` says what stands in each element and why.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from kholo.model import Grade, State

from .safe import visible
from .words import NOTICE

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "kholo"


class Type(StrEnum):
    """What a message does with those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


#: A service that is out of reach may put a life at risk (Moderate: "possible threat"); a slow one hardly does.
SEVERITY = {State.BLOCKED: "Moderate", State.THROTTLED: "Minor"}
#: Recomputed from raw measurements: seen. From results of an archive: more likely than not, and not seen by us.
CERTAINTY = {Grade.A: "Observed", Grade.B: "Likely"}
ON, OVER = "Immediate", "Past"


class Words(msgspec.Struct, frozen=True):
    """What a message says in one language (BCP 47)."""

    language: str
    event: str
    headline: str
    description: str
    area: str


class Message(msgspec.Struct, frozen=True):
    """One message. Its identifier is made of all of it: another content is another message.

    `sent`, `onset` and `expires` are UTC. `thread` names the incident in all its messages, `before` are those of them
    that this one replaces. `place` is ISO 3166-1 alpha-2. `more` are further facts, by name.
    """

    thread: str
    type: Type
    sent: datetime
    is_on: bool
    simulated: bool
    state: State
    grade: Grade
    place: str
    onset: datetime
    expires: datetime
    words: tuple[Words, ...]
    sender: str = SENDER
    before: tuple[str, ...] = ()
    web: str | None = None
    more: tuple[tuple[str, str], ...] = ()
    name: str = ""

    @property
    def reference(self) -> str:
        """How later messages name this one."""
        return f"{self.sender},{self.name},{when(self.sent)}"


def when(value: datetime) -> str:
    """A time as CAP writes it: UTC is -00:00, and never Z."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}-00:00"


def cap(message: Message) -> bytes:
    """The file."""
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    _put(root, "identifier", message.name)
    _put(root, "sender", message.sender)
    _put(root, "sent", when(message.sent))
    _put(root, "status", "Exercise" if message.simulated else "Actual")
    _put(root, "msgType", message.type)
    _put(root, "scope", "Public")
    if message.simulated:
        _put(root, "note", NOTICE)
    if message.before:
        _put(root, "references", " ".join(message.before))
    _put(root, "incidents", message.thread)
    for words in message.words:
        _info(ET.SubElement(root, "info"), message, words)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _info(info: ET.Element, message: Message, words: Words) -> None:
    _put(info, "language", words.language)
    _put(info, "category", "Infra")
    _put(info, "event", words.event)
    _put(info, "urgency", ON if message.is_on else OVER)
    _put(info, "severity", SEVERITY.get(message.state, "Unknown"))
    _put(info, "certainty", "Unlikely" if message.type is Type.CANCEL else CERTAINTY.get(message.grade, "Possible"))
    _named(ET.SubElement(info, "eventCode"), "kholo", message.state)
    _put(info, "onset", when(message.onset))
    _put(info, "expires", when(message.expires))
    _put(info, "senderName", "kholo")
    _put(info, "headline", words.headline)
    _put(info, "description", words.description)
    if message.web:
        _put(info, "web", message.web)
    for name, value in message.more:
        _named(ET.SubElement(info, "parameter"), name, value)
    area = ET.SubElement(info, "area")
    _put(area, "areaDesc", words.area)
    _named(ET.SubElement(area, "geocode"), "ISO3166-1", message.place)


def _named(parent: ET.Element, name: str, value: str) -> None:
    _put(parent, "valueName", name)
    _put(parent, "value", value)


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = visible(text)


def joined(words: Iterable[str]) -> str:
    """Several codes in one value, as the standard joins lists: by spaces."""
    return " ".join(words)
