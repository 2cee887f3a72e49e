"""News as messages of CAP 1.2: what opens is an alert, what changes an update, what was taken back is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kholo.publish import cap
from kholo.publish.cap import Type
from kholo.publish.language import ENGLISH
from kholo.publish.safe import segment
from kholo.reference import load_services

from .told import News, NewsKind, Past
from .wording import details, sentence

#: So long a message holds after the last measurement that bears it out.
HOLDS = timedelta(days=7)
_TYPES = {NewsKind.OPENED: Type.ALERT, NewsKind.WITHDRAWN: Type.CANCEL}


def cap_files(past: Past, sender: str) -> Iterator[tuple[str, bytes]]:
    """Each news that is kept, the oldest first, with the name of its file. A message names all before it of its
    incident that are kept."""
    before: dict[str, list[str]] = {}
    for message in past.log:
        for news in message.news:
            if not before.get(news.thread) and news.kind is not NewsKind.OPENED and not _is_on(news):
                continue  # What nobody can be told to replace would come as a new alert of what is over or was none.
            made = _message(news, tuple(before.get(news.thread, ())), sender)
            before.setdefault(news.thread, []).append(made.reference)
            yield f"{news.news_id}.xml", cap.cap(made)


def _is_on(news: News) -> bool:
    return news.incident.end is None and news.kind is not NewsKind.WITHDRAWN


def _message(news: News, before: tuple[str, ...], sender: str) -> cap.Message:
    incident = news.incident
    is_on = _is_on(news)
    words = cap.Words(
        "en",
        f"{load_services().name(incident.service)}: {incident.state}",
        sentence(news),
        details(news),
        ENGLISH.place(incident.place),
    )
    # Without an alert to name, nothing can be updated: it is told as one.
    kind = _TYPES.get(news.kind, Type.UPDATE) if before else Type.ALERT
    return cap.Message(
        thread=segment(news.thread),
        type=kind,
        sent=news.at,
        is_on=is_on,
        simulated=incident.simulated,
        state=incident.state,
        grade=incident.grade,
        place=incident.place,
        onset=incident.onset.latest,
        expires=max(news.at, incident.last_seen + HOLDS) if is_on else news.at,
        words=(words,),
        sender=sender,
        before=before,
        more=(("service", incident.service), ("networks", cap.joined(incident.networks)), ("grade", incident.grade)),
        name=news.news_id,
    )
