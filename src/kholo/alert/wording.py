"""What is told, in words: one table of sentences, and how their parts are written. All days are UTC."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from kholo.model import Bracket
from kholo.publish.language import ENGLISH
from kholo.publish.safe import visible
from kholo.publish.words import GRADE, STATE, count, listed, mechanism
from kholo.reference.places import place_name
from kholo.reference.services import load_services

from .told import Facts, Message, News, NewsKind

#: `what` is "X blocked in Pakistan", `on` "on AS9260". Nothing here says more than the news does.
SENTENCES: dict[str, str] = {
    "opened": "{what} {on}, since {since} (UTC); last seen {last_seen}.",
    "opened, over": "{was} {on}: began {onset}, ended {end} (UTC).",
    "spread": "{what} {further} too; began {onset} (UTC), now {on}; last seen {last_seen}.",
    "spread, over": "{was} {further} too; began {onset}, ended {end} (UTC).",
    "ended": "{no_longer} {on}: ended {end}, began {onset} (UTC).",
    "resumed": "{again} {on}: last seen {last_seen} (UTC), though it had seemed to end {told_end}; began {onset}.",
    "corrected": "Correction: {was} {on}: {corrections} (UTC).",
    "withdrawn": "Withdrawn: {was} {on}, told as begun {onset} (UTC), is no longer found in the measurements.",
}
CORRECTIONS: dict[str, str] = {
    "onset": "began {onset}, not {told_onset} as told before",
    "end": "ended {end}, not {told_end} as told before",
    "networks": "no longer found {no_longer_on}",
    "found again": "was withdrawn or joined to another, and is found again; began {onset}, {so_far}",
    "part of": "what was told as begun {told_onset}, {told_so_far}, is part of the one that began {onset}, {so_far}",
    "apart from": "told before as part of {apart_from}, is one of its own; began {onset}, {so_far}",
}
DETAILS = """\
Began: {began}.
{ending}
How: {how}.
Rests on {reports}, {results}; grade {grade}, {grade_words}.
Incident: {incident}. Noticed {noticed}.
"""
CLOSING = "Measurements show that access was interfered with, not by whom or on whose order."
SIMULATED = "Simulated: "
PARTLY_SIMULATED = "Partly simulated: "
FEED_TITLE = "kholo: blocking and throttling, {scope}"

_SHOWN = 6
_LISTED = 100
_LONGEST = 200
_TOKEN = re.compile(r"[^A-Za-z0-9._+/ -]")


def plain(text: str) -> str:
    """One line of text, harmless in a header, a feed or a terminal: what is hidden is written out."""
    short = " ".join(visible(" ".join(text.split())).split())
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def _token(text: str) -> str:
    """An id or a code; a character that has no place in one becomes a question mark."""
    return _TOKEN.sub("?", text)[:100]


def sentence(news: News) -> str:
    """The news in one sentence. Of invented data it says so first."""
    incident, kind = news.incident, news.kind.value
    over = ", over" if incident.end and news.kind in (NewsKind.OPENED, NewsKind.SPREAD) else ""
    parts = _parts(news)
    said = SENTENCES[kind + over].format_map(parts | {"corrections": _corrections(news, parts)})
    return f"{SIMULATED}{said}" if incident.simulated else said


def _parts(news: News) -> dict[str, str]:
    incident = news.incident
    service, place = plain(load_services().name(incident.service)), plain(place_name(_token(incident.place)))
    state = STATE[incident.state]
    return {
        "what": f"{service} {state} in {place}",
        "was": f"{service} was {state} in {place}",
        "again": f"{service} {state} again or still in {place}",
        "no_longer": f"{service} no longer {state} in {place}",
        "on": _on(incident.networks),
        "further": _on(news.further),
        "no_longer_on": _on(news.no_longer_on),
        "since": _since(incident),
        "onset": _at(incident.onset)
        if incident.onset_measured
        else f"on or before {ENGLISH.day(incident.onset.latest.date())}",
        "end": _at(incident.end) if incident.end else "",
        "last_seen": f"on {ENGLISH.day(incident.last_seen.date())}",
        "so_far": _so_far(incident.end, incident),
        "told_onset": _at(news.told_onset) if news.told_onset else "",
        "told_end": _at(news.told_end) if news.told_end else "",
        "told_so_far": f"ended {_at(news.told_end)}" if news.told_end else "not ended",
        "apart_from": _token(news.apart_from or ""),
    }


def _corrections(news: News, parts: dict[str, str]) -> str:
    if news.part_of:
        names = ["part of"]
    elif news.apart_from:
        names = ["apart from"]
    elif news.is_found_again:
        names = ["found again"]
    else:
        moved = {"onset": news.told_onset, "end": news.told_end, "networks": news.no_longer_on}
        names = [name for name, value in moved.items() if value]
    return "; ".join(CORRECTIONS[name].format_map(parts) for name in names)


def _at(value: Bracket) -> str:
    text = ENGLISH.either(value.earliest.date(), value.latest.date())
    return text if text.startswith("between") else f"on {text}"


def _since(incident: Facts) -> str:
    if not incident.onset_measured:
        return f"{ENGLISH.day(incident.onset.latest.date())} or before"
    return ENGLISH.either(incident.onset.earliest.date(), incident.onset.latest.date())


def _so_far(end: Bracket | None, incident: Facts) -> str:
    return f"ended {_at(end)}" if end else f"last seen on {ENGLISH.day(incident.last_seen.date())}"


def _on(networks: Sequence[str]) -> str:
    names = [_token(name) for name in networks]
    if len(names) <= _SHOWN:
        return f"on {listed(names)}" if names else "on no network"
    return f"on {len(names)} networks, among them {listed(names[:_SHOWN])}"


def details(news: News) -> str:
    """The sentence, and below it what it rests on."""
    incident = news.incident
    began = ENGLISH.bracket(incident.onset)
    ended = (
        f"Ended: {ENGLISH.bracket(incident.end)}."
        if incident.end
        else f"Last seen: {ENGLISH.moment(incident.last_seen)}."
    )
    facts = DETAILS.format(
        began=began if incident.onset_measured else f"on or before {began} (it was so when measuring began)",
        ending=ended,
        how=listed([plain(mechanism(_token(code))) for code in incident.mechanisms[:_SHOWN]]) or "not known",
        reports=count(incident.reports, "report"),
        results=count(incident.results, "result"),
        grade=incident.grade.value,
        grade_words=GRADE[incident.grade],
        incident=_token(incident.incident_id),
        noticed=ENGLISH.moment(news.at),
    )
    return f"{sentence(news)}\n\n{facts}"


def title(message: Message) -> str:
    """The news' sentence, or of several how many there are."""
    if len(message.news) == 1:
        return sentence(message.news[0]).rstrip(".")
    kinds = Counter(news.kind for news in message.news)
    tally = listed([f"{kinds[kind]} {kind.value}" for kind in NewsKind if kinds[kind]])
    simulated = sum(news.incident.simulated for news in message.news)
    head = "" if not simulated else SIMULATED if simulated == len(message.news) else PARTLY_SIMULATED
    return f"{head}{len(message.news)} news of incidents: {tally}"


def body(message: Message) -> str:
    """The whole text of a message."""
    if len(message.news) == 1:
        return f"{details(message.news[0])}\n{CLOSING}\n"
    lines = "\n".join(f"- {sentence(news)}" for news in message.news[:_LISTED])
    if len(message.news) > _LISTED:
        lines += f"\n… and {len(message.news) - _LISTED:,} more: `kholo incidents` lists what is found."
    return f"{title(message)}.\n\n{lines}\n\nNoticed by {ENGLISH.moment(message.at)}.\n{CLOSING}\n"
