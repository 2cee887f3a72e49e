"""Pages that no build wrote: any measurement and incident of the store, and what is said where there is no page."""

from __future__ import annotations

import re
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

    What was made is kept until the index or the folder is another one.
    """

    def __init__(self, files: FolderPages, reader: Reader) -> None:
        self._files, self._reader = files, reader
        self._kept: Kept[Page] = Kept(_KEPT, weight)

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path. Raises `Problem` when the store is busy."""
        return self._files.page(path) or self._live(path)

    def missing(self, path: str, code: str) -> Page:
        """The page that says that there is none, with links that hold at this path."""
        first = path.split("/")[1]
        at = (first if first in language_codes() else "") + "/" * min(path.count("/") - 1, _DEEP)
        key = ("missing", at, code, self._state())
        known = self._kept.get(key)
        if known is None:
            known = page_of("index.html", Book(self._site(Outside())).missing(at, code))
            self._kept.put(key, known)
        return known

    def _live(self, path: str) -> Page | Moved | None:
        found = _LIVE.fullmatch(path)
        if found is None or found[1] not in language_codes() or segment(found[3]) != found[3]:
            return None
        if found[4] == "/index.html":
            path = path.removesuffix("index.html")
        current = self._reader.index.current()
        key = (path, current.verdicts_digest, current.facts_digest, current.set_name, self._state())
        known = self._kept.get(key)
        if known is not None:
            return known
        site = self._measurement(found[3], current) if found[2] == "measurements" else self._incident(found[3], current)
        if site is None:
            return None
        if not found[4]:
            return Moved(f"{path}/")
        body = Book(site).page_at(path[1:])
        if body is None:
            return None
        made = page_of("index.html", body, current.changed)
        self._kept.put(key, made)
        return made

    def _measurement(self, uid: str, current: Current) -> Site | None:
        found = self._reader.measurement(uid)
        if found is None:
            return None
        verdict, story = found
        index = self._reader.index
        name = self._reader.service_name(verdict.service) if verdict.service else verdict.input or verdict.test_name
        outside = Outside(
            measurements={uid: (name, verdict)},
            incidents={one.incident_id: (name, one) for one in around.incidents(index, current, verdict)},
            cases=around.cases(index, current, verdict),
        )
        return self._site(outside, stories={uid: story} if story else {})

    def _incident(self, name: str, current: Current) -> Site | None:
        found = self._reader.incident(name)
        if found is None:
            return None
        service, index = self._reader.service_name(found.service), self._reader.index
        known = around.proofs(index, current, found)
        outside = Outside(
            measurements={one.measurement_uid: (service, one) for one in known.verdicts},
            incidents={name: (service, found)},
            proofs={name: known.verdicts},
            slow=frozenset(known.slow),
            cases=around.cases(index, current, found),
        )
        return self._site(outside)

    def _state(self) -> str:
        """Tells builds of the folder apart."""
        index = self._files.page(_INDEX)
        return index.etag if isinstance(index, Page) else ""

    def _site(self, outside: Outside, **more: Any) -> Site:
        """A site without cases that looks as that of the folder, and leads to its pages."""
        built = self._built()
        if built is not None:
            outside = msgspec.structs.replace(outside, as_of=built.as_of)
        key = Key(built.key.name, built.key.fingerprint, "") if built and built.key else None
        return Site(
            [],
            outside=msgspec.structs.replace(outside, stands=self._stands),
            address=built.address if built else "",
            attached=Attached(key=key),
            fonts=self._font(),
            **more,
        )

    def _built(self) -> _Built | None:
        index = self._files.page(_INDEX)
        try:
            return msgspec.json.decode(index.body, type=_Built) if isinstance(index, Page) else None
        except msgspec.DecodeError:
            # An older build, or somebody else's folder.
            return None

    def _stands(self, path: str) -> bool:
        """A page of one language is there in all."""
        return self._files.stands(f"/{language_codes()[0]}/{path}index.html")

    def _font(self) -> FontMaker | None:
        found = self._files.page(_FONT)
        return (lambda _letters: Font(found.body, "")) if isinstance(found, Page) else None


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
