"""A case as flat tables: what was said and everything that was computed, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from kholo.model import Assessment, Case, Checked, Clock, DayState, Entry, Incident, LegalBasis, NetworkSpell, Source

from ..answer import case_incidents
from ..charts.shares import COLUMNS as NETWORK_COLUMNS
from ..charts.shares import share_rows
from ..charts.throughput import COLUMNS as SPEED_COLUMNS
from ..charts.throughput import speed_rows
from ..csvtext import csv_bytes
from ..data import LICENCE, assessment_key, clock_key, day_key
from ..dates import stamp
from ..rows import CasePage
from ..view import CaseView
from ..words import NOTICE

#: Tables of an entry that become columns of its row, with the struct's `start` and `end` as the case format has them.
_INSIDE = {
    "proposition": ("service", "place", "state", "start", "end", "networks"),
    "obligation": ("service", "place", "state", "due", "until", "networks"),
    "stay": ("start", "end"),
    "reply": ("due",),
}
_FORMAT_NAMES = {"proposition_start": "proposition_from", "proposition_end": "proposition_to"}
_FORMAT_NAMES |= {"stay_start": "stay_from", "stay_end": "stay_until"}
_ELSEWHERE = frozenset({"sources", "legal_basis", "file", *_INSIDE})
_PLAIN = tuple(name for name in Entry.__struct_fields__ if name not in _ELSEWHERE)
ENTRY_COLUMNS = (
    *_PLAIN,
    *(_FORMAT_NAMES.get(f"{t}_{k}", f"{t}_{k}") for t, keys in _INSIDE.items() for k in keys),
    "simulated",
)
#: What of an incident and a spell has columns of its own, or no place in a flat table.
_INCIDENT = ("onset", "end", "spells", "hours", "said")
_BRACKETS = ("onset_earliest", "onset_latest", "end_earliest", "end_latest")


#: Rows of a table, and the names of its columns.
Table = tuple[Iterable[dict[str, Any]], tuple[str, ...]]


def csv_files(page: CasePage) -> dict[str, bytes]:
    """One CSV a table, by file name. Every row says whether it is simulated."""
    return {f"{name}.csv": csv_bytes(rows, columns) for name, (rows, columns) in case_tables(page).items()}


def case_tables(page: CasePage) -> dict[str, Table]:
    """Every table of a case by its name."""
    view = page.view
    return {
        "about": (_about(view), ("key", "value", "simulated")),
        "actors": (_structs(view, view.case.actors), ("id", "name", "role", "simulated")),
        "entries": (entry_rows(view), ENTRY_COLUMNS),
        "sources": (_parts(view, "sources"), ("entry_id", "number", *Source.__struct_fields__, "simulated")),
        "legal-basis": (
            _parts(view, "legal_basis"),
            ("entry_id", "number", *LegalBasis.__struct_fields__, "simulated"),
        ),
        "assessments": (
            _structs(view, sorted(view.assessments, key=assessment_key)),
            (*Assessment.__struct_fields__, "simulated"),
        ),
        "clocks": (_structs(view, sorted(view.clocks, key=clock_key)), (*Clock.__struct_fields__, "simulated")),
        "three-part-test": (_structs(view, view.checklist), (*Checked.__struct_fields__, "simulated")),
        "incidents": (_incidents(view), _columns_of(Incident, _INCIDENT)),
        "spells": (_spells(view), ("incident_id", *_columns_of(NetworkSpell, _INCIDENT), "simulated")),
        "networks": (share_rows(view), NETWORK_COLUMNS),
        "speeds": (speed_rows(view), SPEED_COLUMNS),
        "days": (_structs(view, sorted(view.days, key=day_key)), DayState.__struct_fields__),
    }


def entry_rows(view: CaseView) -> Iterable[dict[str, Any]]:
    """Entries of the record, each a flat row."""
    for entry in view.case.entries:
        row = {name: getattr(entry, name) for name in _PLAIN}
        for table, keys in _INSIDE.items():
            inside = getattr(entry, table)
            for key in keys:
                name = f"{table}_{key}"
                row[_FORMAT_NAMES.get(name, name)] = getattr(inside, key) if inside else None
        yield row | {"simulated": view.simulated}


def _about(view: CaseView) -> list[dict[str, Any]]:
    case: Case = view.case
    facts: dict[str, Any] = {"notice": NOTICE} if view.simulated else {}
    facts |= {
        "case": case.id, "title": case.title, "service": case.service, "place": case.place, "summary": case.summary,
        "start": case.start, "end": case.end, "as_of": stamp(view.as_of), "measurements": view.measurements,
        "licence": LICENCE,
    }  # fmt: skip
    facts |= {f"version_{key}": value for key, value in msgspec.structs.asdict(view.versions).items()}
    rows = [{"key": key, "value": value} for key, value in facts.items()]
    rows += [{"key": "limit", "value": limit} for limit in case.limits]
    return [row | {"simulated": view.simulated} for row in rows]


def _structs(view: CaseView, items: Iterable[msgspec.Struct]) -> Iterable[dict[str, Any]]:
    for item in items:
        row = msgspec.structs.asdict(item)
        yield row | {"simulated": bool(row.get("simulated")) or view.simulated}


def _parts(view: CaseView, name: str) -> Iterable[dict[str, Any]]:
    for entry in view.case.entries:
        for number, part in enumerate(getattr(entry, name), 1):
            yield {"entry_id": entry.id, "number": number, **msgspec.structs.asdict(part), "simulated": view.simulated}


def _incidents(view: CaseView) -> Iterable[dict[str, Any]]:
    for incident in case_incidents(view):
        yield _bracketed(incident) | {"simulated": incident.simulated or view.simulated}


def _spells(view: CaseView) -> Iterable[dict[str, Any]]:
    for incident in case_incidents(view):
        for spell in incident.spells:
            yield {"incident_id": incident.incident_id, **_bracketed(spell), "simulated": view.simulated}


def _columns_of(kind: type[msgspec.Struct], without: tuple[str, ...]) -> tuple[str, ...]:
    return (*(name for name in kind.__struct_fields__ if name not in without), *_BRACKETS)


def _bracketed(item: Incident | NetworkSpell) -> dict[str, Any]:
    row = {key: value for key, value in msgspec.structs.asdict(item).items() if key not in _INCIDENT}
    return row | {
        "onset_earliest": item.onset.earliest,
        "onset_latest": item.onset.latest,
        "end_earliest": item.end.earliest if item.end else None,
        "end_latest": item.end.latest if item.end else None,
    }
