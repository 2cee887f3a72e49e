"""What several kinds of page show of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from kholo.model import IMPAIRED, Incident

from ..answer import case_incidents
from ..language import Language
from ..obeyed import Obeyed, obeyed
from ..pictures import band
from ..rows import CasePage, ClockRow, EntryRow
from ..site import Site, order_clocks


class OrderRow(msgspec.Struct, frozen=True):
    """An order with the headline of its clock."""

    page: CasePage
    row: EntryRow
    obeyed: Obeyed


class IncidentLine(msgspec.Struct, frozen=True):
    """An incident with the case that it stands in."""

    page: CasePage
    incident: Incident

    @property
    def is_open(self) -> bool:
        """Whether no end of it was measured."""
        return self.incident.end is None


def pages(site: Site, language: Language, names: Iterable[str] | None = None) -> list[CasePage]:
    """The cases (all of them, or these) as rows, real ones first."""
    chosen = None if names is None else set(names)
    return [site.case(view.case.id, language) for view in site.views if chosen is None or view.case.id in chosen]


def orders(found: Iterable[CasePage], language: Language) -> list[OrderRow]:
    """Orders with a duty that can be checked, real ones first, then the newest."""
    rows = [
        OrderRow(page, row, obeyed(order_clocks(page.view, row.entry.id), language))
        for page in found
        for row in page.duties
    ]
    return sorted(rows, key=lambda one: (one.page.view.simulated, -one.row.entry.earliest.toordinal()))


def incidents(found: Iterable[CasePage]) -> list[IncidentLine]:
    """The incidents of cases: open ones first, then the newest."""
    lines = [IncidentLine(page, row) for page in found for row in case_incidents(page.view)]
    return sorted(
        lines,
        key=lambda one: (
            one.page.view.simulated,
            not one.is_open,
            -one.incident.onset.latest.timestamp(),
            one.incident.incident_id,
        ),
    )


def running(found: Iterable[CasePage]) -> list[tuple[CasePage, ClockRow]]:
    """Clocks that still run, real ones first, those that count the most days first."""
    lines = [(page, row) for page in found for row in page.clocks if row.clock.stopped is None]
    return sorted(lines, key=lambda one: (one[0].view.simulated, -one[1].clock.days, one[0].view.case.id))


def blocked_now(found: Iterable[CasePage]) -> list[CasePage]:
    """Cases in which a block was still on when it was last measured, or when published findings last spoke of it."""
    return [page for page in found if _is_open(page)]


def _is_open(page: CasePage) -> bool:
    view = page.view
    if mine := case_incidents(view):
        return any(row.end is None and row.state in IMPAIRED for row in mine)
    claims = [mark.entry.proposition for mark in page.finding_marks]
    return any(claim and claim.state in IMPAIRED and claim.end > view.as_of for claim in claims)


def of_case(page: CasePage) -> dict[str, Any]:
    """What every page of one case takes."""
    view = page.view
    return {"page": page, "view": view, "case": view.case, "simulated": view.simulated, "cited": [view]}


def of_cases(found: Sequence[CasePage]) -> dict[str, Any]:
    """What every page over several cases takes; it says that it is invented where all of them are."""
    is_invented = bool(found) and all(page.view.simulated for page in found)
    return {"simulated": is_invented, "cited": [page.view for page in found]}


def cards(found: Iterable[CasePage], language: Language) -> list[tuple[CasePage, Markup]]:
    """The cases, each with its picture."""
    return [(page, band(page, language)) for page in found]


def cases_of(site: Site, service: str | None = None, place: str | None = None) -> list[str]:
    """Ids of the cases on a service, or in a country."""
    return [
        name
        for name, view in site.cases.items()
        if service in (None, view.case.service) and place in (None, view.case.place)
    ]


def collected(site: Site, names: Iterable[str], language: Language) -> dict[str, Any]:
    """What a page over several cases shows: their answers, orders, incidents and clocks."""
    found = pages(site, language, names)
    return {
        "cards": cards(found, language),
        "orders": orders(found, language),
        "lines": incidents(found),
        "clocks": running(found),
        **of_cases(found),
    }


def listing(
    site: Site, rows: Iterable[tuple[tuple[str, ...], str, Iterable[str]]], language: Language
) -> dict[str, Any]:
    """What a list page shows: a row for each target (kind of page and key), with its name and the cases it is in."""
    found = pages(site, language)
    by_id = {page.view.case.id: page for page in found}
    return {
        "rows": [(target, name, [by_id[one] for one in names]) for target, name, names in rows],
        **of_cases(found),
    }
