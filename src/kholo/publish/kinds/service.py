"""The page of a service over all its cases, and the list of services."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..site import Site
from ..words import names_of_service
from . import shared
from .kind import Key, Kind, only_one


def keys(site: Site) -> list[Key]:
    """One page a service."""
    return [(name,) for name in site.services]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """Everything on the service."""
    mine = [name for name, view in site.cases.items() if view.case.service == key[0]]
    return {
        "title": site.services[key[0]],
        "names": names_of_service(site.services[key[0]], language),
        "named": True,
        "what": "service",
        **shared.collected(site, mine, language),
    }


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every service."""
    rows = [(("service", key), name, shared.cases_of(site, service=key)) for key, name in site.services.items()]
    return {"title": language.say("Services"), **shared.listing(site, rows, language)}


KIND = Kind("service", "services/{}/", "collected.html", keys, content)
LIST = Kind("services", "services/", "list.html", only_one, listed)
