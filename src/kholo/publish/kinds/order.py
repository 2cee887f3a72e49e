"""The page of an order: what was ordered, by when, whether it was obeyed, and what the authority answered."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..obeyed import replies
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


def keys(site: Site) -> list[Key]:
    """One page for each order with a duty that can be checked."""
    return [
        (name, entry.id)
        for name, view in site.cases.items()
        for entry in view.case.entries
        if entry.obligation is not None
    ]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The order with its clocks, over the whole place and by network."""
    page = site.case(key[0], language)
    (order,) = (one for one in shared.orders([page], language) if one.row.entry.id == key[1])
    after = {entry.id for entry in replies(page.view, order.row.entry)}
    return {
        "title": order.row.entry.title,
        "named": True,
        **shared.of_case(page),
        "order": order,
        "row": order.row,
        "clocks": [row for row in page.clocks if row.clock.entry_id == key[1] and row.clock.clock == "compliance"],
        "replies": [row for row in page.entries if row.entry.id in after],
    }


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every order."""
    pages = shared.pages(site, language)
    return {
        "title": language.say("Orders"),
        "orders": shared.orders(pages, language),
        **shared.of_cases(pages),
    }


KIND = Kind("order", "cases/{}/orders/{}/", "order.html", keys, content)
LIST = Kind("orders", "orders/", "orders.html", only_one, listed)
