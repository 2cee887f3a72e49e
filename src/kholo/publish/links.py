"""Links of one page, all relative: the same on a web host, on a USB stick and under an onion address."""

from __future__ import annotations

from collections.abc import Callable

from .language import Language
from .site import Site

#: The address of a page below its language, by its kind and key; None where there is no such page.
PathOf = Callable[[str, tuple[str, ...]], str | None]


class Here:
    """Where a page stands: `at` is its address, `en/cases/x/` ("": the root of the site)."""

    def __init__(
        self, site: Site, path_of: PathOf, kind: str, key: tuple[str, ...], language: Language, at: str
    ) -> None:
        self._site, self._path_of, self._language, self.at = site, path_of, language, at
        self._path = path_of(kind, key) or ""
        self.root = "../" * at.count("/")

    def to(self, kind: str, *key: str) -> str | None:
        """A link to a page of the same language; None where there is no such page."""
        path = self._path_of(kind, key)
        return None if path is None else f"{self.root}{self._language.code}/{path}index.html"

    def file(self, path: str) -> str:
        """A link to a file that is the same in every language: `data/x/data.json`."""
        return self.root + path

    def shown(self, path: str) -> str:
        """A file's address for those who look at the page from elsewhere; relative where the site does not know its."""
        address = self._site.address
        return f"{address.rstrip('/')}/{path}" if address else self.file(path)

    @property
    def languages(self) -> list[tuple[Language, str]]:
        """This page in every language, with its link; this one included."""
        return [(one, f"{self.root}{one.code}/{self._path}index.html") for one in self._site.languages]

    @property
    def address(self) -> str:
        """Where the page stands, for a citation: on the web, or below the site where it does not know its address."""
        return f"{self._site.address.rstrip('/')}/{self._language.code}/{self._path}"
