"""The page of an actor: all that an authority said in a case, with each assessment, and how it held over time."""

from __future__ import annotations

from typing import Any

from kholo.model import ClockKind

from ..language import Language
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


def keys(site: Site) -> list[Key]:
    """One page for each actor that an entry is of."""
    return [
        (name, actor)
        for name, view in site.cases.items()
        for actor in sorted({entry.actor for entry in view.case.entries})
        if any(one.id == actor for one in view.case.actors)
    ]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The actor's entries, oldest first."""
    page = site.case(key[0], language)
    actor = page.actors[key[1]]
    mine = [row for row in page.entries if row.entry.actor == actor.id]
    claims = {claim.row.entry.id: claim for claim in (*page.claims, *page.checked_findings)}
    checked = [claims[row.entry.id] for row in mine if row.entry.id in claims]
    return {
        "title": actor.name,
        "named": True,
        **shared.of_case(page),
        "actor": actor,
        "rows": [(row, claims.get(row.entry.id)) for row in mine],
        "outcomes": [
            (outcome, sum(one.assessment.outcome is outcome for one in checked)) for outcome, _ in page.outcomes
        ],
        "checked": len(checked),
        "taken_back": {row.clock.entry_id: row.clock for row in page.clocks if row.clock.clock is ClockKind.RETRACTION},
    }


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every actor, by case."""
    pages = {name: site.case(name, language).actors for name in site.cases}
    rows = [(("actor", case, actor), pages[case][actor].name, [case]) for case, actor in keys(site)]
    return {"title": language.say("Who said it"), **shared.listing(site, rows, language)}


KIND = Kind("actor", "actors/{}/{}/", "actor.html", keys, content)
LIST = Kind("actors", "actors/", "list.html", only_one, listed)
