"""Pages that no build wrote: any measurement and incident of the store, and what is said where there is no page."""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import datetime
from typing import Any

import msgspec

from kholo.publish import Book, Outside, Site
from kholo.publish.font import Font, FontMaker
from kholo.publish.language import language_codes
from kholo.publish.safe import segment
from kholo.publish.site import Attached, Key

from . import around
from .index import Current
from .kept import Kept
from .pages import FolderPages, Moved, Page, page_of, weight
from .query import Reader

_LIVE = re.compile(r"/([A-Za-z-]{1,20})/(measurements|incidents)/([A-Za-z0-9_.-]{1,120})(/|/index\.html)?")
#: Steps down from the root after which a link to it is as good as one from here.
_DEEP = 20
#: Bytes of pages that are kept.
_KEPT = 16 << 20
_INDEX, _FONT = "/data/index.json", "/assets/nastaliq.woff2"


class _Named(msgspec.Struct, frozen=True):
    name: str
    fingerprint: str


class _Built(msgspec.Struct, frozen=True):
    """What `data/index.json` says of a whole site."""

    address: str
    as_of: datetime
    key: _Named | None = None


class LivePages:
    """The pages of a folder; where it has none, those that can be made from the index and the store.

    What was made is kept for as long as all that it was made from is as it was: the state of the index, and what was
    looked at in the folder. A folder is written file by file, so no one file of it tells its state.
    """

    def __init__(self, files: FolderPages, reader: Reader) -> None:
        self._files, self._reader = files, reader
        self._kept: Kept[_Made] = Kept(_KEPT, lambda made: weight(made.page))

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path. Raises `Problem` when the store is busy."""
        return self._files.page(path) or self._live(path)

    def missing(self, path: str, code: str) -> Page:
        """The page that says that there is none, with links that hold at this path."""
        first = path.split("/")[1]
        at = (first if first in language_codes() else "") + "/" * min(path.count("/") - 1, _DEEP)
        key = ("missing", at, code)
        known = self._known(key)
        if known is None:
            folder = _Folder(self._files)
            known = page_of("index.html", Book(_site(folder, Outside())).missing(at, code))
            self._kept.put(key, _Made(known, folder.seen()))
        return known

    def _known(self, key: Hashable) -> Page | None:
        """A page that was made, if what it found in the folder is there still."""
        made = self._kept.get(key)
        return made.page if made is not None and _Folder(self._files).is_still(made.seen) else None

    def _live(self, path: str) -> Page | Moved | None:
        found = _LIVE.fullmatch(path)
        if found is None or found[1] not in language_codes() or segment(found[3]) != found[3]:
            return None
        if found[4] == "/index.html":
            path = path.removesuffix("index.html")
        current = self._reader.index.current()
        key = (path, current.verdicts_digest, current.facts_digest, current.set_name, current.changed)
        known = self._known(key)
        if known is not None:
            return known
        folder = _Folder(self._files)
        make = self._measurement if found[2] == "measurements" else self._incident
        site = make(found[3], current, folder)
        if site is None:
            return None
        if not found[4]:
            return Moved(f"{path}/")
        body = Book(site).page_at(path[1:])
        if body is None:
            return None
        made = page_of("index.html", body)
        self._kept.put(key, _Made(made, folder.seen()))
        return made

    def _measurement(self, uid: str, current: Current, folder: _Folder) -> Site | None:
        found = self._reader.measurement(current, uid)
        if found is None:
            return None
        verdict, story = found
        service, index = verdict.service, self._reader.index
        name = self._reader.service_name(current, service) if service else verdict.input or verdict.test_name
        outside = Outside(
            measurements={uid: (name, verdict)},
            incidents={one.incident_id: (name, one) for one in around.incidents(index, current, verdict)},
            slow=frozenset({uid} if around.is_slow(index, current, uid) else ()),
            cases=around.cases(index, current, verdict),
        )
        return _site(folder, outside, stories={uid: story} if story else {})

    def _incident(self, name: str, current: Current, folder: _Folder) -> Site | None:
        found = self._reader.incident(current, name)
        if found is None:
            return None
        service, index = self._reader.service_name(current, found.service), self._reader.index
        known = around.proofs(index, current, found)
        outside = Outside(
            measurements={one.measurement_uid: (service, one) for one in known.verdicts},
            incidents={name: (service, found)},
            proofs={name: known.verdicts},
            calendars={name: around.days(index, current, found)},
            slow=frozenset(known.slow),
            cases=around.cases(index, current, found),
        )
        return _site(folder, outside)


class _Folder:
    """The folder as a page that is being made finds it: each thing is looked at once."""

    def __init__(self, files: FolderPages) -> None:
        self._files = files
        self.index, self.font = self._file(_INDEX), self._file(_FONT)
        self._stood: dict[str, bool] = {}

    def stands(self, path: str) -> bool:
        """Whether there is a page; one of one language is there in all."""
        if path not in self._stood:
            self._stood[path] = self._files.stands(f"/{language_codes()[0]}/{path}index.html")
        return self._stood[path]

    def seen(self) -> _Seen:
        """What was looked at until now."""
        index, font = (one.etag if one else "" for one in (self.index, self.font))
        return _Seen(index, font, dict(self._stood))

    def is_still(self, seen: _Seen) -> bool:
        """Whether a page that saw this would see the same now."""
        return all(self.stands(path) is there for path, there in seen.stood.items()) and self.seen() == seen

    def _file(self, path: str) -> Page | None:
        found = self._files.page(path)
        return found if isinstance(found, Page) else None


class _Seen(msgspec.Struct, frozen=True):
    """The tags of files that a page was made from, and the paths at which it found a page, or none."""

    index: str
    font: str
    stood: dict[str, bool]


class _Made(msgspec.Struct, frozen=True):
    """A page, and what it saw of the folder."""

    page: Page
    seen: _Seen


def _site(folder: _Folder, outside: Outside, **more: Any) -> Site:
    """A site without cases that looks as that of the folder, and leads to its pages."""
    built = _built(folder.index)
    if built is not None:
        outside = msgspec.structs.replace(outside, as_of=built.as_of)
    key = Key(built.key.name, built.key.fingerprint, "") if built and built.key else None
    return Site(
        [],
        outside=msgspec.structs.replace(outside, stands=folder.stands),
        address=built.address if built else "",
        attached=Attached(key=key),
        fonts=_fonts(folder.font),
        **more,
    )


def _built(index: Page | None) -> _Built | None:
    try:
        return msgspec.json.decode(index.body, type=_Built) if index else None
    except msgspec.DecodeError:
        # An older build, or somebody else's folder.
        return None


def _fonts(found: Page | None) -> FontMaker | None:
    return (lambda _letters: Font(found.body, "")) if found else None


def preferred(header: str, codes: list[str]) -> str:
    """The language that `Accept-Language` asks for most, of these; the first of them where it asks for none."""
    best, most = codes[0], 0.0
    for part in header.lower().split(",")[:20]:
        name, _, weight_ = part.partition(";")
        code = name.strip().partition("-")[0]
        try:
            wish = float(weight_.partition("=")[2]) if weight_ else 1.0
        except ValueError:
            continue
        if code in codes and most < wish <= 1:
            best, most = code, wish
    return best
