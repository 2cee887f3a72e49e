"""What happened in a case, for its feeds: entries of the record, and when incidents began and ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from .answer import case_incidents
from .atom import Head, Item, name_of
from .headline import incident_title
from .language import ENGLISH
from .rows import CasePage, EntryRow
from .safe import segment, visible
from .words import KIND, NOTICE

#: So many items stay in the feed.
KEPT = 200


def head(page: CasePage, address: str | None) -> Head:
    """Title and id of the feed. `address`: that of its file, if it has one."""
    title = f"kholo: {page.view.case.title}"
    return Head(f"{NOTICE} {title}" if page.view.simulated else title, name_of("news", page.view.case.id), address)


def items(page: CasePage, site: str) -> list[Item]:
    """The latest first. `site` is the address of the site, or "" where it is not known: then nothing is linked."""
    base = f"{site.rstrip('/')}/en/" if site else ""
    found = [*_incidents(page, base), *(_entry(page, row, base) for row in page.entries)]
    return sorted(found, key=lambda item: (item.at, item.identifier), reverse=True)[:KEPT]


def _incidents(page: CasePage, base: str) -> Iterator[Item]:
    for incident in case_incidents(page.view):
        title = incident_title(page.view.service, incident, ENGLISH)
        link = f"{base}incidents/{segment(incident.incident_id)}/" if base else None
        began = f"Began {ENGLISH.bracket(incident.onset)}. Grade {incident.grade}."
        yield _item(page, "began", incident.incident_id, title, incident.onset.latest, began, link)
        if incident.end:
            ended = f"Ended {ENGLISH.bracket(incident.end)}. Grade {incident.grade}."
            yield _item(page, "ended", incident.incident_id, f"Over: {title}", incident.end.latest, ended, link)


def _entry(page: CasePage, row: EntryRow, base: str) -> Item:
    entry, found = row.entry, row.assessment
    text = f"{entry.summary}\n\n{found.outcome.capitalize()}: {found.because}" if found else entry.summary
    at = datetime.combine(entry.latest, time(), UTC)
    link = f"{base}cases/{segment(page.view.case.id)}/#{row.anchor}" if base else None
    return _item(page, entry.kind.value, entry.id, f"{KIND[entry.kind].capitalize()}: {entry.title}", at, text, link)


def _item(page: CasePage, kind: str, name: str, title: str, at: datetime, text: str, link: str | None) -> Item:
    simulated = page.view.simulated
    marked = (f"Simulated: {title}", f"{NOTICE} {text}") if simulated else (title, text)
    tags = (kind, "simulated") if simulated else (kind,)
    marked = (visible(marked[0]), visible(marked[1]))
    return Item(
        name_of("news", page.view.case.id, kind, visible(name), at, *marked), marked[0], at, tags, marked[1], link
    )
