"""The front page: what is blocked now, what was ordered, the oldest clocks; and the list of cases."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one

MOST_CLOCKS = 6
MOST_ORDERS = 12


def content(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """All cases with their answers; of orders the newest, of clocks the oldest."""
    pages = shared.pages(site, language)
    orders = shared.orders(pages, language)
    return {
        "title": language.say("kholo: internet blocking, checked"),
        "cards": shared.cards(pages, language),
        "blocked": shared.blocked_now(pages),
        "orders": orders[:MOST_ORDERS],
        "more_orders": max(0, len(orders) - MOST_ORDERS),
        "clocks": shared.running(pages)[:MOST_CLOCKS],
        **shared.of_cases(pages),
    }


def cases(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """The list of cases."""
    pages = shared.pages(site, language)
    return {
        "title": language.say("Cases"),
        "cards": shared.cards(pages, language),
        **shared.of_cases(pages),
    }


KIND = Kind("front", "", "front.html", only_one, content)
CASES = Kind("cases", "cases/", "cases.html", only_one, cases)
