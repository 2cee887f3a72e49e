"""The page of a network over all cases that it was measured in, and the list of networks."""

from __future__ import annotations

from typing import Any

from ..charts.calendar import calendar
from ..charts.frame import Chart
from ..language import Language
from ..rows import CasePage
from ..site import Site
from ..spans import by_network, runs
from . import shared
from .kind import Key, Kind, only_one

#: Rows of states shown of one case before the rest is left to its data.
MOST_RUNS = 60


def keys(site: Site) -> list[Key]:
    """One page a network."""
    return [(name,) for name in site.networks]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """What was measured on the network, case by case, and the clocks of orders on it."""
    network = key[0]
    pages = shared.pages(site, language, site.networks[network])
    measured = [(page, runs(by_network(page.view.days).get(network, []))) for page in pages]
    name = site.network_name(network)
    return {
        "title": f"{network} {name}".rstrip(),
        "named": True,
        "network": network,
        "measured": [
            (
                page,
                found[:MOST_RUNS],
                max(0, len(found) - MOST_RUNS),
                _calendar(page, network, f"days{number}", language),
            )
            for number, (page, found) in enumerate(measured)
        ],
        "lines": [line for line in shared.incidents(pages) if network in line.incident.networks],
        "clocks": [
            (page, row, clock)
            for page in pages
            for row in page.clocks
            for clock in (*row.networks, row.clock)
            if clock.network == network
        ],
        **shared.of_cases(pages),
    }


def _calendar(page: CasePage, network: str, key: str, language: Language) -> Chart | None:
    mine = [row for row in page.view.days if row.network == network]
    return calendar(page.view, mine, page.view.window, language.say("Calendar of this network"), key, language)


def listed(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Every network."""
    rows = [
        (("network", network), f"{network} {site.network_name(network)}".rstrip(), names)
        for network, names in site.networks.items()
    ]
    return {"title": language.say("Networks"), **shared.listing(site, rows, language)}


KIND = Kind("network", "networks/{}/", "network.html", keys, content)
LIST = Kind("networks", "networks/", "list.html", only_one, listed)
