"""Pages that no build wrote: any measurement and incident of the store, and what is said where there is no page."""

from __future__ import annotations

import re
from functools import lru_cache

from kholo.publish import Book, Outside, Site
from kholo.publish.language import language_codes
from kholo.publish.safe import segment

from .pages import Moved, Page, Pages, page_of
from .query import Reader

_LIVE = re.compile(r"/([A-Za-z-]{1,20})/(measurements|incidents)/([A-Za-z0-9_.-]{1,120})(/|/index\.html)?")
#: Steps down from the root after which a link to it is as good as one from here.
_DEEP = 20


class LivePages:
    """The pages of a folder; where it has none, those that can be made from the index and the store."""

    def __init__(self, files: Pages, reader: Reader) -> None:
        self._files, self._reader = files, reader

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path. Raises `Problem` when the store is busy."""
        return self._files.page(path) or self._made(path)

    def missing(self, path: str) -> Page:
        """The page that says that there is none, with links that hold at this path."""
        return _missing(path.split("/")[1], min(path.count("/") - 1, _DEEP))

    def _made(self, path: str) -> Page | Moved | None:
        found = _LIVE.fullmatch(path)
        if found is None or found[1] not in language_codes() or segment(found[3]) != found[3]:
            return None
        site = self._measurement(found[3]) if found[2] == "measurements" else self._incident(found[3])
        if site is None:
            return None
        if not found[4]:
            return Moved(f"{path}/")
        body = Book(site).page_at(f"{path[1:].removesuffix('index.html')}")
        return None if body is None else page_of("index.html", body)

    def _measurement(self, uid: str) -> Site | None:
        found = self._reader.measurement(uid)
        if found is None:
            return None
        verdict, story = found
        name = self._reader.service_name(verdict.service) if verdict.service else verdict.input or verdict.test_name
        return Site([], stories={uid: story} if story else {}, outside=Outside(measurements={uid: (name, verdict)}))

    def _incident(self, name: str) -> Site | None:
        found = self._reader.incident(name)
        if found is None:
            return None
        return Site([], outside=Outside(incidents={name: (self._reader.service_name(found.service), found)}))


@lru_cache(maxsize=256)
def _missing(first: str, deep: int) -> Page:
    code = first if first in language_codes() else "en"
    return page_of("index.html", Book(Site([])).missing(code + "/" * deep))


def preferred(header: str, codes: list[str]) -> str:
    """The language that `Accept-Language` asks for most, of these; the first of them where it asks for none."""
    best, most = codes[0], 0.0
    for part in header.lower().split(",")[:20]:
        name, _, weight = part.partition(";")
        code = name.strip().partition("-")[0]
        try:
            wish = float(weight.partition("=")[2]) if weight else 1.0
        except ValueError:
            continue
        if code in codes and most < wish <= 1:
            best, most = code, wish
    return best
