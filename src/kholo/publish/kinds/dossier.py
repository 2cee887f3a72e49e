"""The page of a sealed dossier: its digests, where it stands in the log, and how to check it."""

from __future__ import annotations

from typing import Any

from ..inventory import DOSSIERS, LOG, address_of
from ..language import Language
from ..site import Site
from . import shared
from .kind import Key, Kind


def keys(site: Site) -> list[Key]:
    """One page a dossier, those that were replaced included."""
    return [(name, one.short) for name in site.cases for one in site.dossiers_of(name)]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The dossier, and the others of its case."""
    page = site.case(key[0], language)
    found = site.dossiers_of(key[0])
    has_log = any(one.path.startswith(LOG) for one in site.attached.copies)
    return {
        "title": language.say("Dossier: {title}", title=page.view.case.title),
        **shared.of_case(page),
        "dossier": next(one for one in found if one.short == key[1]),
        "others": [one for one in found if one.short != key[1]],
        "path": DOSSIERS,
        "publisher": site.attached.key.fingerprint if site.attached.key else "",
        "log": (f"{address_of(site)}/{LOG}" if address_of(site) else LOG).rstrip("/") if has_log else "",
    }


KIND = Kind("dossier", "dossiers/{}/{}/", "dossier.html", keys, content)
