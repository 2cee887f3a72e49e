"""What happened in a case, for its feeds: entries of the record, and when incidents began and ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cached_property

from kholo.model import Assessment

from .answer import case_incidents
from .atom import Head, Item, name_of
from .headline import incident_title
from .language import Language
from .recorded import is_read
from .rows import CasePage, EntryRow
from .safe import segment, visible
from .words import KIND, NOTICE, OUTCOME, UNREAD, begun

#: So many items stay in the feed.
KEPT = 200


def feed_name(ending: str, language: Language) -> str:
    """`feed.atom`, `feed.ur.json`: the file of a feed in a language."""
    return f"feed.{ending}" if language.is_source else f"feed.{language.code}.{ending}"


class News:
    """The feed of one case in one language; `site` is its address, or "" where that is not known: nothing is linked."""

    def __init__(self, page: CasePage, language: Language, site: str) -> None:
        self._page, self._language, self._say = page, language, language.say
        self._base = f"{site}/{language.code}/" if site else ""

    def head(self, address: str | None) -> Head:
        """Title and id of the feed. `address`: that of its file, if it has one."""
        case, code = self._page.view.case, self._language.code
        title = f"kholo: {case.title}"
        shown = f"{self._say(NOTICE)} {title}" if self._page.view.simulated else title
        names = ("news", case.id) if self._language.is_source else ("news", case.id, code)
        about = "" if is_read([self._page.view], self._language) else self._say(UNREAD)
        return Head(shown, name_of(*names), address, code, about)

    def items(self) -> list[Item]:
        """The latest first."""
        found = [*self._incidents(), *map(self._entry, self._page.entries)]
        return sorted(found, key=lambda item: item.at, reverse=True)[:KEPT]

    def _incidents(self) -> Iterator[Item]:
        say, bracket = self._say, self._language.bracket
        for one in case_incidents(self._page.view):
            title = incident_title(self._page.view.service, one, self._language)
            link = f"{self._base}incidents/{segment(one.incident_id)}/" if self._base else None
            grade = one.grade.value
            began = say("Began {when}. Grade {grade}.", when=bracket(one.onset), grade=grade)
            yield self._item("began", one.incident_id, title, one.onset.latest, began, link)
            if one.end:
                ended = say("Ended {when}. Grade {grade}.", when=bracket(one.end), grade=grade)
                over = say("Over: {title}", title=title)
                yield self._item("ended", one.incident_id, over, one.end.latest, ended, link)

    def _entry(self, row: EntryRow) -> Item:
        entry, found = row.entry, self._claims.get(row.entry.id)
        text = entry.summary
        if found:
            text += f"\n\n{begun(self._say(OUTCOME[found.outcome][1]))}: {found.because}"
        at = datetime.combine(entry.latest, time(), UTC)
        link = f"{self._base}cases/{segment(self._page.view.case.id)}/#{row.anchor}" if self._base else None
        title = f"{begun(self._say(KIND[entry.kind]))}: {entry.title}"
        return self._item(entry.kind.value, entry.id, title, at, text, link)

    @cached_property
    def _claims(self) -> dict[str, Assessment]:
        rows = (*self._page.claims, *self._page.checked_findings)
        return {claim.row.entry.id: claim.assessment for claim in rows}

    def _item(self, kind: str, name: str, title: str, at: datetime, text: str, link: str | None) -> Item:
        tags: tuple[str, ...] = (kind,)
        if self._page.view.simulated:
            title, text = self._language.say("Simulated: {title}", title=title), f"{self._say(NOTICE)} {text}"
            tags = (kind, "simulated")
        title, text = visible(title), visible(text)
        identifier = name_of("news", self._page.view.case.id, kind, visible(name), at, title, text)
        return Item(identifier, title, at, tags, text, link)
