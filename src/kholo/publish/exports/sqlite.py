"""Cases as one SQLite file: the tables of `tables.py`, and the verdicts. Ready for Datasette, with its metadata.

Rows go in one after another, so that memory does not grow with them. The same cases give the same bytes, by the same
SQLite.
"""

from __future__ import annotations

import filecmp
import os
import sqlite3
import tempfile
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec

from kholo.detect.lines import Outage
from kholo.disk import write_if_changed
from kholo.model import (
    Actor,
    Assessment,
    Checked,
    Clock,
    DayState,
    Entry,
    EnvironmentFault,
    Incident,
    LegalBasis,
    NetworkSpell,
    Source,
    Verdict,
)  # fmt: skip

from ..data import LICENCE
from ..dates import stamp
from ..jsontext import json_bytes
from ..rows import CasePage
from ..safe import visible
from .tables import case_tables
from .words import COLUMNS, TABLES, UNITS

#: Verdicts of a case as public rows, by time and id.
Verdicts = Callable[[CasePage], Iterable[dict[str, Any]]]

_PAGE = 4_096
_STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "actors": Actor, "entries": Entry, "sources": Source, "legal_basis": LegalBasis, "assessments": Assessment,
    "clocks": Clock, "three_part_test": Checked, "incidents": Incident, "spells": NetworkSpell, "days": DayState,
    "signals": Outage, "verdicts": Verdict,
}  # fmt: skip
_SQL_TYPES = {int: "INTEGER", bool: "INTEGER", float: "REAL"}

#: What makes a row of a table the only one, beside its case.
_KEYS = {
    "actors": ("id",),
    "entries": ("id",),
    "sources": ("entry_id", "number"),
    "legal_basis": ("entry_id", "number"),
    "assessments": ("entry_id",),
    "incidents": ("incident_id",),
    "networks": ("network",),
    "speeds": ("network", "first"),
    "days": ("network", "day"),
    "verdicts": ("measurement_uid",),
}
#: Columns that name a row of another table. A clock is of an entry or of an incident, so its column is none of them.
_REFERENCES = {
    "entries": (("actor", "actors", "id"),),
    "sources": (("entry_id", "entries", "id"),),
    "legal_basis": (("entry_id", "entries", "id"),),
    "assessments": (("entry_id", "entries", "id"),),
    "spells": (("incident_id", "incidents", "incident_id"),),
}
_INDEXES = {
    "entries": ("kind", "earliest"),
    "assessments": ("outcome",),
    "clocks": ("clock",),
    "spells": ("network",),
    "days": ("day", "state"),
    "verdicts": ("measured_at", "network", "state"),
}
_CASE = (
    "case_id", "title", "service", "service_name", "place", "summary", "start", "end", "as_of", "answer", "state",
    "grade", "measurements", "rejects", "kholo", "ruleset", "reference", "digest", "licence", "simulated",
)  # fmt: skip


def write_sqlite(pages: Sequence[CasePage], verdicts: Verdicts, out: Path) -> list[Path]:
    """Write the file and, beside it, the metadata for Datasette. What holds the right bytes already is left alone.

    Raises `EnvironmentFault`.
    """
    described = out.with_name(f"{out.stem}.metadata.json")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
        os.close(descriptor)
        beside = Path(name)
        try:
            _fill(beside, pages, verdicts)
            if not (out.is_file() and filecmp.cmp(beside, out, shallow=False)):
                beside.chmod(0o644)
                beside.replace(out)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, sqlite3.OperationalError) as error:
        raise EnvironmentFault(f"{out}: can't be written: {error}") from error
    write_if_changed(described, metadata(pages, out.stem))
    return [out, described]


def _fill(path: Path, pages: Sequence[CasePage], verdicts: Verdicts) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN")
        for page in sorted(pages, key=lambda page: page.view.case.id):
            for name, columns, rows in _tables(page, verdicts):
                db.execute(_table(name, columns))
                _insert(db, name, columns, ({"case_id": page.view.case.id} | row for row in rows))
        for name, indexed in _INDEXES.items():
            for column in indexed:
                db.execute(f'CREATE INDEX IF NOT EXISTS "{name}_{column}" ON "{name}" ("{column}")')
        db.execute("CREATE VIRTUAL TABLE entries_fts USING fts5(title, summary, content='entries')")
        db.execute("INSERT INTO entries_fts (entries_fts) VALUES ('rebuild')")
        db.execute("COMMIT")
        db.execute("VACUUM")
    finally:
        db.close()


