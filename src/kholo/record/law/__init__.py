"""Rights and provisions concerned, as data: one file a country, one for what binds several. Facts, no judgement."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kholo.model import ReferenceDataError
from kholo.reference.places import names

SHIPPED = Path(__file__).parent
#: The file of what binds more than one country.
COMMON = "international.toml"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Provision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One provision, in our own words. `topic`: what it gives or allows.

    `role`: what it is for whoever asks for information under the law.
    """

    section: str
    topic: Literal["right", "information", "limits", "power", "remedy", "evidence"]
    says: str
    role: Literal["officer", "request", "time_limit", "exempt", "appeal"] | None = None


class Statute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One law. `id` is what a case names as `statute`; `address` leads to the official text, where it is known.

    `names` are those in other languages, `gives_effect_to` the provision of a constitution that it serves, by language.
    """

    id: str
    name: str
    year: int
    provision: tuple[Provision, ...]
    address: str | None = None
    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    gives_effect_to: Mapping[str, str] = msgspec.field(default_factory=dict)

    def name_in(self, language: str) -> str:
        """The name in a language, or as it is where that has none."""
        return self.names.get(language, self.name)

    def section_of(self, role: str) -> str | None:
        """The section with a role."""
        return next((one.section for one in self.provision if one.role == role), None)


class Law(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The law of one country (None: of many). `iccpr_since`: the year from which the Covenant binds it."""

    statute: tuple[Statute, ...]
    place: str | None = None
    iccpr_since: int | None = None


def load_law(folder: Path = SHIPPED) -> dict[str, Law]:
    """Every file of a folder by its place ("": what binds more than one). Raises `ReferenceDataError`."""
    found: dict[str, Law] = {}
    ids: set[str] = set()
    for path in sorted(folder.glob("*.toml")):
        try:
            law = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Law)
        except (ValueError, msgspec.ValidationError) as error:
            raise ReferenceDataError(f"{path.name}: {error}") from error
        mine = [one.id for one in law.statute]
        twice = sorted({name for name in mine if name in ids or mine.count(name) > 1})
        fault = _fault(path.name, law) or (f"ids that stand twice: {twice}" if twice else "")
        if fault:
            raise ReferenceDataError(f"{path.name}: {fault}")
        ids |= set(mine)
        found[law.place or ""] = law
    return found


def _fault(file: str, law: Law) -> str:
    if (law.place is None) != (file == COMMON):
        return f"a file of a country says its place; only {COMMON} has none"
    if law.place is not None and (law.place not in names() or file != f"{law.place.lower()}.toml"):
        return f"{law.place!r} is no country, or the file is not called by it"
    for one in law.statute:
        prefix = f"{law.place.lower()}-" if law.place else ""
        if not _ID.fullmatch(one.id) or not one.id.startswith(prefix):
            return f"{one.id!r} is no id; small letters, digits and hyphens, beginning with {prefix!r}"
        if not one.provision or not all(part.section and part.says for part in one.provision):
            return f"{one.id} has no provision, or an empty one"
        if one.address and (urlsplit(one.address).scheme != "https" or not urlsplit(one.address).hostname):
            return f"{one.id} has an address that is none"
    return ""


@cache
def _shipped() -> dict[str, Law]:
    return load_law()


def law_of(place: str) -> tuple[Law, ...]:
    """What is known of the law of a country: what binds more than one, if it does, and its own."""
    own = _shipped().get(place)
    return tuple(law for law in (_shipped().get(""), own) if law is not None)


def statute(name: str) -> Statute:
    """A law of the data by its id. Raises `KeyError`."""
    return {one.id: one for law in _shipped().values() for one in law.statute}[name]


def statute_name(name: str) -> str:
    """The name of a law by its id in the data; a name that is no id is given back as it is."""
    found = (one.name for law in _shipped().values() for one in law.statute if one.id == name)
    return next(found, name)
