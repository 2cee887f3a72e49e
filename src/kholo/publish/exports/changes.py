"""Changes of a case as an Atom feed: entries added, changed and taken out, assessments that came out otherwise.

What stood before is kept in a file beside the feed; the feed itself is never read back.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from kholo.model import Assessment, CaseError, Entry, Problem

from ..atom import Head, Item, atom, name_of
from ..jsonfeed import json_feed
from ..rows import CasePage
from ..safe import web_address
from ..view import CaseView
from ..words import NOTICE

#: So many changes stay in the feed.
KEPT = 200


class Stand(msgspec.Struct, frozen=True):
    """One entry as it was told last: its title, a digest of its content, and how it was assessed (words, or "")."""

    title: str
    digest: str
    outcome: str


class Memory(msgspec.Struct, frozen=True):
    """What was told up to `at`. `begun` is when the feed was first written; `items` are the changes, oldest first."""

    case: str
    begun: datetime
    at: datetime
    entries: dict[str, Stand]
    items: tuple[Item, ...] = ()


def recall(stored: bytes | None, name: str, case: str) -> Memory | None:
    """The memory of file `name`, None where there is none. Raises `CaseError` when it isn't one, or of another case."""
    if stored is None:
        return None
    try:
        memory = msgspec.json.decode(stored, type=Memory)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CaseError([Problem(name, 0, "", "is no memory of a feed; remove it to begin anew")]) from error
    if memory.case != case:
        raise CaseError([Problem(name, 0, "case", "is the memory of another case's feed; write to another file")])
    return memory


def changes(page: CasePage, before: Memory | None, url: str, *, as_json: bool = False) -> tuple[bytes, bytes]:
    """The feed (Atom, or JSON Feed) and the new memory; without anything new both stay as they are.

    `url` is the address of the case's page, or "".
    """
    view = page.view
    now = _stands(view)
    moment = max(view.as_of, before.at) if before else view.as_of
    if before is None:
        items: tuple[Item, ...] = (_opening(view, moment),)
        memory = Memory(view.case.id, moment, moment, now, items)
    else:
        found = tuple(_items(page, before, now, moment, url))
        memory = Memory(view.case.id, before.begun, moment, now, (*before.items, *found)[-KEPT:]) if found else before
    title = f"kholo: changes of the case {view.case.title}"
    head = Head(f"{NOTICE} {title}" if view.simulated else title, name_of("case", view.case.id))
    newest = tuple(reversed(memory.items))
    feed = json_feed(head, newest) if as_json else atom(head, memory.begun, newest)
    return feed, msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n"


def _stands(view: CaseView) -> dict[str, Stand]:
    assessed = {item.entry_id: item for item in view.assessments}
    return {
        entry.id: Stand(entry.title, _digest(entry), _words(assessed.get(entry.id)))
        for entry in sorted(view.case.entries, key=lambda entry: entry.id)
    }


def _digest(entry: Entry) -> str:
    """Of the content: moving an entry to another file is no change."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(entry, file=""))).hexdigest()


def _words(item: Assessment | None) -> str:
    if item is None:
        return ""
    return f"{item.outcome}, grade {item.grade}" if item.grade else str(item.outcome)


def _opening(view: CaseView, moment: datetime) -> Item:
    count = len(view.case.entries)
    text = f"{view.case.title}: the feed begins with {count} entries, {len(view.assessments)} of them assessed."
    return _item(view, "opened", "", "", "", moment, "The feed begins", text, None)


def _items(page: CasePage, before: Memory, now: dict[str, Stand], moment: datetime, url: str) -> list[Item]:
    view = page.view
    anchors = {row.entry.id: row.anchor for row in page.entries}
    because = {item.entry_id: item.because for item in view.assessments}
    found = []
    for name in sorted({*before.entries, *now}):
        was, stands = before.entries.get(name), now.get(name)
        link = web_address(f"{url}#{anchors[name]}") if url and name in anchors else None
        for kind, old, new, said in _differences(was, stands):
            text = f"{said} {because.get(name, '')}".rstrip() if kind == "assessment" else said
            title = f"{_TITLE[kind]}: {(stands or was or Stand('', '', '')).title}"
            found.append(_item(view, kind, name, old, new, moment, title, text, link))
    return found


_TITLE = {
    "added": "Entry added",
    "changed": "Entry changed",
    "removed": "Entry taken out",
    "assessment": "Assessed otherwise",
}


def _differences(was: Stand | None, now: Stand | None) -> list[tuple[str, str, str, str]]:
    """Kind of change, content before and after, and a sentence."""
    if was is None and now is not None:
        said = f"New in the record{f'; assessed as {now.outcome}' if now.outcome else ''}."
        return [("added", "", now.digest, said)]
    if now is None and was is not None:
        return [("removed", was.digest, "", "No longer in the record.")]
    found = []
    if was and now and was.digest != now.digest:
        found.append(("changed", was.digest, now.digest, "Its text, dates, sources or links were changed."))
    if was and now and was.outcome != now.outcome:
        said = f"Was {was.outcome or 'not assessed'}, is {now.outcome or 'not assessed'}."
        found.append(("assessment", was.outcome, now.outcome, said))
    return found


def _item(
    view: CaseView, kind: str, entry: str, old: str, new: str, moment: datetime, title: str, text: str, link: str | None
) -> Item:
    identifier = name_of("change", view.case.id, kind, entry, old, new, moment)
    tags = (kind, "simulated") if view.simulated else (kind,)
    marked = (f"Simulated: {title}", f"{NOTICE} {text}") if view.simulated else (title, text)
    return Item(identifier, marked[0], moment, tags, marked[1], link)
