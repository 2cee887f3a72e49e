"""gettext catalogues: a language is a folder with one .po file, compiled when it is first asked for."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO

import msgspec
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from kholo.model import ReferenceDataError

DOMAIN = "kholo"
#: What stands above an entry of a catalogue that no person has read yet.
MACHINE = "machine text"
_FOLDER = resources.files(__package__) / "languages"


class Catalogue(msgspec.Struct, frozen=True):
    """The texts of one language. `is_reviewed`: a person has read all of them."""

    texts: NullTranslations
    is_reviewed: bool


def codes() -> list[str]:
    """The languages there are catalogues for."""
    return sorted(item.name for item in _FOLDER.iterdir() if path(item.name).is_file())


def path(code: str) -> Traversable:
    """Where the catalogue of a language is."""
    return _FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def catalogue(code: str) -> Catalogue:
    """The catalogue of a language. Raises `KeyError` where there is none, `ReferenceDataError` where it is damaged."""
    if code not in codes():
        raise KeyError(code)
    return read(path(code).read_bytes(), code)


def read(content: bytes, code: str) -> Catalogue:
    """A catalogue from the bytes of a .po file. Raises `ReferenceDataError`."""
    try:
        messages = read_po(BytesIO(content), domain=DOMAIN, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise ReferenceDataError(f"{code}/{DOMAIN}.po: {error}") from error
    made = BytesIO()
    write_mo(made, messages)
    made.seek(0)
    is_reviewed = not any(MACHINE in message.user_comments for message in messages if message.id)
    return Catalogue(GNUTranslations(made), is_reviewed)


def english() -> Catalogue:
    """English is the source: nothing is looked up."""
    return Catalogue(NullTranslations(), True)
