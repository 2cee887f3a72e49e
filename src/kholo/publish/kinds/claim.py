"""The page of a claim: what was said, what was checked, and how it stands."""

from __future__ import annotations

from typing import Any

from ..cards import Shared, card_path, stands
from ..charts.clockline import marks_on
from ..dates import ordinal
from ..language import Language
from ..rows import CasePage, ClockRow
from ..site import Site
from . import shared
from .kind import Key, Kind

MOST_CLOCKS = 3


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
        **shared.of_case(page),
        "claim": claim,
        "row": claim.row,
        "clocks": _clocks(page, key[1])[:MOST_CLOCKS],
        "shared": Shared(stands(claim, language), card_path(language, *key)),
    }


def _clocks(page: CasePage, entry_id: str) -> list[ClockRow]:
    """The clocks that it started, or that ran when it was said."""
    return [row for row in page.clocks if row.clock.entry_id == entry_id or entry_id in _marked(page, row)]


def _marked(page: CasePage, row: ClockRow) -> set[str]:
    marks = marks_on(row.clock, page.entries, ordinal(row.clock.stopped or page.view.as_of))
    return {one.entry.id for one in (*marks.said, *marks.asked)}


KIND = Kind("claim", "cases/{}/claims/{}/", "claim.html", keys, content)
