"""The page of a claim: what was said, what was checked, and how it stands."""

from __future__ import annotations

from typing import Any

from ..cards import Shared, card_path, stands
from ..language import Language
from ..site import Site
from .kind import Key, Kind


def keys(site: Site) -> list[Key]:
    """One page for each entry that was set against the evidence."""
    return [(name, row.entry_id) for name, view in site.cases.items() for row in view.assessments]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The claim with its assessment."""
    page = site.case(key[0], language)
    claim = next(one for one in (*page.claims, *page.checked_findings) if one.row.entry.id == key[1])
    return {
        "title": claim.row.entry.title,
        "named": True,
        "page": page,
        "view": page.view,
        "claim": claim,
        "row": claim.row,
        "shared": Shared(stands(claim, language), card_path(language, *key)),
        "simulated": page.view.simulated,
        "cited": [page.view],
    }


KIND = Kind("claim", "cases/{}/claims/{}/", "claim.html", keys, content)
