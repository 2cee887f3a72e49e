"""Links of one page, all relative: the same on a web host, on a USB stick and under an onion address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .language import Language

if TYPE_CHECKING:
    from .book import Book


class Here:
    """Where a page stands: `at` is its address, `en/cases/x/` ("": the root of the site)."""

    def __init__(self, book: Book, kind: str, key: tuple[str, ...], language: Language, at: str) -> None:
        self._book, self._kind, self._key, self._language, self.at = book, kind, key, language, at
        self.root = "../" * at.count("/")

    def to(self, kind: str, *key: str) -> str | None:
        """A link to a page of the same language; None where there is no such page."""
        path = self._book.path(kind, key)
        return None if path is None else f"{self.root}{self._language.code}/{path}index.html"

    def file(self, path: str) -> str:
        """A link to a file that is the same in every language: `data/x/data.json`."""
        return self.root + path

    def shown(self, path: str) -> str:
        """A file's address for those who look at the page from elsewhere; relative where the site does not know its."""
        address = self._book.site.address
        return f"{address.rstrip('/')}/{path}" if address else self.file(path)

    @property
    def languages(self) -> list[tuple[Language, str]]:
        """This page in every language, with its link; this one included."""
        path = self._book.path(self._kind, self._key) or ""
        return [(one, f"{self.root}{one.code}/{path}index.html") for one in self._book.site.languages]

    @property
    def address(self) -> str:
        """Where the page stands, for a citation: on the web, or below the site where it does not know its address."""
        path = self._book.path(self._kind, self._key) or ""
        return f"{self._book.site.address.rstrip('/')}/{self._language.code}/{path}"
