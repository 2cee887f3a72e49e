"""gettext catalogues: a language is a folder with a .po file, compiled when it is first asked for."""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO

import msgspec
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from kholo.model import ReferenceDataError
from kholo.record.translations import is_machine


class Catalogue(msgspec.Struct, frozen=True):
    """The texts of one language. `is_reviewed`: a person has read all of them."""

    texts: NullTranslations
    is_reviewed: bool


class Domain(msgspec.Struct, frozen=True):
    """Texts with catalogues of their own: the folder of the languages, and what their files are called."""

    folder: Traversable
    name: str

    def codes(self) -> list[str]:
        """The languages there are catalogues for."""
        return sorted(item.name for item in self.folder.iterdir() if self.path(item.name).is_file())

    def path(self, code: str) -> Traversable:
        """Where the catalogue of a language is."""
        return self.folder / code / "LC_MESSAGES" / f"{self.name}.po"

    def catalogue(self, code: str) -> Catalogue:
        """The catalogue of a language. Raises `KeyError` where there is none, `ReferenceDataError` if it is damaged."""
        if code not in self.codes():
            raise KeyError(code)
        return read(self.path(code).read_bytes(), code, self.name)


#: The texts of the pages.
PAGES = Domain(resources.files(__package__) / "languages", "kholo")


def read(content: bytes, code: str, domain: str) -> Catalogue:
    """A catalogue from the bytes of a .po file. Raises `ReferenceDataError`."""
    try:
        messages = read_po(BytesIO(content), domain=domain, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise ReferenceDataError(f"{code}/{domain}.po: {error}") from error
    made = BytesIO()
    write_mo(made, messages)
    made.seek(0)
    is_reviewed = not any(is_machine(message) for message in messages if message.id)
    return Catalogue(GNUTranslations(made), is_reviewed)


def english() -> Catalogue:
    """English is the source: nothing is looked up."""
    return Catalogue(NullTranslations(), True)
