"""The bulletin of a case: what is known, what is not, and what was corrected, on one page for passing on."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..site import Site
from .embed import keys
from .kind import Key, Kind
from .shared import orders


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The case in short."""
    page = site.case(key[0], language)
    return {
        "title": language.say("Bulletin: {title}", title=page.view.case.title),
        "page": page,
        "view": page.view,
        "case": page.view.case,
        "orders": orders([page], language),
        "simulated": page.view.simulated,
        "cited": [page.view],
    }


KIND = Kind("bulletin", "cases/{}/bulletin/", "bulletin.html", keys, content)
