"""The bulletin of a case: what is known, what is not, and what was corrected, on one page for passing on."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..site import Site
from . import shared
from .embed import keys
from .kind import Key, Kind


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The case in short."""
    page = site.case(key[0], language)
    return {
        "title": language.say("Bulletin: {title}", title=page.view.case.title),
        **shared.of_case(page),
        "orders": shared.orders([page], language),
    }


KIND = Kind("bulletin", "cases/{}/bulletin/", "bulletin.html", keys, content)
