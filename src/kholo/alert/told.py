"""What is told, and what was: the words of this room as types."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from kholo.model import Bracket, Grade, Incident, State
from kholo.publish.atom import name_of


class NewsKind(StrEnum):
    """What can be new about an incident, in the order in which it is told."""

    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"
    RESUMED = "resumed"
    SPREAD = "spread"
    ENDED = "ended"


class Gone(StrEnum):
    """Why an incident that was told is no longer one of its own."""

    WITHDRAWN = "withdrawn"
    JOINED = "joined"


class Facts(msgspec.Struct, frozen=True):
    """An incident without its parts by network. The names are those of `Incident`."""

    incident_id: str
    service: str
    place: str
    networks: tuple[str, ...]
    state: State
    mechanisms: tuple[str, ...]
    onset: Bracket
    end: Bracket | None
    last_seen: datetime
    reports: int
    results: int
    grade: Grade
    simulated: bool
    onset_measured: bool = True


def facts(incident: Incident) -> Facts:
    """The facts of an incident, its networks sorted."""
    fields = {name: getattr(incident, name) for name in Facts.__struct_fields__}
    return Facts(**(fields | {"networks": tuple(sorted(set(incident.networks)))}))


class Known(msgspec.Struct, frozen=True):
    """An incident as it was told and as it was last seen.

    `thread` is the id under which it was first known: it stays when late data moves the onset and so the incident's id.
    `onset`, `end` and `networks` are what readers were told last. `news` counts what was told of it; 0: it was there
    at the first look, too old to tell.
    """

    thread: str
    seen: Facts
    onset: Bracket
    end: Bracket | None
    networks: tuple[str, ...]
    news: int
    gone: Gone | None = None


class News(msgspec.Struct, frozen=True):
    """One thing that is new. The JSON names (`news_json`) are a public contract.

    `at` is when it was noticed (UTC). `further` are networks that it spread to, `no_longer_on` networks where it was
    told and is not found any more. `told_onset` and `told_end` are the dates told before, where they no longer hold.
    `part_of` names the thread that holds it now, `apart_from` the one that it was told as part of.
    """

    news_id: str
    kind: NewsKind
    thread: str
    at: datetime
    incident: Facts
    further: tuple[str, ...] = ()
    no_longer_on: tuple[str, ...] = ()
    told_onset: Bracket | None = None
    told_end: Bracket | None = None
    part_of: str | None = None
    apart_from: str | None = None
    is_found_again: bool = False


class Told(msgspec.Struct, frozen=True):
    """What was told up to a moment. `at` is None before the first look."""

    at: datetime | None = None
    known: tuple[Known, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What is sent at once: one news, or a list of them."""

    message_id: str
    at: datetime
    news: tuple[News, ...]


class Past(msgspec.Struct, frozen=True):
    """What a channel showed before: since when it is told, and the latest messages where it keeps them."""

    begun: datetime
    log: tuple[Message, ...] = ()


def identified(news: News) -> News:
    """The news with the id that its content gives it."""
    return msgspec.structs.replace(news, news_id=name_of(msgspec.structs.replace(news, news_id="")))


def message(news: tuple[News, ...], at: datetime) -> Message:
    """One message; alone, a news lends it its id."""
    return Message(news[0].news_id if len(news) == 1 else name_of([item.news_id for item in news]), at, news)


def news_json(news: News) -> dict[str, object]:
    """The public names of a news in plain values, the incident's beside its own; times in RFC 3339, absent as null."""
    made: dict[str, object] = msgspec.to_builtins(news)
    incident = made.pop("incident")
    assert isinstance(incident, dict)  # noqa: S101
    return made | incident
