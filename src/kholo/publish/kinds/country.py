"""The page of a country over all its cases, and the list of countries."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


def keys(site: Site) -> list[Key]:
    """One page a country."""
    return [(code.lower(),) for code in site.countries]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """Everything on the country."""
    code = key[0].upper()
    return {
        "title": language.place(code),
        "what": "country",
        **shared.collected(site, shared.cases_of(site, place=code), language),
    }


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every country."""
    rows = [
        (("country", code.lower()), language.place(code), shared.cases_of(site, place=code)) for code in site.countries
    ]
    rows.sort(key=lambda row: language.order(row[1]))
    return {"title": language.say("Countries"), **shared.listing(site, rows, language)}


KIND = Kind("country", "countries/{}/", "collected.html", keys, content)
LIST = Kind("countries", "countries/", "list.html", only_one, listed)
