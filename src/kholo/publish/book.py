"""Every page of a site by its address, and one page at a time: the static build and a live server both ask here."""

from __future__ import annotations

from collections.abc import Iterator

from .environment import render
from .kinds import KINDS
from .kinds.kind import Key, Kind
from .language import Language
from .links import Here
from .site import Site


class Book:
    """The pages of a site. Made once for a site; `page_at` makes one page when it is asked for."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._kinds = {kind.name: kind for kind in KINDS}
        self._pages = {kind.path(key): (kind, key) for kind in KINDS for key in kind.keys(site)}
        self._languages = {one.code: one for one in site.languages}

    def path(self, kind: str, key: Key) -> str | None:
        """The address of a page below its language; None where there is no such page."""
        path = self._kinds[kind].path(key)
        return path if path in self._pages or self.site.outside.stands(path) else None

    def addresses(self) -> Iterator[str]:
        """Every address of every language: `ur/cases/x-pakistan-2024/`."""
        for code in self._languages:
            for path in self._pages:
                yield f"{code}/{path}"

    def page_at(self, address: str) -> bytes | None:
        """The page at an address (`en/`, `ur/cases/x/index.html`), or None where there is none."""
        code, _, path = address.removesuffix("index.html").partition("/")
        found = self._pages.get(path)
        if found is None or code not in self._languages:
            return None
        return self._made(*found, self._languages[code], f"{code}/{path}")

    def front(self) -> bytes:
        """The page at the root of the site: the front page in English, whose links lead into the languages."""
        return self._made(self._kinds["front"], (), self._languages["en"], "")

    def missing(self, address: str, code: str = "en") -> bytes:
        """What is shown at an address without a page, in its language, or in that of `code` where it names none."""
        language = self._languages.get(address.partition("/")[0]) or self._languages[code]
        here = Here(self.site, self.path, "front", (), language, address)
        title = language.say("There is no page here")
        content = {"title": title, "simulated": False, "cited": []}
        return render("missing.html", language, here=here, site=self.site, kind="missing", **content)

    def _made(self, kind: Kind, key: Key, language: Language, at: str) -> bytes:
        content = kind.content(self.site, key, language)
        here = Here(self.site, self.path, kind.name, key, language, at)
        return render(kind.template, language, here=here, site=self.site, kind=kind.name, **content)