def _tables(page: CasePage, verdicts: Verdicts) -> Iterator[tuple[str, Sequence[str], Iterable[dict[str, Any]]]]:
    """Every table of a case; those that others refer to come first."""
    yield "cases", _CASE, [_case(page)]
    for name, (rows, columns) in case_tables(page).items():
        if name != "about":
            yield name.replace("-", "_"), columns, rows
    simulated = page.view.simulated
    outages = (msgspec.structs.asdict(one) | {"simulated": simulated} for one in page.view.others.outages)
    yield "signals", (*Outage.__struct_fields__, "simulated"), outages
    marked = (row | {"simulated": bool(row["simulated"]) or simulated} for row in verdicts(page))
    yield "verdicts", Verdict.__struct_fields__, marked


def _case(page: CasePage) -> dict[str, Any]:
    view, said = page.view, page.answer
    return {
        "title": view.case.title, "service": view.case.service, "service_name": view.service,
        "place": view.case.place, "summary": view.case.summary, "start": view.case.start, "end": view.case.end,
        "as_of": view.as_of, "answer": said.sentence, "state": said.state, "grade": said.grade,
        "measurements": view.measurements, "rejects": view.rejects, "kholo": view.versions.kholo,
        "ruleset": view.versions.ruleset, "reference": view.versions.reference, "digest": view.versions.case,
        "licence": LICENCE, "simulated": view.simulated,
    }  # fmt: skip


def _table(name: str, columns: Sequence[str]) -> str:
    """The statement that makes a table. All names in it are ours."""
    kinds = _kinds(name)
    # Of the flat tables of charts the model does not tell the types: SQLite then keeps numbers as they come.
    other = "TEXT" if name in _STRUCTS or name == "cases" else ""
    lines = [] if name == "cases" else ['"case_id" TEXT NOT NULL REFERENCES "cases" ("case_id")']
    for column in columns:
        own = " PRIMARY KEY" if (name, column) == ("cases", "case_id") else ""
        needed = " NOT NULL" if column == "simulated" else ""
        lines.append(f'"{column}" {kinds.get(column, other)}{own}{needed}')
    if name in _KEYS:
        lines.append(f"PRIMARY KEY ({_quoted(('case_id', *_KEYS[name]))})")
    for column, other, key in _REFERENCES.get(name, ()):
        lines.append(f'FOREIGN KEY ("case_id", "{column}") REFERENCES "{other}" ("case_id", "{key}")')
    inside = ",\n  ".join(lines)
    return f'CREATE TABLE IF NOT EXISTS "{name}" (\n  {inside}\n)'


def _kinds(name: str) -> dict[str, str]:
    """Types of a table's columns, as the model has them; what is no number is text."""
    found = {"simulated": "INTEGER", "number": "INTEGER", "measurements": "INTEGER", "rejects": "INTEGER"}
    for field in msgspec.structs.fields(_STRUCTS[name]) if name in _STRUCTS else ():
        options = get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
        for kind in options:
            if kind in _SQL_TYPES:
                found[field.name] = _SQL_TYPES[kind]
    return found


def _insert(db: sqlite3.Connection, name: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    names = columns if name == "cases" else ("case_id", *columns)
    places = ", ".join("?" * len(names))
    values = (tuple(_value(row.get(one)) for one in names) for row in rows)
    db.executemany(f'INSERT INTO "{name}" ({_quoted(names)}) VALUES ({places})', values)  # noqa: S608 - our own names


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _value(value: Any) -> str | int | float | None:
    """A value as SQLite has it: times in RFC 3339 UTC, lists and parts as JSON, yes and no as 1 and 0."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return visible(str(value))
    return visible(msgspec.json.encode(value).decode())


def metadata(pages: Sequence[CasePage], database: str) -> bytes:
    """What Datasette shows beside the tables. `database` is what it calls the file."""
    invented = [page.view.case.id for page in pages if page.view.simulated]
    notice = f" Simulated, and never happened: {', '.join(sorted(invented))}." if invented else ""
    there = {name: ("case_id", *columns) for page in pages[:1] for name, columns, _ in _tables(page, lambda _: ())}
    tables = {
        name: {
            "description": TABLES[name],
            "columns": {column: COLUMNS[column] for column in COLUMNS if column in columns},
            "units": {column: unit for column, unit in UNITS.items() if column in columns},
        }
        for name, columns in there.items()
    }
    about = {
        "title": "kholo: what was blocked, said and ordered",
        "description": f"Measured incidents, the record of what was said, and how both fit.{notice}",
        "license": "CC BY 4.0",
        "license_url": "https://creativecommons.org/licenses/by/4.0/",
    }
    return json_bytes(about | {"databases": {database: {"tables": tables}}})
