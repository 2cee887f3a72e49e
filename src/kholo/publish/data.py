"""data.json: the same facts for machines, in the public JSON names."""

from __future__ import annotations

from typing import Any

import msgspec

from .answer import Answer, case_incidents
from .charts.shares import share_rows
from .charts.throughput import speed_rows
from .dates import stamp
from .jsontext import json_bytes
from .rows import CasePage
from .words import NOTICE

LICENCE = "CC-BY-4.0"


def case_data(page: CasePage) -> bytes:
    """The JSON of a case."""
    return json_bytes(case_content(page))


def case_content(page: CasePage) -> dict[str, Any]:
    """What was computed of a case, in plain values."""
    view = page.view
    invented = view.simulated
    content: dict[str, Any] = {"simulated": invented}
    if invented:
        content["notice"] = NOTICE
    content |= {
        "case": view.case.id,
        "title": view.case.title,
        "service": view.case.service,
        "place": view.case.place,
        "start": view.case.start.isoformat(),
        "end": view.case.end.isoformat() if view.case.end else None,
        "as_of": stamp(view.as_of),
        "answer": _answer(page.answer),
        "measurements": view.measurements,
        "rejects": view.rejects,
        "states": {state.value: number for state, number in sorted(view.states.items())},
        "versions": msgspec.to_builtins(view.versions),
        "incidents": [_row(row, invented) for row in case_incidents(view)],
        "assessments": [_row(row, invented) for row in sorted(view.assessments, key=assessment_key)],
        "clocks": [_row(row, invented) for row in sorted(view.clocks, key=clock_key)],
        "test": [_row(row, invented) for row in view.checklist],
        "slow": [_row(row, invented) for row in view.slow],
        "speeds": msgspec.to_builtins(list(speed_rows(view))),
        "networks": msgspec.to_builtins(list(share_rows(view))),
        "effect": _row(view.effect, invented) if view.effect else None,
        "others": _others(page, invented),
        "days": [_row(row, invented) for row in sorted(view.days, key=day_key)],
        "licence": LICENCE,
    }
    return content


def _others(page: CasePage, invented: bool) -> dict[str, Any]:
    """What is no evidence of a block: incidents taken back, outages, collapses, and what no user's line saw."""
    others = page.view.others
    return {
        "taken_back": [_row(row.incident, invented) for row in page.taken_back],
        "outages": [_row(row, invented) for row in others.outages],
        "collapses": [_row(row, invented) for row in others.collapses],
        "elsewhere": [_row(row, invented) for row in others.elsewhere],
    }


def assessment_key(row: Any) -> tuple[Any, ...]:
    """The order of assessments in files."""
    return (row.date, row.entry_id)


def clock_key(row: Any) -> tuple[Any, ...]:
    """The order of clocks in files."""
    return (row.clock, row.entry_id, row.network or "", row.started)


def day_key(row: Any) -> tuple[Any, ...]:
    """The order of days in files."""
    return (row.network, row.day)


def _row(row: msgspec.Struct, invented: bool) -> dict[str, Any]:
    """One row; in a view with anything invented in it every row says so."""
    fields: dict[str, Any] = msgspec.to_builtins(row)
    fields["simulated"] = bool(fields.get("simulated")) or invented
    return fields


def _answer(answer: Answer) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(answer)
    return fields
