"""The table of resources: addresses, parameters and rows. Routes, the OpenAPI document and docs/api.md come from it."""

from __future__ import annotations

from typing import Any

import msgspec

from kholo.judge import Rule
from kholo.model import DayState, Incident, Verdict

from . import params as p
from .params import Param
from .rows import (
    AssessmentRow,
    CaseRow,
    ClockRow,
    EntryRow,
    Explained,
    NetworkRow,
    ProblemKind,
    ServiceRow,
    SignalRow,
)

ROOT = "/api/v1"
JSON, LINES, CSV = "application/json", "application/jsonl", "text/csv"
FORMATS = {"json": JSON, "jsonl": LINES, "csv": CSV}


class Resource(msgspec.Struct, frozen=True):
    """One address, or one for each id. `kind` says what is read: verdicts, a kind of fact, or what is always there.

    A list has pages. `row` is the type of its items, or of the one item.
    """

    name: str
    path: str
    about: str
    kind: str
    row: type[msgspec.Struct] | None
    params: tuple[Param, ...] = ()
    is_list: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the formats that it is given in."""
        return tuple(FORMATS) if self.is_list else ("json",)

    def schema(self) -> dict[str, Any]:
        """The schema of an item, its own types within `$defs`-like components left to the caller."""
        return msgspec.json.schema(self.row) if self.row else {"type": "object"}


def _list(name: str, path: str, about: str, kind: str, row: type[msgspec.Struct], *params: Param) -> Resource:
    paging = (p.LIMIT, p.CURSOR, p.FORMAT)
    return Resource(name, f"{ROOT}{path}", about, kind, row, (*params, *paging), True)


def _one(name: str, path: str, about: str, kind: str, row: type[msgspec.Struct] | None, *params: Param) -> Resource:
    return Resource(name, f"{ROOT}{path}", about, kind, row, (*params, p.ONE_FORMAT))


_WHAT = (p.SERVICE, p.PLACE)
_TIME = (p.SINCE, p.UNTIL)
RESOURCES = (
    _one("index", "/", "What there is, and the state of the store that is served.", "index", None),
    _list("cases", "/cases", "Cases: what each is about, and its answer in a sentence.", "case", CaseRow,
          *_WHAT, p.SIMULATED),
    _one("case", "/cases/{case}", "One case.", "case", CaseRow, p.CASE),
    _list("case_assessments", "/cases/{case}/assessments", "Claims of a case set against the evidence, as `kholo"
          " assess` has them.", "assessment", AssessmentRow, p.CASE),
    _list("case_clocks", "/cases/{case}/clocks", "Clocks of a case, as `kholo clocks` has them.", "clock", ClockRow,
          p.CASE),
    _list("case_entries", "/cases/{case}/entries", "The record of a case: statements, orders, findings.", "entry",
          EntryRow, p.CASE),
    _list("incidents", "/incidents", "Events that the measurements show, by id.", "incident", Incident,
          *_WHAT, p.NETWORK, p.STATE, *_TIME, p.SIMULATED),
    _one("incident", "/incidents/{incident}", "One incident. An id from before late data moved it is understood"
         " where it can mean one only.", "incident", Incident, p.INCIDENT),
    _list("verdicts", "/verdicts", "Verdicts by the time of measurement, one a measurement. A page may hold fewer rows"
          " than `limit`, or none, and still have a `next`: ask on until there is none. All pages of one walk show the"
          " store as it was at the first.", "verdict", Verdict,
          *_WHAT, p.NETWORK, p.STATE, p.VANTAGE, *_TIME, p.SIMULATED, p.ORDER),
    _one("verdict", "/verdicts/{uid}", "One verdict and how it came about, as `kholo explain` has it.", "verdict",
         Explained, p.UID),
    _list("days", "/days", "Each day of each service and network; too little data is `insufficient`, never `ok`.",
          "day", DayState, *_WHAT, p.NETWORK, p.STATE, *_TIME, p.SIMULATED),
    _list("signals", "/signals", "What archives say of whole lines: levels and outages.", "signal", SignalRow,
          p.SOURCE, p.SIGNAL_KIND, p.PLACE, p.NETWORK, *_TIME, p.SIMULATED),
    _list("services", "/services", "Services, and the hosts that belong to them.", "service", ServiceRow, p.SIMULATED),
    _list("networks", "/networks", "Networks of which there are verdicts.", "network", NetworkRow,
          p.PLACE, p.NETWORK, p.SIMULATED),
    _list("rules", "/rules", "The rules that judge, in the order in which they are tried.", "rule", Rule),
    _one("problem", "/problems/{problem}", "What a kind of problem means.", "problem", ProblemKind, p.PROBLEM),
    _one("openapi", "/openapi.json", "This interface as an OpenAPI 3.1 document.", "openapi", None),
)  # fmt: skip

_BY_SHAPE = {
    (len(parts), *((place, part) for place, part in enumerate(parts) if not part.startswith("{"))): one
    for one in RESOURCES
    for parts in [one.path.removeprefix(ROOT).split("/")[1:]]
}


def find(path: str) -> tuple[Resource, dict[str, str]] | None:
    """The resource at a path (already decoded part by part), and the ids in it."""
    parts = path.removeprefix(ROOT).split("/")[1:]
    for shape in _shapes(parts):
        if (one := _BY_SHAPE.get(shape)) is not None:
            names = one.path.removeprefix(ROOT).split("/")[1:]
            return one, {name[1:-1]: part for name, part in zip(names, parts, strict=True) if name.startswith("{")}
    return None


def _shapes(parts: list[str]) -> list[tuple[Any, ...]]:
    """How the path may be read: its last but one or its last part an id, or neither."""
    whole = (len(parts), *enumerate(parts))
    if len(parts) == 2:
        return [whole, (2, (0, parts[0]))]
    if len(parts) == 3:
        return [(3, (0, parts[0]), (2, parts[2]))]
    return [whole]
